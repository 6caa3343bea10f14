/* Rows of an array by image name: PATH.npy [n, …] and PATH.txt, one name a line, as limn-preprocess
 * writes them. Pixel caches and view caches are built on this. */
#ifndef LIMN_MODELS_TRAIN_ROW_CACHE_H
#define LIMN_MODELS_TRAIN_ROW_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/base/status.h"
#include "common/io/cache_writer.h"
#include "common/io/npy_array.h"
#include "models/train/image_names.h"
#include "models/train/train_progress.h"

/* ---- reading ------------------------------------------------------------------------------ */

/* Immutable after opening; may be shared by threads. Rows stay in the file (and in the page cache,
 * as far as there is room); each is read on demand, and checked. */
typedef struct limn_row_cache {
    int fd;                 /* of PATH.npy; open while n_dims of `array` is not 0 */
    char *path;             /* PATH.npy, for errors */
    limn_npy_array array;   /* its header */
    limn_image_names names; /* number = row */
    size_t n_rows;
    size_t row_size;     /* bytes */
    uint64_t *checksums; /* [n_rows] that the rows must have (limn_row_checksum); NULL: unknown */
} limn_row_cache;

/* Opens PATH.npy and PATH.txt and checks them against `shape`. Errors name the file, what it is and
 * what was expected: those of limn_npy_array_open; LIMN_E_FORMAT (another element type or shape,
 * more or fewer names than rows, a name twice), LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_row_cache_open(limn_row_cache *out, const char *path,
                                const limn_cache_shape *shape, limn_error *err);
void limn_row_cache_close(limn_row_cache *c); /* accepts a zeroed one; zeroes it */

uint64_t limn_row_checksum(const void *row, size_t size);
/* From now on, rows are checked on reading; the cache owns checksums [n_rows] and frees them with
 * limn_free(). */
void limn_row_cache_set_checksums(limn_row_cache *c, uint64_t *checksums);
/* Reads all rows once, so that later changes are noticed. Errors as below, LIMN_E_NOMEM. */
limn_status limn_row_cache_compute_checksums(limn_row_cache *c, limn_error *err);

/* out [row_size] of row < n_rows. Any thread. LIMN_E_TRUNCATED: the file has shrunk; LIMN_E_FORMAT:
 * the row is not what it was when its checksum was taken; LIMN_E_IO. Errors begin with the path. */
limn_status limn_row_cache_read(const limn_row_cache *c, size_t row, void *out, limn_error *err);

/* ---- making ------------------------------------------------------------------------------- */

/* Rows of items 0 … n_items - 1, computed by the threads of a pool a block at a time, and put one
 * after another. */
typedef struct limn_row_job {
    size_t n_items;
    size_t row_size; /* bytes */
    /* Computes a row; `worker` as in limn_pool_fn. */
    limn_status (*compute)(void *ctx, size_t item, size_t worker, void *row, limn_error *err);
    /* Receives the row, in the order of the items, in the calling thread; `error` is NULL on
     * success. A failure ends the job. */
    limn_status (*put)(void *ctx, size_t item, const void *row, const limn_error *error,
                       limn_error *err);
    void *ctx;
    limn_pool *pool; /* NULL: the calling thread alone */
    limn_train_progress progress;
    size_t n_done_before, n_total; /* for the progress; includes items of other jobs */
} limn_row_job;

/* LIMN_E_NOMEM, LIMN_E_INTERRUPTED (the progress asked to stop), what `put` returned. Holds up to
 * 32 MB of rows, and at least one for each thread. */
limn_status limn_row_job_run(const limn_row_job *job, limn_error *err);

#endif
