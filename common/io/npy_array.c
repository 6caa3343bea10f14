#include "common/io/npy_array.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"

/* The header is a Python dictionary with three keys:
 * {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
typedef struct scanner {
    const char *at, *end;
    limn_error *err;
} scanner;

static void skip_spaces(scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n')) s->at++;
}

/* Takes `text` if it comes next, after spaces. */
static bool take(scanner *s, const char *text)
{
    const size_t size = strlen(text);
    skip_spaces(s);
    if ((size_t)(s->end - s->at) < size || memcmp(s->at, text, size) != 0) return false;
    s->at += size;
    return true;
}

static limn_status expect(scanner *s, const char *text)
{
    if (take(s, text)) return LIMN_OK;
    return limn_fail(s->err, LIMN_E_FORMAT, ".npy header: expected %s before \"%.*s\"", text,
                     (int)(s->end - s->at < 20 ? s->end - s->at : 20), s->at);
}

static limn_status read_descr(limn_npy_array *m, scanner *s)
{
    static const struct {
        const char *text;
        limn_npy_dtype dtype;
    } known[] = { { "'|u1'", LIMN_NPY_U8 }, { "'<f2'", LIMN_NPY_F16 }, { "'<f4'", LIMN_NPY_F32 } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (take(s, known[i].text)) {
            m->dtype = known[i].dtype;
            return LIMN_OK;
        }
    return limn_fail(s->err, LIMN_E_UNSUPPORTED,
                     ".npy header: descr %.*s is not one of '|u1', '<f2', '<f4'",
                     (int)(s->end - s->at < 8 ? s->end - s->at : 8), s->at);
}

static limn_status read_order(scanner *s)
{
    if (take(s, "False")) return LIMN_OK;
    return limn_fail(s->err, LIMN_E_UNSUPPORTED, ".npy header: fortran_order must be False");
}

static limn_status read_number(size_t *out, scanner *s)
{
    const char *first;
    skip_spaces(s);
    *out = 0;
    for (first = s->at; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
        if (!limn_size_mul(out, *out, 10) || !limn_size_add(out, *out, (size_t)(*s->at - '0')))
            return limn_fail(s->err, LIMN_E_LIMIT, ".npy header: a dimension is too large");
    return s->at > first ? LIMN_OK : expect(s, "a dimension");
}

static limn_status read_shape(limn_npy_array *m, scanner *s)
{
    LIMN_TRY(expect(s, "("));
    m->n_dims = 0;
    while (!take(s, ")")) {
        if (m->n_dims == LIMN_NPY_MAX_DIMS)
            return limn_fail(s->err, LIMN_E_LIMIT, ".npy header: more than %d dimensions",
                             LIMN_NPY_MAX_DIMS);
        LIMN_TRY(read_number(&m->shape[m->n_dims++], s));
        if (!take(s, ",")) {
            LIMN_TRY(expect(s, ")"));
            break;
        }
    }
    return LIMN_OK;
}

static limn_status read_dictionary(limn_npy_array *m, scanner *s)
{
    static const char *const keys[] = { "'descr'", "'fortran_order'", "'shape'" };
    unsigned seen = 0;
    LIMN_TRY(expect(s, "{"));
    while (!take(s, "}")) {
        size_t key = 0;
        while (key < 3 && !take(s, keys[key])) key++;
        if (key == 3 || (seen & 1u << key))
            return expect(s, "descr, fortran_order and shape, each once,");
        seen |= 1u << key;
        LIMN_TRY(expect(s, ":"));
        LIMN_TRY(key == 0 ? read_descr(m, s) : key == 1 ? read_order(s) : read_shape(m, s));
        if (!take(s, ",")) {
            LIMN_TRY(expect(s, "}"));
            break;
        }
    }
    skip_spaces(s);
    if (seen != 7 || s->at != s->end)
        return expect(s, seen != 7 ? "descr, fortran_order and shape" : "the end");
    return LIMN_OK;
}

/* Where the dictionary is: behind magic, version, and its size in 2 or 4 bytes. */
static limn_status find_dictionary(scanner *s, const unsigned char *bytes, size_t size)
{
    size_t start, length = 0;
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return limn_fail(s->err, LIMN_E_FORMAT, "is not a .npy file");
    if (bytes[6] < 1 || bytes[6] > 3)
        return limn_fail(s->err, LIMN_E_UNSUPPORTED, ".npy version %u.%u", bytes[6], bytes[7]);
    start = bytes[6] == 1 ? 10 : 12;
    for (size_t i = start; i-- > 8;) length = length << 8 | bytes[i];
    if (length > size - start)
        return limn_fail(s->err, LIMN_E_TRUNCATED, ".npy header of %zu bytes, %zu follow", length,
                         size - start);
    s->at = (const char *)bytes + start;
    s->end = s->at + length;
    return LIMN_OK;
}

/* The header at the start of bytes [size] of a file of `file_size`. */
static limn_status parse(limn_npy_array *m, const unsigned char *bytes, size_t size,
                         uint64_t file_size, limn_error *err)
{
    scanner s = { NULL, NULL, err };
    LIMN_TRY(find_dictionary(&s, bytes, size));
    LIMN_TRY(read_dictionary(m, &s));
    m->data_offset = (size_t)((const unsigned char *)s.end - bytes);
    const uint64_t follow = file_size - m->data_offset;
    m->size = limn_npy_dtype_size(m->dtype);
    for (size_t i = 0; i < m->n_dims; i++)
        if (!limn_size_mul(&m->size, m->size, m->shape[i]))
            return limn_fail(err, LIMN_E_FORMAT,
                             ".npy header: more bytes than memory has "
                             "addresses");
    if (m->size != follow)
        return limn_fail(err, m->size > follow ? LIMN_E_TRUNCATED : LIMN_E_FORMAT,
                         "its shape makes %zu bytes, %llu follow the header", m->size,
                         (unsigned long long)follow);
    return LIMN_OK;
}

limn_status limn_npy_array_open(limn_npy_array *out, const char *path, limn_error *err)
{
    *out = (limn_npy_array){ .size = 0 };
    LIMN_TRY(limn_file_bytes_read(&out->file, path, SIZE_MAX, err));
    limn_status s = parse(out, out->file.bytes, out->file.size, out->file.size, err);
    out->data = out->file.bytes + out->data_offset;
    if (s != LIMN_OK) {
        limn_error_prefix(err, "%s", path);
        limn_npy_array_close(out);
    }
    return s;
}

limn_status limn_npy_array_open_memory(limn_npy_array *out, const void *bytes, size_t size,
                                       limn_error *err)
{
    *out = (limn_npy_array){ .size = 0 };
    limn_status s = parse(out, bytes, size, size, err);
    out->data = (const unsigned char *)bytes + out->data_offset;
    if (s != LIMN_OK) limn_npy_array_close(out);
    return s;
}

limn_status limn_npy_array_read_header(limn_npy_array *out, const void *bytes, size_t size,
                                       uint64_t file_size, limn_error *err)
{
    *out = (limn_npy_array){ .size = 0 };
    return parse(out, bytes, size, file_size, err);
}

void limn_npy_array_close(limn_npy_array *m)
{
    limn_file_bytes_free(&m->file);
    *m = (limn_npy_array){ .size = 0 };
}
