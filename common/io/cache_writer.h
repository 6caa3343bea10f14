/* A feature cache under construction: OUT.npy, one row an image, and OUT.txt, one file name a line.
 * Both are created at the end, or neither; OUT.npy last, so that if it exists, the list does too.
 * One thread at a time. */
#ifndef LIMN_COMMON_IO_CACHE_WRITER_H
#define LIMN_COMMON_IO_CACHE_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/io/npy.h"

typedef struct limn_cache_writer limn_cache_writer;

typedef struct limn_cache_shape {
    limn_npy_dtype dtype;
    size_t n_dims, row_shape[LIMN_NPY_MAX_DIMS - 1]; /* of a row */
} limn_cache_shape;

/* LIMN_E_ARG when OUT.npy or OUT.txt exists already, unless it `replaces` them; LIMN_E_IO,
 * LIMN_E_NOMEM; errors begin with the path. */
limn_status limn_cache_writer_open(limn_cache_writer **out, const char *path,
                                   const limn_cache_shape *shape, bool replaces, limn_error *err);
/* Whether a name can stand in the list: LIMN_E_ARG for one with a newline. */
limn_status limn_cache_writer_check_name(const char *name, limn_error *err);
/* One more row and its name. LIMN_E_IO. */
limn_status limn_cache_writer_add(limn_cache_writer *w, const char *name, const void *row,
                                  limn_error *err);
/* Finishes both files and renames them. Nulls *w also on failure. LIMN_E_IO. */
limn_status limn_cache_writer_commit(limn_cache_writer **w, limn_error *err);
void limn_cache_writer_discard(limn_cache_writer **w); /* accepts NULL and *w == NULL; nulls it */

#endif
