/* NumPy's .npy arrays (format versions 1 to 3, C order, little-endian) that are read: whole, or
 * their headers. Every field of the header is checked. */
#ifndef LIMN_COMMON_IO_NPY_ARRAY_H
#define LIMN_COMMON_IO_NPY_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/io/fileio.h"
#include "common/io/npy.h"

typedef struct limn_npy_array {
    limn_npy_dtype dtype;
    size_t n_dims, shape[LIMN_NPY_MAX_DIMS];
    size_t data_offset; /* of the elements, in bytes from the start of the file; a multiple of 64 in
                           files of this project */
    const void *data;   /* row-major; NULL when only the header was read */
    size_t size;        /* bytes = product of shape * size of dtype */
    limn_file_bytes file;
} limn_npy_array;

#define LIMN_NPY_MAX_HEADER 65536 /* bytes, where only the header is read */

/* Errors begin with the path. LIMN_E_IO, LIMN_E_NOMEM, LIMN_E_FORMAT, LIMN_E_TRUNCATED,
 * LIMN_E_UNSUPPORTED (element type, Fortran order, version), LIMN_E_LIMIT (dimensions). */
limn_status limn_npy_array_open(limn_npy_array *out, const char *path, limn_error *err);
/* The same over bytes in memory, which must outlive the result. */
limn_status limn_npy_array_open_memory(limn_npy_array *out, const void *bytes, size_t size,
                                       limn_error *err);
/* The same of the first bytes [size, at most LIMN_NPY_MAX_HEADER are needed] of a file of file_size
 * bytes, without data. */
limn_status limn_npy_array_read_header(limn_npy_array *out, const void *bytes, size_t size,
                                       uint64_t file_size, limn_error *err);
void limn_npy_array_close(limn_npy_array *m); /* accepts a zeroed struct; zeroes it */

#endif
