/* Parts of configurations that several kinds of captioner share: an image encoder, and BERT's
 * layers. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_HUB_FIELDS_H
#define LIMN_MODELS_CONVERT_PUBLISHED_HUB_FIELDS_H

#include "models/convert/published/config_fields.h"
#include "models/convert/published/image_rules.h"
#include "models/convert/published/published.h"

/* Defaults for absent fields of a vision transformer. */
typedef struct vision_class {
    uint32_t image_size;
    const char *activation;
    double eps;
    bool has_patch_bias, has_embedding_norm;
} vision_class;

/* Reads the encoder of `p->config`, except its input, and `p->image_size`, from the vision
 * transformer's object. */
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
