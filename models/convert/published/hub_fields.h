/* Parts of configurations that several kinds of captioner have: an image encoder, and BERT's
 * layers. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_HUB_FIELDS_H
#define LIMN_MODELS_CONVERT_PUBLISHED_HUB_FIELDS_H

#include "models/convert/published/config_fields.h"
#include "models/convert/published/image_rules.h"
#include "models/convert/published/published.h"

/* What absent fields of a vision transformer mean. */
typedef struct vision_class {
    uint32_t image_size;
    const char *activation;
    double eps;
    bool has_patch_bias, has_embedding_norm;
} vision_class;

/* The encoder of `p->config`, but for its input, and `p->image_size`, from the object of the vision
 * transformer. */
limn_status hub_read_vision(published *p, const limn_json_node *vision, const vision_class *of,
                            limn_error *err);

/* Sizes, eps and activations of the decoder, and `p->n_tokens`, from an object with BERT's
 * fields. */
typedef struct text_class {
    uint32_t n_layers, n_heads, n_positions, n_tokens;
} text_class;
limn_status hub_read_bert(published *p, const limn_json_node *text, const text_class *of,
                          limn_error *err);

#endif
