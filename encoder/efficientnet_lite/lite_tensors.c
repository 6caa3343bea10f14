#include "encoder/efficientnet_lite/lite_network.h"
#include "encoder/efficientnet_lite/lite_trainer_state.h"

static limn_tensor_row row(limn_row_kind kind, size_t stage, size_t offset, size_t trained_at)
{
    return (limn_tensor_row){ .kind = kind,
                              .has_bias = true,
                              .is_widened = true,
                              .offset = offset,
                              .stage = (uint32_t)stage,
                              .trained_at = trained_at };
}

/* A member of block `i` of the network, and of the trainer. */
#define AT(i, member) \
    offsetof(limn_lite_network, blocks) + (i) * sizeof(limn_mbconv) + offsetof(limn_mbconv, member)
#define TRAINED_AT(i, member)                                          \
    offsetof(limn_lite_trainer, blocks) + (i) * sizeof(struct block) + \
        offsetof(struct block, member)

/* Rounding the projections of the first blocks to 8 bits would account for half of the error of all
 * weights in the features; the first block stays as it is altogether. */
enum { N_SENSITIVE_BLOCKS = 5 };

static void add_matrix(limn_tensor_table *t, limn_tensor_row r, size_t i, const char *name,
                       size_t n_outputs, size_t n_inputs)
{
    r.shape[0] = n_outputs;
    r.shape[1] = n_inputs;
    r.takes_codes = i > 0;
    limn_tensor_table_add(t, &r, "encoder.blocks.%zu.%s", i, name);
}

static void add_block(limn_tensor_table *t, size_t i, const limn_mbconv_shape *b)
{
    limn_tensor_row depthwise =
        row(LIMN_ROW_DEPTHWISE, i + 1, AT(i, filter), TRAINED_AT(i, depthwise));
    limn_tensor_row project =
        row(LIMN_ROW_PRODUCT, i + 1, AT(i, project), TRAINED_AT(i, project.at));
    project.is_sensitive = i < N_SENSITIVE_BLOCKS;
    depthwise.shape[0] = b->n_expanded;
    depthwise.shape[1] = depthwise.shape[2] = b->kernel;
    if (b->n_expanded != b->n_inputs)
        add_matrix(t, row(LIMN_ROW_PRODUCT, i + 1, AT(i, expand), TRAINED_AT(i, expand.at)), i,
                   "expand", b->n_expanded, b->n_inputs);
    limn_tensor_table_add(t, &depthwise, "encoder.blocks.%zu.depthwise", i);
    add_matrix(t, project, i, "project", b->n_outputs, b->n_expanded);
}

void limn_lite_tensors(limn_tensor_table *t, const limn_efficientnet_lite_shape *s)
{
    limn_tensor_row stem =
        row(LIMN_ROW_CONVOLUTION, 0, AT(0, expand), offsetof(limn_lite_trainer, stem_product.at));
    limn_tensor_row head = row(LIMN_ROW_PRODUCT, s->n_blocks + 1, offsetof(limn_lite_network, head),
                               offsetof(limn_lite_trainer, head.at));
    stem.shape[0] = s->n_stem;
    stem.shape[1] = stem.shape[2] = stem.shape[3] = 3;
    limn_tensor_table_add(t, &stem, "encoder.stem");
    for (size_t i = 0; i < s->n_blocks; i++) add_block(t, i, &s->blocks[i]);
    head.shape[0] = s->n_head;
    head.shape[1] = s->blocks[s->n_blocks - 1].n_outputs;
    limn_tensor_table_add(t, &head, "encoder.head");
}
