#include "decoder/decoder_tensors.h"

#include <stdio.h>

#include "decoder/decoder_params.h"
#include "decoder/decoder_weights.h"

/* Where a tensor is kept: in the weights for inference, and in training. */
typedef struct place {
    size_t offset, trained_at;
} place;

#define SHARED(member)                                                                \
    (place)                                                                           \
    {                                                                                 \
        offsetof(limn_decoder_weights, member), offsetof(limn_decoder_params, member) \
    }
#define OF_LAYER(i, weights, params)                                                  \
    (place)                                                                           \
    {                                                                                 \
        offsetof(limn_decoder_weights, layers) + (i) * sizeof(limn_decoder_layer) +   \
            offsetof(limn_decoder_layer, weights),                                    \
            offsetof(limn_decoder_params, layers) + (i) * sizeof(limn_layer_params) + \
                offsetof(limn_layer_params, params)                                   \
    }

/* A list under construction. */
typedef struct list {
    limn_tensor_table *table;
    const limn_decoder_config *config;
    char prefix[48]; /* of the names */
} list;

static void add(const list *l, const char *name, limn_tensor_row row, place at)
{
    row.offset = at.offset;
    row.trained_at = at.trained_at;
    limn_tensor_table_add(l->table, &row, "%s%s", l->prefix, name);
}

static void add_product(const list *l, const char *name, size_t n_outputs, size_t n_inputs,
                        place at)
{
    const limn_tensor_row row = { .kind = LIMN_ROW_PRODUCT,
                                  .has_bias = l->config->layout.has_biases,
                                  .shape = { n_outputs, n_inputs } };
    add(l, name, row, at);
}

static void add_norm(const list *l, const char *name, size_t dim, place at)
{
    add(l, name, (limn_tensor_row){ .kind = LIMN_ROW_NORM, .shape = { dim } }, at);
}

static void add_values(const list *l, const char *name, size_t n_rows, size_t n, place at)
{
    add(l, name, (limn_tensor_row){ .kind = LIMN_ROW_VALUES, .shape = { n_rows, n } }, at);
}

static void add_memory(const list *l)
{
    const limn_decoder_config *c = l->config;
    const size_t width = limn_decoder_memory_width(c);
    if (c->layout.has_memory_projection)
        add_product(l, "memory.project", c->dim, c->memory_dim, SHARED(memory_project));
    if (c->layout.has_memory_positions)
        add_values(l, "memory.position_embedding", c->n_memory_positions, width,
                   SHARED(memory_position));
    if (c->layout.has_memory_norm) add_norm(l, "memory.norm", width, SHARED(memory_norm));
    if (c->n_tag_slots == 0) return;
    add(l, "tag_embedding",
        (limn_tensor_row){
            .kind = LIMN_ROW_VALUES, .is_weight = true, .shape = { c->n_tags, width } },
        SHARED(tag_embedding));
    add_values(l, "tag_probability", width, 0, SHARED(tag_probability));
}

static void add_tokens(const list *l)
{
    const limn_decoder_config *c = l->config;
    const limn_tensor_row tokens = { .kind = LIMN_ROW_PRODUCT, .shape = { c->n_tokens, c->dim } };
    add(l, "token_embedding", tokens, SHARED(token_embedding));
    add_values(l, "position_embedding", c->layout.first_position + c->max_positions, c->dim,
               SHARED(position_embedding));
    if (c->layout.has_embedding_norm) add_norm(l, "embedding_norm", c->dim, SHARED(embedding_norm));
    if (c->layout.has_final_norm) add_norm(l, "norm", c->dim, SHARED(final_norm));
    if (c->layout.has_head_transform) {
        add_product(l, "head.transform", c->dim, c->dim, SHARED(head_transform));
        add_norm(l, "head.norm", c->dim, SHARED(head_norm));
    }
    if (!c->layout.is_tied) add(l, "output", tokens, SHARED(output));
    if (c->layout.has_output_bias)
        add_values(l, "output.bias", c->n_tokens, 0, SHARED(output_bias));
}

static void add_products(const list *l, size_t i)
{
    const limn_decoder_config *c = l->config;
    const size_t dim = c->dim, width = limn_decoder_memory_width(c);
    add_product(l, "self_attention.query", dim, dim, OF_LAYER(i, self_qkv, self.query));
    add_product(l, "self_attention.key", dim, dim, OF_LAYER(i, self_qkv, self.key));
    add_product(l, "self_attention.value", dim, dim, OF_LAYER(i, self_qkv, self.value));
    add_product(l, "self_attention.output", dim, dim, OF_LAYER(i, self_output, self.output));
    if (c->layout.memory == LIMN_MEMORY_CROSS) {
        add_product(l, "cross_attention.query", dim, dim, OF_LAYER(i, cross_query, cross.query));
        add_product(l, "cross_attention.key", dim, width, OF_LAYER(i, cross_kv, cross.key));
        add_product(l, "cross_attention.value", dim, width, OF_LAYER(i, cross_kv, cross.value));
        add_product(l, "cross_attention.output", dim, dim, OF_LAYER(i, cross_output, cross.output));
    }
    add_product(l, "feed_forward.up", c->feed_forward_dim, dim, OF_LAYER(i, up, feed_forward.up));
    add_product(l, "feed_forward.down", dim, c->feed_forward_dim,
                OF_LAYER(i, down, feed_forward.down));
}

static void add_norms(const list *l, size_t i)
{
    const limn_decoder_config *c = l->config;
    add_norm(l, "self_attention_norm", c->dim, OF_LAYER(i, self_norm, self.norm));
    if (c->layout.memory == LIMN_MEMORY_CROSS)
        add_norm(l, "cross_attention_norm", c->dim, OF_LAYER(i, cross_norm, cross.norm));
    add_norm(l, "feed_forward_norm", c->dim, OF_LAYER(i, feed_forward_norm, feed_forward.norm));
}

void limn_decoder_tensors(limn_tensor_table *table, const limn_decoder_config *config)
{
    list l = { table, config, "decoder." };
    add_memory(&l);
    add_tokens(&l);
    for (size_t i = 0; i < config->n_layers; i++) {
        snprintf(l.prefix, sizeof l.prefix, "decoder.layers.%zu.", i);
        add_products(&l, i);
        add_norms(&l, i);
    }
}
