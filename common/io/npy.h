/* NumPy's .npy arrays (format version 1.0, C order, little-endian), written row by row; the number
 * of rows is filled in at the end. One thread at a time. */
#ifndef LIMN_COMMON_IO_NPY_H
#define LIMN_COMMON_IO_NPY_H

#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/status.h"

#define LIMN_NPY_MAX_DIMS 8

typedef enum limn_npy_dtype { LIMN_NPY_U8 = 0, LIMN_NPY_F16, LIMN_NPY_F32 } limn_npy_dtype;

size_t limn_npy_dtype_size(limn_npy_dtype t); /* bytes of one element */

typedef struct limn_npy_writer limn_npy_writer;

/* An array [n_rows, row_shape[0], …, row_shape[n_row_dims - 1]] that appears at `path` when it is
 * committed (limn_file_writer_open). At most LIMN_NPY_MAX_DIMS - 1 row dimensions. LIMN_E_IO,
 * LIMN_E_NOMEM, LIMN_E_LIMIT (a row too large to count its bytes). */
limn_status limn_npy_writer_open(limn_npy_writer **out, const char *path, limn_npy_dtype dtype,
                                 size_t n_row_dims, const size_t *row_shape, limn_error *err);
/* Appends a row, dense, in the machine's byte order. LIMN_E_IO. */
limn_status limn_npy_writer_add(limn_npy_writer *w, const void *row, limn_error *err);
/* Nulls *w also on failure, when nothing is created. LIMN_E_IO. */
limn_status limn_npy_writer_commit(limn_npy_writer **w, limn_error *err);
void limn_npy_writer_discard(limn_npy_writer **w); /* accepts NULL and *w == NULL; nulls it */

/* Appends a whole array: the bytes of its file, of data [shape[0], …, shape[n_dims - 1]], dense, in
 * the machine's byte order; 1 … LIMN_NPY_MAX_DIMS dimensions. */
void limn_npy_append(limn_buffer *out, limn_npy_dtype dtype, size_t n_dims, const size_t *shape,
                     const void *data);

#endif
