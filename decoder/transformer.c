/* Running the decoder. Names: R rows (hypotheses), S rows of the memory, D dim, F feed-forward. */
#include <math.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/kernels/pack.h"
#include "decoder/decoder_weights.h"

/* Panels that one thread takes at a time, and the size of a product worth splitting. */
enum { PANELS_PER_ITEM = 12, MIN_PANELS_TO_SPLIT = 48 };

/* Cross-attention of one layer: keys and values of the picture, packed per head so that the scores
 * and the weighted sums of all rows are products of the linear kernel. */
struct cross_memory {
    limn_packed *keys;   /* [n_heads]: [S, head_dim], times 1/sqrt(head_dim) */
    limn_packed *values; /* [n_heads]: [head_dim, S] */
};

struct limn_decoder_state {
    const limn_decoder *d;
    limn_arena arena;
    limn_pool *pool; /* of the call under way */
    size_t max_rows, max_steps, n_steps;
    struct cross_memory *cross;  /* [n_layers] */
    float **self_kv;             /* [n_layers]: [max_steps, max_rows, 2 * D], keys then values */
    uint32_t *slots, *old_slots; /* [max_rows, max_steps]: which row of a step a hypothesis took */
    float *memory, *memory_kv;   /* [S, D], [S, 2 * D] */
    float *x, *h, *y;            /* [R, D]: residual stream, normed, heads joined */
    float *qkv;                  /* [R, 3 * D] */
    float *hidden;               /* [R, F] */
    float *scores;               /* [R, S up to a multiple of 16], also [max_steps] weights */
    const float **key_rows, **value_rows; /* [max_steps] */
    float *attention; /* [max_steps, max_rows, n_layers, n_heads, n_memory_positions],
                       * the caller's; NULL: not kept */
};

/* ---- planning ------------------------------------------------------------------------------ */

static size_t padded(size_t n)
{
    return limn_n_panels(n) * LIMN_PANEL;
}

static void plan_heads(limn_packed *heads, limn_arena *a, size_t n_heads, size_t n_outputs,
                       size_t n_inputs)
{
    for (size_t i = 0; i < n_heads; i++) {
        const float *panels = limn_arena_take(a, padded(n_outputs) * n_inputs, sizeof *panels);
        if (heads)
            heads[i] = (limn_packed){
                .panels = panels, .n_outputs = n_outputs, .n_inputs = n_inputs, .dtype = LIMN_F32
            };
    }
}

/* Takes all memory from `a`; while it counts, pointers are NULL. */
static void plan(limn_decoder_state *s, limn_arena *a)
{
    const limn_decoder_config *c = &s->d->config;
    const size_t R = s->max_rows, S = limn_decoder_n_memory_rows(c), D = c->dim;
    const size_t n_scores = R * padded(S) > s->max_steps ? R * padded(S) : s->max_steps;
    s->cross = limn_arena_take(a, c->n_layers, sizeof *s->cross);
    s->self_kv = limn_arena_take(a, c->n_layers, sizeof *s->self_kv);
    for (size_t i = 0; i < c->n_layers; i++) {
        limn_packed *keys = limn_arena_take(a, c->n_heads, sizeof *keys);
        limn_packed *values = limn_arena_take(a, c->n_heads, sizeof *values);
        plan_heads(keys, a, c->n_heads, S, D / c->n_heads);
        plan_heads(values, a, c->n_heads, D / c->n_heads, S);
        float *kv = limn_arena_take(a, s->max_steps * R, 2 * D * sizeof *kv);
        if (s->cross) {
            s->cross[i] = (struct cross_memory){ keys, values };
            s->self_kv[i] = kv;
        }
    }
    s->slots = limn_arena_take(a, R * s->max_steps, sizeof *s->slots);
    s->old_slots = limn_arena_take(a, R * s->max_steps, sizeof *s->old_slots);
    s->memory = limn_arena_take(a, S * D, sizeof *s->memory);
    s->memory_kv = limn_arena_take(a, S * 2 * D, sizeof *s->memory_kv);
    s->x = limn_arena_take(a, R * D, sizeof *s->x);
    s->h = limn_arena_take(a, R * D, sizeof *s->h);
    s->y = limn_arena_take(a, R * D, sizeof *s->y);
    s->qkv = limn_arena_take(a, R * 3 * D, sizeof *s->qkv);
    s->hidden = limn_arena_take(a, R * c->feed_forward_dim, sizeof *s->hidden);
    s->scores = limn_arena_take(a, n_scores, sizeof *s->scores);
    s->key_rows = limn_arena_take(a, s->max_steps, sizeof *s->key_rows);
    s->value_rows = limn_arena_take(a, s->max_steps, sizeof *s->value_rows);
}

size_t limn_decoder_state_bytes(const limn_decoder *d, size_t max_rows, size_t max_steps)
{
    limn_decoder_state s = { .d = d, .max_rows = max_rows, .max_steps = max_steps };
    limn_arena a;
    limn_arena_init_counting(&a);
    plan(&s, &a);
    return a.high;
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
    limn_decoder_state *s = limn_calloc(1, sizeof *s);
    if (!s || !limn_arena_init(&s->arena, limn_decoder_state_bytes(d, max_rows, max_steps))) {
        limn_free(s);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu hypotheses", max_rows);
    }
    s->d = d;
    s->max_rows = max_rows;
    s->max_steps = max_steps;
    plan(s, &s->arena);
    *out = s;
    return LIMN_OK;
}

void limn_decoder_state_destroy(limn_decoder_state **s)
{
    if (!s || !*s) return;
    limn_arena_finish(&(*s)->arena);
    limn_free(*s);
    *s = NULL;
}

/* ---- products ------------------------------------------------------------------------------ */

struct split_job {
    const limn_kernels *kernels;
    limn_linear_job job;
};

static void run_panels(void *ctx, size_t item, size_t worker)
{
    const struct split_job *s = ctx;
    limn_linear_job part = s->job;
    (void)worker;
    part.panel_begin = item * PANELS_PER_ITEM;
    if (part.panel_begin + PANELS_PER_ITEM < part.panel_end)
        part.panel_end = part.panel_begin + PANELS_PER_ITEM;
    limn_linear(s->kernels, &part);
}

/* All outputs of a product, split among threads where that pays. */
static void product(const limn_decoder_state *s, limn_linear_job job)
{
    const size_t n_panels = limn_n_panels(job.w->n_outputs);
    job.panel_end = n_panels;
    if (limn_pool_n_threads(s->pool) > 1 && n_panels >= MIN_PANELS_TO_SPLIT) {
        struct split_job split = { &s->d->kernels, job };
        limn_pool_run(s->pool, (n_panels + PANELS_PER_ITEM - 1) / PANELS_PER_ITEM, run_panels,
                      &split);
    } else {
        limn_linear(&s->d->kernels, &job);
    }
}

/* y [n_rows, n_outputs] (+)= x [n_rows, n_inputs] Wᵀ + b, both dense */
static void linear(const limn_decoder_state *s, float *y, const float *x, size_t n_rows,
                   const limn_packed *w)
{
    product(s, (limn_linear_job){ .y = y,
                                  .x = x,
                                  .n_rows = n_rows,
                                  .x_stride = w->n_inputs,
                                  .y_stride = w->n_outputs,
                                  .w = w });
}

static void add_linear(const limn_decoder_state *s, float *y, const float *x, size_t n_rows,
                       const limn_packed *w)
{
    product(s, (limn_linear_job){ .y = y,
                                  .x = x,
                                  .residual = y,
                                  .n_rows = n_rows,
                                  .x_stride = w->n_inputs,
                                  .y_stride = w->n_outputs,
                                  .w = w });
}

static void norm(const limn_decoder_state *s, float *y, const float *x, size_t n_rows,
                 const limn_norm_weights *w)
{
    s->d->kernels.layer_norm(y, x, w->gamma, w->beta, 1e-5f, n_rows, s->d->config.dim);
}

/* ---- bridge: features to keys and values --------------------------------------------------- */

static void set_packed(const limn_packed *w, size_t output, size_t input, float value)
{
    float *panels = (float *)w->panels; /* the state's own memory, written here only */
    const size_t panel = output / LIMN_PANEL * w->n_inputs;
    panels[(panel + input) * LIMN_PANEL + output % LIMN_PANEL] = value;
}

/* Outputs past n_outputs must be finite, as the kernel computes with them. */
static void clear_padding(const limn_packed *w)
{
    for (size_t o = w->n_outputs; o < padded(w->n_outputs); o++)
        for (size_t i = 0; i < w->n_inputs; i++) set_packed(w, o, i, 0.0f);
}

static void pack_head(const limn_decoder_state *s, const struct cross_memory *m, size_t head)
{
    const limn_decoder_config *c = &s->d->config;
    const size_t head_dim = c->dim / c->n_heads;
    const float scale = 1.0f / sqrtf((float)head_dim);
    clear_padding(&m->keys[head]);
    clear_padding(&m->values[head]);
    for (size_t p = 0; p < limn_decoder_n_memory_rows(c); p++) {
        const float *key = s->memory_kv + p * 2 * c->dim + head * head_dim;
        const float *value = key + c->dim;
        for (size_t i = 0; i < head_dim; i++) {
            set_packed(&m->keys[head], p, i, scale * key[i]);
            set_packed(&m->values[head], i, p, value[i]);
        }
    }
}

/* The rows of the memory behind the positions. */
static void fill_slots(limn_decoder_state *s, const limn_tag_slot *slots)
{
    const limn_decoder *d = s->d;
    const size_t dim = d->config.dim;
    float *x = s->memory + d->config.n_memory_positions * dim;
    limn_tag_slot blind[LIMN_MAX_TAG_SLOTS];
    if (!slots) limn_decoder_blind_slots(blind, &d->config);
    for (size_t k = 0; k < d->config.n_tag_slots; k++, x += dim) {
        const limn_tag_slot slot = slots ? slots[k] : blind[k];
        const float *embedding = d->tag_embedding + slot.tag * dim;
        for (size_t i = 0; i < dim; i++)
            x[i] = fmaf(slot.probability, d->tag_probability[i], embedding[i]);
    }
}

void limn_decoder_begin(limn_decoder_state *s, limn_pool *pool, const float *features,
                        const limn_tag_slot *slots)
{
    const limn_decoder *d = s->d;
    const limn_decoder_config *c = &d->config;
    const size_t n_rows = limn_decoder_n_memory_rows(c);
    s->pool = pool;
    limn_decoder_rewind(s);
    memcpy(s->memory, d->memory_position,
           (size_t)c->n_memory_positions * c->dim * sizeof *s->memory);
    add_linear(s, s->memory, features, c->n_memory_positions, &d->memory_project);
    fill_slots(s, slots);
    norm(s, s->memory, s->memory, n_rows, &d->memory_norm);
    for (size_t i = 0; i < c->n_layers; i++) {
        linear(s, s->memory_kv, s->memory, n_rows, &d->layers[i].cross_kv);
        for (size_t head = 0; head < c->n_heads; head++) pack_head(s, &s->cross[i], head);
    }
}

void limn_decoder_rewind(limn_decoder_state *s)
{
    s->n_steps = 0;
}

/* ---- one step ------------------------------------------------------------------------------ */

/* A hypothesis keeps, for each step of its past, the row whose keys and values are its own. */
static void take_slots(limn_decoder_state *s, size_t n_rows, const uint32_t *parents)
{
    uint32_t *swap = s->old_slots;
    s->old_slots = s->slots;
    s->slots = swap;
    for (size_t r = 0; r < n_rows; r++) {
        uint32_t *slots = s->slots + r * s->max_steps;
        if (s->n_steps > 0)
            memcpy(slots, s->old_slots + parents[r] * s->max_steps, s->n_steps * sizeof *slots);
        slots[s->n_steps] = (uint32_t)r;
    }
}

static float embedding_value(const limn_packed *w, size_t token, size_t i)
{
    const size_t at = (token / LIMN_PANEL * w->n_inputs + i) * LIMN_PANEL + token % LIMN_PANEL;
    return w->dtype == LIMN_F16 ? limn_f16_to_f32(((const uint16_t *)w->panels)[at])
                                : ((const float *)w->panels)[at];
}

static void embed(limn_decoder_state *s, size_t n_rows, const uint32_t *tokens)
{
    const limn_decoder *d = s->d;
    const size_t dim = d->config.dim;
    const float scale = sqrtf((float)dim);
    const float *position = d->position_embedding + s->n_steps * dim;
    for (size_t r = 0; r < n_rows; r++)
        for (size_t i = 0; i < dim; i++)
            s->x[r * dim + i] =
                fmaf(embedding_value(&d->token_embedding, tokens[r], i), scale, position[i]);
}

static void attend_row(limn_decoder_state *s, size_t layer, size_t row)
{
    const limn_decoder_config *c = &s->d->config;
    const size_t head_dim = c->dim / c->n_heads, n = s->n_steps + 1;
    const uint32_t *slots = s->slots + row * s->max_steps;
    for (size_t head = 0; head < c->n_heads; head++) {
        for (size_t p = 0; p < n; p++) {
            s->key_rows[p] =
                s->self_kv[layer] + (p * s->max_rows + slots[p]) * 2 * c->dim + head * head_dim;
            s->value_rows[p] = s->key_rows[p] + c->dim;
        }
        s->d->kernels.attend(s->y + row * c->dim + head * head_dim, s->scores,
                             s->qkv + row * 3 * c->dim + head * head_dim, s->key_rows,
                             s->value_rows, n, head_dim, 1.0f / sqrtf((float)head_dim));
    }
}

static void self_attention(limn_decoder_state *s, size_t layer, size_t n_rows)
{
    const limn_decoder_layer *l = &s->d->layers[layer];
    const size_t dim = s->d->config.dim;
    norm(s, s->h, s->x, n_rows, &l->self_norm);
    linear(s, s->qkv, s->h, n_rows, &l->self_qkv);
    for (size_t r = 0; r < n_rows; r++)
        memcpy(s->self_kv[layer] + (s->n_steps * s->max_rows + r) * 2 * dim,
               s->qkv + (3 * r + 1) * dim, 2 * dim * sizeof *s->qkv);
    for (size_t r = 0; r < n_rows; r++) attend_row(s, layer, r);
    add_linear(s, s->x, s->y, n_rows, &l->self_output);
}

/* Keeps the probabilities in s->scores, [R, S] at `stride`, of one head of every row. */
static void keep_attention(limn_decoder_state *s, size_t layer, size_t head, size_t n_rows,
                           size_t stride)
{
    const limn_decoder_config *c = &s->d->config;
    const size_t n = c->n_memory_positions, dim = limn_decoder_attention_dim(s->d);
    float *to = s->attention + s->n_steps * s->max_rows * dim + (layer * c->n_heads + head) * n;
    for (size_t r = 0; r < n_rows; r++)
        memcpy(to + r * dim, s->scores + r * stride, n * sizeof *to);
}

static void cross_attention(limn_decoder_state *s, size_t layer, size_t n_rows)
{
    const limn_decoder_layer *l = &s->d->layers[layer];
    const limn_decoder_config *c = &s->d->config;
    const limn_kernels *kernels = &s->d->kernels;
    const size_t head_dim = c->dim / c->n_heads, n_memory = limn_decoder_n_memory_rows(c);
    const size_t stride = padded(n_memory);
    float *q = s->qkv; /* [R, D] */
    norm(s, s->h, s->x, n_rows, &l->cross_norm);
    linear(s, q, s->h, n_rows, &l->cross_query);
    for (size_t head = 0; head < c->n_heads; head++) {
        const limn_packed *keys = &s->cross[layer].keys[head];
        const limn_packed *values = &s->cross[layer].values[head];
        limn_linear(kernels, &(limn_linear_job){ .y = s->scores,
                                                 .x = q + head * head_dim,
                                                 .n_rows = n_rows,
                                                 .x_stride = c->dim,
                                                 .y_stride = stride,
                                                 .w = keys,
                                                 .panel_end = limn_n_panels(keys->n_outputs) });
        kernels->softmax(s->scores, n_rows, n_memory, stride);
        if (s->attention) keep_attention(s, layer, head, n_rows, stride);
        limn_linear(kernels, &(limn_linear_job){ .y = s->y + head * head_dim,
                                                 .x = s->scores,
                                                 .n_rows = n_rows,
                                                 .x_stride = stride,
                                                 .y_stride = c->dim,
                                                 .w = values,
                                                 .panel_end = limn_n_panels(values->n_outputs) });
    }
    add_linear(s, s->x, s->y, n_rows, &l->cross_output);
}

static void feed_forward(limn_decoder_state *s, size_t layer, size_t n_rows)
{
    const limn_decoder_layer *l = &s->d->layers[layer];
    const limn_decoder_config *c = &s->d->config;
    norm(s, s->h, s->x, n_rows, &l->feed_forward_norm);
    product(s, (limn_linear_job){ .y = s->hidden,
                                  .x = s->h,
                                  .n_rows = n_rows,
                                  .x_stride = c->dim,
                                  .y_stride = c->feed_forward_dim,
                                  .w = &l->up,
                                  .activation = LIMN_ACT_GELU });
    add_linear(s, s->x, s->hidden, n_rows, &l->down);
}

void limn_decoder_step(limn_decoder_state *s, limn_pool *pool, size_t n_rows,
                       const uint32_t *parents, const uint32_t *tokens, float *logits)
{
    s->pool = pool;
    take_slots(s, n_rows, parents);
    embed(s, n_rows, tokens);
    for (size_t i = 0; i < s->d->config.n_layers; i++) {
        self_attention(s, i, n_rows);
        cross_attention(s, i, n_rows);
        feed_forward(s, i, n_rows);
    }
    norm(s, s->h, s->x, n_rows, &s->d->final_norm);
    linear(s, logits, s->h, n_rows, &s->d->token_embedding);
    s->n_steps++;
}

float limn_decoder_log_sum_exp(const limn_decoder *d, const float *logits)
{
    return d->kernels.log_sum_exp(logits, d->config.n_tokens);
}

/* ---- attention ----------------------------------------------------------------------------- */

size_t limn_decoder_attention_dim(const limn_decoder *d)
{
    return (size_t)d->config.n_layers * d->config.n_heads * d->config.n_memory_positions;
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
