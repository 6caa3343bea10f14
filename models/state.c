#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "models/captioner_state.h"
#include "models/options.h"

static limn_status ban_words(limn_state *s, const limn_options *o, limn_error *err)
{
    for (size_t i = 0; i < o->n_banned_words; i++) {
        const char *word = o->banned_words[i];
        const uint32_t id = limn_vocab_find(s->model->vocab, word, strlen(word));
        if (id <= LIMN_TOKEN_UNKNOWN)
            return limn_fail(err, LIMN_E_ARG, "banned word '%s' is not in the vocabulary", word);
        s->banned[i] = id;
    }
    return LIMN_OK;
}

static bool keeps_search(const limn_options *o)
{
    return o->keeps_search || o->keeps_attention || o->n_alternatives > 0;
}

static void plan_trace(limn_state *s, limn_arena *a)
{
    const limn_model *m = s->model;
    const limn_options *o = &s->options;
    const size_t n_tokens = m->config.decoder.n_tokens;
    const limn_trace_settings settings = {
        .max_rows = o->beam_size, .max_steps = m->config.max_steps, .n_tokens = n_tokens,
        .n_alternatives = o->n_alternatives < n_tokens ? o->n_alternatives : n_tokens,
        .attention_dim = o->keeps_attention ? limn_decoder_attention_dim(m->decoder) : 0,
    };
    s->trace = limn_trace_plan(a, &settings);
    s->predictions = limn_arena_take(a, (size_t)o->n_best * settings.max_steps,
                                     sizeof *s->predictions);
}

/* Takes what belongs to no module from `a`, which may be counting. */
static void plan(limn_state *s, limn_arena *a)
{
    const limn_model *m = s->model;
    const size_t side = m->config.encoder.input_size, n_tokens = m->config.decoder.n_tokens;
    s->beam = limn_beam_plan(a, s->options.beam_size, m->config.max_steps, n_tokens);
    s->banned = limn_arena_take(a, s->options.n_banned_words, sizeof *s->banned);
    s->features = limn_arena_take(a, limn_encoder_n_positions(m->encoder),
                                  limn_encoder_dim(m->encoder) * sizeof *s->features);
    s->input = limn_arena_take(a, side * side, 3);
    s->items = limn_arena_take(a, s->options.n_best, sizeof *s->items);
    s->texts = limn_arena_take(a, s->options.n_best, m->max_text);
    s->raw_text = limn_arena_take(a, m->max_text, 1);
    if (keeps_search(&s->options))
        plan_trace(s, a);
}

static limn_status build(limn_state *s, const limn_options *o, uint32_t n_threads, limn_error *err)
{
    limn_arena counting;
    limn_arena_init_counting(&counting);
    plan(s, &counting);
    if (counting.has_failed || !limn_arena_init(&s->arena, counting.high))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a state of %zu bytes", counting.high);
    plan(s, &s->arena);
    LIMN_TRY(ban_words(s, o, err));
    if (n_threads > 1)
        LIMN_TRY(limn_pool_create(&s->pool, n_threads, err));
    LIMN_TRY(limn_encoder_state_create(&s->encoder, s->model->encoder, err));
    LIMN_TRY(limn_decoder_state_create(&s->decoder, s->model->decoder, o->beam_size,
                                       s->model->config.max_steps, err));
    if (s->trace)
        limn_trace_attach(s->trace, s->decoder);
    return LIMN_OK;
}

limn_status limn_state_create(limn_state **out, const limn_model *model,
                              const limn_options *options, uint32_t n_threads, limn_error *err)
{
    *out = NULL;
    LIMN_TRY(limn_options_check(options, model, err));
    if (n_threads < 1 || n_threads > 1024)
        return limn_fail(err, LIMN_E_ARG, "n_threads: %u is not in 1 … 1024", n_threads);
    limn_state *s = limn_calloc(1, sizeof *s);
    if (!s)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a state");
    s->model = model;
    s->options = *options;
    s->options.banned_words = NULL;
    if (isnan(s->options.length_penalty))
        s->options.length_penalty = model->config.length_penalty;
    const limn_status status = build(s, options, n_threads, err);
    if (status != LIMN_OK)
        limn_state_destroy(&s);
    *out = s;
    return status;
}

void limn_state_destroy(limn_state **state)
{
    limn_state *s = state ? *state : NULL;
    if (!s)
        return;
    limn_encoder_state_destroy(&s->encoder);
    limn_decoder_state_destroy(&s->decoder);
    limn_pool_destroy(&s->pool);
    limn_resize_scratch_finish(&s->resize);
    limn_arena_finish(&s->arena);
    limn_free(s);
    *state = NULL;
}
