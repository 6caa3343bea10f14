#include "decoder/decoder_trainer.h"

#include <stdio.h>

#include "common/base/mem.h"
#include "common/kernels/cross_attention_grad.h"

struct finder {
    limn_params *params;
    limn_error *err;
    limn_status status;
};

/* The parameter named prefix + name + suffix. */
static limn_weight find(struct finder *f, const char *prefix, const char *name, const char *suffix)
{
    char full[2 * LIMN_PARAM_NAME_SIZE];
    snprintf(full, sizeof full, "%s%s%s", prefix, name, suffix);
    const limn_param *p = limn_params_find(f->params, full);
    if (!p) {
        f->status = limn_fail(f->err, LIMN_E_ARG, "parameter '%s' is missing", full);
        return (limn_weight){ 0 };
    }
    return (limn_weight){ f->params->values + p->offset, f->params->gradients + p->offset };
}

static limn_linear_params find_linear(struct finder *f, const char *prefix, const char *name,
                                      size_t n_out, size_t n_in)
{
    return (limn_linear_params){ .weight = find(f, prefix, name, ".weight"),
                                 .bias = find(f, prefix, name, ".bias"),
                                 .n_out = n_out,
                                 .n_in = n_in };
}

static limn_norm_params find_norm(struct finder *f, const char *prefix, const char *name,
                                  size_t dim)
{
    return (limn_norm_params){ .gamma = find(f, prefix, name, ".weight"),
                               .beta = find(f, prefix, name, ".bias"),
                               .dim = dim };
}

static struct attention_params find_attention(struct finder *f, size_t layer, const char *kind,
                                              size_t dim)
{
    char prefix[64], name[32];
    struct attention_params p;
    snprintf(prefix, sizeof prefix, "decoder.layers.%zu.", layer);
    snprintf(name, sizeof name, "%s_norm", kind);
    p.norm = find_norm(f, prefix, name, dim);
    snprintf(prefix, sizeof prefix, "decoder.layers.%zu.%s.", layer, kind);
    p.query = find_linear(f, prefix, "query", dim, dim);
    p.key = find_linear(f, prefix, "key", dim, dim);
    p.value = find_linear(f, prefix, "value", dim, dim);
    p.output = find_linear(f, prefix, "output", dim, dim);
    return p;
}

static struct layer_params find_layer(struct finder *f, size_t layer, const limn_decoder_config *c)
{
    char prefix[64];
    struct layer_params p;
    p.self = find_attention(f, layer, "self_attention", c->dim);
    p.cross = find_attention(f, layer, "cross_attention", c->dim);
    snprintf(prefix, sizeof prefix, "decoder.layers.%zu.", layer);
    p.feed_forward.norm = find_norm(f, prefix, "feed_forward_norm", c->dim);
    p.feed_forward.up = find_linear(f, prefix, "feed_forward.up", c->feed_forward_dim, c->dim);
    p.feed_forward.down = find_linear(f, prefix, "feed_forward.down", c->dim, c->feed_forward_dim);
    return p;
}

static limn_status resolve(limn_decoder_trainer *t, limn_params *params, limn_error *err)
{
    const limn_decoder_config *c = &t->config;
    struct finder f = { params, err, LIMN_OK };
    t->memory_project = find_linear(&f, "decoder.memory.", "project", c->dim, c->memory_dim);
    t->memory_position = find(&f, "decoder.memory.", "position_embedding", "");
    t->memory_norm = find_norm(&f, "decoder.memory.", "norm", c->dim);
    if (c->n_tag_slots > 0) {
        t->tag_embedding = find(&f, "decoder.", "tag_embedding", "");
        t->tag_probability = find(&f, "decoder.", "tag_probability", "");
    }
    t->token_embedding = find(&f, "decoder.", "token_embedding", ".weight");
    t->position_embedding = find(&f, "decoder.", "position_embedding", "");
    t->final_norm = find_norm(&f, "decoder.", "norm", c->dim);
    t->output =
        (limn_linear_params){ .weight = t->token_embedding, .n_out = c->n_tokens, .n_in = c->dim };
    for (size_t i = 0; i < c->n_layers; i++) t->layers[i] = find_layer(&f, i, c);
    return f.status;
}

static void take_attention(struct attention_params *p, limn_arena *a, size_t dim)
{
    limn_linear_take(&p->query, a, dim, dim, true);
    limn_linear_take(&p->key, a, dim, dim, true);
    limn_linear_take(&p->value, a, dim, dim, true);
    limn_linear_take(&p->output, a, dim, dim, true);
}

/* Room for the packed weights. */
static void plan_weights(limn_decoder_trainer *t, limn_arena *a)
{
    const limn_decoder_config *c = &t->config;
    limn_linear_take(&t->memory_project, a, c->dim, c->memory_dim, true);
    limn_linear_take(&t->output, a, c->n_tokens, c->dim, false);
    for (size_t i = 0; i < c->n_layers; i++) {
        struct layer_params counted, *p = t->layers ? &t->layers[i] : &counted;
        take_attention(&p->self, a, c->dim);
        take_attention(&p->cross, a, c->dim);
        limn_linear_take(&p->feed_forward.up, a, c->feed_forward_dim, c->dim, true);
        limn_linear_take(&p->feed_forward.down, a, c->dim, c->feed_forward_dim, true);
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

/* Takes all activations from `a`, which may be counting. */
static void plan(limn_decoder_trainer *t, limn_arena *a)
{
    const limn_decoder_config *c = &t->config;
    const size_t R = t->limits.max_rows, P = t->limits.max_pictures;
    const size_t PS = P * limn_decoder_n_memory_rows(c);
    plan_weights(t, a);
    for (size_t i = 0; i < c->n_layers; i++) {
        const struct layer_kept kept = plan_layer(a, R, PS, c);
        if (t->kept) t->kept[i] = kept;
    }
    t->dropped_features = take(a, P * c->n_memory_positions, c->memory_dim);
    t->memory_x = take(a, PS, c->dim);
    t->memory_stats = take(a, PS, 2);
    t->memory = take(a, PS, c->dim);
    t->dx = take(a, R, c->dim);
    t->final_x = take(a, R, c->dim);
    t->final_stats = take(a, R, 2);
    t->final_h = take(a, R, c->dim);
    t->logits = take(a, R, c->n_tokens);
    t->losses = take(a, R, 1);
    t->is_hidden = limn_arena_take(a, P, sizeof *t->is_hidden);
    t->slots = limn_arena_take(a, P * c->n_tag_slots, sizeof *t->slots);
    t->picture_rows = limn_arena_take(a, P + 1, sizeof *t->picture_rows);
    t->scratch = plan_scratch(a, R, PS, limn_pool_n_threads(t->ctx.pool), c);
}

size_t limn_decoder_trainer_bytes(const limn_decoder_config *config,
                                  const limn_decoder_limits *limits)
{
    limn_decoder_trainer t = { .config = *config, .limits = *limits };
    limn_arena a;
    limn_arena_init_counting(&a);
    plan(&t, &a);
    return a.high;
}

limn_status limn_decoder_trainer_create(limn_decoder_trainer **out,
                                        const limn_decoder_config *config, limn_params *params,
                                        const limn_decoder_limits *limits, limn_pool *pool,
                                        limn_cpu_level level, limn_error *err)
{
    limn_arena counting;
    limn_decoder_trainer *t = limn_calloc(1, sizeof *t);
    limn_status status = LIMN_E_NOMEM;
    *out = NULL;
    if (!t) return limn_fail(err, LIMN_E_NOMEM, "no memory for a trainer");
    t->config = *config;
    t->limits = *limits;
    limn_kernels_init(&t->kernels, level);
    t->ctx = (limn_layer_ctx){ pool, limn_rows_grad_choose(level), &t->kernels };
    limn_arena_init_counting(&counting);
    plan(t, &counting);
    t->layers = limn_calloc(config->n_layers, sizeof *t->layers);
    t->kept = limn_calloc(config->n_layers, sizeof *t->kept);
    if (!t->layers || !t->kept || counting.has_failed || !limn_arena_init(&t->arena, counting.high))
        limn_fail(err, LIMN_E_NOMEM, "no memory for batches of %zu tokens", limits->max_rows);
    else if ((status = resolve(t, params, err)) == LIMN_OK)
        plan(t, &t->arena);
    if (status != LIMN_OK) limn_decoder_trainer_destroy(&t);
    *out = t;
    return status;
}

void limn_decoder_trainer_destroy(limn_decoder_trainer **p)
{
    if (!p || !*p) return;
    limn_arena_finish(&(*p)->arena);
    limn_free((*p)->layers);
    limn_free((*p)->kept);
    limn_free(*p);
    *p = NULL;
}
