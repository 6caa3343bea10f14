/* How a published captioner preprocesses an image, from preprocessor_config.json. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_IMAGE_RULES_H
#define LIMN_MODELS_CONVERT_PUBLISHED_IMAGE_RULES_H

#include "common/io/json.h"
#include "encoder/encoder_input.h"

/* A class of image processors: its names, and defaults for absent fields. */
typedef struct image_class {
    const char *const *names; /* ended by NULL */
    bool crops;               /* the shorter side becomes `size`, then the centre is cropped */
    uint32_t size;
    limn_resize_filter filter;
    double mean[3], deviation[3]; /* of values in 0 … 1 */
} image_class;

extern const image_class image_class_blip, image_class_vit, image_class_clip;

/* The input of a network that takes side x side pixels. LIMN_E_UNSUPPORTED or LIMN_E_FORMAT name
 * the field, its value and what was expected. */
limn_status image_rules_read(limn_input_spec *out, const limn_json_node *processor,
                             const image_class *of, uint32_t side, limn_error *err);
/* The class's defaults, at side x side pixels. */
void image_rules_default(limn_input_spec *out, const image_class *of, uint32_t side);

#endif
