/* What an encoder's input is, and how the bytes of an image file become it. */
#ifndef LIMN_ENCODER_ENCODER_INPUT_H
#define LIMN_ENCODER_ENCODER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/image/image.h"
#include "common/image/resize.h"

/* How an image of any shape becomes width x height pixels. */
typedef enum limn_fit {
    LIMN_FIT_SQUASH = 0, /* the whole of it, whatever its shape */
    LIMN_FIT_CROP,       /* its shorter side becomes `shorter_side`, then the centre is cropped */
} limn_fit;

/* How LIMN_FIT_CROP rounds: the longer side, and the offsets left of and above the centre. */
typedef enum limn_rounding {
    LIMN_ROUND_TORCHVISION = 0, /* side down; offset to nearest, halves to even */
    LIMN_ROUND_TRANSFORMERS,    /* both down: CLIPImageProcessor */
    LIMN_ROUND_ALBUMENTATIONS,  /* side to nearest, halves to even; offset down */
} limn_rounding;
extern const char *const limn_rounding_names[]; /* by number, NULL after the last */

typedef struct limn_input_spec {
    uint32_t width, height; /* pixels; the input is u8 [height, width, 3], RGB, upright */
    limn_resize_filter filter;
    limn_fit fit;
    limn_rounding rounding;  /* of LIMN_FIT_CROP; else 0 */
    uint32_t shorter_side;   /* of LIMN_FIT_CROP, at least width and height; else 0 */
    bool decodes_whole;      /* a large JPEG is not reduced while it is decoded */
    float mean[3], scale[3]; /* what the network sees of a value of channel c is
                                (value - mean[c]) * scale[c] */
} limn_input_spec;

/* The whole of an image squashed to side x side pixels, all channels alike. */
limn_input_spec limn_input_square(uint32_t side, limn_resize_filter filter, float mean,
                                  float scale);
size_t limn_input_bytes(const limn_input_spec *spec); /* width * height * 3 */
/* Whether both make the same input of every image: all but mean and scale is the same. */
bool limn_input_is_alike(const limn_input_spec *a, const limn_input_spec *b);
/* The same mean and the same scale for every channel. */
bool limn_input_has_one_mean(const limn_input_spec *spec);
/* What the network sees of pixels [height, width, 3]. */
void limn_input_normalise(float *out, const uint8_t *pixels, const limn_input_spec *spec);
/* The same for n_values values, starting at a pixel's first channel. */
void limn_normalise_values(float *restrict out, const uint8_t *restrict pixels, size_t n_values,
                           const float mean[3], const float scale[3]);

/* input [height, width, 3] of an image. Errors as limn_resize. */
limn_status limn_input_fit(uint8_t *input, const limn_image *image, const limn_input_spec *spec,
                           limn_resize_scratch *scratch, limn_error *err);

typedef struct limn_encoder_input_settings {
    limn_input_spec spec;
    uint64_t max_pixels; /* larger images are refused */
} limn_encoder_input_settings;

/* How an image is decoded for the input. */
limn_image_settings limn_encoder_input_decoding(const limn_encoder_input_settings *settings);

/* Decodes an image for the input: upright, a large JPEG decoded at reduced scale, at which the
 * relevant side is still at least twice its final size, in pixels that `out` owns. Errors as
 * limn_image_decode. */
limn_status limn_encoder_input_decode(limn_image *out, const void *bytes, size_t size,
                                      const limn_encoder_input_settings *settings, limn_error *err);

/* Whether an image decoded for another input is the same as if decoded for this one. */
bool limn_encoder_input_suits(const limn_image *image, const limn_encoder_input_settings *settings);

/* Decodes and fits. `*width` and `*height` (may be NULL) are those of the whole upright image, in
 * the file's pixels. Re-entrant; `scratch` belongs to one thread. */
limn_status limn_encoder_input_load(uint8_t *input, const void *bytes, size_t size,
                                    const limn_encoder_input_settings *settings,
                                    limn_resize_scratch *scratch, uint32_t *width, uint32_t *height,
                                    limn_error *err);

#endif
