/* A restricted pickle machine: as much of Python's pickle, protocol 2, as PyTorch's state dicts
 * are made of. Nothing is ever executed: the few callables that occur (OrderedDict, Size, the
 * two functions that rebuild a tensor) are known by name and become values; any other name and any
 * other opcode is an error. Memory grows with the bytes read, whatever they say. */
#ifndef LIMN_COMMON_IO_PICKLE_H
#define LIMN_COMMON_IO_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/io/safetensors.h"

#define LIMN_PICKLE_MAX_SIZE (4u << 20) /* bytes; a state dict takes about 160 a tensor */

typedef enum limn_pickle_kind {
    LIMN_PICKLE_NONE = 0,
    LIMN_PICKLE_BOOL,
    LIMN_PICKLE_INTEGER,
    LIMN_PICKLE_REAL,
    LIMN_PICKLE_TEXT,
    LIMN_PICKLE_TUPLE,
    LIMN_PICKLE_LIST,
    LIMN_PICKLE_DICT,
    LIMN_PICKLE_NAME,    /* a known callable or storage type */
    LIMN_PICKLE_STORAGE, /* memory of a tensor, kept outside of the pickle */
    LIMN_PICKLE_TENSOR,
} limn_pickle_kind;

typedef struct limn_pickle_value limn_pickle_value;

struct limn_pickle_value {
    limn_pickle_kind kind;
    union {
        int64_t integer; /* BOOL (0, 1), INTEGER */
        double real;
        struct {
            const char *bytes; /* [size] in the pickle; no NUL behind it */
            size_t size;
        } text;
        struct {
            limn_pickle_value **items; /* TUPLE, LIST: [n_items]; DICT: key, value, key, value … */
            size_t n_items, capacity;
        } list;
        size_t name; /* index into the machine's table */
        struct {
            limn_tensor_dtype dtype;
            const limn_pickle_value *key; /* TEXT */
            size_t n_elements;
        } storage;
        struct {
            const limn_pickle_value *storage;
            size_t offset;                            /* elements */
            const limn_pickle_value *shape, *strides; /* TUPLEs of INTEGERs >= 0, equally long */
        } tensor;
    } as;
};

typedef struct limn_pickle limn_pickle;

/* Reads one pickle from the beginning of bytes [size], which must outlive the result. `*n_read` is
 * where it ends; `*value` what it holds, owned by `*out`. Values may contain themselves: whoever
 * walks them bounds depth and number. LIMN_E_FORMAT, LIMN_E_TRUNCATED, LIMN_E_LIMIT (its size),
 * LIMN_E_UNSUPPORTED (an opcode or a name; the text says which and where), LIMN_E_NOMEM. */
limn_status limn_pickle_read(limn_pickle **out, const limn_pickle_value **value, size_t *n_read,
                             const void *bytes, size_t size, limn_error *err);
void limn_pickle_free(limn_pickle **p); /* accepts NULL and *p == NULL; nulls it */

/* Every storage that the pickle named, in its order, as often as it did so. */
const limn_pickle_value *const *limn_pickle_storages(const limn_pickle *p, size_t *n_storages);

/* Whether a value is this text. */
bool limn_pickle_text_is(const limn_pickle_value *value, const char *text);

#endif
