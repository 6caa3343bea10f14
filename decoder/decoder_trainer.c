#include "decoder/decoder_trainer.h"

#include "common/base/mem.h"
#include "common/kernels/cross_attention_grad.h"
#include "common/weights/table_params.h"
#include "decoder/decoder_tensors.h"

/* ---- parameters ---------------------------------------------------------------------------- */

void *limn_decoder_trainer_place(const limn_decoder_trainer *t, const limn_tensor_row *row)
{
    return (char *)t->params + row->trained_at;
}

static limn_weight weight_at(const limn_params *params, size_t at)
{
    if (at == SIZE_MAX) return (limn_weight){ 0 };
    return (limn_weight){ params->values + at, params->gradients + at };
}

static limn_status resolve_row(const limn_decoder_trainer *t, const limn_params *params,
                               const limn_tensor_row *row, limn_error *err)
{
    void *place = limn_decoder_trainer_place(t, row);
    limn_row_at at;
    LIMN_TRY(limn_row_find(&at, params, row, err));
    const limn_weight weight = weight_at(params, at.weight), bias = weight_at(params, at.bias);
    switch (row->kind) {
    case LIMN_ROW_PRODUCT:
        ((limn_linear_params *)place)->weight = weight;
        ((limn_linear_params *)place)->bias = bias;
        ((limn_linear_params *)place)->n_out = row->shape[0];
        ((limn_linear_params *)place)->n_in = row->shape[1];
        break;
    case LIMN_ROW_NORM:
        *(limn_norm_params *)place =
            (limn_norm_params){ .gamma = weight, .beta = bias, .dim = row->shape[0] };
        break;
    default: *(limn_weight *)place = weight;
    }
    return LIMN_OK;
}

static limn_status resolve(const limn_decoder_trainer *t, const limn_params *params,
                           limn_error *err)
{
    for (size_t i = 0; i < t->table.n_rows; i++)
        LIMN_TRY(resolve_row(t, params, &t->table.rows[i], err));
    return LIMN_OK;
}

/* ---- planning ------------------------------------------------------------------------------ */

/* Room for the packed weights. */
static void plan_weights(const limn_decoder_trainer *t, limn_arena *a)
{
    for (size_t i = 0; i < t->table.n_rows; i++) {
        const limn_tensor_row *row = &t->table.rows[i];
        limn_linear_params counted, *p = &counted;
        if (row->kind != LIMN_ROW_PRODUCT) continue;
        if (t->params) p = limn_decoder_trainer_place(t, row);
        limn_linear_take(p, a, row->shape[0], row->shape[1], row->has_bias);
    }
}

static float *take(limn_arena *a, size_t n_rows, size_t n)
{
    size_t n_floats = SIZE_MAX;
    if (!limn_size_mul(&n_floats, n_rows, n)) n_floats = SIZE_MAX;
    return limn_arena_take(a, n_floats, sizeof(float));
}

static struct attention_kept plan_attention(limn_arena *a, size_t n_rows, size_t n_keys,
                                            size_t n_positions, const limn_decoder_config *c)
{
    struct attention_kept k;
    k.x = take(a, n_rows, c->dim);
    k.stats = take(a, n_rows, 2);
    k.h = take(a, n_rows, c->dim);
    k.q = take(a, n_rows, c->dim);
    k.k = take(a, n_keys, c->dim);
    k.v = take(a, n_keys, c->dim);
    k.y = take(a, n_rows, c->dim);
    k.probs = take(a, n_rows * c->n_heads, n_positions);
    return k;
}

static struct layer_kept plan_layer(limn_arena *a, size_t R, size_t PS,
                                    const limn_decoder_config *c)
{
    struct layer_kept k;
    k.self = plan_attention(a, R, R, c->max_positions, c);
    k.cross = plan_attention(a, R, PS, limn_decoder_n_memory_rows(c), c);
    k.feed_forward.x = take(a, R, c->dim);
    k.feed_forward.stats = take(a, R, 2);
    k.feed_forward.h = take(a, R, c->dim);
    k.feed_forward.up = take(a, R, c->feed_forward_dim);
    k.feed_forward.active = take(a, R, c->feed_forward_dim);
    return k;
}

static struct scratch plan_scratch(limn_arena *a, size_t R, size_t PS, size_t n_threads,
                                   const limn_decoder_config *c)
{
    const size_t n_keys = R > PS ? R : PS;
    const size_t n_cross =
        limn_cross_attention_floats(R, limn_decoder_n_memory_rows(c), c->n_heads, c->dim);
    struct scratch s;
    s.d_row = take(a, R, c->dim);
    s.d_row2 = take(a, R, c->dim);
    s.d_query = take(a, R, c->dim);
    s.d_key = take(a, n_keys, c->dim);
    s.d_value = take(a, n_keys, c->dim);
    s.d_hidden = take(a, R, c->feed_forward_dim);
    s.d_memory = take(a, PS, c->dim);
    s.n_attention = c->max_positions > n_cross ? c->max_positions : n_cross;
    s.n_attention = (s.n_attention + 15) / 16 * 16; /* aligned for each thread */
    s.attention = take(a, n_threads, s.n_attention);
    return s;
}

static struct memory_kept plan_memory(limn_arena *a, size_t P, const limn_decoder_config *c)
{
    const size_t PS = P * limn_decoder_n_memory_rows(c);
    struct memory_kept m = { .dropped = take(a, P * c->n_memory_positions, c->memory_dim) };
    m.x = take(a, PS, c->dim);
    m.stats = take(a, PS, 2);
    m.h = take(a, PS, c->dim);
    m.is_hidden = limn_arena_take(a, P, sizeof *m.is_hidden);
    m.slots = limn_arena_take(a, P * c->n_tag_slots, sizeof *m.slots);
    m.image_rows = limn_arena_take(a, P + 1, sizeof *m.image_rows);
    return m;
}

static struct output_kept plan_output(limn_arena *a, size_t R, const limn_decoder_config *c)
{
    struct output_kept o = { .x = take(a, R, c->dim) };
    o.stats = take(a, R, 2);
    o.h = take(a, R, c->dim);
    o.logits = take(a, R, c->n_tokens);
    o.losses = take(a, R, 1);
    return o;
}

/* Takes all activations from `a`, which may be counting. */
static void plan(limn_decoder_trainer *t, limn_arena *a)
{
    const limn_decoder_config *c = &t->config;
    const size_t R = t->limits.max_rows, P = t->limits.max_images;
    const size_t PS = P * limn_decoder_n_memory_rows(c);
    plan_weights(t, a);
    for (size_t i = 0; i < c->n_layers; i++) {
        const struct layer_kept kept = plan_layer(a, R, PS, c);
        if (t->kept) t->kept[i] = kept;
    }
    t->memory = plan_memory(a, P, c);
    t->output = plan_output(a, R, c);
    t->dx = take(a, R, c->dim);
    t->scratch = plan_scratch(a, R, PS, limn_pool_n_threads(t->ctx.pool), c);
}

size_t limn_decoder_trainer_bytes(const limn_decoder_config *config,
                                  const limn_decoder_limits *limits)
{
    limn_decoder_trainer t = { .config = *config, .limits = *limits };
    limn_arena a;
    limn_arena_init_counting(&a);
    limn_decoder_tensors(&t.table, config);
    plan(&t, &a);
    limn_tensor_table_finish(&t.table);
    return a.high;
}

/* ---- creating ------------------------------------------------------------------------------ */

static limn_status build(limn_decoder_trainer *t, const limn_params *params, limn_error *err)
{
    const size_t n_layers = t->config.n_layers;
    limn_arena counting;
    LIMN_TRY(limn_decoder_layout_check_trainable(&t->config.layout, err));
    limn_decoder_tensors(&t->table, &t->config);
    LIMN_TRY(limn_tensor_table_check(&t->table, err));
    limn_arena_init_counting(&counting);
    plan(t, &counting);
    t->params = limn_calloc(1, sizeof *t->params + n_layers * sizeof *t->params->layers);
    t->kept = limn_calloc(n_layers, sizeof *t->kept);
    if (!t->params || !t->kept || counting.has_failed || !limn_arena_init(&t->arena, counting.high))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for batches of %zu tokens",
                         t->limits.max_rows);
    plan(t, &t->arena);
    return resolve(t, params, err);
}

limn_status limn_decoder_trainer_create(limn_decoder_trainer **out,
                                        const limn_decoder_config *config, limn_params *params,
                                        const limn_decoder_limits *limits, limn_pool *pool,
                                        limn_cpu_level level, limn_error *err)
{
    limn_decoder_trainer *t = limn_calloc(1, sizeof *t);
    *out = NULL;
    if (!t) return limn_fail(err, LIMN_E_NOMEM, "no memory for a trainer");
    t->config = *config;
    t->limits = *limits;
    limn_kernels_init(&t->kernels, level);
    t->ctx = (limn_layer_ctx){ pool, limn_rows_grad_choose(level), &t->kernels };
    const limn_status status = build(t, params, err);
    if (status != LIMN_OK) limn_decoder_trainer_destroy(&t);
    *out = t;
    return status;
}

void limn_decoder_trainer_destroy(limn_decoder_trainer **p)
{
    limn_decoder_trainer *t = p ? *p : NULL;
    if (!t) return;
    limn_arena_finish(&t->arena);
    limn_tensor_table_finish(&t->table);
    limn_free(t->params);
    limn_free(t->kept);
    limn_free(t);
    *p = NULL;
}
