/* Packing weights into the panels that limn_kernels.linear reads. */
#ifndef LIMN_COMMON_KERNELS_PACK_H
#define LIMN_COMMON_KERNELS_PACK_H

#include "common/base/arena.h"
#include "common/kernels/kernels.h"

/* Panels for n outputs: ceil(n / 16). */
size_t limn_n_panels(size_t n_outputs);

/* Packs w [n_outputs, n_inputs] (row-major, `dtype` f32 or f16, no alignment needed) and
 * bias [n_outputs] (f32, or NULL) into memory of its own. `packed_dtype` chooses how panels are
 * kept; f32 -> f16 rounds to nearest even. Free with limn_packed_finish().
 * LIMN_E_NOMEM when memory is short or the size overflows. */
limn_status limn_packed_init(limn_packed *out, const void *w, limn_dtype dtype, const float *bias,
                             size_t n_outputs, size_t n_inputs, limn_dtype packed_dtype,
                             limn_error *err);
/* The same for weights in training, in f32, again and again into memory of the caller: out->panels
 * [n_panels, n_inputs, 16] and out->bias [n_panels * 16] or NULL, from `arena` (which may be
 * counting). w is [n_outputs, n_inputs], or its transpose [n_inputs, n_outputs]; bias [n_outputs]
 * is read if there is room for it. */
limn_packed limn_packed_take(limn_arena *arena, size_t n_outputs, size_t n_inputs, bool has_bias);
void limn_packed_fill(const limn_packed *out, const float *w, const float *bias);
void limn_packed_fill_transposed(const limn_packed *out, const float *w, const float *bias);
void limn_packed_finish(limn_packed *w); /* accepts a zeroed struct */

/* Panels first_panel … first_panel + n_panels - 1 (fewer at the end) as weights of their own,
 * whose outputs count from 0. Borrowed: valid as long as `w`, and not to be finished. */
limn_packed limn_packed_view(const limn_packed *w, size_t first_panel, size_t n_panels);

/* Bytes of panels and bias. */
size_t limn_packed_bytes(const limn_packed *w);

/* f16 <-> f32, IEEE binary16, subnormals, infinities and NaN included; f32 -> f16 rounds to
 * nearest even. Plain C, the same bits everywhere. */
float limn_f16_to_f32(uint16_t h);
uint16_t limn_f32_to_f16(float f);

#endif
