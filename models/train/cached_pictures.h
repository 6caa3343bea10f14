/* Pixels of pictures that are read one at a time, when they are wanted. */
#ifndef LIMN_MODELS_TRAIN_CACHED_PICTURES_H
#define LIMN_MODELS_TRAIN_CACHED_PICTURES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "models/train/pixel_cache.h"

typedef struct limn_picture_source {
    /* out [input_size, input_size, 3] of picture 0 …; called from several threads at once. */
    limn_status (*read)(const void *ctx, size_t picture, uint8_t *out, limn_error *err);
    const void *ctx;
} limn_picture_source;

/* Pictures of a cache, in an order of their own. */
typedef struct limn_cached_pictures {
    const limn_pixel_cache *cache; /* borrowed */
    uint32_t *rows;                /* [n] of each picture */
} limn_cached_pictures;

/* The pictures names [n], of which each has a row (LIMN_E_ARG). LIMN_E_NOMEM. */
limn_status limn_cached_pictures_find(limn_cached_pictures *out, const limn_pixel_cache *cache,
                                      const char *const *names, size_t n, limn_error *err);
void limn_cached_pictures_finish(limn_cached_pictures *p); /* accepts a zeroed one; zeroes it */
limn_picture_source limn_cached_pictures_source(const limn_cached_pictures *p); /* borrows it */

#endif
