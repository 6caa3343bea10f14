/* A thin layer over jansson: parsing with limits, and typed getters whose errors name the field by
 * its path and say what it is and what it must be:
 *
 *     decoder.dim: expected an integer in 16 … 4096, is -3
 *
 * A limn_json_node is a small value that lives on the caller's stack; it borrows the document and
 * the node that it was taken from, which must both outlive it:
 *
 *     json_t *document = NULL;
 *     LIMN_TRY(limn_json_parse(&document, bytes, size, err));
 *     limn_json_node root = limn_json_root(document), decoder;
 *     limn_status s = limn_json_object(&decoder, &root, "decoder", err);
 *     if (s == LIMN_OK)
 *         s = limn_json_u32(&config.dim, &decoder, "dim", 16, 4096, err);
 *     json_decref(document);
 *
 * All failures are LIMN_E_FORMAT unless stated. Writing JSON needs no layer: jansson's json_pack
 * and json_dumps do it (but for floats). */
#ifndef LIMN_COMMON_IO_JSON_H
#define LIMN_COMMON_IO_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define LIMN_JSON_MAX_DEPTH 64

/* One JSON value (any kind) and nothing after it but white space: valid UTF-8, no NUL, no key twice
 * in an object, at most LIMN_JSON_MAX_DEPTH deep, no NaN or infinity, no integer beyond 64 bits.
 * The error says line and column. The caller bounds `size` (it knows the file), and releases the
 * document with json_decref(). LIMN_E_LIMIT for the depth, LIMN_E_NOMEM. */
limn_status limn_json_parse(json_t **out, const void *bytes, size_t size, limn_error *err);
/* The same, but integers become reals: for documents of others that have some beyond 64 bits. */
limn_status limn_json_parse_reals(json_t **out, const void *bytes, size_t size, limn_error *err);

typedef struct limn_json_node {
    const json_t *value;
    const struct limn_json_node *parent; /* NULL for the root */
    const char *key;                     /* in an object; NULL in an array */
    size_t index;                        /* in an array */
} limn_json_node;

limn_json_node limn_json_root(const json_t *document);

/* ---- of a node itself --------------------------------------------------------------------- */

limn_status limn_json_as_object(const limn_json_node *node, limn_error *err);
limn_status limn_json_as_array(size_t *n_items, const limn_json_node *node, limn_error *err);
/* Owned by the document. */
limn_status limn_json_as_string(const char **out, const limn_json_node *node, limn_error *err);
limn_status limn_json_as_integer(int64_t *out, const limn_json_node *node, int64_t low,
                                 int64_t high, limn_error *err);
/* Integers are numbers too. */
limn_status limn_json_as_number(double *out, const limn_json_node *node, double low, double high,
                                limn_error *err);
limn_status limn_json_as_bool(bool *out, const limn_json_node *node, limn_error *err);
/* The number of the one of `names`, NULL after the last, that it is. */
limn_status limn_json_as_choice(uint32_t *out, const limn_json_node *node, const char *const *names,
                                limn_error *err);

/* Records "path: " and the text, for checks of the caller's own. Returns `code`. */
limn_status limn_json_fail(const limn_json_node *node, limn_error *err, limn_status code,
                           const char *fmt, ...) LIMN_PRINTF(4, 5);

/* ---- of a member of an object, which must be there ---------------------------------------- */

/* Whether an object has the member (even if null); false if it is not an object. */
bool limn_json_has(const limn_json_node *object, const char *key);
/* A member of any type; `key` is borrowed. */
limn_status limn_json_get(limn_json_node *out, const limn_json_node *object, const char *key,
                          limn_error *err);
limn_status limn_json_object(limn_json_node *out, const limn_json_node *object, const char *key,
                             limn_error *err);
limn_status limn_json_array(limn_json_node *out, size_t *n_items, const limn_json_node *object,
                            const char *key, limn_error *err);
limn_status limn_json_string(const char **out, const limn_json_node *object, const char *key,
                             limn_error *err);
limn_status limn_json_u32(uint32_t *out, const limn_json_node *object, const char *key,
                          uint32_t low, uint32_t high, limn_error *err);
limn_status limn_json_number(double *out, const limn_json_node *object, const char *key, double low,
                             double high, limn_error *err);
limn_status limn_json_bool(bool *out, const limn_json_node *object, const char *key,
                           limn_error *err);
limn_status limn_json_choice(uint32_t *out, const limn_json_node *object, const char *key,
                             const char *const *names, limn_error *err);

/* ---- writing ------------------------------------------------------------------------------ */

/* The shortest decimal number that is read back as this float: 0.7, not 0.69999998807907104. NULL
 * when memory is short. */
json_t *limn_json_float(float value);

/* ---- of an item of an array --------------------------------------------------------------- */

/* index < its number of items */
limn_json_node limn_json_at(const limn_json_node *array, size_t index);

#endif
