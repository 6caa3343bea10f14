#include "decoder/decoder.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/pack.h"
#include "decoder/decoder_weights.h"

/* Reads tensors of one file; after the first failure the rest does nothing. */
struct reader {
    const limn_safetensors *file;
    limn_error *err;
    limn_status status;
};

static const limn_tensor *find(struct reader *r, size_t n_dims, const size_t *shape,
                               const char *fmt, ...) LIMN_PRINTF(4, 5);

static const limn_tensor *find(struct reader *r, size_t n_dims, const size_t *shape,
                               const char *fmt, ...)
{
    const limn_tensor *t = NULL;
    char name[128];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    if (r->status == LIMN_OK)
        r->status = limn_safetensors_require(&t, r->file, name, n_dims, shape, r->err);
    return r->status == LIMN_OK ? t : NULL;
}

/* A copy as f32, or NULL after a failure. */
static float *read_floats(struct reader *r, const limn_tensor *t, size_t n)
{
    float *out = t ? limn_alloc_aligned(n, sizeof *out) : NULL;
    if (out)
        limn_tensor_to_f32(out, t);
    else if (t)
        r->status = limn_fail(r->err, LIMN_E_NOMEM, "no memory for tensor '%s'", t->name);
    return out;
}

static limn_norm_weights read_norm(struct reader *r, const char *prefix, size_t dim)
{
    limn_norm_weights n = { 0 };
    n.gamma = read_floats(r, find(r, 1, &dim, "%s.weight", prefix), dim);
    n.beta = read_floats(r, find(r, 1, &dim, "%s.bias", prefix), dim);
    return n;
}

enum { MAX_JOINED = 3 };

/* Joins matrices [n_outputs, n_inputs] of one dtype, named prefix.part.weight and .bias, into one
 * packed product whose outputs come in the order of `parts`. */
static limn_packed read_joined(struct reader *r, const char *prefix, const char *const *parts,
                               size_t n_parts, size_t n_outputs, size_t n_inputs)
{
    const limn_tensor *weights[MAX_JOINED], *biases[MAX_JOINED];
    limn_packed packed = { 0 };
    unsigned char *joined = NULL;
    float *bias = NULL;
    for (size_t i = 0; i < n_parts; i++) {
        const size_t shape[] = { n_outputs, n_inputs };
        weights[i] = find(r, 2, shape, "%s%s.weight", prefix, parts[i]);
        biases[i] = find(r, 1, shape, "%s%s.bias", prefix, parts[i]);
        if (r->status == LIMN_OK && weights[i]->dtype != weights[0]->dtype)
            r->status = limn_fail(r->err, LIMN_E_FORMAT, "tensor '%s' is %s, but '%s' is %s",
                                  weights[i]->name, limn_tensor_dtype_name(weights[i]->dtype),
                                  weights[0]->name, limn_tensor_dtype_name(weights[0]->dtype));
    }
    if (r->status != LIMN_OK) return packed;
    joined = limn_alloc(n_parts, weights[0]->size);
    bias = limn_alloc(n_parts * n_outputs, sizeof *bias);
    if (!joined || !bias) {
        r->status = limn_fail(r->err, LIMN_E_NOMEM, "no memory for '%s'", weights[0]->name);
    } else {
        const limn_dtype dtype = weights[0]->dtype == LIMN_TENSOR_F16 ? LIMN_F16 : LIMN_F32;
        for (size_t i = 0; i < n_parts; i++) {
            memcpy(joined + i * weights[0]->size, weights[i]->data, weights[0]->size);
            limn_tensor_to_f32(bias + i * n_outputs, biases[i]);
        }
        r->status = limn_packed_init(&packed, joined, dtype, bias, n_parts * n_outputs, n_inputs,
                                     dtype, r->err);
    }
    limn_free(joined);
    limn_free(bias);
    return packed;
}

static limn_packed read_linear(struct reader *r, const char *prefix, const char *name,
                               size_t n_outputs, size_t n_inputs)
{
    return read_joined(r, prefix, &name, 1, n_outputs, n_inputs);
}

static void read_layer(struct reader *r, limn_decoder_layer *l, size_t index,
                       const limn_decoder_config *c)
{
    static const char *const qkv[] = { "query", "key", "value" };
    char self[64], cross[64], layer[64], norm[96];
    snprintf(layer, sizeof layer, "decoder.layers.%zu.", index);
    snprintf(self, sizeof self, "decoder.layers.%zu.self_attention.", index);
    snprintf(cross, sizeof cross, "decoder.layers.%zu.cross_attention.", index);
    l->self_qkv = read_joined(r, self, qkv, 3, c->dim, c->dim);
    l->self_output = read_linear(r, self, "output", c->dim, c->dim);
    l->cross_query = read_linear(r, cross, "query", c->dim, c->dim);
    l->cross_kv = read_joined(r, cross, qkv + 1, 2, c->dim, c->dim);
    l->cross_output = read_linear(r, cross, "output", c->dim, c->dim);
    l->up = read_linear(r, layer, "feed_forward.up", c->feed_forward_dim, c->dim);
    l->down = read_linear(r, layer, "feed_forward.down", c->dim, c->feed_forward_dim);
    snprintf(norm, sizeof norm, "%sself_attention_norm", layer);
    l->self_norm = read_norm(r, norm, c->dim);
    snprintf(norm, sizeof norm, "%scross_attention_norm", layer);
    l->cross_norm = read_norm(r, norm, c->dim);
    snprintf(norm, sizeof norm, "%sfeed_forward_norm", layer);
    l->feed_forward_norm = read_norm(r, norm, c->dim);
}

static void read_embeddings(struct reader *r, limn_decoder *d)
{
    const limn_decoder_config *c = &d->config;
    const size_t tokens[] = { c->n_tokens, c->dim }, positions[] = { c->max_positions, c->dim };
    const size_t memory[] = { c->n_memory_positions, c->dim };
    const limn_tensor *t = find(r, 2, tokens, "decoder.token_embedding.weight");
    if (t) {
        const limn_dtype dtype = t->dtype == LIMN_TENSOR_F16 ? LIMN_F16 : LIMN_F32;
        r->status = limn_packed_init(&d->token_embedding, t->data, dtype, NULL, c->n_tokens, c->dim,
                                     dtype, r->err);
    }
    t = find(r, 2, positions, "decoder.position_embedding");
    d->position_embedding = read_floats(r, t, (size_t)c->max_positions * c->dim);
    t = find(r, 2, memory, "decoder.memory.position_embedding");
    d->memory_position = read_floats(r, t, (size_t)c->n_memory_positions * c->dim);
}

static void read_tags(struct reader *r, limn_decoder *d)
{
    const limn_decoder_config *c = &d->config;
    const size_t tags[] = { c->n_tags, c->dim };
    if (c->n_tag_slots == 0) return;
    d->tag_embedding =
        read_floats(r, find(r, 2, tags, "decoder.tag_embedding"), (size_t)c->n_tags * c->dim);
    d->tag_probability = read_floats(r, find(r, 1, tags + 1, "decoder.tag_probability"), c->dim);
}

static limn_status check_range(const char *field, uint32_t value, uint32_t low, uint32_t high,
                               limn_error *err)
{
    if (value < low || value > high)
        return limn_fail(err, LIMN_E_LIMIT, "decoder %s: %u is not in %u … %u", field, value, low,
                         high);
    return LIMN_OK;
}

static limn_status check_config(const limn_decoder_config *c, limn_error *err)
{
    LIMN_TRY(check_range("layers", c->n_layers, 1, 64, err));
    LIMN_TRY(check_range("dim", c->dim, 16, 4096, err));
    LIMN_TRY(check_range("heads", c->n_heads, 1, 64, err));
    LIMN_TRY(check_range("feed_forward", c->feed_forward_dim, 16, 16384, err));
    LIMN_TRY(check_range("max_positions", c->max_positions, 2, 512, err));
    LIMN_TRY(check_range("vocabulary size", c->n_tokens, 5, 65536, err));
    LIMN_TRY(check_range("memory positions", c->n_memory_positions, 1, 4096, err));
    LIMN_TRY(check_range("memory dim", c->memory_dim, 1, 16384, err));
    LIMN_TRY(check_range("tag_slots", c->n_tag_slots, 0, LIMN_MAX_TAG_SLOTS, err));
    LIMN_TRY(check_range("tags", c->n_tags, c->n_tag_slots, c->n_tag_slots ? 10000 : 0, err));
    if (c->dim % 16 || c->dim % c->n_heads || c->dim / c->n_heads % 8 || c->feed_forward_dim % 16)
        return limn_fail(err, LIMN_E_LIMIT,
                         "decoder dim %u with %u heads and feed_forward %u: dim and feed_forward "
                         "must be multiples of 16, and dim / heads of 8",
                         c->dim, c->n_heads, c->feed_forward_dim);
    return LIMN_OK;
}

limn_status limn_decoder_open(limn_decoder **out, const limn_safetensors *file,
                              const limn_decoder_config *config, limn_cpu_level level,
                              limn_error *err)
{
    struct reader r = { file, err, LIMN_OK };
    *out = NULL;
    LIMN_TRY(check_config(config, err));
    limn_decoder *d = limn_calloc(1, sizeof *d);
    if (d) d->layers = limn_calloc(config->n_layers, sizeof *d->layers);
    if (!d || !d->layers) {
        limn_free(d);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a decoder");
    }
    d->config = *config;
    limn_kernels_init(&d->kernels, level);
    d->memory_project =
        read_linear(&r, "decoder.memory.", "project", config->dim, config->memory_dim);
    d->memory_norm = read_norm(&r, "decoder.memory.norm", config->dim);
    d->final_norm = read_norm(&r, "decoder.norm", config->dim);
    read_embeddings(&r, d);
    read_tags(&r, d);
    for (size_t i = 0; i < config->n_layers; i++) read_layer(&r, &d->layers[i], i, config);
    if (r.status != LIMN_OK) limn_decoder_close(&d);
    *out = d;
    return r.status;
}

limn_status limn_decoder_reload(limn_decoder *d, const limn_safetensors *file, limn_error *err)
{
    limn_decoder *fresh;
    LIMN_TRY(limn_decoder_open(&fresh, file, &d->config, d->kernels.level, err));
    const limn_decoder old = *d;
    *d = *fresh;
    *fresh = old;
    limn_decoder_close(&fresh);
    return LIMN_OK;
}

static void finish_norm(limn_norm_weights *n)
{
    limn_free(n->gamma);
    limn_free(n->beta);
}

static void finish_layer(limn_decoder_layer *l)
{
    finish_norm(&l->self_norm);
    finish_norm(&l->cross_norm);
    finish_norm(&l->feed_forward_norm);
    limn_packed_finish(&l->self_qkv);
    limn_packed_finish(&l->self_output);
    limn_packed_finish(&l->cross_query);
    limn_packed_finish(&l->cross_kv);
    limn_packed_finish(&l->cross_output);
    limn_packed_finish(&l->up);
    limn_packed_finish(&l->down);
}

void limn_decoder_close(limn_decoder **p)
{
    limn_decoder *d = p ? *p : NULL;
    if (!d) return;
    for (size_t i = 0; i < d->config.n_layers; i++) finish_layer(&d->layers[i]);
    limn_packed_finish(&d->memory_project);
    limn_packed_finish(&d->token_embedding);
    finish_norm(&d->memory_norm);
    finish_norm(&d->final_norm);
    limn_free(d->memory_position);
    limn_free(d->tag_embedding);
    limn_free(d->tag_probability);
    limn_free(d->position_embedding);
    limn_free(d->layers);
    limn_free(d);
    *p = NULL;
}

const limn_decoder_config *limn_decoder_get_config(const limn_decoder *d)
{
    return &d->config;
}

size_t limn_decoder_n_memory_rows(const limn_decoder_config *c)
{
    return (size_t)c->n_memory_positions + c->n_tag_slots;
}

void limn_decoder_blind_slots(limn_tag_slot *slots, const limn_decoder_config *c)
{
    for (uint32_t i = 0; i < c->n_tag_slots; i++) slots[i] = (limn_tag_slot){ .tag = i };
}

static size_t packed_bytes(const limn_packed *w)
{
    const size_t n_panels = limn_n_panels(w->n_outputs);
    const size_t weight = w->dtype == LIMN_F16 ? sizeof(uint16_t) : sizeof(float);
    return n_panels * LIMN_PANEL * (w->n_inputs * weight + (w->bias ? sizeof(float) : 0));
}

size_t limn_decoder_weight_bytes(const limn_decoder *d)
{
    const limn_decoder_config *c = &d->config;
    size_t sum = packed_bytes(&d->memory_project) + packed_bytes(&d->token_embedding);
    sum += sizeof(float) * c->dim * (4 + c->max_positions + c->n_memory_positions);
    sum += sizeof(float) * c->dim * (c->n_tags + (c->n_tag_slots > 0));
    for (size_t i = 0; i < c->n_layers; i++) {
        const limn_decoder_layer *l = &d->layers[i];
        sum += packed_bytes(&l->self_qkv) + packed_bytes(&l->self_output);
        sum += packed_bytes(&l->cross_query) + packed_bytes(&l->cross_kv);
        sum += packed_bytes(&l->cross_output) + packed_bytes(&l->up) + packed_bytes(&l->down);
        sum += 6 * sizeof(float) * c->dim;
    }
    return sum;
}
