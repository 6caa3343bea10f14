/* From features to the keys and values that every step attends to. */
#include <math.h>
#include <string.h>

#include "common/kernels/attention.h"
#include "common/kernels/pack.h"
#include "decoder/decoder_state.h"

/* ---- rows of the memory -------------------------------------------------------------------- */

/* The rows of the features. */
static void fill_positions(limn_decoder_scratch *s, const float *features)
{
    const limn_decoder_config *c = &s->d->config;
    const limn_decoder_weights *w = s->d->weights;
    const size_t n_rows = c->n_memory_positions, n = n_rows * limn_decoder_memory_width(c);
    if (c->layout.has_memory_projection && c->layout.has_memory_positions) {
        memcpy(s->memory, w->memory_position, n * sizeof *s->memory);
        limn_decoder_add_linear(s, s->memory, features, n_rows, &w->memory_project);
        return;
    }
    if (c->layout.has_memory_projection)
        limn_decoder_linear(s, s->memory, features, n_rows, &w->memory_project);
    else
        memcpy(s->memory, features, n * sizeof *s->memory);
    for (size_t i = 0; c->layout.has_memory_positions && i < n; i++)
        s->memory[i] += w->memory_position[i];
}

/* The rows of the tags, after those. */
static void fill_slots(limn_decoder_scratch *s, const limn_tag_slot *slots)
{
    const limn_decoder_config *c = &s->d->config;
    const limn_decoder_weights *w = s->d->weights;
    const size_t width = limn_decoder_memory_width(c);
    float *x = s->memory + c->n_memory_positions * width;
    limn_tag_slot unconditional[LIMN_MAX_TAG_SLOTS];
    if (!slots) limn_decoder_unconditional_slots(unconditional, c);
    for (size_t k = 0; k < c->n_tag_slots; k++, x += width) {
        const limn_tag_slot slot = slots ? slots[k] : unconditional[k];
        const float *embedding = w->tag_embedding + slot.tag * width;
        for (size_t i = 0; i < width; i++)
            x[i] = fmaf(slot.probability, w->tag_probability[i], embedding[i]);
    }
}

/* ---- cross-attention ----------------------------------------------------------------------- */

/* A layer whose heads the threads share. */
typedef struct pack_run {
    const limn_decoder_state *s;
    size_t layer;
} pack_run;

static void pack_head(void *ctx, size_t head, size_t worker)
{
    const pack_run *run = ctx;
    const limn_cross_memory *m = &run->s->cross[run->layer];
    const limn_decoder_config *c = &run->s->d->config;
    const size_t head_dim = c->dim / c->n_heads, stride = 2 * c->dim;
    const float *keys = run->s->scratch->memory_kv + head * head_dim, *values = keys + c->dim;
    (void)worker;
    limn_packed_fill_strided(&m->keys[head], keys, stride, 1, 1.0f / sqrtf((float)head_dim));
    limn_packed_fill_strided(&m->values[head], values, 1, stride, 1.0f);
}

static void begin_cross(limn_decoder_state *state, size_t n_rows)
{
    const limn_decoder_scratch *s = state->scratch;
    for (size_t i = 0; i < s->d->config.n_layers; i++) {
        pack_run run = { state, i };
        limn_decoder_linear(s, s->memory_kv, s->memory, n_rows, &s->d->weights->layers[i].cross_kv);
        limn_pool_run(s->runner.pool, s->d->config.n_heads, pack_head, &run);
    }
}

/* ---- prefix -------------------------------------------------------------------------------- */

/* Keeps a layer's keys and values of the prefix, and runs full attention among its rows. */
static void run_prefix_attention(limn_decoder_state *state, size_t layer, size_t n_rows)
{
    limn_decoder_scratch *s = state->scratch;
    const limn_decoder_layer *l = &s->d->weights->layers[layer];
    const size_t dim = s->d->config.dim;
    const float *in = limn_decoder_part_begin(s, s->memory, n_rows, &l->self_norm);
    float *kv = state->prefix_kv[layer];
    limn_decoder_linear(s, s->qkv, in, n_rows, &l->self_qkv);
    for (size_t r = 0; r < n_rows; r++)
        memcpy(kv + r * 2 * dim, s->qkv + (3 * r + 1) * dim, 2 * dim * sizeof *kv);
    if (layer + 1 == s->d->config.n_layers) return; /* nothing reads its output */
    limn_attention_run(&s->runner,
                       &(limn_attention){ .n_rows = n_rows,
                                          .n_keys = n_rows,
                                          .n_heads = s->d->config.n_heads,
                                          .head_dim = dim / s->d->config.n_heads,
                                          .q = s->qkv,
                                          .k = kv,
                                          .v = kv + dim,
                                          .q_stride = 3 * dim,
                                          .kv_stride = 2 * dim,
                                          .y = s->y },
                       s->prefix_attention);
    limn_decoder_part_end(s, s->memory, s->y, n_rows, &l->self_output, &l->self_norm);
}

static void begin_prefix(limn_decoder_state *state, size_t n_rows)
{
    limn_decoder_scratch *s = state->scratch;
    const size_t n_layers = s->d->config.n_layers;
    for (size_t i = 0; i < n_layers; i++) {
        run_prefix_attention(state, i, n_rows);
        if (i + 1 < n_layers) limn_decoder_feed_forward(s, i, s->memory, n_rows);
    }
}

/* ---- both ---------------------------------------------------------------------------------- */

void limn_decoder_begin(limn_decoder_state *state, limn_pool *pool, const float *features,
                        const limn_tag_slot *slots)
{
    const limn_decoder *d = state->d;
    limn_decoder_scratch *s = state->scratch;
    const limn_decoder_layout *l = &d->config.layout;
    const limn_norm_weights *norm = &d->weights->memory_norm;
    const size_t n_rows = limn_decoder_n_memory_rows(&d->config);
    s->runner.pool = pool;
    limn_decoder_rewind(state);
    fill_positions(s, features);
    fill_slots(s, slots);
    if (l->has_memory_norm)
        limn_norm_rows(&s->runner, s->memory, s->memory, norm->gamma, norm->beta, l->memory_eps,
                       n_rows, limn_decoder_memory_width(&d->config));
    if (l->memory == LIMN_MEMORY_PREFIX)
        begin_prefix(state, n_rows);
    else
        begin_cross(state, n_rows);
}

void limn_decoder_rewind(limn_decoder_state *s)
{
    s->n_steps = 0;
}
