/* Weights in the order in which the kernels read them. Only this file and the kernels know that
 * order; everyone else packs, asks and frees with the functions below. */
#ifndef LIMN_COMMON_KERNELS_PACK_H
#define LIMN_COMMON_KERNELS_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "common/kernels/panel.h"

/* How weights are stored. A new type needs a value here, a case in pack.c, and a function for each
 * level in the `linear` of limn_kernels. */
typedef enum limn_dtype {
    LIMN_F32 = 0,
    LIMN_F16,
    LIMN_I8,       /* int8.h */
    LIMN_I8_PAIRS, /* codes.h: for products of codes alone, not for limn_linear */
    LIMN_N_DTYPES
} limn_dtype;

/* The weights of y = x Wᵀ + b, packed once. Panel p holds outputs 16p … 16p+15 as
 * [n_inputs][16], so that a kernel reads it from front to back; outputs past
 * n_outputs are zero. */
typedef struct limn_packed {
    const void
        *panels; /* [n_panels][n_inputs][16], f32 or f16, LIMN_ALIGNMENT; int8: int8_lanes.h */
    const float *bias;   /* [n_panels * 16], LIMN_ALIGNMENT; NULL = 0 */
    const float *scales; /* [n_panels * 16], LIMN_ALIGNMENT, of int8; else NULL */
    const int32_t *sums; /* [n_panels, planes, 16], of int8: of an output's q */
    size_t n_outputs, n_inputs;
    limn_dtype dtype;
} limn_packed;

/* Panels for n outputs: ceil(n / 16). */
size_t limn_n_panels(size_t n_outputs);
/* n_outputs, rounded up to whole panels. */
size_t limn_padded_outputs(size_t n_outputs);

/* Packs w [n_outputs, n_inputs] (row-major, `dtype` f32 or f16, no alignment needed) and
 * bias [n_outputs] (f32, or NULL) into memory of its own. `packed_dtype` chooses how panels are
 * kept; f32 -> f16 rounds to nearest even, -> int8 follows int8.h. Free with limn_packed_finish().
 * LIMN_E_NOMEM when out of memory or the size overflows; LIMN_E_LIMIT for int8 of more than
 * LIMN_INT8_MAX_INPUTS inputs. */
limn_status limn_packed_init(limn_packed *out, const void *w, limn_dtype dtype, const float *bias,
                             size_t n_outputs, size_t n_inputs, limn_dtype packed_dtype,
                             limn_error *err);
/* The same in parts, into memory of its own: limn_packed_create allocates it, limn_packed_put fills
 * outputs first … first + n - 1 from w [n, n_inputs], limn_packed_put_bias sets their biases.
 * Outputs never put are undefined. */
limn_status limn_packed_create(limn_packed *out, size_t n_outputs, size_t n_inputs,
                               limn_dtype packed_dtype, bool has_bias, limn_error *err);
void limn_packed_put(const limn_packed *out, size_t first, size_t n, const void *w,
                     limn_dtype dtype);
/* The same for weights that are already int8: q [n, n_inputs] and scales [n]; `out` must be
 * int8. */
void limn_packed_put_int8(const limn_packed *out, size_t first, size_t n, const int8_t *q,
                          const float *scales);
void limn_packed_put_bias(const limn_packed *out, size_t first, size_t n, const float *bias);
/* The same for f32 weights in training, which are packed repeatedly into the caller's memory:
 * out->panels [n_panels, n_inputs, 16] and out->bias [n_panels * 16] or NULL, from `arena` (which
 * may be counting). w is [n_outputs, n_inputs], or its transpose [n_inputs, n_outputs]; bias
 * [n_outputs] is read if `out` has room for it. */
limn_packed limn_packed_take(limn_arena *arena, size_t n_outputs, size_t n_inputs, bool has_bias);
void limn_packed_fill(const limn_packed *out, const float *w, const float *bias);
void limn_packed_fill_transposed(const limn_packed *out, const float *w, const float *bias);
/* As limn_packed_take without bias, in the caller's memory: limn_packed_floats floats at
 * LIMN_ALIGNMENT. */
limn_packed limn_packed_over(float *memory, size_t n_outputs, size_t n_inputs);
size_t limn_packed_floats(size_t n_outputs, size_t n_inputs);
/* The same from strided values: the weight of output o and input k is scale * w[o * output_stride +
 * k * input_stride]. There is no bias. */
void limn_packed_fill_strided(const limn_packed *out, const float *w, size_t output_stride,
                              size_t input_stride, float scale);
void limn_packed_finish(limn_packed *w); /* accepts a zeroed struct */

/* The weights [n_inputs] of one output, as f32. */
void limn_packed_output(float *weights, const limn_packed *w, size_t output);

/* Outputs first … first + n - 1 (fewer at the end) as weights of their own, which count from 0;
 * `first` is a multiple of LIMN_PANEL. Borrowed: valid as long as `w`; do not finish it. */
limn_packed limn_packed_view(const limn_packed *w, size_t first, size_t n);

/* Whether products of codes take it. */
bool limn_has_codes(const limn_packed *w);
/* The weights of a panel, of int8: of LIMN_I8_PAIRS, plane 0 has the high parts and plane 1 the low
 * ones. Laid out as int8_lanes.h says. */
const uint8_t *limn_packed_plane(const limn_packed *w, size_t panel, size_t plane);

/* Weights without memory, all pointers NULL, for limn_packed_bytes. LIMN_E_LIMIT as
 * limn_packed_init. */
limn_status limn_packed_plan(limn_packed *out, size_t n_outputs, size_t n_inputs,
                             limn_dtype packed_dtype, limn_error *err);
/* Bytes of panels, bias and scales, allocated or planned. */
size_t limn_packed_bytes(const limn_packed *w, bool has_bias);

/* The weights of a depthwise convolution, packed once: in groups of LIMN_FILTER_GROUP channels, so
 * that a group is computed while it is in cache. Pass limn_filter_taps and a w_stride of
 * LIMN_FILTER_GROUP to limn_kernels.depthwise. */
#define LIMN_FILTER_GROUP 32
typedef struct limn_filter {
    float *taps; /* [n_groups, size * size, 32], zero past n_channels; LIMN_ALIGNMENT */
    float *bias; /* [n_groups * 32], zero past n_channels */
    size_t n_channels, size;
} limn_filter;

/* Copies w [n_channels, size, size] and bias [n_channels] (NULL = 0). Free with
 * limn_filter_finish(). LIMN_E_NOMEM. */
limn_status limn_filter_init(limn_filter *out, const float *w, const float *bias, size_t n_channels,
                             size_t size, limn_error *err);
void limn_filter_finish(limn_filter *f); /* accepts a zeroed struct */
size_t limn_filter_n_groups(const limn_filter *f);
const float *limn_filter_taps(const limn_filter *f, size_t group); /* [size * size, 32] */
size_t limn_filter_bytes(const limn_filter *f);

/* f16 <-> f32, IEEE binary16, subnormals, infinities and NaN included; f32 -> f16 rounds to
 * nearest even. Plain C, the same bits everywhere. */
float limn_f16_to_f32(uint16_t h);
void limn_f16_row_to_f32(float *out, const void *row, size_t n); /* [n] halves, maybe unaligned */
uint16_t limn_f32_to_f16(float f);

#endif
