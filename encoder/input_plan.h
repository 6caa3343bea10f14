/* The inputs of several models from one image, which is decoded once and prepared for each model
 * that needs a different input. The pixels stand one input after the other, in the order in which
 * they were added.
 *
 * A JPEG may be decoded reduced, by how large the input is. Where two inputs ask for different
 * reductions, it is decoded for each: an input is the same bytes as alone. */
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
/* Where the pixels of an input of the plan begin; the bytes of all for one that it lacks. */
size_t limn_input_plan_offset(const limn_input_plan *plan, const limn_input_spec *spec);
size_t limn_input_plan_bytes(const limn_input_plan *plan);

/* Called with the image that the first input was made of. */
typedef limn_status limn_input_plan_fn(void *ctx, const limn_image *image, limn_error *err);

/* out [limn_input_plan_bytes] of a file's bytes; `on_image` may be NULL. Errors as
 * limn_encoder_input_decode and limn_input_fit, and those of `on_image`. `scratch` belongs to one
 * thread. */
limn_status limn_input_plan_load(uint8_t *out, const limn_input_plan *plan, const void *bytes,
                                 size_t size, limn_input_plan_fn *on_image, void *ctx,
                                 limn_resize_scratch *scratch, limn_error *err);
/* The same of an image. */
limn_status limn_input_plan_fit(uint8_t *out, const limn_input_plan *plan, const limn_image *image,
                                limn_resize_scratch *scratch, limn_error *err);

#endif
