/* The memory of a decoder's states: planning, creating, and the attention that they keep. */
#include "decoder/decoder_state.h"

#include "common/base/mem.h"
#include "common/kernels/attention.h"
#include "common/kernels/pack.h"

size_t limn_decoder_padded(size_t n)
{
    return limn_padded_outputs(n);
}

/* ---- planning the caches ------------------------------------------------------------------- */

static void plan_cross(limn_decoder_state *s, limn_arena *a)
{
    const limn_decoder_config *c = &s->d->config;
    const size_t S = limn_decoder_n_memory_rows(c), head_dim = c->dim / c->n_heads;
    s->cross = limn_arena_take(a, c->n_layers, sizeof *s->cross);
    for (size_t i = 0; i < c->n_layers; i++) {
        limn_packed *keys = limn_arena_take(a, c->n_heads, sizeof *keys);
        limn_packed *values = limn_arena_take(a, c->n_heads, sizeof *values);
        for (size_t head = 0; head < c->n_heads; head++) {
            const limn_packed key = limn_packed_take(a, S, head_dim, false);
            const limn_packed value = limn_packed_take(a, head_dim, S, false);
            if (keys && values) {
                keys[head] = key;
                values[head] = value;
            }
        }
        if (s->cross) s->cross[i] = (limn_cross_memory){ keys, values };
    }
}

/* [n_layers] of n_rows keys and values. */
static float **plan_kv(limn_decoder_state *s, limn_arena *a, size_t n_rows)
{
    const limn_decoder_config *c = &s->d->config;
    float **layers = limn_arena_take(a, c->n_layers, sizeof *layers);
    for (size_t i = 0; i < c->n_layers; i++) {
        float *kv = limn_arena_take(a, n_rows, 2 * c->dim * sizeof *kv);
        if (layers) layers[i] = kv;
    }
    return layers;
}

/* Takes all memory of the caches from `a`; while it counts, pointers are NULL. */
static void plan_caches(limn_decoder_state *s, limn_arena *a)
{
    const limn_decoder_config *c = &s->d->config;
    if (c->layout.memory == LIMN_MEMORY_PREFIX)
        s->prefix_kv = plan_kv(s, a, limn_decoder_n_memory_rows(c));
    else
        plan_cross(s, a);
    s->self_kv = plan_kv(s, a, s->max_steps * s->max_rows);
    s->slots = limn_arena_take(a, s->max_rows * s->max_steps, sizeof *s->slots);
    s->old_slots = limn_arena_take(a, s->max_rows * s->max_steps, sizeof *s->old_slots);
}

static size_t caches_bytes(const limn_decoder *d, size_t max_rows, size_t max_steps)
{
    limn_decoder_state s = { .d = d, .max_rows = max_rows, .max_steps = max_steps };
    limn_arena a;
    limn_arena_init_counting(&a);
    plan_caches(&s, &a);
    return a.high;
}

/* ---- planning the scratch memory ----------------------------------------------------------- */

/* Room to widen the largest weights by which the memory's rows are multiplied. */
static void plan_runner(limn_decoder_scratch *s, limn_arena *a)
{
    const limn_decoder_layer *l = &s->d->weights->layers[0];
    const limn_packed *const weights[] = { &s->d->weights->memory_project, &l->cross_kv,
                                           &l->self_qkv, &l->up, &l->down };
    const bool is_prefix = s->d->config.layout.memory == LIMN_MEMORY_PREFIX;
    size_t n = 0;
    for (size_t i = 0; i < (is_prefix ? 5 : 2); i++) {
        const size_t floats = limn_widened_floats(weights[i]->n_outputs, weights[i]->n_inputs);
        if (weights[i]->dtype == LIMN_F16 && floats > n) n = floats;
    }
    s->runner = (limn_runner){ .kernels = s->d->kernels, .n_widened = n };
    if (n > 0) s->runner.widened = limn_arena_take(a, n, sizeof *s->runner.widened);
}

/* What the rows of the memory need. */
static void plan_memory(limn_decoder_scratch *s, limn_arena *a)
{
    const limn_decoder_config *c = &s->d->config;
    const size_t S = limn_decoder_n_memory_rows(c);
    plan_runner(s, a);
    if (c->layout.memory == LIMN_MEMORY_PREFIX)
        s->prefix_attention =
            limn_arena_take(a, limn_attention_floats(S, c->n_heads, c->dim / c->n_heads),
                            sizeof *s->prefix_attention);
    else
        s->memory_kv = limn_arena_take(a, S * 2 * c->dim, sizeof *s->memory_kv);
    s->memory = limn_arena_take(a, S * limn_decoder_memory_width(c), sizeof *s->memory);
}

/* What the rows of a step need. */
static void plan_rows(limn_decoder_scratch *s, limn_arena *a)
{
    const limn_decoder_config *c = &s->d->config;
    const bool is_prefix = c->layout.memory == LIMN_MEMORY_PREFIX;
    const size_t R = s->max_rows, S = limn_decoder_n_memory_rows(c), D = c->dim;
    const size_t B = is_prefix && S > R ? S : R;
    const size_t n_cross = is_prefix ? 0 : c->n_heads * R * limn_decoder_padded(S);
    s->max_seen = s->max_steps + (is_prefix ? S : 0);
    const size_t n_self = R * c->n_heads * s->max_seen;
    s->x = limn_arena_take(a, R * D, sizeof *s->x);
    s->h = limn_arena_take(a, B * D, sizeof *s->h);
    s->y = limn_arena_take(a, B * D, sizeof *s->y);
    s->qkv = limn_arena_take(a, B * 3 * D, sizeof *s->qkv);
    s->hidden = limn_arena_take(a, B * c->feed_forward_dim, sizeof *s->hidden);
    s->scores = limn_arena_take(a, n_cross > n_self ? n_cross : n_self, sizeof *s->scores);
    s->key_rows = limn_arena_take(a, n_self, sizeof *s->key_rows);
    s->value_rows = limn_arena_take(a, n_self, sizeof *s->value_rows);
}

static size_t memory_bytes(const limn_decoder *d)
{
    limn_decoder_scratch s = { .d = d };
    limn_arena a;
    limn_arena_init_counting(&a);
    plan_memory(&s, &a);
    return a.high;
}

static size_t rows_bytes(const limn_decoder *d, size_t max_rows, size_t max_steps)
{
    limn_decoder_scratch s = { .d = d, .max_rows = max_rows, .max_steps = max_steps };
    limn_arena a;
    limn_arena_init_counting(&a);
    plan_rows(&s, &a);
    return a.high;
}

size_t limn_decoder_state_bytes(const limn_decoder *d, size_t max_rows, size_t max_steps)
{
    return caches_bytes(d, max_rows, max_steps) + memory_bytes(d) +
           rows_bytes(d, max_rows, max_steps);
}

size_t limn_decoder_joined_bytes(const limn_decoder *d, size_t max_rows, size_t max_steps)
{
    return caches_bytes(d, max_rows, max_steps) + rows_bytes(d, 2 * max_rows, max_steps) -
           rows_bytes(d, max_rows, max_steps);
}

/* ---- creating ------------------------------------------------------------------------------ */

/* Room for the rows of one more state. False, and nothing is changed, when memory is short. */
static bool join(limn_decoder_scratch *s, size_t max_rows)
{
    limn_arena before = s->row_arena;
    const size_t n_rows = s->max_rows + max_rows;
    limn_arena rows;
    if (!limn_arena_init(&rows, rows_bytes(s->d, n_rows, s->max_steps))) return false;
    limn_arena_finish(&before);
    s->row_arena = rows;
    s->max_rows = n_rows;
    s->n_states++;
    plan_rows(s, &s->row_arena);
    return true;
}

static limn_decoder_scratch *create_scratch(const limn_decoder *d, size_t max_steps)
{
    limn_decoder_scratch *s = limn_calloc(1, sizeof *s);
    if (!s || !limn_arena_init(&s->arena, memory_bytes(d))) {
        limn_free(s);
        return NULL;
    }
    s->d = d;
    s->max_steps = max_steps;
    plan_memory(s, &s->arena);
    return s;
}

static void leave(limn_decoder_scratch *s)
{
    if (--s->n_states > 0) return;
    limn_arena_finish(&s->arena);
    limn_arena_finish(&s->row_arena);
    limn_free(s);
}

/* A state that shares `scratch`, or has its own where that is NULL. */
static limn_status create(limn_decoder_state **out, const limn_decoder *d,
                          limn_decoder_scratch *scratch, size_t max_rows, size_t max_steps,
                          limn_error *err)
{
    limn_decoder_state *s = limn_calloc(1, sizeof *s);
    *out = NULL;
    if (!s || !limn_arena_init(&s->arena, caches_bytes(d, max_rows, max_steps))) {
        limn_free(s);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu hypotheses", max_rows);
    }
    s->d = d;
    s->max_rows = max_rows;
    s->max_steps = max_steps;
    plan_caches(s, &s->arena);
    s->scratch = scratch ? scratch : create_scratch(d, max_steps);
    *out = s;
    if (s->scratch && join(s->scratch, max_rows)) return LIMN_OK;
    if (!scratch && s->scratch) {
        limn_arena_finish(&s->scratch->arena);
        limn_free(s->scratch);
    }
    s->scratch = NULL;
    limn_decoder_state_destroy(out);
    return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu hypotheses", max_rows);
}

limn_status limn_decoder_state_create(limn_decoder_state **out, const limn_decoder *d,
                                      size_t max_rows, size_t max_steps, limn_error *err)
{
    *out = NULL;
    if (max_rows < 1 || max_rows > 256)
        return limn_fail(err, LIMN_E_ARG, "%zu hypotheses at once are not in 1 … 256", max_rows);
    if (max_steps < 1 || max_steps > d->config.max_positions)
        return limn_fail(err, LIMN_E_ARG, "%zu steps are not in 1 … %u", max_steps,
                         d->config.max_positions);
    return create(out, d, NULL, max_rows, max_steps, err);
}

limn_status limn_decoder_state_join(limn_decoder_state **out, const limn_decoder_state *with,
                                    limn_error *err)
{
    return create(out, with->d, with->scratch, with->max_rows, with->max_steps, err);
}

void limn_decoder_state_destroy(limn_decoder_state **s)
{
    if (!s || !*s) return;
    if ((*s)->scratch) leave((*s)->scratch);
    limn_arena_finish(&(*s)->arena);
    limn_free(*s);
    *s = NULL;
}

/* ---- attention ----------------------------------------------------------------------------- */

size_t limn_decoder_attention_dim(const limn_decoder *d)
{
    return (size_t)d->config.n_layers * d->config.n_heads * limn_decoder_n_places(&d->config);
}

void limn_decoder_keep_attention(limn_decoder_state *s, float *attention)
{
    s->attention = attention;
}

const float *limn_decoder_attention(const limn_decoder_state *s, size_t step, size_t row)
{
    const size_t dim = limn_decoder_attention_dim(s->d);
    return s->attention ? s->attention + (step * s->max_rows + row) * dim : NULL;
}

uint32_t limn_decoder_past_row(const limn_decoder_state *s, size_t step, size_t row)
{
    return s->slots[row * s->max_steps + step];
}
