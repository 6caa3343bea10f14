/* The safetensors container: named tensors and string metadata in one file.
 *
 * Opening reads the file and checks every count, offset, shape and string before anything
 * is used (https://github.com/huggingface/safetensors, "Format"). Writing goes through a
 * temporary name and a rename. Python's stock `safetensors` reads what is written here. */
#ifndef LIMN_COMMON_IO_SAFETENSORS_H
#define LIMN_COMMON_IO_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define LIMN_TENSOR_MAX_DIMS 8
#define LIMN_SAFETENSORS_MAX_HEADER (32u << 20) /* bytes */
#define LIMN_SAFETENSORS_MAX_TENSORS 65536

typedef enum limn_tensor_dtype {
    LIMN_TENSOR_F32 = 0,
    LIMN_TENSOR_F16,
    LIMN_TENSOR_BF16,
    LIMN_TENSOR_F64,
    LIMN_TENSOR_U8,
    LIMN_TENSOR_I8,
    LIMN_TENSOR_I16,
    LIMN_TENSOR_U16,
    LIMN_TENSOR_I32,
    LIMN_TENSOR_U32,
    LIMN_TENSOR_I64,
    LIMN_TENSOR_U64,
    LIMN_TENSOR_BOOL,
} limn_tensor_dtype;

/* A view: data and name belong to the file (or to the caller, when writing). */
typedef struct limn_tensor {
    const char *name;
    limn_tensor_dtype dtype;
    size_t n_dims;
    size_t shape[LIMN_TENSOR_MAX_DIMS];
    const void *data; /* row-major, little-endian, maybe unaligned */
    size_t size;      /* bytes = product of shape * size of dtype */
} limn_tensor;

typedef struct limn_metadata_item {
    const char *key, *value; /* UTF-8 */
} limn_metadata_item;

/* Immutable after open, and shareable, unless it is read once. */
typedef struct limn_safetensors limn_safetensors;

/* Reads and checks `path`. Errors begin with the path and name the field and its bound.
 * LIMN_E_IO, LIMN_E_FORMAT (with a hint for Git LFS pointers and PyTorch files),
 * LIMN_E_TRUNCATED, LIMN_E_LIMIT (header, tensors, dimensions), LIMN_E_UNSUPPORTED (dtype),
 * LIMN_E_NOMEM. */
limn_status limn_safetensors_open(limn_safetensors **out, const char *path, limn_error *err);
/* The same without the data of tensors, which are undefined until limn_safetensors_fetch reads
 * them: a file of any size takes next to no memory. */
limn_status limn_safetensors_open_header(limn_safetensors **out, const char *path, limn_error *err);
bool limn_safetensors_is_header(const limn_safetensors *f); /* whether it was opened so */
/* Reads the data of `t` if only the header was read. Re-entrant for different tensors. LIMN_E_IO
 * as limn_file_parts_read. */
limn_status limn_safetensors_fetch(const limn_safetensors *f, const limn_tensor *t,
                                   limn_error *err);
/* The same over bytes in memory, which must outlive the result (tests, fuzzing). */
limn_status limn_safetensors_open_memory(limn_safetensors **out, const void *bytes, size_t size,
                                         limn_error *err);
/* Tensors that are already in memory, seen as a file: without metadata, and with a meaningless
 * checksum. The list is copied; names and data are borrowed, and changed data show at once.
 * LIMN_E_ARG (two of one name, a size that is not its shape's), LIMN_E_NOMEM. */
limn_status limn_safetensors_from_tensors(limn_safetensors **out, const limn_tensor *tensors,
                                          size_t n_tensors, limn_error *err);
/* Declares that each tensor's data is read only once, so that limn_safetensors_release frees its
 * memory. No effect on a file opened from memory. */
void limn_safetensors_read_once(limn_safetensors *f);
/* The data of `t` are not read again: undefined from now on if the file is read once or only its
 * header was read. Re-entrant. */
void limn_safetensors_release(const limn_safetensors *f, const limn_tensor *t);
void limn_safetensors_close(limn_safetensors **f); /* accepts NULL and *f == NULL; nulls it */

size_t limn_safetensors_n_tensors(const limn_safetensors *f);
/* In the order of the file's offsets. NULL past the end. */
const limn_tensor *limn_safetensors_at(const limn_safetensors *f, size_t index);
const limn_tensor *limn_safetensors_find(const limn_safetensors *f, const char *name); /* or NULL */
/* A string of __metadata__, UTF-8, NUL-terminated, without NUL inside; NULL when absent. */
const char *limn_safetensors_metadata(const limn_safetensors *f, const char *key);
/* Writes up to `capacity` items of __metadata__ in the order of the file, owned by it, and returns
 * how many there are. */
size_t limn_safetensors_list_metadata(limn_metadata_item *items, size_t capacity,
                                      const limn_safetensors *f);
/* 64-bit FNV-1a of all the file's bytes, for "is this the same model". Reads the whole file, about
 * a nanosecond a byte; not of a header alone. */
uint64_t limn_safetensors_checksum(const limn_safetensors *f);

size_t limn_tensor_dtype_size(limn_tensor_dtype t);                     /* bytes of one element */
const char *limn_tensor_dtype_name(limn_tensor_dtype t);                /* "F32" … */
bool limn_tensor_dtype_parse(limn_tensor_dtype *out, const char *name); /* false: unknown */
/* Bytes of a tensor; false when that overflows. */
bool limn_tensor_byte_size(size_t *out, limn_tensor_dtype t, size_t n_dims, const size_t *shape);
/* LIMN_E_ARG when the size is not the shape's. */
limn_status limn_tensor_check(const limn_tensor *t, limn_error *err);
/* "F32 [32, 3, 3, 3]", cut off at `capacity` with its NUL. */
void limn_tensor_describe(char *out, size_t capacity, limn_tensor_dtype t, size_t n_dims,
                          const size_t *shape);

/* Finds `name`, requires f32 or f16 and exactly this shape. LIMN_E_FORMAT names the tensor, what
 * it is and what was expected. */
limn_status limn_safetensors_require(const limn_tensor **out, const limn_safetensors *f,
                                     const char *name, size_t n_dims, const size_t *shape,
                                     limn_error *err);
/* out [n elements of t] as f32, from f32, f16 or bf16. */
void limn_tensor_to_f32(float *out, const limn_tensor *t);

/* Writes tensors (sorted by alignment of dtype, then name, header padded so that data start at a
 * multiple of 64) to `path` atomically: temporary name, fsync, rename. The same input gives the
 * same bytes, in whatever order the tensors come. LIMN_E_IO, LIMN_E_NOMEM, LIMN_E_ARG (two tensors
 * or metadata items of one name, a name or value that is not UTF-8, a size that is not its
 * shape's). */
limn_status limn_safetensors_write(const char *path, const limn_tensor *tensors, size_t n_tensors,
                                   const limn_metadata_item *metadata, size_t n_metadata,
                                   limn_error *err);

/* Makes the data [t->size bytes] of a tensor, from limn_alloc, which the writer frees, also after a
 * failure. */
typedef limn_status limn_tensor_maker(void **out, void *ctx, const limn_tensor *t, limn_error *err);

/* The same where tensors without data are made when their turn comes, so that files larger than
 * memory can be written; the errors of `make` too. */
limn_status limn_safetensors_write_made(const char *path, const limn_tensor *tensors,
                                        size_t n_tensors, const limn_metadata_item *metadata,
                                        size_t n_metadata, limn_tensor_maker *make, void *ctx,
                                        limn_error *err);

#endif
