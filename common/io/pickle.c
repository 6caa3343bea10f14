#include "common/io/pickle.h"

#include <string.h>

#include "common/base/mem.h"

typedef struct block {
    struct block *next;
    max_align_t memory[];
} block;

struct limn_pickle {
    const unsigned char *bytes;
    size_t size, at;
    bool is_cut; /* there are more bytes than LIMN_PICKLE_MAX_SIZE */
    limn_error *err;
    block *blocks; /* all values and arrays: freed together */
    limn_pickle_value **stack;
    size_t n_stack, stack_capacity;
    size_t *marks; /* heights of the stack */
    size_t n_marks, marks_capacity;
    limn_pickle_value **memo; /* [n_memo], NULL where nothing was put */
    size_t n_memo;
    limn_pickle_value *storages; /* a list */
};

/* ---- names -------------------------------------------------------------------------------- */

typedef enum name_role {
    ORDERED_DICT,
    REBUILD_TENSOR,
    REBUILD_PARAMETER,
    SIZE,
    STORAGE_TYPE,
} name_role;

static const struct {
    const char *text; /* as in the GLOBAL opcode: module, newline, name */
    name_role role;
    limn_tensor_dtype dtype; /* of a STORAGE_TYPE */
} names[] = {
    { "collections\nOrderedDict", ORDERED_DICT, 0 },
    { "torch._utils\n_rebuild_tensor_v2", REBUILD_TENSOR, 0 },
    { "torch._utils\n_rebuild_parameter", REBUILD_PARAMETER, 0 },
    { "torch\nSize", SIZE, 0 },
    { "torch\nFloatStorage", STORAGE_TYPE, LIMN_TENSOR_F32 },
    { "torch\nHalfStorage", STORAGE_TYPE, LIMN_TENSOR_F16 },
    { "torch\nBFloat16Storage", STORAGE_TYPE, LIMN_TENSOR_BF16 },
    { "torch\nDoubleStorage", STORAGE_TYPE, LIMN_TENSOR_F64 },
    { "torch\nLongStorage", STORAGE_TYPE, LIMN_TENSOR_I64 },
    { "torch\nIntStorage", STORAGE_TYPE, LIMN_TENSOR_I32 },
    { "torch\nShortStorage", STORAGE_TYPE, LIMN_TENSOR_I16 },
    { "torch\nCharStorage", STORAGE_TYPE, LIMN_TENSOR_I8 },
    { "torch\nByteStorage", STORAGE_TYPE, LIMN_TENSOR_U8 },
    { "torch\nBoolStorage", STORAGE_TYPE, LIMN_TENSOR_BOOL },
};
enum { N_NAMES = sizeof names / sizeof *names };

/* ---- memory ------------------------------------------------------------------------------- */

static limn_status fail_nomem(limn_pickle *p)
{
    return limn_fail(p->err, LIMN_E_NOMEM, "out of memory at byte %zu of the pickle", p->at);
}

/* Zeroed memory that lives as long as the machine; NULL when short. */
static void *take(limn_pickle *p, size_t n_items, size_t item_size)
{
    size_t size;
    if (!limn_size_mul(&size, n_items, item_size) || !limn_size_add(&size, size, sizeof(block)))
        return NULL;
    block *b = limn_calloc(1, size);
    if (!b) return NULL;
    b->next = p->blocks;
    p->blocks = b;
    return b->memory;
}

static limn_pickle_value *new_value(limn_pickle *p, limn_pickle_kind kind)
{
    limn_pickle_value *v = take(p, 1, sizeof *v);
    if (v) v->kind = kind;
    return v;
}

/* ---- stack -------------------------------------------------------------------------------- */

/* NULL (memory was short when it was made) is an error. */
static limn_status push(limn_pickle *p, limn_pickle_value *v)
{
    if (p->n_stack == p->stack_capacity) {
        const size_t capacity = p->stack_capacity ? 2 * p->stack_capacity : 64;
        limn_pickle_value **grown = limn_realloc(p->stack, capacity, sizeof *grown);
        if (!grown) return fail_nomem(p);
        p->stack = grown;
        p->stack_capacity = capacity;
    }
    if (!v) return fail_nomem(p);
    p->stack[p->n_stack++] = v;
    return LIMN_OK;
}

/* Below this height nothing may be popped. */
static size_t floor_height(const limn_pickle *p)
{
    return p->n_marks > 0 ? p->marks[p->n_marks - 1] : 0;
}

static limn_status need(const limn_pickle *p, size_t n)
{
    if (p->n_stack - floor_height(p) < n)
        return limn_fail(p->err, LIMN_E_FORMAT, "the stack is empty at byte %zu of the pickle",
                         p->at);
    return LIMN_OK;
}

static limn_status pop(limn_pickle_value **out, limn_pickle *p)
{
    LIMN_TRY(need(p, 1));
    *out = p->stack[--p->n_stack];
    return LIMN_OK;
}

static limn_status push_mark(limn_pickle *p)
{
    if (p->n_marks == p->marks_capacity) {
        const size_t capacity = p->marks_capacity ? 2 * p->marks_capacity : 64;
        size_t *grown = limn_realloc(p->marks, capacity, sizeof *grown);
        if (!grown) return fail_nomem(p);
        p->marks = grown;
        p->marks_capacity = capacity;
    }
    p->marks[p->n_marks++] = p->n_stack;
    return LIMN_OK;
}

/* Pops the items since the last mark; they stay valid until the next push. */
static limn_status pop_to_mark(limn_pickle_value ***items, size_t *n_items, limn_pickle *p)
{
    if (p->n_marks == 0)
        return limn_fail(p->err, LIMN_E_FORMAT, "no mark at byte %zu of the pickle", p->at);
    const size_t height = p->marks[--p->n_marks];
    *items = p->stack + height;
    *n_items = p->n_stack - height;
    p->n_stack = height;
    return LIMN_OK;
}

/* ---- reading bytes ------------------------------------------------------------------------ */

static limn_status take_bytes(const unsigned char **out, limn_pickle *p, size_t n)
{
    if (n > p->size - p->at && p->is_cut)
        return limn_fail(p->err, LIMN_E_LIMIT, "the pickle has more than %u bytes",
                         LIMN_PICKLE_MAX_SIZE);
    if (n > p->size - p->at)
        return limn_fail(p->err, LIMN_E_TRUNCATED,
                         "the pickle ends at byte %zu, %zu more are "
                         "wanted",
                         p->at, n);
    *out = p->bytes + p->at;
    p->at += n;
    return LIMN_OK;
}

/* A little-endian number of n bytes, 1 … 8. */
static limn_status take_unsigned(uint64_t *out, limn_pickle *p, size_t n)
{
    const unsigned char *b = NULL;
    LIMN_TRY(take_bytes(&b, p, n));
    *out = 0;
    for (size_t i = n; i-- > 0;) *out = *out << 8 | b[i];
    return LIMN_OK;
}

static limn_status push_integer(limn_pickle *p, limn_pickle_kind kind, int64_t value)
{
    limn_pickle_value *v = new_value(p, kind);
    if (v) v->as.integer = value;
    return push(p, v);
}

/* n bytes, little-endian; signed ones are in two's complement. */
static limn_status op_integer(limn_pickle *p, size_t n, bool is_signed)
{
    uint64_t value = 0;
    if (n > 8)
        return limn_fail(p->err, LIMN_E_UNSUPPORTED,
                         "an integer of %zu bytes at byte %zu of the "
                         "pickle",
                         n, p->at);
    LIMN_TRY(take_unsigned(&value, p, n));
    if (is_signed && n > 0 && n < 8 && value >> (8 * n - 1)) value |= UINT64_MAX << 8 * n;
    return push_integer(p, LIMN_PICKLE_INTEGER, (int64_t)value);
}

static limn_status op_long1(limn_pickle *p)
{
    uint64_t n = 0;
    LIMN_TRY(take_unsigned(&n, p, 1));
    return op_integer(p, (size_t)n, true);
}

/* Eight bytes, big-endian. */
static limn_status op_real(limn_pickle *p)
{
    const unsigned char *b = NULL;
    uint64_t bits = 0;
    LIMN_TRY(take_bytes(&b, p, 8));
    for (size_t i = 0; i < 8; i++) bits = bits << 8 | b[i];
    limn_pickle_value *v = new_value(p, LIMN_PICKLE_REAL);
    if (v) memcpy(&v->as.real, &bits, sizeof bits);
    return push(p, v);
}

/* A text behind its length of n bytes. */
static limn_status op_text(limn_pickle *p, size_t n)
{
    uint64_t size = 0;
    const unsigned char *b = NULL;
    LIMN_TRY(take_unsigned(&size, p, n));
    LIMN_TRY(take_bytes(&b, p, (size_t)size));
    limn_pickle_value *v = new_value(p, LIMN_PICKLE_TEXT);
    if (v) {
        v->as.text.bytes = (const char *)b;
        v->as.text.size = (size_t)size;
    }
    return push(p, v);
}

/* ---- tuples, lists, dictionaries ---------------------------------------------------------- */

static limn_status push_tuple(limn_pickle *p, limn_pickle_value *const *items, size_t n)
{
    limn_pickle_value *v = new_value(p, LIMN_PICKLE_TUPLE);
    limn_pickle_value **copy = take(p, n, sizeof *copy);
    if (!v || !copy) return fail_nomem(p);
    for (size_t i = 0; i < n; i++) copy[i] = items[i];
    v->as.list.items = copy;
    v->as.list.n_items = n;
    return push(p, v);
}

static limn_status op_tuple_of(limn_pickle *p, size_t n)
{
    LIMN_TRY(need(p, n));
    p->n_stack -= n;
    return push_tuple(p, p->stack + p->n_stack, n);
}

static limn_status op_tuple(limn_pickle *p)
{
    limn_pickle_value **items = NULL;
    size_t n = 0;
    LIMN_TRY(pop_to_mark(&items, &n, p));
    return push_tuple(p, items, n);
}

/* Appends to a list or dictionary. An array that is outgrown stays behind until the end. */
static limn_status append(limn_pickle *p, limn_pickle_value *list, limn_pickle_value *const *items,
                          size_t n)
{
    if (list->as.list.n_items + n > list->as.list.capacity) {
        const size_t capacity = 2 * (list->as.list.n_items + n);
        limn_pickle_value **grown = take(p, capacity, sizeof *grown);
        if (!grown) return fail_nomem(p);
        for (size_t i = 0; i < list->as.list.n_items; i++) grown[i] = list->as.list.items[i];
        list->as.list.items = grown;
        list->as.list.capacity = capacity;
    }
    for (size_t i = 0; i < n; i++) list->as.list.items[list->as.list.n_items++] = items[i];
    return LIMN_OK;
}

/* Appends items, taken off the stack already, to the container that is now on top of it. */
static limn_status append_to_top(limn_pickle *p, limn_pickle_kind kind,
                                 limn_pickle_value *const *items, size_t n)
{
    LIMN_TRY(need(p, 1));
    limn_pickle_value *top = p->stack[p->n_stack - 1];
    if (top->kind != kind || (kind == LIMN_PICKLE_DICT && n % 2 != 0))
        return limn_fail(p->err, LIMN_E_FORMAT, "items without their %s at byte %zu of the pickle",
                         kind == LIMN_PICKLE_DICT ? "dictionary" : "list", p->at);
    return append(p, top, items, n);
}

static limn_status op_append(limn_pickle *p, limn_pickle_kind kind, size_t n)
{
    LIMN_TRY(need(p, n));
    p->n_stack -= n;
    return append_to_top(p, kind, p->stack + p->n_stack, n);
}

static limn_status op_append_marked(limn_pickle *p, limn_pickle_kind kind)
{
    limn_pickle_value **items = NULL;
    size_t n = 0;
    LIMN_TRY(pop_to_mark(&items, &n, p));
    return append_to_top(p, kind, items, n);
}

/* ---- memo --------------------------------------------------------------------------------- */

static limn_status op_put(limn_pickle *p, size_t n)
{
    uint64_t index = 0;
    LIMN_TRY(take_unsigned(&index, p, n));
    LIMN_TRY(need(p, 1));
    if (index >= p->at) /* entries are numbered from 0, and each takes bytes to make */
        return limn_fail(p->err, LIMN_E_FORMAT, "memo %llu at byte %zu of the pickle",
                         (unsigned long long)index, p->at);
    if (index >= p->n_memo) {
        const size_t wanted = 2 * (size_t)index + 64;
        limn_pickle_value **grown = limn_realloc(p->memo, wanted, sizeof *grown);
        if (!grown) return fail_nomem(p);
        memset(grown + p->n_memo, 0, (wanted - p->n_memo) * sizeof *grown);
        p->memo = grown;
        p->n_memo = wanted;
    }
    p->memo[index] = p->stack[p->n_stack - 1];
    return LIMN_OK;
}

static limn_status op_get(limn_pickle *p, size_t n)
{
    uint64_t index = 0;
    LIMN_TRY(take_unsigned(&index, p, n));
    if (index >= p->n_memo || !p->memo[index])
        return limn_fail(p->err, LIMN_E_FORMAT, "memo %llu is not set at byte %zu of the pickle",
                         (unsigned long long)index, p->at);
    return push(p, p->memo[index]);
}

/* ---- names, storages, tensors ------------------------------------------------------------- */

/* "module\nname\n" */
static limn_status op_global(limn_pickle *p)
{
    const char *text = (const char *)p->bytes + p->at;
    const char *first = memchr(text, '\n', p->size - p->at);
    const char *second =
        first ? memchr(first + 1, '\n', (size_t)((const char *)p->bytes + p->size - first - 1))
              : NULL;
    if (!second) return limn_fail(p->err, LIMN_E_TRUNCATED, "the pickle ends in a name");
    const size_t size = (size_t)(second - text);
    for (size_t i = 0; i < N_NAMES; i++)
        if (strlen(names[i].text) == size && memcmp(names[i].text, text, size) == 0) {
            limn_pickle_value *v = new_value(p, LIMN_PICKLE_NAME);
            if (v) v->as.name = i;
            p->at += size + 1;
            return push(p, v);
        }
    return limn_fail(p->err, LIMN_E_UNSUPPORTED,
                     "the pickle refers to %.*s.%.*s, which no state "
                     "dict needs: save the state_dict() alone",
                     (int)(first - text < 80 ? first - text : 80), text,
                     (int)(second - first - 1 < 80 ? second - first - 1 : 80), first + 1);
}

static bool is_kind(const limn_pickle_value *v, limn_pickle_kind kind)
{
    return v->kind == kind;
}

static bool is_count(const limn_pickle_value *v)
{
    return is_kind(v, LIMN_PICKLE_INTEGER) && v->as.integer >= 0;
}

static bool is_tuple_of_counts(const limn_pickle_value *v)
{
    if (!is_kind(v, LIMN_PICKLE_TUPLE)) return false;
    for (size_t i = 0; i < v->as.list.n_items; i++)
        if (!is_count(v->as.list.items[i])) return false;
    return true;
}

static limn_status fail_arguments(limn_pickle *p, const char *of)
{
    return limn_fail(p->err, LIMN_E_FORMAT, "%s with wrong arguments at byte %zu of the pickle", of,
                     p->at);
}

/* ('storage', type, key, location, number of elements[, view]) */
static limn_status op_persistent_id(limn_pickle *p)
{
    limn_pickle_value *id;
    LIMN_TRY(pop(&id, p));
    limn_pickle_value **item = id->as.list.items;
    if (!is_kind(id, LIMN_PICKLE_TUPLE) || id->as.list.n_items < 5 || id->as.list.n_items > 6 ||
        !limn_pickle_text_is(item[0], "storage") || !is_kind(item[1], LIMN_PICKLE_NAME) ||
        names[item[1]->as.name].role != STORAGE_TYPE || !is_kind(item[2], LIMN_PICKLE_TEXT) ||
        !is_count(item[4]))
        return fail_arguments(p, "a storage");
    if (id->as.list.n_items == 6 && !is_kind(item[5], LIMN_PICKLE_NONE))
        return limn_fail(p->err, LIMN_E_UNSUPPORTED,
                         "a storage that is part of another, at byte "
                         "%zu of the pickle",
                         p->at);
    limn_pickle_value *v = new_value(p, LIMN_PICKLE_STORAGE);
    if (v) {
        v->as.storage.dtype = names[item[1]->as.name].dtype;
        v->as.storage.key = item[2];
        v->as.storage.n_elements = (size_t)item[4]->as.integer;
    }
    LIMN_TRY(push(p, v));
    return append(p, p->storages, &v, 1);
}

/* _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks[, metadata]) */
static limn_status rebuild_tensor(limn_pickle *p, const limn_pickle_value *arguments)
{
    limn_pickle_value *const *item = arguments->as.list.items;
    if (arguments->as.list.n_items < 4 || !is_kind(item[0], LIMN_PICKLE_STORAGE) ||
        !is_count(item[1]) || !is_tuple_of_counts(item[2]) || !is_tuple_of_counts(item[3]) ||
        item[2]->as.list.n_items != item[3]->as.list.n_items)
        return fail_arguments(p, "a tensor");
    limn_pickle_value *v = new_value(p, LIMN_PICKLE_TENSOR);
    if (v) {
        v->as.tensor.storage = item[0];
        v->as.tensor.offset = (size_t)item[1]->as.integer;
        v->as.tensor.shape = item[2];
        v->as.tensor.strides = item[3];
    }
    return push(p, v);
}

/* A known callable and its arguments: the value that the call would give. */
static limn_status op_reduce(limn_pickle *p)
{
    limn_pickle_value *arguments, *callable;
    LIMN_TRY(pop(&arguments, p));
    LIMN_TRY(pop(&callable, p));
    if (!is_kind(callable, LIMN_PICKLE_NAME) || !is_kind(arguments, LIMN_PICKLE_TUPLE))
        return fail_arguments(p, "a call");
    const size_t n = arguments->as.list.n_items;
    limn_pickle_value *first = n > 0 ? arguments->as.list.items[0] : NULL;
    switch (names[callable->as.name].role) {
    case ORDERED_DICT:
        return n == 0 ? push(p, new_value(p, LIMN_PICKLE_DICT)) : fail_arguments(p, "OrderedDict");
    case REBUILD_TENSOR: return rebuild_tensor(p, arguments);
    case REBUILD_PARAMETER:
        return n > 0 && is_kind(first, LIMN_PICKLE_TENSOR) ? push(p, first)
                                                           : fail_arguments(p, "a parameter");
    case SIZE:
        return n == 1 && is_tuple_of_counts(first) ? push(p, first) : fail_arguments(p, "a size");
    case STORAGE_TYPE: break;
    }
    return fail_arguments(p, "a storage type");
}

/* The attributes that a state dict carries (_metadata) are not needed. */
static limn_status op_build(limn_pickle *p)
{
    limn_pickle_value *attributes;
    LIMN_TRY(pop(&attributes, p));
    return need(p, 1);
}

/* ---- the machine -------------------------------------------------------------------------- */

static limn_status op_protocol(limn_pickle *p)
{
    uint64_t protocol = 0;
    LIMN_TRY(take_unsigned(&protocol, p, 1));
    if (protocol != 2)
        return limn_fail(p->err, LIMN_E_UNSUPPORTED, "pickle protocol %u, PyTorch writes 2",
                         (unsigned)protocol);
    return LIMN_OK;
}

static limn_status run_opcode(limn_pickle *p, unsigned char opcode)
{
    switch (opcode) {
    case 0x80: return op_protocol(p);
    case '(': return push_mark(p);
    case 'N': return push(p, new_value(p, LIMN_PICKLE_NONE));
    case 0x88: return push_integer(p, LIMN_PICKLE_BOOL, 1);
    case 0x89: return push_integer(p, LIMN_PICKLE_BOOL, 0);
    case 'K': return op_integer(p, 1, false);
    case 'M': return op_integer(p, 2, false);
    case 'J': return op_integer(p, 4, true);
    case 0x8a: return op_long1(p);
    case 'G': return op_real(p);
    case 'X': return op_text(p, 4);
    case 'U': return op_text(p, 1); /* written by Python 2 */
    case ')': return push_tuple(p, NULL, 0);
    case 0x85: return op_tuple_of(p, 1);
    case 0x86: return op_tuple_of(p, 2);
    case 0x87: return op_tuple_of(p, 3);
    case 't': return op_tuple(p);
    case ']': return push(p, new_value(p, LIMN_PICKLE_LIST));
    case 'a': return op_append(p, LIMN_PICKLE_LIST, 1);
    case 'e': return op_append_marked(p, LIMN_PICKLE_LIST);
    case '}': return push(p, new_value(p, LIMN_PICKLE_DICT));
    case 's': return op_append(p, LIMN_PICKLE_DICT, 2);
    case 'u': return op_append_marked(p, LIMN_PICKLE_DICT);
    case 'q': return op_put(p, 1);
    case 'r': return op_put(p, 4);
    case 'h': return op_get(p, 1);
    case 'j': return op_get(p, 4);
    case 'c': return op_global(p);
    case 'Q': return op_persistent_id(p);
    case 'R': return op_reduce(p);
    case 'b': return op_build(p);
    default:
        return limn_fail(p->err, LIMN_E_UNSUPPORTED,
                         "opcode 0x%02x at byte %zu of the pickle "
                         "belongs to no state dict",
                         opcode, p->at - 1);
    }
}

static limn_status run(const limn_pickle_value **value, limn_pickle *p)
{
    for (;;) {
        const unsigned char *opcode = NULL;
        LIMN_TRY(take_bytes(&opcode, p, 1));
        if (*opcode == '.') break;
        LIMN_TRY(run_opcode(p, *opcode));
    }
    limn_pickle_value *top;
    LIMN_TRY(pop(&top, p));
    *value = top;
    return LIMN_OK;
}

limn_status limn_pickle_read(limn_pickle **out, const limn_pickle_value **value, size_t *n_read,
                             const void *bytes, size_t size, limn_error *err)
{
    limn_pickle *p = limn_calloc(1, sizeof *p);
    *out = NULL;
    if (!p) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    p->bytes = bytes;
    p->is_cut = size > LIMN_PICKLE_MAX_SIZE;
    p->size = p->is_cut ? LIMN_PICKLE_MAX_SIZE : size;
    p->err = err;
    p->storages = new_value(p, LIMN_PICKLE_LIST);
    limn_status s = p->storages ? run(value, p) : fail_nomem(p);
    if (s != LIMN_OK)
        limn_pickle_free(&p);
    else
        *n_read = p->at;
    *out = p;
    return s;
}

void limn_pickle_free(limn_pickle **p)
{
    if (!p || !*p) return;
    for (block *b = (*p)->blocks, *next; b; b = next) {
        next = b->next;
        limn_free(b);
    }
    limn_free((*p)->stack);
    limn_free((*p)->marks);
    limn_free((*p)->memo);
    limn_free(*p);
    *p = NULL;
}

const limn_pickle_value *const *limn_pickle_storages(const limn_pickle *p, size_t *n_storages)
{
    *n_storages = p->storages->as.list.n_items;
    return (const limn_pickle_value *const *)p->storages->as.list.items;
}

bool limn_pickle_text_is(const limn_pickle_value *value, const char *text)
{
    return value->kind == LIMN_PICKLE_TEXT && value->as.text.size == strlen(text) &&
           memcmp(value->as.text.bytes, text, value->as.text.size) == 0;
}
