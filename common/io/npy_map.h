/* NumPy's .npy arrays (format versions 1 to 3, C order, little-endian), mapped read-only: the
 * feature and pixel caches that training reads. Every field of the header is checked. */
#ifndef LIMN_COMMON_IO_NPY_MAP_H
#define LIMN_COMMON_IO_NPY_MAP_H

#include <stddef.h>

#include "common/base/status.h"
#include "common/io/fileio.h"
#include "common/io/npy.h"

typedef struct limn_npy_map {
    limn_npy_dtype dtype;
    size_t n_dims, shape[LIMN_NPY_MAX_DIMS];
    const void *data; /* row-major; at a multiple of 64 in files of this project */
    size_t size;      /* bytes = product of shape * size of dtype */
    limn_file_map file;
} limn_npy_map;

/* Errors begin with the path. LIMN_E_IO, LIMN_E_FORMAT, LIMN_E_TRUNCATED, LIMN_E_UNSUPPORTED
 * (element type, Fortran order, version), LIMN_E_LIMIT (dimensions). */
limn_status limn_npy_map_open(limn_npy_map *out, const char *path, limn_error *err);
/* The same over bytes in memory, which must outlive the result. */
limn_status limn_npy_map_open_memory(limn_npy_map *out, const void *bytes, size_t size,
                                     limn_error *err);
void limn_npy_map_close(limn_npy_map *m); /* accepts a zeroed struct; zeroes it */

#endif
