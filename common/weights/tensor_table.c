#include "common/weights/tensor_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/int8.h"

static bool has_room(limn_tensor_table *t)
{
    if (t->n_rows < t->capacity) return true;
    const size_t capacity = t->capacity ? 2 * t->capacity : 64;
    limn_tensor_row *rows = limn_realloc(t->rows, capacity, sizeof *rows);
    if (!rows) return false;
    t->rows = rows;
    t->capacity = capacity;
    return true;
}

/* The longest suffix fits too. */
static bool fits(int length)
{
    return length > 0 && (size_t)length + sizeof ".weight" <= LIMN_TENSOR_NAME_SIZE;
}

void limn_tensor_table_add(limn_tensor_table *t, const limn_tensor_row *row, const char *fmt, ...)
{
    va_list ap;
    t->has_failed = t->has_failed || !has_room(t);
    if (t->has_failed) return;
    limn_tensor_row *added = &t->rows[t->n_rows++];
    *added = *row;
    va_start(ap, fmt);
    t->has_failed = !fits(vsnprintf(added->name, sizeof added->name, fmt, ap));
    va_end(ap);
    added->n_dims = 0;
    while (added->n_dims < 4 && added->shape[added->n_dims] > 0) added->n_dims++;
}

limn_status limn_tensor_table_check(const limn_tensor_table *t, limn_error *err)
{
    if (!t->has_failed) return LIMN_OK;
    return limn_fail(err, LIMN_E_NOMEM, "no memory for a table of more than %zu tensors",
                     t->n_rows);
}

void limn_tensor_table_finish(limn_tensor_table *t)
{
    limn_free(t->rows);
    *t = (limn_tensor_table){ 0 };
}

static limn_tensor_spec spec_of(const limn_tensor_row *row, const char *suffix)
{
    limn_tensor_spec spec = { .n_dims = row->n_dims };
    snprintf(spec.name, sizeof spec.name, "%.*s%s", (int)(sizeof spec.name - sizeof ".weight"),
             row->name, suffix);
    memcpy(spec.shape, row->shape, sizeof spec.shape);
    return spec;
}

static limn_tensor_spec bias_of(const limn_tensor_row *row)
{
    limn_tensor_spec spec = spec_of(row, ".bias");
    spec.n_dims = 1;
    return spec;
}

size_t limn_tensor_row_specs(limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS],
                             const limn_tensor_row *row)
{
    const bool is_values = row->kind == LIMN_ROW_VALUES, is_norm = row->kind == LIMN_ROW_NORM;
    specs[0] = spec_of(row, is_values ? "" : ".weight");
    specs[0].may_be_half = is_values ? row->is_weight : !is_norm;
    specs[0].may_be_int8 = row->kind == LIMN_ROW_PRODUCT && !row->is_sensitive &&
                           row->shape[1] <= LIMN_INT8_MAX_INPUTS;
    specs[0].needs_int8 = row->takes_codes && !row->is_sensitive;
    if (is_values || !(is_norm || row->has_bias)) return 1;
    specs[1] = bias_of(row);
    return 2;
}
