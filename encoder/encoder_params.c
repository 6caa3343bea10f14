#include <stdio.h>
#include <string.h>

#include "encoder/encoder_grad.h"

struct adder {
    limn_params *params;
    limn_error *err;
    float rate;
    limn_status status;
};

/* A convolution's weight and bias; `n_dims` of `shape` with the outputs first. */
static void add_conv(struct adder *a, const char *prefix, const char *name, size_t n_dims,
                     const size_t *shape)
{
    char full[LIMN_PARAM_NAME_SIZE];
    for (int is_bias = 0; is_bias <= 1 && a->status == LIMN_OK; is_bias++) {
        snprintf(full, sizeof full, "%s%s%s", prefix, name, is_bias ? ".bias" : ".weight");
        a->status = limn_params_add(a->params, full, is_bias ? 1 : n_dims, shape, !is_bias, a->err);
        if (a->status == LIMN_OK) a->params->items[a->params->n_items - 1].rate = a->rate;
    }
}

static void add_block(struct adder *a, size_t index, const limn_mbconv_shape *b)
{
    char prefix[48];
    snprintf(prefix, sizeof prefix, "encoder.blocks.%zu.", index);
    if (b->n_expanded != b->n_inputs)
        add_conv(a, prefix, "expand", 2, (size_t[]){ b->n_expanded, b->n_inputs });
    add_conv(a, prefix, "depthwise", 3, (size_t[]){ b->n_expanded, b->kernel, b->kernel });
    add_conv(a, prefix, "project", 2, (size_t[]){ b->n_outputs, b->n_expanded });
}

limn_status limn_encoder_params_add(limn_params *params, const limn_efficientnet_lite_shape *s,
                                    size_t first_stage, float rate, limn_error *err)
{
    struct adder a = { params, err, rate, LIMN_OK };
    if (first_stage == 0) add_conv(&a, "encoder.", "stem", 4, (size_t[]){ s->n_stem, 3, 3, 3 });
    for (size_t i = first_stage > 0 ? first_stage - 1 : 0; i < s->n_blocks; i++)
        add_block(&a, i, &s->blocks[i]);
    add_conv(&a, "encoder.", "head", 2,
             (size_t[]){ s->n_head, s->blocks[s->n_blocks - 1].n_outputs });
    return a.status;
}

limn_status limn_encoder_params_read(limn_params *params, const limn_safetensors *file,
                                     limn_error *err)
{
    for (size_t i = 0; i < params->n_items; i++) {
        const limn_param *p = &params->items[i];
        const limn_tensor *tensor;
        if (strncmp(p->name, "encoder.", 8) != 0) continue;
        LIMN_TRY(limn_safetensors_require(&tensor, file, p->name, p->n_dims, p->shape, err));
        limn_tensor_to_f32(params->values + p->offset, tensor);
    }
    return LIMN_OK;
}
