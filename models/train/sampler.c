#include "models/train/sampler.h"

#include <math.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "decoder/sampling.h"

struct limn_sampler {
    limn_decoder_state *state;
    limn_kernels kernels;
    limn_arena arena;
    size_t n_samples, max_steps, n_tokens;
    limn_specials specials;
    float *probs;             /* [n_samples, n_tokens] */
    size_t *live;             /* [n_samples] which sample a row is */
    uint32_t *parents, *last; /* [n_samples] of each row: its row before, its last token */
};

static void plan(limn_sampler *s, limn_arena *a)
{
    s->probs = limn_arena_take(a, s->n_samples * s->n_tokens, sizeof *s->probs);
    s->live = limn_arena_take(a, s->n_samples, sizeof *s->live);
    s->parents = limn_arena_take(a, s->n_samples, sizeof *s->parents);
    s->last = limn_arena_take(a, s->n_samples, sizeof *s->last);
}

static size_t planned_bytes(const limn_decoder *d, size_t n_samples)
{
    limn_sampler s = { .n_samples = n_samples, .n_tokens = limn_decoder_get_config(d)->n_tokens };
    limn_arena a;
    limn_arena_init_counting(&a);
    plan(&s, &a);
    return a.high;
}

limn_status limn_sampler_create(limn_sampler **out, const limn_decoder *d, size_t n_samples,
                                size_t max_steps, limn_cpu_level level, limn_error *err)
{
    limn_sampler *s = limn_calloc(1, sizeof *s);
    *out = NULL;
    if (!s) return limn_fail(err, LIMN_E_NOMEM, "no memory for a sampler");
    s->n_samples = n_samples;
    s->max_steps = max_steps;
    s->n_tokens = limn_decoder_get_config(d)->n_tokens;
    s->specials = limn_decoder_get_config(d)->specials;
    limn_kernels_init(&s->kernels, level);
    limn_status status = limn_decoder_state_create(&s->state, d, n_samples, max_steps, err);
    if (status == LIMN_OK && !limn_arena_init(&s->arena, planned_bytes(d, n_samples)))
        status = limn_fail(err, LIMN_E_NOMEM, "no memory to draw %zu captions", n_samples);
    if (status == LIMN_OK)
        plan(s, &s->arena);
    else
        limn_sampler_destroy(&s);
    *out = s;
    return status;
}

void limn_sampler_destroy(limn_sampler **s)
{
    if (!s || !*s) return;
    limn_decoder_state_destroy(&(*s)->state);
    limn_arena_finish(&(*s)->arena);
    limn_free(*s);
    *s = NULL;
}

/* Logits of each row in place to probabilities of what may be drawn. */
static void to_probabilities(const limn_sampler *s, size_t n_rows)
{
    for (size_t r = 0; r < n_rows; r++)
        limn_specials_forbid(&s->specials, s->probs + r * s->n_tokens, -1e30f);
    s->kernels.softmax(s->probs, n_rows, s->n_tokens, s->n_tokens);
}

static uint32_t draw(const limn_sampler *s, const float *probs, double uniform)
{
    double total = 0;
    for (size_t i = 0; i < s->n_tokens; i++) total += probs[i];
    if (!(total > 0)) return s->specials.end; /* NaN: the loss will show it */
    return limn_sampling_draw(probs, s->n_tokens, total, uniform);
}

void limn_sampler_draw(limn_sampler *s, uint32_t *tokens, size_t *lengths, const float *features,
                       const limn_tag_slot *slots, limn_rng *rng)
{
    size_t n_live = s->n_samples;
    for (size_t i = 0; i < n_live; i++) {
        lengths[i] = 0;
        s->live[i] = i;
    }
    s->last[0] = s->specials.start;
    limn_decoder_begin(s->state, NULL, features, slots);
    for (size_t step = 0; step < s->max_steps && n_live > 0; step++) {
        const size_t n_rows = step == 0 ? 1 : n_live; /* all samples share the first row */
        size_t n_kept = 0;
        limn_decoder_step(s->state, NULL, n_rows, s->parents, s->last, s->probs);
        to_probabilities(s, n_rows);
        for (size_t i = 0; i < n_live; i++) {
            const size_t row = step == 0 ? 0 : i, sample = s->live[i];
            const uint32_t token = draw(s, s->probs + row * s->n_tokens, limn_rng_uniform(rng));
            tokens[sample * s->max_steps + lengths[sample]++] = token;
            if (token == s->specials.end) continue;
            s->live[n_kept] = sample;
            s->parents[n_kept] = (uint32_t)row;
            s->last[n_kept++] = token;
        }
        n_live = n_kept;
    }
}
