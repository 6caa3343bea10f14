#include "common/weights/weights.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/pack.h"

/* Where the load stands; after the first failure the rest does nothing. */
typedef struct loader {
    const limn_safetensors *file;
    limn_error *err;
    limn_status status;
} loader;

static void *place_of(void *network, const limn_tensor_row *row)
{
    return (char *)network + row->offset;
}

/* Outputs and inputs of a row as a matrix. */
static size_t n_outputs_of(const limn_tensor_row *row)
{
    return row->shape[0];
}

static size_t n_inputs_of(const limn_tensor_row *row)
{
    size_t n = 1;
    for (size_t i = 1; i < row->n_dims; i++) n *= row->shape[i];
    return n;
}

static bool is_product(const limn_tensor_row *row)
{
    return row->kind == LIMN_ROW_PRODUCT || row->kind == LIMN_ROW_CONVOLUTION;
}

/* How many rows from `first` on are one product. */
static size_t n_joined(const limn_tensor_table *t, size_t first)
{
    const limn_tensor_row *a = &t->rows[first];
    size_t n = 1;
    while (is_product(a) && first + n < t->n_rows && t->rows[first + n].kind == a->kind &&
           t->rows[first + n].offset == a->offset)
        n++;
    return n;
}

/* ---- loading ---- */

static const limn_tensor *require(loader *l, const limn_tensor_spec *spec)
{
    const limn_tensor *t = NULL;
    if (l->status == LIMN_OK)
        l->status =
            limn_safetensors_require(&t, l->file, spec->name, spec->n_dims, spec->shape, l->err);
    return l->status == LIMN_OK ? t : NULL;
}

/* `n` elements of `size` bytes, or NULL after a failure; the caller frees. */
static void *take(loader *l, size_t n, size_t size, const char *name)
{
    void *p = l->status == LIMN_OK ? limn_alloc_aligned(n, size) : NULL;
    if (l->status == LIMN_OK && !p)
        l->status = limn_fail(l->err, LIMN_E_NOMEM, "no memory for tensor '%s'", name);
    return p;
}

/* A copy as f32, or NULL after a failure. */
static float *read_floats(loader *l, const limn_tensor_spec *spec)
{
    const limn_tensor *t = require(l, spec);
    float *out =
        t ? take(l, t->size / limn_tensor_dtype_size(t->dtype), sizeof *out, spec->name) : NULL;
    if (out) limn_tensor_to_f32(out, t);
    return out;
}

static limn_dtype dtype_of(const limn_tensor *t)
{
    return t->dtype == LIMN_TENSOR_F16 ? LIMN_F16 : LIMN_F32;
}

/* Elements of [n_outputs, n_inputs, n_positions] in the order [n_outputs, n_positions, n_inputs].
 * With one position, the same order. */
static void reorder(char *out, const char *w, size_t item_size, const limn_tensor_row *row)
{
    const size_t n_inputs = row->shape[1], n_positions = n_inputs_of(row) / n_inputs;
    for (size_t o = 0; o < row->shape[0]; o++)
        for (size_t c = 0; c < n_inputs; c++)
            for (size_t p = 0; p < n_positions; p++, w += item_size)
                memcpy(out + ((o * n_positions + p) * n_inputs + c) * item_size, w, item_size);
}

/* The weights of rows that are one product, in the file's type. */
static char *join_weights(loader *l, limn_dtype *dtype, const limn_tensor_row *rows, size_t n)
{
    limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
    char *joined = NULL, *to = NULL;
    size_t n_outputs = 0;
    for (size_t i = 0; i < n; i++) n_outputs += n_outputs_of(&rows[i]);
    for (size_t i = 0; i < n && l->status == LIMN_OK; i++) {
        limn_tensor_row_specs(specs, &rows[i]);
        const limn_tensor *t = require(l, &specs[0]);
        if (!t) continue;
        const size_t item_size = limn_tensor_dtype_size(t->dtype);
        if (i == 0) *dtype = dtype_of(t);
        if (i == 0)
            to = joined = take(l, n_outputs * n_inputs_of(&rows[0]), item_size, t->name);
        else if (dtype_of(t) != *dtype)
            l->status =
                limn_fail(l->err, LIMN_E_FORMAT, "tensor '%s' is %s, but '%s.weight' is not",
                          t->name, limn_tensor_dtype_name(t->dtype), rows[0].name);
        if (l->status != LIMN_OK) continue;
        if (rows[i].kind == LIMN_ROW_CONVOLUTION)
            reorder(to, t->data, item_size, &rows[i]);
        else
            memcpy(to, t->data, t->size);
        to += t->size;
    }
    return joined;
}

/* Their biases; NULL when they have none, or after a failure. */
static float *join_biases(loader *l, const limn_tensor_row *rows, size_t n)
{
    limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
    size_t n_outputs = 0, done = 0;
    for (size_t i = 0; i < n; i++) n_outputs += n_outputs_of(&rows[i]);
    float *joined = rows[0].has_bias ? take(l, n_outputs, sizeof *joined, rows[0].name) : NULL;
    for (size_t i = 0; joined && i < n; i++) {
        limn_tensor_row_specs(specs, &rows[i]);
        const limn_tensor *t = require(l, &specs[1]);
        if (t) limn_tensor_to_f32(joined + done, t);
        done += n_outputs_of(&rows[i]);
    }
    return joined;
}

static void load_product(loader *l, limn_packed *out, const limn_tensor_row *rows, size_t n)
{
    limn_dtype dtype = LIMN_F32;
    char *weights = join_weights(l, &dtype, rows, n);
    float *bias = join_biases(l, rows, n);
    size_t n_outputs = 0;
    for (size_t i = 0; i < n; i++) n_outputs += n_outputs_of(&rows[i]);
    if (l->status == LIMN_OK)
        l->status = limn_packed_init(out, weights, dtype, bias, n_outputs, n_inputs_of(&rows[0]),
                                     rows[0].is_widened ? LIMN_F32 : dtype, l->err);
    limn_free(weights);
    limn_free(bias);
}

static void load_filter(loader *l, limn_filter *out, const limn_tensor_row *row)
{
    limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
    const size_t n = limn_tensor_row_specs(specs, row);
    float *taps = read_floats(l, &specs[0]), *bias = n > 1 ? read_floats(l, &specs[1]) : NULL;
    if (l->status == LIMN_OK)
        l->status = limn_filter_init(out, taps, bias, row->shape[0], row->shape[1], l->err);
    limn_free(taps);
    limn_free(bias);
}

static void load_row(loader *l, void *network, const limn_tensor_row *rows, size_t n)
{
    void *place = place_of(network, &rows[0]);
    limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
    limn_tensor_row_specs(specs, &rows[0]);
    switch (rows[0].kind) {
    case LIMN_ROW_PRODUCT:
    case LIMN_ROW_CONVOLUTION: load_product(l, place, rows, n); break;
    case LIMN_ROW_DEPTHWISE: load_filter(l, place, &rows[0]); break;
    case LIMN_ROW_NORM:
        ((limn_norm_weights *)place)->gamma = read_floats(l, &specs[0]);
        ((limn_norm_weights *)place)->beta = read_floats(l, &specs[1]);
        break;
    case LIMN_ROW_VALUES: *(float **)place = read_floats(l, &specs[0]); break;
    }
}

limn_status limn_weights_load(void *network, const limn_tensor_table *table,
                              const limn_safetensors *file, limn_error *err)
{
    loader l = { file, err, LIMN_OK };
    for (size_t i = 0, n; i < table->n_rows && l.status == LIMN_OK; i += n) {
        n = n_joined(table, i);
        load_row(&l, network, &table->rows[i], n);
    }
    return l.status;
}

/* ---- memory ---- */

static size_t row_bytes(const void *place, const limn_tensor_row *row)
{
    switch (row->kind) {
    case LIMN_ROW_PRODUCT:
    case LIMN_ROW_CONVOLUTION: return limn_packed_bytes(place);
    case LIMN_ROW_DEPTHWISE: return limn_filter_bytes(place);
    case LIMN_ROW_NORM: return 2 * sizeof(float) * row->shape[0];
    case LIMN_ROW_VALUES: return sizeof(float) * row->shape[0] * n_inputs_of(row);
    }
    return 0;
}

size_t limn_weights_bytes(const void *network, const limn_tensor_table *table)
{
    size_t sum = 0;
    for (size_t i = 0; i < table->n_rows; i += n_joined(table, i))
        sum += row_bytes((const char *)network + table->rows[i].offset, &table->rows[i]);
    return sum;
}

static void finish_row(void *place, const limn_tensor_row *row)
{
    limn_norm_weights *norm = place;
    float **values = place;
    switch (row->kind) {
    case LIMN_ROW_PRODUCT:
    case LIMN_ROW_CONVOLUTION: limn_packed_finish(place); break;
    case LIMN_ROW_DEPTHWISE: limn_filter_finish(place); break;
    case LIMN_ROW_NORM:
        limn_free(norm->gamma);
        limn_free(norm->beta);
        *norm = (limn_norm_weights){ 0 };
        break;
    case LIMN_ROW_VALUES:
        limn_free(*values);
        *values = NULL;
        break;
    }
}

void limn_weights_finish(void *network, const limn_tensor_table *table)
{
    for (size_t i = 0; i < table->n_rows; i++)
        finish_row(place_of(network, &table->rows[i]), &table->rows[i]);
}
