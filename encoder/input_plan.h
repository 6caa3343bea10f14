/* The inputs of several models from one image, which is decoded once and prepared for each model
 * that needs a different input. The pixels of the inputs follow one another in the order in which
 * these were added.
 *
 * A JPEG may be decoded at reduced scale, depending on the size of the input. Where two inputs need
 * different scales, it is decoded for each, so that an input has the same bytes as on its own. */
#ifndef LIMN_ENCODER_INPUT_PLAN_H
#define LIMN_ENCODER_INPUT_PLAN_H

#include <stdint.h>

#include "encoder/encoder_input.h"

#define LIMN_INPUT_PLAN_MAX 32

typedef struct limn_input_plan {
    limn_encoder_input_settings inputs[LIMN_INPUT_PLAN_MAX]; /* [n_inputs], all different */
    uint32_t n_inputs;
} limn_input_plan; /* zero-initialise */

/* Adds an input, unless there is one that is alike. LIMN_E_LIMIT: LIMN_INPUT_PLAN_MAX others. */
limn_status limn_input_plan_add(limn_input_plan *plan, const limn_encoder_input_settings *input,
                                limn_error *err);
/* Where the pixels of an input of the plan begin; the total size for one that the plan lacks. */
size_t limn_input_plan_offset(const limn_input_plan *plan, const limn_input_spec *spec);
size_t limn_input_plan_bytes(const limn_input_plan *plan);

/* What a caller of limn_input_plan_load may do itself; each may be NULL. */
typedef struct limn_input_plan_hooks {
    /* Instead of limn_image_decode: a program may know more formats than the library. */
    limn_status (*decode)(void *ctx, limn_image *out, const void *bytes, size_t size,
                          const limn_image_settings *settings, limn_error *err);
    /* Called with the image that the first input was made of. */
    limn_status (*on_image)(void *ctx, const limn_image *image, limn_error *err);
    void *ctx;
} limn_input_plan_hooks;

/* out [limn_input_plan_bytes] of a file's bytes. Errors as limn_image_decode and limn_input_fit,
 * and those of the hooks. `scratch` belongs to one thread. */
limn_status limn_input_plan_load(uint8_t *out, const limn_input_plan *plan, const void *bytes,
                                 size_t size, const limn_input_plan_hooks *hooks,
                                 limn_resize_scratch *scratch, limn_error *err);
/* The same for a decoded image. */
limn_status limn_input_plan_fit(uint8_t *out, const limn_input_plan *plan, const limn_image *image,
                                limn_resize_scratch *scratch, limn_error *err);

#endif
