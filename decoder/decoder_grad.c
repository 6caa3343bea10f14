/* Forward: memory, embedding, layers, logits, loss. Backward: the same in reverse. */
#include "decoder/decoder_grad.h"

#include <math.h>
#include <string.h>

#include "common/base/rng.h"
#include "common/kernels/cross_attention_grad.h"
#include "decoder/decoder_trainer.h"

/* One forward or backward pass over a batch. */
struct pass {
    limn_decoder_trainer *t;
    const limn_decoder_batch *batch;
    limn_decoder_grad_settings settings;
    size_t n_rows, n_memory; /* R, P*S; n_memory is 0 for text alone */
    size_t n_positions;      /* of the images: P * n_memory_positions, or 0 */
};

enum { COLUMNS_PER_ITEM = 64, ROWS_PER_ITEM = 16 };

/* Where dropout is applied; with the layer's number a key of its own. */
enum dropout_site {
    FEATURES,
    EMBEDDING,
    SELF_OUTPUT,
    CROSS_OUTPUT,
    HIDDEN,
    DOWN_OUTPUT,
    IMAGES,
    N_SITES
};

static limn_dropout dropout_at(const struct pass *p, enum dropout_site site, size_t layer)
{
    const uint64_t name = layer * N_SITES + site;
    return (limn_dropout){
        .key = limn_rng_stream(p->settings.seed, &name, sizeof name).key,
        .rate = site == FEATURES ? p->settings.feature_dropout : p->settings.dropout,
    };
}

static size_t n_row_items(size_t n_rows)
{
    return (n_rows + ROWS_PER_ITEM - 1) / ROWS_PER_ITEM;
}

static size_t n_column_items(const limn_decoder_trainer *t)
{
    return (t->config.dim + COLUMNS_PER_ITEM - 1) / COLUMNS_PER_ITEM;
}

static void columns_of(const limn_decoder_trainer *t, size_t item, size_t *first, size_t *end)
{
    *first = item * COLUMNS_PER_ITEM;
    *end = *first + COLUMNS_PER_ITEM < t->config.dim ? *first + COLUMNS_PER_ITEM : t->config.dim;
}

/* ---- weights ------------------------------------------------------------------------------- */

static void pack_row(void *ctx, size_t item, size_t worker)
{
    const limn_decoder_trainer *t = ctx;
    const limn_tensor_row *row = &t->table.rows[item];
    (void)worker;
    if (row->kind == LIMN_ROW_PRODUCT) limn_linear_pack(limn_decoder_trainer_place(t, row));
}

/* ---- memory -------------------------------------------------------------------------------- */

static size_t memory_floats(const struct pass *p) /* of one image */
{
    return limn_decoder_n_memory_rows(&p->t->config) * p->t->config.dim;
}

static size_t grid_floats(const struct pass *p) /* of one image, without its tag slots */
{
    return (size_t)p->t->config.n_memory_positions * p->t->config.dim;
}

/* Where the features' projections [P, n_memory_positions, D] are, and in the backward pass their
 * gradients: `rows` of the memory themselves, where there are no tag slots between the images. */
static float *projections(const struct pass *p, float *rows)
{
    return p->t->config.n_tag_slots > 0 ? p->t->scratch.d_value : rows;
}

/* The rows of an image's memory before the norm. */
static void fill_memory(void *ctx, size_t image, size_t worker)
{
    const struct pass *p = ctx;
    const limn_decoder_trainer *t = p->t;
    const size_t n = grid_floats(p), dim = t->config.dim, n_slots = t->config.n_tag_slots;
    const float *projected = projections(p, t->memory.x) + image * n;
    float *x = t->memory.x + image * memory_floats(p);
    (void)worker;
    for (size_t i = 0; i < n; i++) x[i] = projected[i] + t->params->memory_position.value[i];
    x += n;
    for (size_t k = 0; k < n_slots; k++, x += dim) {
        const limn_tag_slot slot = t->memory.slots[image * n_slots + k];
        const float *embedding = t->params->tag_embedding.value + slot.tag * dim;
        for (size_t i = 0; i < dim; i++)
            x[i] = fmaf(slot.probability, t->params->tag_probability.value[i], embedding[i]);
    }
}

/* The gradients of an image's projections, from those of its memory's rows in d_key. */
static void take_projections(void *ctx, size_t image, size_t worker)
{
    const struct pass *p = ctx;
    (void)worker;
    memcpy(p->t->scratch.d_value + image * grid_floats(p),
           p->t->scratch.d_key + image * memory_floats(p), grid_floats(p) * sizeof(float));
}

/* Images share tags, so columns are split and slots are added in order, from d_key. */
static void add_tag_gradients(void *ctx, size_t item, size_t worker)
{
    const struct pass *p = ctx;
    const limn_decoder_trainer *t = p->t;
    const size_t dim = t->config.dim, n_slots = t->config.n_tag_slots;
    size_t begin, end;
    (void)worker;
    columns_of(t, item, &begin, &end);
    for (size_t k = 0; k < p->batch->n_images * n_slots; k++) {
        const limn_tag_slot slot = t->memory.slots[k];
        const float *dx =
            t->scratch.d_key + k / n_slots * memory_floats(p) + grid_floats(p) + k % n_slots * dim;
        float *embedding = t->params->tag_embedding.gradient + slot.tag * dim;
        for (size_t i = begin; i < end; i++) {
            embedding[i] += dx[i];
            t->params->tag_probability.gradient[i] =
                fmaf(slot.probability, dx[i], t->params->tag_probability.gradient[i]);
        }
    }
}

/* Position `item` of all images in order, from d_key. */
static void add_position_gradients(void *ctx, size_t item, size_t worker)
{
    const struct pass *p = ctx;
    const size_t dim = p->t->config.dim;
    float *gradient = p->t->params->memory_position.gradient + item * dim;
    (void)worker;
    for (size_t image = 0; image < p->batch->n_images; image++) {
        const float *dx = p->t->scratch.d_key + image * memory_floats(p) + item * dim;
        for (size_t i = 0; i < dim; i++) gradient[i] += dx[i];
    }
}

/* Decides which images are hidden (image_dropout), and takes the slots of the others. */
static void choose_images(const struct pass *p)
{
    limn_decoder_trainer *t = p->t;
    const size_t n_slots = t->config.n_tag_slots;
    limn_rng rng = { .key = dropout_at(p, IMAGES, 0).key };
    for (size_t i = 0; i < p->batch->n_images; i++) {
        t->memory.is_hidden[i] =
            p->settings.image_dropout > 0 && limn_rng_uniform(&rng) < p->settings.image_dropout;
        if (t->memory.is_hidden[i])
            limn_decoder_unconditional_slots(t->memory.slots + i * n_slots, &t->config);
        else if (n_slots > 0)
            memcpy(t->memory.slots + i * n_slots, p->batch->slots + i * n_slots,
                   n_slots * sizeof *t->memory.slots);
    }
}

/* Zeroes the features, or their gradients, of the hidden images. */
static void hide_images(const struct pass *p, float *features)
{
    const limn_decoder_config *c = &p->t->config;
    const size_t n = (size_t)c->n_memory_positions * c->memory_dim;
    for (size_t i = 0; i < p->batch->n_images; i++)
        if (p->t->memory.is_hidden[i]) memset(features + i * n, 0, n * sizeof *features);
}

static void memory_forward(struct pass *p)
{
    limn_decoder_trainer *t = p->t;
    const size_t n = p->n_positions * t->config.memory_dim;
    if (p->n_memory == 0) return;
    choose_images(p);
    t->memory.features = p->batch->features;
    if (p->settings.feature_dropout > 0 || p->settings.image_dropout > 0) {
        limn_dropout_apply(&t->ctx, t->memory.dropped, p->batch->features, NULL, n,
                           dropout_at(p, FEATURES, 0));
        hide_images(p, t->memory.dropped);
        t->memory.features = t->memory.dropped;
    }
    limn_linear_forward(&t->ctx, projections(p, t->memory.x), t->memory.features, p->n_positions,
                        &t->params->memory_project);
    limn_pool_run(t->ctx.pool, p->batch->n_images, fill_memory, p);
    limn_norm_forward(&t->ctx, t->memory.h, t->memory.stats, t->memory.x, p->n_memory,
                      &t->params->memory_norm);
}

static void memory_backward(struct pass *p, float *feature_gradients)
{
    limn_decoder_trainer *t = p->t;
    const limn_decoder_config *c = &t->config;
    float *d_x = t->scratch.d_key; /* [P*S, D], free at this point */
    if (p->n_memory == 0) return;
    memset(d_x, 0, p->n_memory * c->dim * sizeof *d_x);
    limn_norm_backward(&t->ctx, d_x, t->scratch.d_memory, t->memory.x, t->memory.stats, p->n_memory,
                       &t->params->memory_norm);
    limn_pool_run(t->ctx.pool, c->n_memory_positions, add_position_gradients, p);
    if (c->n_tag_slots > 0) {
        limn_pool_run(t->ctx.pool, n_column_items(t), add_tag_gradients, p);
        limn_pool_run(t->ctx.pool, p->batch->n_images, take_projections, p);
    }
    limn_linear_backward(&t->ctx, feature_gradients, false, projections(p, d_x), t->memory.features,
                         p->n_positions, &t->params->memory_project);
    if (!feature_gradients) return;
    limn_dropout_apply(&t->ctx, feature_gradients, feature_gradients, NULL,
                       p->n_positions * c->memory_dim, dropout_at(p, FEATURES, 0));
    hide_images(p, feature_gradients);
}

/* ---- embedding ----------------------------------------------------------------------------- */

/* The residual stream passes through the kept inputs of the sublayers: each sublayer reads its own
 * and writes the next one's. */
static float *stream_begin(const struct pass *p)
{
    return p->t->kept[0].self.x;
}

static void embed_caption(void *ctx, size_t caption, size_t worker)
{
    const struct pass *p = ctx;
    const limn_decoder_trainer *t = p->t;
    const size_t dim = t->config.dim, first = p->batch->offsets[caption];
    const float scale = limn_decoder_embedding_scale(&t->config);
    (void)worker;
    for (size_t r = first; r < p->batch->offsets[caption + 1]; r++) {
        const float *token = t->params->token_embedding.weight.value + p->batch->inputs[r] * dim;
        const float *position = t->params->position_embedding.value + (r - first) * dim;
        float *x = stream_begin(p) + r * dim;
        for (size_t i = 0; i < dim; i++) x[i] = fmaf(token[i], scale, position[i]);
    }
}

static void embedding_forward(struct pass *p)
{
    limn_pool_run(p->t->ctx.pool, p->batch->n_captions, embed_caption, p);
    limn_dropout_apply(&p->t->ctx, stream_begin(p), stream_begin(p), NULL,
                       p->n_rows * p->t->config.dim, dropout_at(p, EMBEDDING, 0));
}

/* Captions share tokens and positions, so columns are split and rows are added in order. */
static void embed_backward_columns(void *ctx, size_t item, size_t worker)
{
    const struct pass *p = ctx;
    const limn_decoder_trainer *t = p->t;
    const size_t dim = t->config.dim;
    const float scale = limn_decoder_embedding_scale(&t->config);
    size_t begin, end;
    (void)worker;
    columns_of(t, item, &begin, &end);
    for (size_t caption = 0; caption < p->batch->n_captions; caption++) {
        const size_t first = p->batch->offsets[caption];
        for (size_t r = first; r < p->batch->offsets[caption + 1]; r++) {
            float *token = t->params->token_embedding.weight.gradient + p->batch->inputs[r] * dim;
            float *position = t->params->position_embedding.gradient + (r - first) * dim;
            for (size_t i = begin; i < end; i++) {
                token[i] = fmaf(t->dx[r * dim + i], scale, token[i]);
                position[i] += t->dx[r * dim + i];
            }
        }
    }
}

static void embedding_backward(struct pass *p)
{
    limn_dropout_apply(&p->t->ctx, p->t->dx, p->t->dx, NULL, p->n_rows * p->t->config.dim,
                       dropout_at(p, EMBEDDING, 0));
    limn_pool_run(p->t->ctx.pool, n_column_items(p->t), embed_backward_columns, p);
}

/* ---- attention ----------------------------------------------------------------------------- */

/* Self-attention runs caption by caption, cross-attention image by image, because the captions
 * of an image add to the gradients of the same keys and values. */
struct attention_job {
    const struct pass *p;
    struct attention_kept *kept;
};

static float *worker_scratch(const struct pass *p, size_t worker)
{
    return p->t->scratch.attention + worker * p->t->scratch.n_attention;
}

static limn_attention_shape caption_shape(const struct pass *p, size_t caption)
{
    return (limn_attention_shape){ .n_rows =
                                       p->batch->offsets[caption + 1] - p->batch->offsets[caption],
                                   .n_heads = p->t->config.n_heads,
                                   .dim = p->t->config.dim };
}

static float *caption_probs(const struct attention_job *j, size_t first_row)
{
    const limn_decoder_config *c = &j->p->t->config;
    return j->kept->probs + first_row * c->n_heads * c->max_positions;
}

static void attend_caption(void *ctx, size_t caption, size_t worker)
{
    const struct attention_job *j = ctx;
    const struct attention_kept *k = j->kept;
    const size_t row = j->p->batch->offsets[caption];
    const limn_attention_shape shape = caption_shape(j->p, caption);
    const size_t at = row * shape.dim;
    (void)worker;
    j->p->t->ctx.rows->attention_forward(k->y + at, caption_probs(j, row), k->q + at, k->k + at,
                                         k->v + at, &shape);
}

static void attend_caption_backward(void *ctx, size_t caption, size_t worker)
{
    const struct attention_job *j = ctx;
    const struct attention_kept *k = j->kept;
    const struct scratch *s = &j->p->t->scratch;
    const size_t row = j->p->batch->offsets[caption];
    const limn_attention_shape shape = caption_shape(j->p, caption);
    const size_t at = row * shape.dim, size = shape.n_rows * shape.dim * sizeof(float);
    memset(s->d_key + at, 0, size);
    memset(s->d_value + at, 0, size);
    j->p->t->ctx.rows->attention_backward(
        s->d_query + at, s->d_key + at, s->d_value + at, s->d_row2 + at, caption_probs(j, row),
        k->q + at, k->k + at, k->v + at, worker_scratch(j->p, worker), &shape);
}

static limn_cross_attention image_attention(const struct pass *p, size_t image, size_t worker)
{
    const limn_decoder_trainer *t = p->t;
    return (limn_cross_attention){ .kernels = &t->kernels,
                                   .n_heads = t->config.n_heads,
                                   .dim = t->config.dim,
                                   .n_rows = t->memory.image_rows[image + 1] -
                                             t->memory.image_rows[image],
                                   .n_positions = limn_decoder_n_memory_rows(&t->config),
                                   .scratch = worker_scratch(p, worker) };
}

static float *image_probs(const struct attention_job *j, size_t first_row)
{
    const limn_decoder_config *c = &j->p->t->config;
    return j->kept->probs + first_row * c->n_heads * limn_decoder_n_memory_rows(c);
}

static void attend_image(void *ctx, size_t image, size_t worker)
{
    const struct attention_job *j = ctx;
    const struct attention_kept *k = j->kept;
    const size_t row = j->p->t->memory.image_rows[image], at = row * j->p->t->config.dim;
    const size_t key_at = image * memory_floats(j->p);
    const limn_cross_attention a = image_attention(j->p, image, worker);
    limn_cross_attention_forward(&a, k->y + at, image_probs(j, row), k->q + at, k->k + key_at,
                                 k->v + key_at);
}

static void attend_image_backward(void *ctx, size_t image, size_t worker)
{
    const struct attention_job *j = ctx;
    const struct attention_kept *k = j->kept;
    const struct scratch *s = &j->p->t->scratch;
    const size_t row = j->p->t->memory.image_rows[image], at = row * j->p->t->config.dim;
    const size_t key_at = image * memory_floats(j->p);
    const limn_cross_attention a = image_attention(j->p, image, worker);
    limn_cross_attention_backward(&a, s->d_query + at, s->d_key + key_at, s->d_value + key_at,
                                  s->d_row2 + at, image_probs(j, row), k->q + at, k->k + key_at,
                                  k->v + key_at);
}

static limn_dropout output_dropout(const struct pass *p, bool is_self, size_t layer)
{
    return dropout_at(p, is_self ? SELF_OUTPUT : CROSS_OUTPUT, layer);
}

/* From k->x to `next`. */
static void attention_forward(struct pass *p, const limn_attention_params *w,
                              struct attention_kept *k, float *next, bool is_self, size_t layer)
{
    limn_decoder_trainer *t = p->t;
    const size_t n = p->n_rows * t->config.dim;
    const float *source = is_self ? k->h : t->memory.h;
    const size_t n_keys = is_self ? p->n_rows : p->n_memory;
    struct attention_job job = { p, k };
    limn_norm_forward(&t->ctx, k->h, k->stats, k->x, p->n_rows, &w->norm);
    limn_linear_forward(&t->ctx, k->q, k->h, p->n_rows, &w->query);
    limn_linear_forward(&t->ctx, k->k, source, n_keys, &w->key);
    limn_linear_forward(&t->ctx, k->v, source, n_keys, &w->value);
    if (is_self)
        limn_pool_run(t->ctx.pool, p->batch->n_captions, attend_caption, &job);
    else
        limn_pool_run(t->ctx.pool, p->batch->n_images, attend_image, &job);
    limn_linear_forward(&t->ctx, t->scratch.d_row, k->y, p->n_rows, &w->output);
    limn_dropout_apply(&t->ctx, next, t->scratch.d_row, k->x, n, output_dropout(p, is_self, layer));
}

static void attention_backward(struct pass *p, const limn_attention_params *w,
                               struct attention_kept *k, bool is_self, size_t layer)
{
    limn_decoder_trainer *t = p->t;
    struct scratch *s = &t->scratch;
    const size_t n = p->n_rows * t->config.dim;
    const size_t n_keys = is_self ? p->n_rows : p->n_memory;
    const float *source = is_self ? k->h : t->memory.h;
    float *d_source = is_self ? s->d_row : s->d_memory;
    struct attention_job job = { p, k };
    limn_dropout_apply(&t->ctx, s->d_row, t->dx, NULL, n, output_dropout(p, is_self, layer));
    limn_linear_backward(&t->ctx, s->d_row2, false, s->d_row, k->y, p->n_rows, &w->output);
    if (is_self)
        limn_pool_run(t->ctx.pool, p->batch->n_captions, attend_caption_backward, &job);
    else
        limn_pool_run(t->ctx.pool, p->batch->n_images, attend_image_backward, &job);
    limn_linear_backward(&t->ctx, s->d_row, false, s->d_query, k->h, p->n_rows, &w->query);
    limn_linear_backward(&t->ctx, d_source, true, s->d_key, source, n_keys, &w->key);
    limn_linear_backward(&t->ctx, d_source, true, s->d_value, source, n_keys, &w->value);
    limn_norm_backward(&t->ctx, t->dx, s->d_row, k->x, k->stats, p->n_rows, &w->norm);
}

/* ---- feed-forward -------------------------------------------------------------------------- */

/* From k->x to `next`. */
static void feed_forward_forward(struct pass *p, const limn_feed_forward_params *w,
                                 struct feed_forward_kept *k, float *next, size_t layer)
{
    limn_decoder_trainer *t = p->t;
    const size_t n = p->n_rows * t->config.dim, n_hidden = p->n_rows * t->config.feed_forward_dim;
    limn_norm_forward(&t->ctx, k->h, k->stats, k->x, p->n_rows, &w->norm);
    limn_linear_forward(&t->ctx, k->up, k->h, p->n_rows, &w->up);
    limn_gelu_forward(&t->ctx, k->active, k->up, n_hidden, dropout_at(p, HIDDEN, layer));
    limn_linear_forward(&t->ctx, t->scratch.d_row, k->active, p->n_rows, &w->down);
    limn_dropout_apply(&t->ctx, next, t->scratch.d_row, k->x, n, dropout_at(p, DOWN_OUTPUT, layer));
}

static void feed_forward_backward(struct pass *p, const limn_feed_forward_params *w,
                                  struct feed_forward_kept *k, size_t layer)
{
    limn_decoder_trainer *t = p->t;
    struct scratch *s = &t->scratch;
    const size_t n = p->n_rows * t->config.dim, n_hidden = p->n_rows * t->config.feed_forward_dim;
    limn_dropout_apply(&t->ctx, s->d_row, t->dx, NULL, n, dropout_at(p, DOWN_OUTPUT, layer));
    limn_linear_backward(&t->ctx, s->d_hidden, false, s->d_row, k->active, p->n_rows, &w->down);
    limn_gelu_backward(&t->ctx, s->d_hidden, s->d_hidden, k->up, n_hidden,
                       dropout_at(p, HIDDEN, layer));
    limn_linear_backward(&t->ctx, s->d_row, false, s->d_hidden, k->h, p->n_rows, &w->up);
    limn_norm_backward(&t->ctx, t->dx, s->d_row, k->x, k->stats, p->n_rows, &w->norm);
}

/* ---- logits and loss ----------------------------------------------------------------------- */

static void loss_rows(void *ctx, size_t item, size_t worker)
{
    const struct pass *p = ctx;
    const limn_decoder_trainer *t = p->t;
    const size_t first = item * ROWS_PER_ITEM, left = p->n_rows - first;
    const size_t n = left < ROWS_PER_ITEM ? left : ROWS_PER_ITEM, n_tokens = t->config.n_tokens;
    float *logits = t->output.logits + first * n_tokens;
    (void)worker;
    for (size_t r = 0; p->batch->is_drawn && r < n; r++)
        limn_specials_forbid(&t->config.specials, logits + r * n_tokens, -1e30f);
    t->ctx.rows->cross_entropy(logits, t->output.losses + first, p->batch->targets + first,
                               p->batch->weights ? p->batch->weights + first : NULL, n, n_tokens,
                               p->settings.label_smoothing, p->settings.scale);
}

/* Leaves d loss / d logits in t->output.logits. */
static double output_forward(struct pass *p)
{
    limn_decoder_trainer *t = p->t;
    double sum = 0;
    limn_norm_forward(&t->ctx, t->output.h, t->output.stats, t->output.x, p->n_rows,
                      &t->params->final_norm);
    limn_linear_forward(&t->ctx, t->output.logits, t->output.h, p->n_rows,
                        &t->params->token_embedding);
    limn_pool_run(t->ctx.pool, n_row_items(p->n_rows), loss_rows, p);
    for (size_t r = 0; r < p->n_rows; r++)
        sum += (double)t->output.losses[r] * (p->batch->weights ? p->batch->weights[r] : 1.0f);
    return sum;
}

static void output_backward(struct pass *p)
{
    limn_decoder_trainer *t = p->t;
    limn_linear_backward(&t->ctx, t->scratch.d_row, false, t->output.logits, t->output.h, p->n_rows,
                         &t->params->token_embedding);
    memset(t->dx, 0, p->n_rows * t->config.dim * sizeof *t->dx);
    limn_norm_backward(&t->ctx, t->dx, t->scratch.d_row, t->output.x, t->output.stats, p->n_rows,
                       &t->params->final_norm);
}

/* ---- passes -------------------------------------------------------------------------------- */

static void layer_forward(struct pass *p, size_t layer, float *next)
{
    const limn_layer_params *w = &p->t->params->layers[layer];
    struct layer_kept *k = &p->t->kept[layer];
    const bool has_memory = p->n_memory > 0;
    attention_forward(p, &w->self, &k->self, has_memory ? k->cross.x : k->feed_forward.x, true,
                      layer);
    if (has_memory) attention_forward(p, &w->cross, &k->cross, k->feed_forward.x, false, layer);
    feed_forward_forward(p, &w->feed_forward, &k->feed_forward, next, layer);
}

static double forward(struct pass *p)
{
    limn_decoder_trainer *t = p->t;
    const size_t n_layers = t->config.n_layers;
    limn_pool_run(t->ctx.pool, t->table.n_rows, pack_row, t);
    memory_forward(p);
    embedding_forward(p);
    for (size_t i = 0; i < n_layers; i++)
        layer_forward(p, i, i + 1 < n_layers ? t->kept[i + 1].self.x : t->output.x);
    return output_forward(p);
}

static void backward(struct pass *p, float *feature_gradients)
{
    limn_decoder_trainer *t = p->t;
    memset(t->scratch.d_memory, 0, p->n_memory * t->config.dim * sizeof(float));
    output_backward(p);
    for (size_t i = t->config.n_layers; i-- > 0;) {
        feed_forward_backward(p, &t->params->layers[i].feed_forward, &t->kept[i].feed_forward, i);
        if (p->n_memory > 0)
            attention_backward(p, &t->params->layers[i].cross, &t->kept[i].cross, false, i);
        attention_backward(p, &t->params->layers[i].self, &t->kept[i].self, true, i);
    }
    embedding_backward(p);
    memory_backward(p, feature_gradients);
}

/* ---- checking ------------------------------------------------------------------------------ */

static limn_status check_caption(const limn_decoder_trainer *t, const limn_decoder_batch *b,
                                 size_t caption, limn_error *err)
{
    const uint32_t first = b->offsets[caption], end = b->offsets[caption + 1];
    if (end <= first || end - first > t->config.max_positions)
        return limn_fail(err, LIMN_E_ARG, "caption %zu of the batch has %d tokens, not 1 … %u",
                         caption, (int)(end - first), t->config.max_positions);
    for (size_t r = first; r < end; r++)
        if (b->inputs[r] >= t->config.n_tokens || b->targets[r] >= t->config.n_tokens)
            return limn_fail(err, LIMN_E_ARG, "caption %zu of the batch has a token past %u",
                             caption, t->config.n_tokens - 1);
        else if (b->is_drawn && !limn_specials_is_written(&t->config.specials, b->targets[r]))
            return limn_fail(err, LIMN_E_ARG,
                             "caption %zu of the batch has token %u, which is "
                             "never drawn",
                             caption, b->targets[r]);
    return LIMN_OK;
}

static limn_status check_slots(const limn_decoder_trainer *t, const limn_decoder_batch *b,
                               limn_error *err)
{
    const size_t n = b->n_images * t->config.n_tag_slots;
    if (n > 0 && !b->slots)
        return limn_fail(err, LIMN_E_ARG, "the batch has no tags of its images");
    for (size_t i = 0; i < n; i++)
        if (b->slots[i].tag >= t->config.n_tags)
            return limn_fail(err, LIMN_E_ARG, "image %zu of the batch has tag %u, past %u",
                             i / t->config.n_tag_slots, b->slots[i].tag, t->config.n_tags - 1);
    return LIMN_OK;
}

/* Fills image_rows: images without a caption have no rows. */
static limn_status find_images(limn_decoder_trainer *t, const limn_decoder_batch *b,
                               limn_error *err)
{
    size_t image = 0;
    for (size_t i = 0; i < b->n_captions; i++) {
        if (b->images[i] >= b->n_images || b->images[i] + 1 < image)
            return limn_fail(err, LIMN_E_ARG, "caption %zu of the batch names image %u of %zu", i,
                             b->images[i], b->n_images);
        while (image <= b->images[i]) t->memory.image_rows[image++] = b->offsets[i];
    }
    while (image <= b->n_images) t->memory.image_rows[image++] = b->offsets[b->n_captions];
    return LIMN_OK;
}

static limn_status begin(struct pass *p, limn_decoder_trainer *t, const limn_decoder_batch *b,
                         const limn_decoder_grad_settings *settings, limn_error *err)
{
    const bool is_text = b->n_captions > 0 && b->images[0] == LIMN_NO_IMAGE;
    const size_t n_seen = is_text ? 0 : b->n_images;
    if (b->n_captions == 0 || b->offsets[b->n_captions] > t->limits.max_rows ||
        b->n_images > t->limits.max_images)
        return limn_fail(err, LIMN_E_ARG,
                         "a batch of %zu captions and %zu images is not within 1 caption, %zu "
                         "tokens, %zu images",
                         b->n_captions, b->n_images, t->limits.max_rows, t->limits.max_images);
    if (b->is_drawn && settings->label_smoothing > 0)
        return limn_fail(err, LIMN_E_ARG, "a batch that was drawn can't be smoothed");
    for (size_t i = 0; i < b->n_captions; i++) LIMN_TRY(check_caption(t, b, i, err));
    if (!is_text) {
        LIMN_TRY(find_images(t, b, err));
        LIMN_TRY(check_slots(t, b, err));
    }
    *p = (struct pass){ .t = t,
                        .batch = b,
                        .settings = *settings,
                        .n_rows = b->offsets[b->n_captions],
                        .n_memory = n_seen * limn_decoder_n_memory_rows(&t->config),
                        .n_positions = n_seen * t->config.n_memory_positions };
    return LIMN_OK;
}

limn_status limn_decoder_trainer_run(limn_decoder_trainer *t, const limn_decoder_batch *batch,
                                     const limn_decoder_grad_settings *settings,
                                     float *feature_gradients, double *loss_sum, limn_error *err)
{
    struct pass p;
    LIMN_TRY(begin(&p, t, batch, settings, err));
    *loss_sum = forward(&p);
    backward(&p, feature_gradients);
    return LIMN_OK;
}
