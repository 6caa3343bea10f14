/* One step of the decoder, and the parts of its layers. Names: R rows (hypotheses), S rows of the
 * memory, D dim, F feed-forward. */
#include <math.h>
#include <string.h>

#include "common/kernels/kernels.h"
#include "common/kernels/pack.h"
#include "decoder/decoder_state.h"

/* Memory rows from which on splitting the heads among threads pays off. */
enum { MIN_ROWS_TO_SHARE = 128 };

/* ---- products and norms -------------------------------------------------------------------- */

void limn_decoder_linear(const limn_decoder_scratch *s, float *y, const float *x, size_t n_rows,
                         const limn_packed *w)
{
    limn_product(&s->runner, limn_dense_job(y, x, n_rows, w));
}

void limn_decoder_add_linear(const limn_decoder_scratch *s, float *y, const float *x, size_t n_rows,
                             const limn_packed *w)
{
    limn_linear_job job = limn_dense_job(y, x, n_rows, w);
    job.residual = y;
    limn_product(&s->runner, job);
}

static void activate_linear(const limn_decoder_scratch *s, float *y, const float *x, size_t n_rows,
                            const limn_packed *w, limn_activation activation)
{
    limn_linear_job job = limn_dense_job(y, x, n_rows, w);
    job.activation = activation;
    limn_product(&s->runner, job);
}

static void norm(const limn_decoder_scratch *s, float *y, const float *x, size_t n_rows,
                 const limn_norm_weights *w, float eps)
{
    limn_norm_rows(&s->runner, y, x, w->gamma, w->beta, eps, n_rows, s->d->config.dim);
}

/* ---- parts of a layer ---------------------------------------------------------------------- */

const float *limn_decoder_part_begin(limn_decoder_scratch *s, const float *x, size_t n_rows,
                                     const limn_norm_weights *w)
{
    const limn_decoder_layout *l = &s->d->config.layout;
    if (l->norm_position == LIMN_NORM_AFTER) return x;
    norm(s, s->h, x, n_rows, w, l->eps);
    return s->h;
}

void limn_decoder_part_end(limn_decoder_scratch *s, float *x, const float *input, size_t n_rows,
                           const limn_packed *w, const limn_norm_weights *norm_weights)
{
    const limn_decoder_layout *l = &s->d->config.layout;
    limn_decoder_add_linear(s, x, input, n_rows, w);
    if (l->norm_position == LIMN_NORM_AFTER) norm(s, x, x, n_rows, norm_weights, l->eps);
}

void limn_decoder_feed_forward(limn_decoder_scratch *s, size_t layer, float *x, size_t n_rows)
{
    const limn_decoder_layer *l = &s->d->weights->layers[layer];
    const float *in = limn_decoder_part_begin(s, x, n_rows, &l->feed_forward_norm);
    activate_linear(s, s->hidden, in, n_rows, &l->up, s->d->config.layout.activation);
    limn_decoder_part_end(s, x, s->hidden, n_rows, &l->down, &l->feed_forward_norm);
}

/* ---- one step ------------------------------------------------------------------------------ */

/* A step in progress: the rows of all turns, one after the other, in the scratch memory. */
typedef struct joint_step {
    limn_decoder_scratch *s;
    const limn_decoder_turn *turns; /* [n_turns] */
    size_t n_turns, n_rows;
} joint_step;

/* The row that a turn's rows begin at. */
static size_t first_row(const joint_step *j, size_t turn)
{
    size_t n = 0;
    for (size_t i = 0; i < turn; i++) n += j->turns[i].n_rows;
    return n;
}

/* A hypothesis keeps, for each step of its past, the row whose keys and values are its own. */
static void take_slots(const limn_decoder_turn *t)
{
    limn_decoder_state *s = t->state;
    uint32_t *swap = s->old_slots;
    s->old_slots = s->slots;
    s->slots = swap;
    for (size_t r = 0; r < t->n_rows; r++) {
        uint32_t *slots = s->slots + r * s->max_steps;
        if (s->n_steps > 0)
            memcpy(slots, s->old_slots + t->parents[r] * s->max_steps, s->n_steps * sizeof *slots);
        slots[s->n_steps] = (uint32_t)r;
    }
}

/* The turn's tokens to rows x [n_rows, D]. */
static void embed(limn_decoder_scratch *s, const limn_decoder_turn *t, float *x)
{
    const limn_decoder_layout *l = &s->d->config.layout;
    const limn_decoder_weights *w = s->d->weights;
    const size_t dim = s->d->config.dim;
    const float scale = limn_decoder_embedding_scale(&s->d->config);
    const float *position = w->position_embedding + (l->first_position + t->state->n_steps) * dim;
    for (size_t r = 0; r < t->n_rows; r++, x += dim) {
        limn_packed_output(x, &w->token_embedding, t->tokens[r]);
        for (size_t i = 0; i < dim; i++) x[i] = fmaf(x[i], scale, position[i]);
        if (l->has_embedding_norm) norm(s, x, x, 1, &w->embedding_norm, l->embedding_eps);
        if (t->tokens[r] == l->zero_token) memset(x, 0, dim * sizeof *x);
    }
}

/* Where to store the attention of a row in this step, from `layer` on; NULL if it is not kept. */
static float *kept_attention(const limn_decoder_state *s, size_t layer, size_t row)
{
    const limn_decoder_config *c = &s->d->config;
    const size_t dim = limn_decoder_attention_dim(s->d);
    if (!s->attention) return NULL;
    return s->attention + (s->n_steps * s->max_rows + row) * dim +
           layer * c->n_heads * limn_decoder_n_places(c);
}

/* The threads for attention to the memory; NULL where it is too short for them. */
static limn_pool *pool_for_memory(const limn_decoder_scratch *s)
{
    const size_t n_rows = limn_decoder_n_memory_rows(&s->d->config);
    return n_rows < MIN_ROWS_TO_SHARE ? NULL : s->runner.pool;
}

/* Keeps the keys and values of a turn whose rows begin at `first`. */
static void keep_keys(const limn_decoder_scratch *s, const limn_decoder_turn *t, size_t layer,
                      size_t first)
{
    const size_t dim = s->d->config.dim;
    float *kv = t->state->self_kv[layer] + t->state->n_steps * t->state->max_rows * 2 * dim;
    for (size_t r = 0; r < t->n_rows; r++)
        memcpy(kv + r * 2 * dim, s->qkv + (3 * (first + r) + 1) * dim, 2 * dim * sizeof *kv);
}

/* Points keys and values at what a head of a row sees: the prefix, and the row's own past. Returns
 * the number of positions. */
static size_t point_at_past(const float **keys, const float **values, const limn_decoder_state *s,
                            size_t layer, size_t row, size_t head)
{
    const limn_decoder_config *c = &s->d->config;
    const size_t stride = 2 * c->dim, at = head * (c->dim / c->n_heads);
    const uint32_t *slots = s->slots + row * s->max_steps;
    const size_t n_prefix = s->prefix_kv ? limn_decoder_n_memory_rows(c) : 0;
    const size_t n = n_prefix + s->n_steps + 1;
    for (size_t p = 0; p < n_prefix; p++) keys[p] = s->prefix_kv[layer] + p * stride + at;
    for (size_t p = 0; p <= s->n_steps; p++)
        keys[n_prefix + p] = s->self_kv[layer] + (p * s->max_rows + slots[p]) * stride + at;
    for (size_t p = 0; p < n; p++) values[p] = keys[p] + c->dim;
    return n;
}

/* Self-attention of a layer in progress: its items are the heads of all rows. */
typedef struct self_run {
    const joint_step *step;
    size_t layer;
} self_run;

/* Attention of one head of a row: its part of the query in qkv to that of y. */
static void look_back(void *ctx, size_t item, size_t worker)
{
    const self_run *run = ctx;
    const limn_decoder_scratch *s = run->step->s;
    const limn_decoder_turn *t = run->step->turns;
    const limn_decoder_config *c = &s->d->config;
    const size_t head_dim = c->dim / c->n_heads, n_places = limn_decoder_n_places(c);
    const size_t row = item / c->n_heads, head = item % c->n_heads, at = head * head_dim;
    const float **keys = s->key_rows + item * s->max_seen;
    const float **values = s->value_rows + item * s->max_seen;
    float *weights = s->scores + item * s->max_seen;
    size_t own = row; /* counted in its turn */
    (void)worker;
    while (own >= t->n_rows) own -= t++->n_rows;
    const size_t n = point_at_past(keys, values, t->state, run->layer, own, head);
    s->d->kernels->attend(s->y + row * c->dim + at, weights, s->qkv + row * 3 * c->dim + at, keys,
                          values, n, head_dim, 1.0f / sqrtf((float)head_dim));
    if (t->state->prefix_kv && t->state->attention)
        memcpy(kept_attention(t->state, run->layer, own) + head * n_places,
               weights + c->n_class_positions, n_places * sizeof *weights);
}

static void self_attention(const joint_step *j, size_t layer)
{
    limn_decoder_scratch *s = j->s;
    const limn_decoder_layer *l = &s->d->weights->layers[layer];
    const bool is_prefix = s->d->config.layout.memory == LIMN_MEMORY_PREFIX;
    const float *in = limn_decoder_part_begin(s, s->x, j->n_rows, &l->self_norm);
    self_run run = { j, layer };
    limn_decoder_linear(s, s->qkv, in, j->n_rows, &l->self_qkv);
    for (size_t i = 0; i < j->n_turns; i++) keep_keys(s, &j->turns[i], layer, first_row(j, i));
    limn_pool_run(is_prefix ? pool_for_memory(s) : NULL, j->n_rows * s->d->config.n_heads,
                  look_back, &run);
    limn_decoder_part_end(s, s->x, s->y, j->n_rows, &l->self_output, &l->self_norm);
}

/* Cross-attention of a layer in progress, whose turns and heads the threads share. */
typedef struct cross_run {
    const joint_step *step;
    size_t layer;
} cross_run;

/* Attention of one head of one turn: queries q [R, D] to outputs y [R, D], both from the turn's
 * first row and the head's first column on. */
static void look_at_memory(void *ctx, size_t item, size_t worker)
{
    const cross_run *run = ctx;
    const limn_decoder_scratch *s = run->step->s;
    const limn_decoder_config *c = &s->d->config;
    const limn_kernels *kernels = s->d->kernels;
    const size_t turn = item / c->n_heads, head = item % c->n_heads;
    const limn_decoder_state *state = run->step->turns[turn].state;
    const limn_packed *keys = &state->cross[run->layer].keys[head];
    const limn_packed *values = &state->cross[run->layer].values[head];
    const size_t n_rows = run->step->turns[turn].n_rows, first = first_row(run->step, turn);
    const size_t at = first * c->dim + head * (c->dim / c->n_heads);
    const size_t n_memory = limn_decoder_n_memory_rows(c), stride = limn_decoder_padded(n_memory);
    const size_t n_places = limn_decoder_n_places(c);
    float *scores = s->scores + (head * s->max_rows + first) * stride;
    (void)worker;
    limn_linear(kernels, &(limn_linear_job){ .y = scores,
                                             .x = s->qkv + at,
                                             .n_rows = n_rows,
                                             .x_stride = c->dim,
                                             .y_stride = stride,
                                             .w = keys,
                                             .panel_end = limn_n_panels(keys->n_outputs) });
    kernels->softmax(scores, n_rows, n_memory, stride);
    for (size_t r = 0; state->attention && r < n_rows; r++)
        memcpy(kept_attention(state, run->layer, r) + head * n_places,
               scores + r * stride + c->n_class_positions, n_places * sizeof *scores);
    limn_linear(kernels, &(limn_linear_job){ .y = s->y + at,
                                             .x = scores,
                                             .n_rows = n_rows,
                                             .x_stride = stride,
                                             .y_stride = c->dim,
                                             .w = values,
                                             .panel_end = limn_n_panels(values->n_outputs) });
}

static void cross_attention(const joint_step *j, size_t layer)
{
    limn_decoder_scratch *s = j->s;
    const limn_decoder_layer *l = &s->d->weights->layers[layer];
    const float *in = limn_decoder_part_begin(s, s->x, j->n_rows, &l->cross_norm);
    cross_run run = { j, layer };
    limn_decoder_linear(s, s->qkv, in, j->n_rows, &l->cross_query); /* queries [R, D] */
    limn_pool_run(pool_for_memory(s), j->n_turns * s->d->config.n_heads, look_at_memory, &run);
    limn_decoder_part_end(s, s->x, s->y, j->n_rows, &l->cross_output, &l->cross_norm);
}

/* ---- output -------------------------------------------------------------------------------- */

static void add_output_bias(const limn_decoder *d, float *logits, size_t n_rows)
{
    const size_t n = d->config.n_tokens;
    for (size_t r = 0; r < n_rows; r++)
        for (size_t t = 0; t < n; t++) logits[r * n + t] += d->weights->output_bias[t];
}

static void write_logits(limn_decoder_scratch *s, float *logits, size_t n_rows)
{
    const limn_decoder_layout *l = &s->d->config.layout;
    const limn_decoder_weights *w = s->d->weights;
    const float *x = s->x;
    if (l->has_final_norm) {
        norm(s, s->h, x, n_rows, &w->final_norm, l->eps);
        x = s->h;
    }
    if (l->has_head_transform) {
        activate_linear(s, s->y, x, n_rows, &w->head_transform, l->head_activation);
        norm(s, s->y, s->y, n_rows, &w->head_norm, l->head_eps);
        x = s->y;
    }
    limn_decoder_linear(s, logits, x, n_rows, l->is_tied ? &w->token_embedding : &w->output);
    if (l->has_output_bias) add_output_bias(s->d, logits, n_rows);
}

void limn_decoder_step_together(limn_pool *pool, const limn_decoder_turn *turns, size_t n_turns,
                                float *logits)
{
    limn_decoder_scratch *s = turns[0].state->scratch;
    joint_step j = { .s = s, .turns = turns, .n_turns = n_turns };
    j.n_rows = first_row(&j, n_turns);
    s->runner.pool = pool;
    for (size_t i = 0; i < n_turns; i++) {
        take_slots(&turns[i]);
        embed(s, &turns[i], s->x + first_row(&j, i) * s->d->config.dim);
    }
    for (size_t i = 0; i < s->d->config.n_layers; i++) {
        self_attention(&j, i);
        if (s->d->config.layout.memory == LIMN_MEMORY_CROSS) cross_attention(&j, i);
        limn_decoder_feed_forward(s, i, s->x, j.n_rows);
    }
    write_logits(s, logits, j.n_rows);
    for (size_t i = 0; i < n_turns; i++) turns[i].state->n_steps++;
}

void limn_decoder_step(limn_decoder_state *s, limn_pool *pool, size_t n_rows,
                       const uint32_t *parents, const uint32_t *tokens, float *logits)
{
    const limn_decoder_turn turn = { s, n_rows, parents, tokens };
    limn_decoder_step_together(pool, &turn, 1, logits);
}

float limn_decoder_log_sum_exp(const limn_decoder *d, const float *logits)
{
    return d->kernels->log_sum_exp(logits, d->config.n_tokens);
}
