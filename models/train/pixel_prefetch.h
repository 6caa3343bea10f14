/* Batches of augmented pixels, prepared by background threads while the caller computes on the
 * batch before.
 *
 *     submit(batch 0); submit(batch 1);
 *     for k: take(batch k) … step on it …; submit(batch k + 2)
 *
 * An image's change depends on (seed, last part of its name, draw) alone: not on threads, nor on
 * the images processed alongside it. */
#ifndef LIMN_MODELS_TRAIN_PIXEL_PREFETCH_H
#define LIMN_MODELS_TRAIN_PIXEL_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "models/train/augment.h"
#include "models/train/pixel_cache.h"

typedef struct limn_pixel_prefetch limn_pixel_prefetch;

typedef struct limn_pixel_prefetch_settings {
    const limn_pixel_cache *cache;        /* borrowed */
    const limn_augment_settings *augment; /* copied; NULL: images as they are */
    uint64_t seed;
    size_t max_images; /* of a batch, >= 1 */
    size_t depth;      /* batches in progress, submitted but not yet taken, 1 … 16 */
    size_t n_threads;  /* 1 … 64 */
} limn_pixel_prefetch_settings;

/* Takes all memory (depth + 1 batches) and starts the threads. LIMN_E_ARG, LIMN_E_NOMEM. */
limn_status limn_pixel_prefetch_create(limn_pixel_prefetch **out,
                                       const limn_pixel_prefetch_settings *settings,
                                       limn_error *err);
/* Waits for the image that each thread is processing; the rest is dropped. Accepts NULL and *p ==
 * NULL; nulls it. */
void limn_pixel_prefetch_destroy(limn_pixel_prefetch **p);

/* The next batch: rows [n] of the cache; `draw` is any number that distinguishes this use of an
 * image from others, such as the epoch. Returns at once. LIMN_E_ARG when `depth` batches are in
 * progress, n is 0 or more than max_images, or a row does not exist. */
limn_status limn_pixel_prefetch_submit(limn_pixel_prefetch *p, const uint32_t *rows, size_t n,
                                       uint64_t draw, limn_error *err);
/* Waits for the oldest batch in progress: *pixels [n, S, S, 3], valid until the next take.
 * LIMN_E_ARG when none is; LIMN_E_NOMEM; errors of limn_row_cache_read. */
limn_status limn_pixel_prefetch_take(limn_pixel_prefetch *p, const uint8_t **pixels,
                                     limn_error *err);

#endif
