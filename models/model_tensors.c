#include "models/model_tensors.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "encoder/efficientnet_lite_shape.h"

/* The list under construction; counted in a first pass with items == NULL. */
typedef struct spec_list {
    limn_tensor_spec *items;
    size_t n_items;
} spec_list;

/* Adds a tensor; unused dimensions are 0. */
static void add(spec_list *list, bool may_be_half, const size_t shape[4], const char *fmt, ...)
    LIMN_PRINTF(4, 5);

static void add(spec_list *list, bool may_be_half, const size_t shape[4], const char *fmt, ...)
{
    limn_tensor_spec *spec = list->items ? &list->items[list->n_items] : NULL;
    list->n_items++;
    if (!spec) return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(spec->name, sizeof spec->name, fmt, ap);
    va_end(ap);
    spec->n_dims = 0;
    while (spec->n_dims < 4 && shape[spec->n_dims] > 0) {
        spec->shape[spec->n_dims] = shape[spec->n_dims];
        spec->n_dims++;
    }
    spec->may_be_half = may_be_half;
}

#define SHAPE(...) ((const size_t[4]){ __VA_ARGS__ })

/* ---- encoder ------------------------------------------------------------------------------ */

static void add_block(spec_list *list, size_t n, const limn_mbconv_shape *b)
{
    if (b->n_expanded != b->n_inputs) {
        add(list, true, SHAPE(b->n_expanded, b->n_inputs), "encoder.blocks.%zu.expand.weight", n);
        add(list, false, SHAPE(b->n_expanded), "encoder.blocks.%zu.expand.bias", n);
    }
    add(list, true, SHAPE(b->n_expanded, b->kernel, b->kernel),
        "encoder.blocks.%zu.depthwise.weight", n);
    add(list, false, SHAPE(b->n_expanded), "encoder.blocks.%zu.depthwise.bias", n);
    add(list, true, SHAPE(b->n_outputs, b->n_expanded), "encoder.blocks.%zu.project.weight", n);
    add(list, false, SHAPE(b->n_outputs), "encoder.blocks.%zu.project.bias", n);
}

static void add_encoder(spec_list *list, const limn_efficientnet_lite_shape *s)
{
    add(list, true, SHAPE(s->n_stem, 3, 3, 3), "encoder.stem.weight");
    add(list, false, SHAPE(s->n_stem), "encoder.stem.bias");
    for (size_t i = 0; i < s->n_blocks; i++) add_block(list, i, &s->blocks[i]);
    add(list, true, SHAPE(s->n_head, s->blocks[s->n_blocks - 1].n_outputs), "encoder.head.weight");
    add(list, false, SHAPE(s->n_head), "encoder.head.bias");
}

/* ---- decoder ------------------------------------------------------------------------------ */

static void add_linear(spec_list *list, size_t n_outputs, size_t n_inputs, const char *name)
{
    add(list, true, SHAPE(n_outputs, n_inputs), "%s.weight", name);
    add(list, false, SHAPE(n_outputs), "%s.bias", name);
}

static void add_norm(spec_list *list, size_t dim, const char *name)
{
    add(list, false, SHAPE(dim), "%s.weight", name);
    add(list, false, SHAPE(dim), "%s.bias", name);
}

static void add_layer(spec_list *list, unsigned n, size_t dim, size_t feed_forward_dim)
{
    static const char *const attentions[] = { "self_attention", "cross_attention" };
    static const char *const products[] = { "query", "key", "value", "output" };
    char name[72];
    for (size_t a = 0; a < 2; a++) {
        for (size_t p = 0; p < 4; p++) {
            snprintf(name, sizeof name, "decoder.layers.%u.%s.%s", n, attentions[a], products[p]);
            add_linear(list, dim, dim, name);
        }
        snprintf(name, sizeof name, "decoder.layers.%u.%s_norm", n, attentions[a]);
        add_norm(list, dim, name);
    }
    snprintf(name, sizeof name, "decoder.layers.%u.feed_forward.up", n);
    add_linear(list, feed_forward_dim, dim, name);
    snprintf(name, sizeof name, "decoder.layers.%u.feed_forward.down", n);
    add_linear(list, dim, feed_forward_dim, name);
    snprintf(name, sizeof name, "decoder.layers.%u.feed_forward_norm", n);
    add_norm(list, dim, name);
}

static void add_decoder(spec_list *list, const limn_decoder_config *d)
{
    add_linear(list, d->dim, d->memory_dim, "decoder.memory.project");
    add(list, false, SHAPE(d->n_memory_positions, d->dim), "decoder.memory.position_embedding");
    add_norm(list, d->dim, "decoder.memory.norm");
    if (d->n_tag_slots > 0) {
        add(list, true, SHAPE(d->n_tags, d->dim), "decoder.tag_embedding");
        add(list, false, SHAPE(d->dim), "decoder.tag_probability");
    }
    add(list, true, SHAPE(d->n_tokens, d->dim), "decoder.token_embedding.weight");
    add(list, false, SHAPE(d->max_positions, d->dim), "decoder.position_embedding");
    for (unsigned i = 0; i < d->n_layers; i++) add_layer(list, i, d->dim, d->feed_forward_dim);
    add_norm(list, d->dim, "decoder.norm");
}

/* ---- both --------------------------------------------------------------------------------- */

static void add_all(spec_list *list, const limn_efficientnet_lite_shape *shape,
                    const limn_model_config *config)
{
    add_encoder(list, shape);
    if (config->has_decoder) add_decoder(list, &config->decoder);
}

limn_status limn_model_tensor_specs(limn_tensor_spec **out, size_t *n_specs,
                                    const limn_model_config *config, limn_error *err)
{
    limn_efficientnet_lite_shape shape;
    spec_list counted = { NULL, 0 }, list = { NULL, 0 };
    if (!limn_efficientnet_lite_shape_find(&shape, config->encoder.family))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "encoder family \"%s\" is not known",
                         config->encoder.family);
    add_all(&counted, &shape, config);
    list.items = limn_calloc(counted.n_items, sizeof *list.items);
    if (!list.items)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", counted.n_items);
    add_all(&list, &shape, config);
    *out = list.items;
    *n_specs = list.n_items;
    return LIMN_OK;
}
