#include "encoder/vit/vit_network.h"

#include <stdio.h>

enum { COLOURS = 3 };

size_t limn_vit_n_positions(const limn_encoder_config *c)
{
    return 1 + (size_t)(c->input.width / c->vit.patch) * (c->input.height / c->vit.patch);
}

/* ---- check --------------------------------------------------------------------------------- */

static limn_status check_range(const char *field, uint32_t value, uint32_t low, uint32_t high,
                               limn_error *err)
{
    if (value < low || value > high)
        return limn_fail(err, LIMN_E_LIMIT, "encoder %s: %u is not in %u … %u", field, value, low,
                         high);
    return LIMN_OK;
}

static limn_status check_sizes(const limn_vit_config *v, limn_error *err)
{
    LIMN_TRY(check_range("patch", v->patch, 4, 64, err));
    LIMN_TRY(check_range("dim", v->dim, 8, 4096, err));
    LIMN_TRY(check_range("layers", v->n_layers, 1, LIMN_VIT_MAX_LAYERS, err));
    LIMN_TRY(check_range("heads", v->n_heads, 1, 64, err));
    LIMN_TRY(check_range("feed_forward", v->feed_forward_dim, 8, 16384, err));
    if (v->dim % v->n_heads != 0)
        return limn_fail(err, LIMN_E_LIMIT, "encoder dim: %u is no multiple of the %u heads",
                         v->dim, v->n_heads);
    return LIMN_OK;
}

static limn_status check_input(const limn_encoder_config *c, limn_error *err)
{
    const uint32_t width = c->input.width, height = c->input.height, patch = c->vit.patch;
    if (width % patch != 0 || height % patch != 0)
        return limn_fail(err, LIMN_E_LIMIT,
                         "encoder input of %u x %u: sides are no multiples of the patch, %u", width,
                         height, patch);
    if (limn_vit_n_positions(c) > LIMN_VIT_MAX_POSITIONS)
        return limn_fail(err, LIMN_E_LIMIT,
                         "encoder input of %u x %u with patches of %u: %zu positions are more than "
                         "%d",
                         width, height, patch, limn_vit_n_positions(c), LIMN_VIT_MAX_POSITIONS);
    return LIMN_OK;
}

limn_status limn_vit_check(const limn_encoder_config *c, limn_error *err)
{
    const limn_vit_config *v = &c->vit;
    LIMN_TRY(check_sizes(v, err));
    LIMN_TRY(check_input(c, err));
    if (v->activation != LIMN_ACT_GELU && v->activation != LIMN_ACT_GELU_TANH &&
        v->activation != LIMN_ACT_QUICK_GELU)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "encoder activation %d is not that of a vit",
                         (int)v->activation);
    if (!(v->eps >= 1e-14f && v->eps <= 0.1f))
        return limn_fail(err, LIMN_E_LIMIT, "encoder eps: %g is not in 1e-14 … 0.1",
                         (double)v->eps);
    return LIMN_OK;
}

/* ---- tensors ------------------------------------------------------------------------------- */

#define AT(member) offsetof(limn_vit_network, member)
#define AT_LAYER(i, member)                                              \
    (offsetof(limn_vit_network, layers) + (i) * sizeof(limn_vit_layer) + \
     offsetof(limn_vit_layer, member))

static limn_tensor_row product(size_t n_outputs, size_t n_inputs, size_t offset, size_t stage)
{
    return (limn_tensor_row){ .kind = LIMN_ROW_PRODUCT,
                              .has_bias = true,
                              .shape = { n_outputs, n_inputs },
                              .offset = offset,
                              .stage = (uint32_t)stage };
}

static limn_tensor_row norm(size_t dim, size_t offset, size_t stage)
{
    return (limn_tensor_row){
        .kind = LIMN_ROW_NORM, .shape = { dim }, .offset = offset, .stage = (uint32_t)stage
    };
}

static void add_embeddings(limn_tensor_table *table, const limn_encoder_config *c)
{
    const limn_vit_config *v = &c->vit;
    limn_tensor_table_add(table,
                          &(limn_tensor_row){ .kind = LIMN_ROW_VALUES,
                                              .shape = { v->dim },
                                              .offset = AT(class_position) },
                          "encoder.class_position");
    limn_tensor_table_add(table,
                          &(limn_tensor_row){ .kind = LIMN_ROW_CONVOLUTION,
                                              .has_bias = v->has_patch_bias,
                                              .is_widened = true,
                                              .shape = { v->dim, COLOURS, v->patch, v->patch },
                                              .offset = AT(patch_weights) },
                          "encoder.patch");
    limn_tensor_table_add(table,
                          &(limn_tensor_row){ .kind = LIMN_ROW_VALUES,
                                              .shape = { limn_vit_n_positions(c), v->dim },
                                              .offset = AT(position_embedding) },
                          "encoder.position_embedding");
    if (!v->has_embedding_norm) return;
    const limn_tensor_row row = norm(v->dim, AT(embedding_norm), 0);
    limn_tensor_table_add(table, &row, "encoder.embedding_norm");
}

static void add_layer(limn_tensor_table *table, const limn_vit_config *v, size_t i)
{
    const size_t D = v->dim, F = v->feed_forward_dim;
    const struct {
        const char *name;
        limn_tensor_row row;
    } rows[] = {
        { "attention_norm", norm(D, AT_LAYER(i, attention_norm), i + 1) },
        { "attention.query", product(D, D, AT_LAYER(i, qkv), i + 1) },
        { "attention.key", product(D, D, AT_LAYER(i, qkv), i + 1) },
        { "attention.value", product(D, D, AT_LAYER(i, qkv), i + 1) },
        { "attention.output", product(D, D, AT_LAYER(i, output), i + 1) },
        { "feed_forward_norm", norm(D, AT_LAYER(i, feed_forward_norm), i + 1) },
        { "feed_forward.up", product(F, D, AT_LAYER(i, up), i + 1) },
        { "feed_forward.down", product(D, F, AT_LAYER(i, down), i + 1) },
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        limn_tensor_table_add(table, &rows[k].row, "encoder.layers.%zu.%s", i, rows[k].name);
}

void limn_vit_tensors(limn_tensor_table *table, const limn_encoder_config *c)
{
    const limn_tensor_row last = norm(c->vit.dim, AT(norm), c->vit.n_layers);
    add_embeddings(table, c);
    for (size_t i = 0; i < c->vit.n_layers; i++) add_layer(table, &c->vit, i);
    limn_tensor_table_add(table, &last, "encoder.norm");
}

/* ---- plan ---------------------------------------------------------------------------------- */

void limn_vit_plan(void *network, const limn_encoder_config *c)
{
    limn_vit_network *net = network;
    net->config = *c;
    net->patches = (limn_convolution){ .width = c->input.width,
                                       .height = c->input.height,
                                       .n_inputs = COLOURS,
                                       .n_outputs = c->vit.dim,
                                       .kernel = c->vit.patch,
                                       .stride = c->vit.patch };
    limn_convolution_plan(&net->patches);
}
