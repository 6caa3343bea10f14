/* Data augmentation: random resized crop, flip, colour jitter. Pixels are u8 [S, S, 3], RGB,
 * dense. The draws depend on the random stream alone. All functions are re-entrant.
 *
 * Crops are drawn as in torchvision's RandomResizedCrop; colour changes are bit-identical to
 * Pillow's ImageEnhance (and so torchvision's ColorJitter). */
#ifndef LIMN_MODELS_TRAIN_AUGMENT_H
#define LIMN_MODELS_TRAIN_AUGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/rng.h"
#include "common/base/status.h"
#include "common/image/resize.h"

typedef struct limn_augment_settings {
    float min_area, max_area;     /* of the crop, as share of the image; 0 < min <= max <= 1 */
    float min_aspect, max_aspect; /* width / height; 0 < min <= max */
    float flip;                   /* chance of a flip, 0 … 1 */
    float brightness, contrast, saturation; /* factors are drawn from 1 - x … 1 + x; 0 … 1 */
    limn_resize_filter filter;              /* of the crop's resizing */
} limn_augment_settings;

/* Area 0.7 … 1, aspect 4/5 … 5/4, half flipped, colours 0.2 each, bicubic. */
limn_augment_settings limn_augment_settings_default(void);

/* dst [S, S, 3] from src [S, S, 3], which do not overlap. Draws crop, flip, and the three colour
 * changes in a drawn order. `scratch` belongs to one thread. LIMN_E_NOMEM, LIMN_E_ARG (S is 0 or
 * above 65535). */
limn_status limn_augment(uint8_t *dst, const uint8_t *src, uint32_t size,
                         const limn_augment_settings *settings, limn_rng *rng,
                         limn_resize_scratch *scratch, limn_error *err);

/* ---- its parts ---------------------------------------------------------------------------- */

/* A box of whole pixels inside size x size with area and aspect within bounds; the whole image
 * when ten draws give none that fits. */
limn_resize_box limn_draw_crop(uint32_t size, const limn_augment_settings *settings, limn_rng *rng);

void limn_flip_pixels(uint8_t *pixels, uint32_t size); /* left to right, in place */

/* In place, factor >= 0; 1 leaves the pixels as they are. */
void limn_adjust_brightness(uint8_t *pixels, size_t n_pixels, float factor); /* 0: black */
void limn_adjust_contrast(uint8_t *pixels, size_t n_pixels, float factor);   /* 0: the mean grey */
void limn_adjust_saturation(uint8_t *pixels, size_t n_pixels, float factor); /* 0: grey */

#endif
