#include "decoder/decoder.h"

#include <math.h>

#include "common/base/mem.h"
#include "decoder/decoder_tensors.h"
#include "decoder/decoder_weights.h"

/* ---- configuration ------------------------------------------------------------------------- */

size_t limn_decoder_n_memory_rows(const limn_decoder_config *c)
{
    return (size_t)c->n_memory_positions + c->n_tag_slots;
}

size_t limn_decoder_n_places(const limn_decoder_config *c)
{
    return c->n_memory_positions - c->n_class_positions;
}

size_t limn_decoder_memory_width(const limn_decoder_config *c)
{
    return c->layout.has_memory_projection ? c->dim : c->memory_dim;
}

float limn_decoder_embedding_scale(const limn_decoder_config *c)
{
    return c->layout.scales_embedding ? sqrtf((float)c->dim) : 1.0f;
}

void limn_decoder_unconditional_slots(limn_tag_slot *slots, const limn_decoder_config *c)
{
    for (uint32_t i = 0; i < c->n_tag_slots; i++) slots[i] = (limn_tag_slot){ .tag = i };
}

bool limn_decoder_configs_equal(const limn_decoder_config *a, const limn_decoder_config *b)
{
    return a->n_layers == b->n_layers && a->dim == b->dim && a->n_heads == b->n_heads &&
           a->feed_forward_dim == b->feed_forward_dim && a->max_positions == b->max_positions &&
           a->n_tokens == b->n_tokens && a->n_memory_positions == b->n_memory_positions &&
           a->n_class_positions == b->n_class_positions && a->memory_dim == b->memory_dim &&
           a->n_tag_slots == b->n_tag_slots && a->n_tags == b->n_tags &&
           limn_decoder_layouts_equal(&a->layout, &b->layout) &&
           limn_specials_equal(&a->specials, &b->specials);
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
    LIMN_TRY(check_range("max_positions", c->max_positions, 2, LIMN_DECODER_MAX_POSITIONS, err));
    LIMN_TRY(check_range("vocabulary size", c->n_tokens, 5, 65536, err));
    LIMN_TRY(check_range("memory positions", c->n_memory_positions, 1, 4096, err));
    LIMN_TRY(
        check_range("class positions", c->n_class_positions, 0, c->n_memory_positions - 1, err));
    LIMN_TRY(check_range("memory dim", c->memory_dim, 1, 16384, err));
    LIMN_TRY(check_range("tag_slots", c->n_tag_slots, 0, LIMN_MAX_TAG_SLOTS, err));
    LIMN_TRY(check_range("tags", c->n_tags, c->n_tag_slots, c->n_tag_slots ? 10000 : 0, err));
    if (c->dim % 16 || c->dim % c->n_heads || c->dim / c->n_heads % 8 || c->feed_forward_dim % 16)
        return limn_fail(err, LIMN_E_LIMIT,
                         "decoder dim %u with %u heads and feed_forward %u: dim and feed_forward "
                         "must be multiples of 16, and dim / heads of 8",
                         c->dim, c->n_heads, c->feed_forward_dim);
    LIMN_TRY(limn_decoder_layout_check(&c->layout, err));
    if (c->layout.memory == LIMN_MEMORY_PREFIX && limn_decoder_memory_width(c) != c->dim)
        return limn_fail(err, LIMN_E_LIMIT,
                         "decoder memory_dim %u: a prefix without a projection has dim %u",
                         c->memory_dim, c->dim);
    return LIMN_OK;
}

/* ---- weights ------------------------------------------------------------------------------- */

static limn_status load(limn_decoder *d, const limn_safetensors *file, limn_error *err)
{
    limn_decoder_tensors(&d->table, &d->config);
    LIMN_TRY(limn_tensor_table_check(&d->table, err));
    d->weights =
        limn_calloc(1, sizeof *d->weights + d->config.n_layers * sizeof *d->weights->layers);
    if (!d->weights) return limn_fail(err, LIMN_E_NOMEM, "no memory for a decoder");
    return limn_weights_load(d->weights, &d->table, file, err);
}

limn_status limn_decoder_open(limn_decoder **out, const limn_safetensors *file,
                              const limn_decoder_config *config, const limn_kernels *kernels,
                              limn_error *err)
{
    *out = NULL;
    LIMN_TRY(check_config(config, err));
    limn_decoder *d = limn_calloc(1, sizeof *d);
    if (!d) return limn_fail(err, LIMN_E_NOMEM, "no memory for a decoder");
    d->config = *config;
    d->kernels = kernels;
    const limn_status status = load(d, file, err);
    if (status != LIMN_OK) limn_decoder_close(&d);
    *out = d;
    return status;
}

limn_status limn_decoder_reload(limn_decoder *d, const limn_safetensors *file, limn_error *err)
{
    limn_decoder *fresh;
    LIMN_TRY(limn_decoder_open(&fresh, file, &d->config, d->kernels, err));
    const limn_decoder old = *d;
    *d = *fresh;
    *fresh = old;
    limn_decoder_close(&fresh);
    return LIMN_OK;
}

void limn_decoder_close(limn_decoder **p)
{
    limn_decoder *d = p ? *p : NULL;
    if (!d) return;
    if (d->weights) limn_weights_finish(d->weights, &d->table);
    limn_free(d->weights);
    limn_tensor_table_finish(&d->table);
    limn_free(d);
    *p = NULL;
}

const limn_decoder_config *limn_decoder_get_config(const limn_decoder *d)
{
    return &d->config;
}

size_t limn_decoder_weight_bytes(const limn_decoder *d)
{
    return limn_weights_bytes(d->weights, &d->table);
}
