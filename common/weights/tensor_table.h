/* The table of a network's tensors, written once: what each is called in the model file, its shape,
 * and where its weights are kept. Loading, memory, freeing (weights.h), parameters of training
 * (table_params.h) and the specification that converters follow (limn_tensor_row_specs) loop over
 * it.
 *
 * A network's own code builds the table from its configuration, row by row. A row is a layer: one
 * tensor, or two (weight and bias).
 *
 *     static const limn_tensor_row head = { .kind = LIMN_ROW_PRODUCT, .has_bias = true,
 *                                           .offset = offsetof(network, head), … };
 *     limn_tensor_table_add(&table, &head, "encoder.head");
 *     LIMN_TRY(limn_tensor_table_check(&table, err)); // once, after the last row */
#ifndef LIMN_COMMON_WEIGHTS_TENSOR_TABLE_H
#define LIMN_COMMON_WEIGHTS_TENSOR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define LIMN_TENSOR_NAME_SIZE 96 /* bytes of a name, NUL included */

/* What a row's tensors are, and the type at its offset. */
typedef enum limn_row_kind {
    /* NAME.weight [n_outputs, n_inputs]: a limn_packed. Rows one after another that have the same
     * offset, kind and inputs are one product, with their outputs in the order of the rows. */
    LIMN_ROW_PRODUCT,
    /* NAME.weight [n_outputs, n_inputs, height, width]: a limn_packed whose inputs are in the order
     * of a patch with channels last (y, x, input). */
    LIMN_ROW_CONVOLUTION,
    /* NAME.weight [n_channels, size, size]: a limn_filter (common/kernels/pack.h). */
    LIMN_ROW_DEPTHWISE,
    /* NAME.weight [dim] and NAME.bias [dim]: a limn_norm_weights (weights.h). */
    LIMN_ROW_NORM,
    /* NAME of any shape: a float *. */
    LIMN_ROW_VALUES,
} limn_row_kind;

typedef struct limn_tensor_row {
    char name[LIMN_TENSOR_NAME_SIZE]; /* without .weight and .bias */
    limn_row_kind kind;
    bool has_bias;     /* products, convolutions, depthwise: NAME.bias [shape[0]] too */
    bool is_widened;   /* products, convolutions: packed as f32 even where the file has F16 */
    bool is_sensitive; /* products: F16 even in an int8 file, since 8 bits lose too much */
    bool takes_codes; /* products: in an int8 file all are LIMN_I8, or LIMN_I8_PAIRS if sensitive */
    bool is_weight;   /* values: F16 in F16 files, and decays, as other weights do */
    size_t n_dims;
    size_t shape[4];   /* [n_dims], of the weight or of the values */
    size_t offset;     /* bytes into the network: where what the row loads is kept */
    uint32_t stage;    /* which stage of an encoder it belongs to (encoder.h); else 0 */
    size_t trained_at; /* bytes into the network's trainer, for its own use */
} limn_tensor_row;

typedef struct limn_tensor_table {
    limn_tensor_row *rows; /* [n_rows], owned */
    size_t n_rows, capacity;
    bool has_failed; /* a row was lost: no memory, or a name too long */
} limn_tensor_table;

/* Appends a copy of `row`, named by `fmt`, and with as many dimensions as come before the first 0
 * of its shape. `table` starts zeroed; a failure is kept for limn_tensor_table_check. */
void limn_tensor_table_add(limn_tensor_table *table, const limn_tensor_row *row, const char *fmt,
                           ...) LIMN_PRINTF(3, 4);
/* LIMN_E_NOMEM after a failure to add. */
limn_status limn_tensor_table_check(const limn_tensor_table *table, limn_error *err);
void limn_tensor_table_finish(limn_tensor_table *table); /* accepts a zeroed struct */

/* One tensor as a model file holds it. */
typedef struct limn_tensor_spec {
    char name[LIMN_TENSOR_NAME_SIZE];
    size_t n_dims;
    size_t shape[4];  /* [n_dims] */
    bool may_be_half; /* F16 in an F16 file (the others are always F32); decays in training */
    bool may_be_int8; /* stored as I8 in an int8 file, with LIMN_TENSOR_SCALES */
    bool needs_int8;  /* an int8 file can't have it in another type */
} limn_tensor_spec;

/* What the name of an I8 tensor's scales, F32 [n_outputs], ends with: "NAME.weight_scale". */
#define LIMN_TENSOR_SCALES "_scale"

enum { LIMN_ROW_MAX_TENSORS = 2 };
/* The tensors of a row, weight first; returns how many. Pure. */
size_t limn_tensor_row_specs(limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS],
                             const limn_tensor_row *row);

#endif
