/* PyTorch files (.pth, .pt): the tensors of a saved state dict, without PyTorch and without
 * executing anything. Both containers are read: the zip archive of PyTorch >= 1.6 and the plain
 * sequence of pickles of the versions before (many published weights are still in it). */
#ifndef LIMN_COMMON_IO_PTH_H
#define LIMN_COMMON_IO_PTH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/io/safetensors.h"

#define LIMN_PTH_MAX_TENSORS 65536

typedef struct limn_pth limn_pth; /* immutable after open; shareable */

/* Whether bytes begin as one of the two containers does. */
bool limn_pth_is(const void *bytes, size_t size);
/* The same of a file's first bytes. LIMN_E_IO begins with the path. */
limn_status limn_pth_probe(bool *out, const char *path, limn_error *err);

/* Reads `path`. Dictionaries in dictionaries are flattened: {"state_dict": {"a": …}} gives
 * "state_dict.a"; values other than tensors are skipped. Tensors that are not dense in the file
 * (permuted, sliced) are copied into row-major order. Errors begin with the path. LIMN_E_IO,
 * LIMN_E_FORMAT, LIMN_E_TRUNCATED, LIMN_E_UNSUPPORTED (what no state dict needs), LIMN_E_LIMIT,
 * LIMN_E_NOMEM. */
limn_status limn_pth_open(limn_pth **out, const char *path, limn_error *err);
/* The same over bytes in memory, which must outlive the result. */
limn_status limn_pth_open_memory(limn_pth **out, const void *bytes, size_t size, limn_error *err);
void limn_pth_close(limn_pth **f); /* accepts NULL and *f == NULL; nulls it */

size_t limn_pth_n_tensors(const limn_pth *f);
/* In the order of the file; NULL past the end. Name and data belong to `f`. */
const limn_tensor *limn_pth_at(const limn_pth *f, size_t index);

#endif
