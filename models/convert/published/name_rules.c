#include "models/convert/published/name_rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

/* ---- names -------------------------------------------------------------------------------- */

static const char *const endings[] = { "weight", "bias" };

/* What the '*' and the '%' of a pattern matched. */
typedef struct matched {
    unsigned number;
    const char *ending;
} matched;

/* Reads digits at *name into `number`; false when there are none. */
static bool take_number(unsigned *number, const char **name)
{
    const char *first = *name;
    for (*number = 0; **name >= '0' && **name <= '9' && *number < 1000; (*name)++)
        *number = 10 * *number + (unsigned)(**name - '0');
    return *name > first;
}

static bool take_ending(const char **ending, const char **name)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strcmp(*name, endings[i]) == 0) {
            *ending = endings[i];
            *name += strlen(*name);
            return true;
        }
    return false;
}

static bool matches(matched *m, const char *pattern, const char *name)
{
    *m = (matched){ 0, "" };
    for (; *pattern; pattern++) {
        if (*pattern == '*'   ? !take_number(&m->number, &name)
            : *pattern == '%' ? !take_ending(&m->ending, &name)
                              : *name++ != *pattern)
            return false;
    }
    return *name == '\0';
}

static void fill(char out[MAX_PUBLISHED_NAME], const char *prefix, const char *pattern,
                 const matched *m)
{
    size_t used = (size_t)snprintf(out, MAX_PUBLISHED_NAME, "%s", prefix);
    for (; *pattern && used < MAX_PUBLISHED_NAME; pattern++) {
        char *at = out + used;
        const size_t room = MAX_PUBLISHED_NAME - used;
        used += (size_t)(*pattern == '*'   ? snprintf(at, room, "%u", m->number)
                         : *pattern == '%' ? snprintf(at, room, "%s", m->ending)
                                           : snprintf(at, room, "%c", *pattern));
    }
}

const name_rule *name_rule_find(char theirs[MAX_PUBLISHED_NAME], const name_rule *rules,
                                const char *prefix, const char *ours)
{
    matched m;
    for (const name_rule *r = rules; r->ours; r++)
        if (matches(&m, r->ours, ours)) {
            fill(theirs, prefix, r->theirs, &m);
            return r;
        }
    return NULL;
}

/* ---- values ------------------------------------------------------------------------------- */

/* The shape that theirs must have; returns its number of dimensions. */
static size_t shape_of_theirs(size_t shape[LIMN_TENSOR_MAX_DIMS], const name_rule *rule,
                              const limn_tensor *theirs, const limn_tensor_spec *spec)
{
    const size_t n = spec->n_dims + rule->n_ones;
    size_t *own = shape + rule->n_ones;
    for (size_t i = 0; i < rule->n_ones; i++) shape[i] = 1;
    memcpy(own, spec->shape, spec->n_dims * sizeof *own);
    if (rule->n_parts > 0) own[0] *= rule->n_parts;
    if (rule->takes_first && theirs && theirs->n_dims == n && theirs->shape[rule->n_ones] > own[0])
        own[0] = theirs->shape[rule->n_ones];
    if (rule->is_transposed && spec->n_dims == 2) {
        const size_t n_outputs = own[0];
        own[0] = own[1];
        own[1] = n_outputs;
    }
    return n;
}

static limn_status find_theirs(const limn_tensor **out, const name_rule *rule, tensor_list *list,
                               const char *theirs, const limn_tensor_spec *spec, limn_error *err)
{
    size_t shape[LIMN_TENSOR_MAX_DIMS];
    const size_t n = shape_of_theirs(shape, rule, tensor_list_find(list, theirs), spec);
    return tensor_list_require(out, list, theirs, n, shape, err);
}

limn_status name_rule_check(const name_rule *rule, tensor_list *list, const char *theirs,
                            const limn_tensor_spec *spec, limn_error *err)
{
    const limn_tensor *t;
    return find_theirs(&t, rule, list, theirs, spec, err);
}

/* out [n] = the n values of `t` from `first` on. */
static void read_range(float *out, const limn_tensor *t, size_t first, size_t n)
{
    const size_t size = limn_tensor_dtype_size(t->dtype);
    limn_tensor range = *t;
    range.data = (const unsigned char *)t->data + first * size;
    range.size = n * size;
    limn_tensor_to_f32(out, &range);
}

/* out [n_outputs, n_inputs] = columns `first` … of theirs [n_inputs, n_columns]. */
static limn_status transpose(float *out, const limn_tensor *t, size_t n_outputs, size_t n_inputs,
                             size_t first, limn_error *err)
{
    const size_t n_columns = t->shape[1];
    float *row = limn_alloc(n_columns, sizeof *row);
    if (!row) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", t->name);
    for (size_t i = 0; i < n_inputs; i++) {
        read_range(row, t, i * n_columns, n_columns);
        for (size_t o = 0; o < n_outputs; o++) out[o * n_inputs + i] = row[first + o];
    }
    limn_free(row);
    return LIMN_OK;
}

static limn_status check_finite(const float *values, size_t n, const char *theirs, limn_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return limn_fail(err, LIMN_E_FORMAT,
                             "tensor %s: has the value %g, expected finite ones alone", theirs,
                             (double)values[i]);
    return LIMN_OK;
}

limn_status name_rule_make(float **out, const name_rule *rule, tensor_list *list,
                           const char *theirs, const limn_tensor_spec *spec, limn_error *err)
{
    const size_t n = tensor_values(spec->n_dims, spec->shape);
    const limn_tensor *t;
    limn_status s = LIMN_OK;
    *out = NULL;
    LIMN_TRY(find_theirs(&t, rule, list, theirs, spec, err));
    *out = limn_alloc(n, sizeof **out);
    if (!*out) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", theirs);
    if (rule->is_transposed && spec->n_dims == 2)
        s = transpose(*out, t, spec->shape[0], spec->shape[1], rule->part * spec->shape[0], err);
    else
        read_range(*out, t, rule->part * n, n);
    if (s == LIMN_OK) s = check_finite(*out, n, theirs, err);
    if (s == LIMN_OK) return LIMN_OK;
    limn_free(*out);
    *out = NULL;
    return s;
}
