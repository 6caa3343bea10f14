#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/rng.h"
#include "decoder/decoder_grad.h"

struct adder {
    limn_params *params;
    limn_error *err;
    limn_status status;
};

/* The name is prefix + name + suffix. */
static void add(struct adder *a, const char *prefix, const char *name, const char *suffix,
                size_t n_dims, const size_t *shape, bool decays)
{
    char full[LIMN_PARAM_NAME_SIZE];
    if (a->status != LIMN_OK) return;
    snprintf(full, sizeof full, "%s%s%s", prefix, name, suffix);
    a->status = limn_params_add(a->params, full, n_dims, shape, decays, a->err);
}

static void add_linear(struct adder *a, const char *prefix, const char *name, size_t n_out,
                       size_t n_in)
{
    add(a, prefix, name, ".weight", 2, (size_t[]){ n_out, n_in }, true);
    add(a, prefix, name, ".bias", 1, (size_t[]){ n_out }, false);
}

static void add_norm(struct adder *a, const char *prefix, const char *name, size_t dim)
{
    add(a, prefix, name, ".weight", 1, (size_t[]){ dim }, false);
    add(a, prefix, name, ".bias", 1, (size_t[]){ dim }, false);
}

static void add_attention(struct adder *a, const char *prefix, size_t dim)
{
    static const char *const parts[] = { "query", "key", "value", "output" };
    for (size_t i = 0; i < 4; i++) add_linear(a, prefix, parts[i], dim, dim);
}

static void add_layer(struct adder *a, size_t layer, const limn_decoder_config *c)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "decoder.layers.%zu.self_attention.", layer);
    add_attention(a, prefix, c->dim);
    snprintf(prefix, sizeof prefix, "decoder.layers.%zu.cross_attention.", layer);
    add_attention(a, prefix, c->dim);
    snprintf(prefix, sizeof prefix, "decoder.layers.%zu.", layer);
    add_linear(a, prefix, "feed_forward.up", c->feed_forward_dim, c->dim);
    add_linear(a, prefix, "feed_forward.down", c->dim, c->feed_forward_dim);
    add_norm(a, prefix, "self_attention_norm", c->dim);
    add_norm(a, prefix, "cross_attention_norm", c->dim);
    add_norm(a, prefix, "feed_forward_norm", c->dim);
}

limn_status limn_decoder_params_add(limn_params *params, const limn_decoder_config *c,
                                    limn_error *err)
{
    struct adder a = { .params = params, .err = err, .status = LIMN_OK };
    add_linear(&a, "decoder.memory.", "project", c->dim, c->memory_dim);
    add(&a, "decoder.memory.", "position_embedding", "", 2,
        (size_t[]){ c->n_memory_positions, c->dim }, false);
    add_norm(&a, "decoder.memory.", "norm", c->dim);
    if (c->n_tag_slots > 0) {
        add(&a, "decoder.", "tag_embedding", "", 2, (size_t[]){ c->n_tags, c->dim }, true);
        add(&a, "decoder.", "tag_probability", "", 1, (size_t[]){ c->dim }, false);
    }
    add(&a, "decoder.", "token_embedding", ".weight", 2, (size_t[]){ c->n_tokens, c->dim }, true);
    add(&a, "decoder.", "position_embedding", "", 2, (size_t[]){ c->max_positions, c->dim }, false);
    add_norm(&a, "decoder.", "norm", c->dim);
    for (size_t i = 0; i < c->n_layers; i++) add_layer(&a, i, c);
    return a.status;
}

static bool name_ends(const limn_param *p, const char *end)
{
    const size_t n = strlen(p->name), m = strlen(end);
    return n >= m && strcmp(p->name + n - m, end) == 0;
}

static void init_normal(float *x, size_t n, float deviation, limn_rng *rng)
{
    for (size_t i = 0; i < n; i++) x[i] = deviation * (float)limn_rng_normal(rng);
}

static void init_uniform(float *x, size_t n, float bound, limn_rng *rng)
{
    for (size_t i = 0; i < n; i++) x[i] = bound * (float)(2.0 * limn_rng_uniform(rng) - 1.0);
}

/* Each tensor draws from a stream of its own, so adding one leaves the others as they were. */
void limn_decoder_params_init(limn_params *params, uint64_t seed)
{
    for (size_t i = 0; i < params->n_items; i++) {
        const limn_param *p = &params->items[i];
        float *x = params->values + p->offset;
        limn_rng rng = limn_rng_stream(seed, p->name, strlen(p->name));
        if (strncmp(p->name, "decoder.", 8) != 0) continue;
        if (name_ends(p, "position_embedding"))
            init_normal(x, p->n, 0.02f, &rng);
        else if (name_ends(p, "token_embedding.weight") || strstr(p->name, "decoder.tag_"))
            init_normal(x, p->n, 1.0f / sqrtf((float)p->shape[p->n_dims - 1]), &rng);
        else if (p->n_dims == 2)
            init_uniform(x, p->n, sqrtf(6.0f / (float)(p->shape[0] + p->shape[1])), &rng);
        else if (name_ends(p, "norm.weight"))
            for (size_t j = 0; j < p->n; j++) x[j] = 1.0f;
    }
}
