#include "common/io/npy.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"

/* Bytes of a header, whatever the number of rows: data start at a multiple of 64. */
enum { HEADER_SIZE = 256, MAGIC_SIZE = 10 };

struct limn_npy_writer {
    limn_file_writer *file;
    limn_npy_dtype dtype;
    size_t n_row_dims, row_shape[LIMN_NPY_MAX_DIMS - 1];
    size_t row_size; /* bytes */
    size_t n_rows;
};

size_t limn_npy_dtype_size(limn_npy_dtype t)
{
    static const size_t sizes[] = { [LIMN_NPY_U8] = 1, [LIMN_NPY_F16] = 2, [LIMN_NPY_F32] = 4 };
    return sizes[t];
}

/* https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html: magic, version, size of
 * the rest (u16, little-endian), a Python dictionary, spaces, a newline. */
static void make_header(char header[HEADER_SIZE], const limn_npy_writer *w)
{
    static const char *const names[] = {
        [LIMN_NPY_U8] = "|u1", [LIMN_NPY_F16] = "<f2", [LIMN_NPY_F32] = "<f4"
    };
    char shape[HEADER_SIZE];
    size_t used = (size_t)snprintf(shape, sizeof shape, "%zu,", w->n_rows);
    int size;
    for (size_t i = 0; i < w->n_row_dims && used < sizeof shape; i++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%zu", i ? ", " : " ",
                                 w->row_shape[i]);
    memset(header, ' ', HEADER_SIZE);
    memcpy(header, "\x93NUMPY\1\0", 8);
    header[8] = (char)((HEADER_SIZE - MAGIC_SIZE) & 255);
    header[9] = (char)((HEADER_SIZE - MAGIC_SIZE) >> 8);
    size = snprintf(header + MAGIC_SIZE, HEADER_SIZE - MAGIC_SIZE,
                    "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", names[w->dtype],
                    shape);
    header[MAGIC_SIZE + size] = ' ';
    header[HEADER_SIZE - 1] = '\n';
}

static limn_status set_row_size(limn_npy_writer *w, limn_error *err)
{
    w->row_size = limn_npy_dtype_size(w->dtype);
    for (size_t i = 0; i < w->n_row_dims; i++)
        if (!limn_size_mul(&w->row_size, w->row_size, w->row_shape[i]))
            return limn_fail(err, LIMN_E_LIMIT, "a row of the array has too many elements");
    return LIMN_OK;
}

limn_status limn_npy_writer_open(limn_npy_writer **out, const char *path, limn_npy_dtype dtype,
                                 size_t n_row_dims, const size_t *row_shape, limn_error *err)
{
    limn_npy_writer *w = limn_calloc(1, sizeof *w);
    char header[HEADER_SIZE];
    limn_status s;
    *out = w;
    if (!w) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    w->dtype = dtype;
    w->n_row_dims = n_row_dims;
    memcpy(w->row_shape, row_shape, n_row_dims * sizeof *row_shape);
    s = set_row_size(w, err);
    if (s == LIMN_OK) s = limn_file_writer_open(&w->file, path, err);
    make_header(header, w);
    if (s == LIMN_OK) s = limn_file_writer_write(w->file, header, sizeof header, err);
    if (s != LIMN_OK) limn_npy_writer_discard(out);
    return s;
}

limn_status limn_npy_writer_add(limn_npy_writer *w, const void *row, limn_error *err)
{
    LIMN_TRY(limn_file_writer_write(w->file, row, w->row_size, err));
    w->n_rows++;
    return LIMN_OK;
}

limn_status limn_npy_writer_commit(limn_npy_writer **w, limn_error *err)
{
    char header[HEADER_SIZE];
    limn_status s;
    make_header(header, *w);
    s = limn_file_writer_patch((*w)->file, 0, header, sizeof header, err);
    if (s == LIMN_OK) s = limn_file_writer_commit(&(*w)->file, err);
    limn_npy_writer_discard(w);
    return s;
}

void limn_npy_writer_discard(limn_npy_writer **w)
{
    if (!w || !*w) return;
    limn_file_writer_discard(&(*w)->file);
    limn_free(*w);
    *w = NULL;
}

void limn_npy_append(limn_buffer *out, limn_npy_dtype dtype, size_t n_dims, const size_t *shape,
                     const void *data)
{
    limn_npy_writer w = { .dtype = dtype, .n_row_dims = n_dims - 1, .n_rows = shape[0] };
    size_t size = limn_npy_dtype_size(dtype) * shape[0];
    char header[HEADER_SIZE];
    for (size_t i = 1; i < n_dims; i++) size *= w.row_shape[i - 1] = shape[i];
    make_header(header, &w);
    limn_buffer_append(out, header, sizeof header);
    limn_buffer_append(out, data, size);
}
