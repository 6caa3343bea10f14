#include "models/model_tensors.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "decoder/decoder_tensors.h"
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

static limn_status add_decoder(spec_list *list, const limn_decoder_config *config, limn_error *err)
{
    limn_tensor_table table = { 0 };
    limn_decoder_tensors(&table, config);
    const limn_status status = limn_tensor_table_check(&table, err);
    for (size_t i = 0; i < table.n_rows; i++) {
        limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
        const size_t n = limn_tensor_row_specs(specs, &table.rows[i]);
        for (size_t k = 0; k < n; k++, list->n_items++)
            if (list->items) list->items[list->n_items] = specs[k];
    }
    limn_tensor_table_finish(&table);
    return status;
}

/* ---- both --------------------------------------------------------------------------------- */

static limn_status add_all(spec_list *list, const limn_efficientnet_lite_shape *shape,
                           const limn_model_config *config, limn_error *err)
{
    add_encoder(list, shape);
    return config->has_decoder ? add_decoder(list, &config->decoder, err) : LIMN_OK;
}

limn_status limn_model_tensor_specs(limn_tensor_spec **out, size_t *n_specs,
                                    const limn_model_config *config, limn_error *err)
{
    limn_efficientnet_lite_shape shape;
    spec_list counted = { NULL, 0 }, list = { NULL, 0 };
    if (!limn_efficientnet_lite_shape_find(&shape, config->encoder.family))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "encoder family \"%s\" is not known",
                         config->encoder.family);
    LIMN_TRY(add_all(&counted, &shape, config, err));
    list.items = limn_calloc(counted.n_items, sizeof *list.items);
    if (!list.items)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", counted.n_items);
    const limn_status status = add_all(&list, &shape, config, err);
    if (status != LIMN_OK) limn_free(list.items);
    *out = status == LIMN_OK ? list.items : NULL;
    *n_specs = list.n_items;
    return status;
}
