#include "common/weights/weights.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/codes.h"
#include "common/kernels/pack.h"

/* The state of a load; after the first failure the remaining calls do nothing. */
typedef struct loader {
    const limn_safetensors *file;
    limn_error *err;
    limn_status status;
    bool is_measured; /* only the header was read: checks alone, without memory */
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

/* Weights may be int8 where their row allows it. */
static const limn_tensor *require_weights(loader *l, const limn_tensor_spec *spec)
{
    const limn_tensor *t = limn_safetensors_find(l->file, spec->name);
    const bool is_int8 = t && t->dtype == LIMN_TENSOR_I8 && spec->may_be_int8 &&
                         limn_safetensors_metadata(l->file, LIMN_INT8_KEY);
    if (is_int8 && t->n_dims == 2 && t->shape[0] == spec->shape[0] && t->shape[1] == spec->shape[1])
        return t;
    return require(l, spec);
}

/* `n` elements of `size` bytes, or NULL after a failure; the caller frees. */
static void *take(loader *l, size_t n, size_t size, const char *name)
{
    void *p = l->status == LIMN_OK ? limn_alloc_aligned(n, size) : NULL;
    if (l->status == LIMN_OK && !p)
        l->status = limn_fail(l->err, LIMN_E_NOMEM, "no memory for tensor '%s'", name);
    return p;
}

/* A copy as f32; NULL after a failure, or when it is only measured. */
static float *read_floats(loader *l, const limn_tensor_spec *spec)
{
    const limn_tensor *t = require(l, spec);
    float *out = NULL;
    if (t && !l->is_measured)
        out = take(l, t->size / limn_tensor_dtype_size(t->dtype), sizeof *out, spec->name);
    if (out) limn_tensor_to_f32(out, t);
    return out;
}

static limn_dtype dtype_of(const limn_tensor *t)
{
    return t->dtype == LIMN_TENSOR_I8 ? LIMN_I8 : t->dtype == LIMN_TENSOR_F16 ? LIMN_F16 : LIMN_F32;
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

/* The weights of one row into outputs `first` … of a product. */
static void put_weights(loader *l, const limn_packed *out, size_t first, const limn_tensor *t,
                        const limn_tensor_row *row)
{
    char *reordered = NULL;
    if (row->kind == LIMN_ROW_CONVOLUTION) {
        reordered = take(l, t->size, 1, t->name);
        if (reordered) reorder(reordered, t->data, limn_tensor_dtype_size(t->dtype), row);
    }
    if (l->status == LIMN_OK)
        limn_packed_put(out, first, n_outputs_of(row), reordered ? reordered : t->data,
                        dtype_of(t));
    limn_free(reordered);
    limn_safetensors_release(l->file, t);
}

limn_status limn_int8_tensor_check(const limn_tensor *t, const char *name, const float *scales,
                                   limn_error *err)
{
    const char *low = memchr(t->data, 0x80, t->size); /* -128 */
    const float largest = FLT_MAX / 127;              /* so that weights are finite */
    for (size_t o = 0; o < t->shape[0]; o++)
        if (!(scales[o] >= 0.0f && scales[o] <= largest))
            return limn_fail(err, LIMN_E_FORMAT, "tensor %s: value %zu is %g, expected 0 to %g",
                             name, o, (double)scales[o], (double)largest);
    if (low)
        return limn_fail(err, LIMN_E_FORMAT, "tensor %s: value %zu is -128, expected -127 to 127",
                         t->name, (size_t)(low - (const char *)t->data));
    return LIMN_OK;
}

static void fetch(loader *l, const limn_tensor *t)
{
    if (l->status == LIMN_OK) l->status = limn_safetensors_fetch(l->file, t, l->err);
}

/* Weights that are int8, with their scales. */
static void put_int8(loader *l, const limn_packed *out, size_t first, const limn_tensor *t)
{
    char name[LIMN_TENSOR_NAME_SIZE + sizeof LIMN_TENSOR_SCALES];
    const limn_tensor *found = NULL;
    float *scales;
    snprintf(name, sizeof name, "%s" LIMN_TENSOR_SCALES, t->name);
    l->status = limn_safetensors_require(&found, l->file, name, 1, t->shape, l->err);
    fetch(l, found);
    fetch(l, t);
    scales = take(l, t->shape[0], sizeof *scales, name);
    if (scales) {
        limn_tensor_to_f32(scales, found);
        l->status = limn_int8_tensor_check(t, name, scales, l->err);
        if (l->status == LIMN_OK && !l->is_measured)
            limn_packed_put_int8(out, first, t->shape[0], t->data, scales);
    }
    limn_free(scales);
    limn_safetensors_release(l->file, t);
}

/* Puts a row's bias likewise. */
static void put_bias(loader *l, const limn_packed *out, size_t first, const limn_tensor_spec *spec)
{
    float *bias = read_floats(l, spec);
    if (bias) limn_packed_put_bias(out, first, spec->shape[0], bias);
    limn_free(bias);
}

static void put_row(loader *l, const limn_packed *out, size_t first, const limn_tensor_row *row,
                    const limn_tensor *begun)
{
    limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
    const size_t n = limn_tensor_row_specs(specs, row);
    const limn_tensor *t = require_weights(l, &specs[0]);
    if (t && dtype_of(t) != dtype_of(begun))
        l->status = limn_fail(l->err, LIMN_E_FORMAT, "tensor '%s' is %s, but '%s' is not", t->name,
                              limn_tensor_dtype_name(t->dtype), begun->name);
    if (l->status == LIMN_OK && dtype_of(t) == LIMN_I8)
        put_int8(l, out, first, t);
    else if (l->status == LIMN_OK && !l->is_measured)
        put_weights(l, out, first, t, row);
    if (n > 1) put_bias(l, out, first, &specs[1]);
}

/* How the weights of a row are kept that the file has as `t`. */
static limn_dtype packed_dtype(loader *l, const limn_tensor_row *row, const limn_tensor *t)
{
    const limn_dtype dtype = dtype_of(t);
    if (row->takes_codes && dtype != LIMN_I8 && limn_safetensors_metadata(l->file, LIMN_INT8_KEY)) {
        if (!row->is_sensitive)
            l->status = limn_fail(l->err, LIMN_E_FORMAT, "tensor '%s' is %s, expected I8", t->name,
                                  limn_tensor_dtype_name(t->dtype));
        return LIMN_I8_PAIRS;
    }
    return row->is_widened && dtype == LIMN_F16 ? LIMN_F32 : dtype;
}

/* Fails if a product of codes has more inputs than common/kernels/codes.h allows. */
static void check_code_inputs(loader *l, const limn_tensor_row *row, limn_dtype dtype,
                              const limn_tensor *t)
{
    const size_t most = dtype == LIMN_I8_PAIRS ? LIMN_CODES_MAX_PAIR_INPUTS : LIMN_CODES_MAX_INPUTS;
    if (l->status != LIMN_OK || !row->takes_codes) return;
    if ((dtype == LIMN_I8 || dtype == LIMN_I8_PAIRS) && n_inputs_of(row) > most)
        l->status =
            limn_fail(l->err, LIMN_E_LIMIT, "tensor '%s': %zu inputs exceed the %zu of int8",
                      t->name, n_inputs_of(row), most);
}

static limn_status create(const loader *l, limn_packed *out, size_t n_outputs,
                          const limn_tensor_row *row, limn_dtype dtype)
{
    const size_t n_inputs = n_inputs_of(row);
    return l->is_measured
               ? limn_packed_plan(out, n_outputs, n_inputs, dtype, l->err)
               : limn_packed_create(out, n_outputs, n_inputs, dtype, row->has_bias, l->err);
}

/* Loads rows that form one product, packed directly from the file. */
static void load_product(loader *l, limn_packed *out, const limn_tensor_row *rows, size_t n)
{
    limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
    size_t n_outputs = 0, first = 0;
    limn_tensor_row_specs(specs, &rows[0]);
    const limn_tensor *t = require_weights(l, &specs[0]);
    if (!t) return;
    const limn_dtype dtype = packed_dtype(l, &rows[0], t);
    check_code_inputs(l, &rows[0], dtype, t);
    for (size_t i = 0; i < n; i++) n_outputs += n_outputs_of(&rows[i]);
    if (l->status == LIMN_OK) l->status = create(l, out, n_outputs, &rows[0], dtype);
    for (size_t i = 0; i < n && l->status == LIMN_OK; i++) {
        put_row(l, out, first, &rows[i], t);
        first += n_outputs_of(&rows[i]);
    }
}

static void load_filter(loader *l, limn_filter *out, const limn_tensor_row *row)
{
    limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
    const size_t n = limn_tensor_row_specs(specs, row);
    float *taps = read_floats(l, &specs[0]), *bias = n > 1 ? read_floats(l, &specs[1]) : NULL;
    if (l->is_measured)
        *out = (limn_filter){ .n_channels = row->shape[0], .size = row->shape[1] };
    else if (l->status == LIMN_OK)
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
    loader l = { file, err, LIMN_OK, limn_safetensors_is_header(file) };
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
    case LIMN_ROW_CONVOLUTION: return limn_packed_bytes(place, row->has_bias);
    case LIMN_ROW_DEPTHWISE: return limn_filter_bytes(place);
    case LIMN_ROW_NORM: return 2 * sizeof(float) * row->shape[0];
    case LIMN_ROW_VALUES: return sizeof(float) * row->shape[0] * n_inputs_of(row);
    }
    return 0;
}

const limn_packed *limn_weights_product(const void *network, const limn_tensor_table *table,
                                        const char *name)
{
    limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
    for (size_t i = 0; i < table->n_rows; i++) {
        const limn_tensor_row *row = &table->rows[i];
        limn_tensor_row_specs(specs, row);
        if (row->kind == LIMN_ROW_PRODUCT && strcmp(specs[0].name, name) == 0)
            return (const limn_packed *)((const char *)network + row->offset);
    }
    return NULL;
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
