/* Pixels of images that are read one at a time, when needed. */
#ifndef LIMN_MODELS_TRAIN_CACHED_IMAGES_H
#define LIMN_MODELS_TRAIN_CACHED_IMAGES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "models/train/pixel_cache.h"

typedef struct limn_image_source {
    /* out [input_size, input_size, 3] of image 0 …; called from several threads at once. */
    limn_status (*read)(const void *ctx, size_t image, uint8_t *out, limn_error *err);
    const void *ctx;
} limn_image_source;

/* Images of a cache, in an order of their own. */
typedef struct limn_cached_images {
    const limn_pixel_cache *cache; /* borrowed */
    uint32_t *rows;                /* [n] of each image */
} limn_cached_images;

/* The images names [n], of which each has a row (LIMN_E_ARG). LIMN_E_NOMEM. */
limn_status limn_cached_images_find(limn_cached_images *out, const limn_pixel_cache *cache,
                                    const char *const *names, size_t n, limn_error *err);
void limn_cached_images_finish(limn_cached_images *p); /* accepts a zeroed one; zeroes it */
limn_image_source limn_cached_images_source(const limn_cached_images *p); /* borrows it */

#endif
