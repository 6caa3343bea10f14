/* The images of a training set, decoded once: u8 [n, S, S, 3], just as the encoder gets them.
 *
 * PATH.npy and PATH.txt are those of limn-preprocess. PATH.json beside them records what they were
 * made from (input size, filter, the files' sizes and times, which images could not be read), so
 * that a stale cache is rebuilt and never used by mistake. */
#ifndef LIMN_MODELS_TRAIN_PIXEL_CACHE_H
#define LIMN_MODELS_TRAIN_PIXEL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/base/status.h"
#include "encoder/encoder_input.h"
#include "models/train/pixel_record.h"
#include "models/train/row_cache.h"

/* More unreadable images than this share of all are an error. */
#define LIMN_PIXEL_CACHE_MAX_UNREADABLE 0.01

/* Immutable after opening; may be shared by threads. Pixels are read when they are asked for. */
typedef struct limn_pixel_cache {
    limn_row_cache rows;               /* rows.names: number = row; rows.checksums: always there */
    uint32_t size;                     /* S */
    bool was_made;                     /* by this call, not found */
    limn_unreadable_image *unreadable; /* [n_unreadable] that have no row */
    size_t n_unreadable;
} limn_pixel_cache;

/* Writes pixels [S, S, 3] as limn_encoder_input_load does, but in another process, as the bytes are
 * untrusted. Any thread. */
typedef limn_status limn_pixel_load_fn(void *ctx, uint8_t *pixels, const void *bytes, size_t size,
                                       const limn_encoder_input_settings *input, limn_error *err);

typedef struct limn_pixel_cache_settings {
    const char *folder; /* of the images; names are below it */
    const limn_image_names *names;
    limn_encoder_input_settings input;
    limn_pool *pool;              /* NULL: the calling thread alone */
    limn_train_progress progress; /* in images */
    limn_pixel_load_fn *load;     /* NULL: in this process */
    void *load_ctx;
} limn_pixel_cache_settings;

/* Opens the cache at `path` when it was made with these settings, each name has a row or is known
 * as unreadable (it may hold more), and no file has changed since (a missing file counts as
 * unchanged); otherwise makes it. One without PATH.json, as limn-preprocess leaves it, is used when
 * it has all names, and is never replaced. LIMN_E_IO: an image is missing ("folder/name: No such
 * file or directory"), or the cache can't be written; LIMN_E_FORMAT: more unreadable images than
 * the share above, with the first few; LIMN_E_ARG: a name with a line end, no name, or a cache
 * without PATH.json that does not fit; LIMN_E_INTERRUPTED, LIMN_E_NOMEM. An unfinished cache is
 * never at `path`. */
limn_status limn_pixel_cache_make(limn_pixel_cache *out, const char *path,
                                  const limn_pixel_cache_settings *settings, limn_error *err);
/* Opens a cache without looking at images. Errors of limn_row_cache_open, and of PATH.json.
 * Without PATH.json all of it is read once, for the checksums. */
limn_status limn_pixel_cache_open(limn_pixel_cache *out, const char *path, uint32_t size,
                                  limn_error *err);
void limn_pixel_cache_close(limn_pixel_cache *c); /* accepts a zeroed one; zeroes it */

/* out [S, S, 3] of a row, RGB. row < rows.n_rows; limn_image_names_find(&c->rows.names, name)
 * finds it. Errors of limn_row_cache_read. */
limn_status limn_pixel_cache_read(const limn_pixel_cache *c, size_t row, uint8_t *out,
                                  limn_error *err);

#endif
