#include "common/kernels/pack.h"

#include <assert.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/codes.h"
#include "common/kernels/int8_lanes.h"

size_t limn_n_panels(size_t n_outputs)
{
    return n_outputs / LIMN_PANEL + (n_outputs % LIMN_PANEL != 0);
}

size_t limn_padded_outputs(size_t n_outputs)
{
    return limn_n_panels(n_outputs) * LIMN_PANEL;
}

static float load(const unsigned char *from, limn_dtype dtype)
{
    uint16_t h;
    float f;
    if (dtype == LIMN_F16) {
        memcpy(&h, from, sizeof h);
        return limn_f16_to_f32(h);
    }
    memcpy(&f, from, sizeof f);
    return f;
}

static void store(unsigned char *to, limn_dtype dtype, float f)
{
    const uint16_t h = dtype == LIMN_F16 ? limn_f32_to_f16(f) : 0;
    if (dtype == LIMN_F16)
        memcpy(to, &h, sizeof h);
    else
        memcpy(to, &f, sizeof f);
}

static size_t item_size(limn_dtype dtype)
{
    return dtype == LIMN_F16 ? sizeof(uint16_t) : sizeof(float);
}

/* Packs one output's weights into its lane of a panel. Copies have a compile-time size, and halves
 * are widened a chunk at a time, which makes opening a model several times faster. */
static void pack_lane(unsigned char *lane, limn_dtype to, const unsigned char *w, limn_dtype from,
                      size_t n_inputs)
{
    enum { CHUNK = 256 };
    const size_t step = LIMN_PANEL * item_size(to);
    float wide[CHUNK];
    if (from == LIMN_F16 && to == LIMN_F16)
        for (size_t k = 0; k < n_inputs; k++)
            memcpy(lane + k * step, w + k * sizeof(uint16_t), sizeof(uint16_t));
    else if (from == LIMN_F32 && to == LIMN_F32)
        for (size_t k = 0; k < n_inputs; k++)
            memcpy(lane + k * step, w + k * sizeof(float), sizeof(float));
    else if (from == LIMN_F32)
        for (size_t k = 0; k < n_inputs; k++)
            store(lane + k * step, to, load(w + k * sizeof(float), from));
    else
        for (size_t first = 0; first < n_inputs; first += CHUNK) {
            const size_t n = n_inputs - first < CHUNK ? n_inputs - first : CHUNK;
            limn_f16_row_to_f32(wide, w + first * sizeof(uint16_t), n);
            for (size_t k = 0; k < n; k++)
                memcpy(lane + (first + k) * step, &wide[k], sizeof *wide);
        }
}

bool limn_has_codes(const limn_packed *w)
{
    return w->dtype == LIMN_I8 || w->dtype == LIMN_I8_PAIRS;
}

static size_t n_planes_of(limn_dtype dtype)
{
    return dtype == LIMN_I8_PAIRS ? 2 : 1;
}

const uint8_t *limn_packed_plane(const limn_packed *w, size_t panel, size_t plane)
{
    const size_t size = limn_int8_n_blocks(w->n_inputs) * LIMN_INT8_BLOCK_BYTES;
    return (const uint8_t *)w->panels + (panel * n_planes_of(w->dtype) + plane) * size;
}

static size_t panel_size(const limn_packed *w)
{
    if (limn_has_codes(w))
        return n_planes_of(w->dtype) * limn_int8_n_blocks(w->n_inputs) * LIMN_INT8_BLOCK_BYTES;
    return w->n_inputs * LIMN_PANEL * item_size(w->dtype);
}

/* Writes one output's weights of a plane, and their sum. */
static void put_plane(const limn_packed *out, size_t output, size_t plane, const int8_t *q)
{
    const size_t panel = output / LIMN_PANEL, lane = output % LIMN_PANEL;
    int32_t sum = 0;
    for (size_t k = 0; k < out->n_inputs; k++) sum += q[k];
    limn_int8_put_lane((uint8_t *)limn_packed_plane(out, panel, plane), lane, q, out->n_inputs);
    ((int32_t *)out->sums)[(panel * n_planes_of(out->dtype) + plane) * LIMN_PANEL + lane] =
        sum; /* the caller's own, as are panels and scales */
}

void limn_packed_put_int8(const limn_packed *out, size_t first, size_t n, const int8_t *q,
                          const float *scales)
{
    for (size_t o = first; o < first + n; o++, q += out->n_inputs) put_plane(out, o, 0, q);
    memcpy((float *)out->scales + first, scales, n * sizeof *scales);
}

/* Quantises weights of f32 or f16 to int8. */
static void put_quantized(const limn_packed *out, size_t first, size_t n, const unsigned char *w,
                          limn_dtype dtype)
{
    float row[LIMN_INT8_MAX_INPUTS], *scales = (float *)out->scales; /* the caller's own */
    int8_t q[LIMN_INT8_MAX_INPUTS], low[LIMN_INT8_MAX_INPUTS];
    for (size_t o = first; o < first + n; o++) {
        for (size_t k = 0; k < out->n_inputs; k++, w += item_size(dtype)) row[k] = load(w, dtype);
        scales[o] = out->dtype == LIMN_I8 ? limn_int8_quantize_weights(q, row, out->n_inputs)
                                          : limn_codes_quantize_weights(q, low, row, out->n_inputs);
        put_plane(out, o, 0, q);
        if (out->dtype == LIMN_I8_PAIRS) put_plane(out, o, 1, low);
    }
}

void limn_packed_put(const limn_packed *out, size_t first, size_t n, const void *w,
                     limn_dtype dtype)
{
    unsigned char *panels = (unsigned char *)out->panels; /* the caller's own */
    const size_t row_size = out->n_inputs * item_size(dtype);
    if (limn_has_codes(out)) {
        put_quantized(out, first, n, w, dtype);
        return;
    }
    for (size_t o = first; o < first + n; o++)
        pack_lane(
            panels + o / LIMN_PANEL * panel_size(out) + o % LIMN_PANEL * item_size(out->dtype),
            out->dtype, (const unsigned char *)w + (o - first) * row_size, dtype, out->n_inputs);
}

void limn_packed_put_bias(const limn_packed *out, size_t first, size_t n, const float *bias)
{
    memcpy((float *)out->bias + first, bias, n * sizeof *bias); /* the caller's own */
}

/* Zeros the lanes of a vector past the last output. */
static void clear_lanes(const limn_packed *out, const float *of)
{
    float *lanes = (float *)of; /* the caller's own */
    for (size_t o = out->n_outputs; lanes && o < limn_padded_outputs(out->n_outputs); o++)
        lanes[o] = 0.0f;
}

static size_t sums_size(const limn_packed *w)
{
    return limn_padded_outputs(w->n_outputs) * n_planes_of(w->dtype) * sizeof *w->sums;
}

/* Zeros the last panel's lanes past the last output. */
static void clear_rest(const limn_packed *out)
{
    const size_t n_whole = out->n_outputs / LIMN_PANEL, n_panels = limn_n_panels(out->n_outputs);
    if (n_whole < n_panels)
        memset((unsigned char *)out->panels + n_whole * panel_size(out), 0, panel_size(out));
    if (limn_has_codes(out)) {
        limn_int8_clear((unsigned char *)out->panels, n_panels * n_planes_of(out->dtype),
                        out->n_inputs);
        memset((int32_t *)out->sums, 0, sums_size(out));
    }
    clear_lanes(out, out->bias);
    clear_lanes(out, out->scales);
}

limn_status limn_packed_plan(limn_packed *out, size_t n_outputs, size_t n_inputs,
                             limn_dtype packed_dtype, limn_error *err)
{
    *out = (limn_packed){ .n_outputs = n_outputs, .n_inputs = n_inputs, .dtype = packed_dtype };
    if (limn_has_codes(out) && n_inputs > LIMN_INT8_MAX_INPUTS)
        return limn_fail(err, LIMN_E_LIMIT, "weights of %zu inputs: int8 takes at most %zu",
                         n_inputs, LIMN_INT8_MAX_INPUTS);
    return LIMN_OK;
}

limn_status limn_packed_create(limn_packed *out, size_t n_outputs, size_t n_inputs,
                               limn_dtype packed_dtype, bool has_bias, limn_error *err)
{
    size_t n_lanes, n_weights;
    LIMN_TRY(limn_packed_plan(out, n_outputs, n_inputs, packed_dtype, err));
    const bool is_quantized = limn_has_codes(out);
    if (limn_size_mul(&n_lanes, limn_n_panels(n_outputs), LIMN_PANEL) &&
        limn_size_mul(&n_weights, n_lanes, n_inputs)) {
        out->panels = is_quantized ? limn_alloc_aligned(limn_n_panels(n_outputs), panel_size(out))
                                   : limn_alloc_aligned(n_weights, item_size(packed_dtype));
        if (out->panels && has_bias) out->bias = limn_alloc_aligned(n_lanes, sizeof *out->bias);
        if (out->panels && is_quantized) {
            out->scales = limn_alloc_aligned(n_lanes, sizeof *out->scales);
            out->sums = limn_alloc_aligned(1, sums_size(out));
        }
    }
    if (!out->panels || (has_bias && !out->bias) || (is_quantized && !(out->scales && out->sums))) {
        limn_packed_finish(out);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for weights of %zu x %zu", n_outputs,
                         n_inputs);
    }
    clear_rest(out);
    return LIMN_OK;
}

limn_status limn_packed_init(limn_packed *out, const void *w, limn_dtype dtype, const float *bias,
                             size_t n_outputs, size_t n_inputs, limn_dtype packed_dtype,
                             limn_error *err)
{
    LIMN_TRY(limn_packed_create(out, n_outputs, n_inputs, packed_dtype, bias != NULL, err));
    limn_packed_put(out, 0, n_outputs, w, dtype);
    if (bias) limn_packed_put_bias(out, 0, n_outputs, bias);
    return LIMN_OK;
}

limn_packed limn_packed_take(limn_arena *arena, size_t n_outputs, size_t n_inputs, bool has_bias)
{
    const size_t n_lanes = limn_n_panels(n_outputs) * LIMN_PANEL;
    return (limn_packed){
        .panels = limn_arena_take(arena, n_lanes * n_inputs, sizeof(float)),
        .bias = has_bias ? limn_arena_take(arena, n_lanes, sizeof(float)) : NULL,
        .n_outputs = n_outputs,
        .n_inputs = n_inputs,
        .dtype = LIMN_F32,
    };
}

limn_packed limn_packed_over(float *memory, size_t n_outputs, size_t n_inputs)
{
    return (limn_packed){
        .panels = memory, .n_outputs = n_outputs, .n_inputs = n_inputs, .dtype = LIMN_F32
    };
}

size_t limn_packed_floats(size_t n_outputs, size_t n_inputs)
{
    return limn_n_panels(n_outputs) * LIMN_PANEL * n_inputs;
}

static void fill_bias(const limn_packed *out, const float *bias)
{
    if (out->bias) limn_packed_put_bias(out, 0, out->n_outputs, bias);
}

void limn_packed_fill(const limn_packed *out, const float *w, const float *bias)
{
    clear_rest(out);
    limn_packed_put(out, 0, out->n_outputs, w, LIMN_F32);
    fill_bias(out, bias);
}

void limn_packed_fill_transposed(const limn_packed *out, const float *w, const float *bias)
{
    float *lanes = (float *)out->panels;
    for (size_t first = 0; first < out->n_outputs; first += LIMN_PANEL) {
        const size_t left = out->n_outputs - first, n = left < LIMN_PANEL ? left : LIMN_PANEL;
        for (size_t k = 0; k < out->n_inputs; k++, lanes += LIMN_PANEL) {
            memcpy(lanes, w + k * out->n_outputs + first, n * sizeof *lanes);
            memset(lanes + n, 0, (LIMN_PANEL - n) * sizeof *lanes);
        }
    }
    clear_lanes(out, out->bias);
    fill_bias(out, bias);
}

void limn_packed_fill_strided(const limn_packed *out, const float *w, size_t output_stride,
                              size_t input_stride, float scale)
{
    float *lanes = (float *)out->panels;
    for (size_t first = 0; first < out->n_outputs; first += LIMN_PANEL) {
        const size_t left = out->n_outputs - first, n = left < LIMN_PANEL ? left : LIMN_PANEL;
        for (size_t k = 0; k < out->n_inputs; k++, lanes += LIMN_PANEL) {
            const float *from = w + first * output_stride + k * input_stride;
            if (output_stride == 1 && scale == 1.0f)
                memcpy(lanes, from, n * sizeof *lanes);
            else
                for (size_t o = 0; o < n; o++) lanes[o] = scale * from[o * output_stride];
            memset(lanes + n, 0, (LIMN_PANEL - n) * sizeof *lanes);
        }
    }
}

void limn_packed_output(float *weights, const limn_packed *w, size_t output)
{
    const size_t size = item_size(w->dtype);
    const unsigned char *panel =
        (const unsigned char *)w->panels + output / LIMN_PANEL * panel_size(w);
    assert(w->dtype != LIMN_I8_PAIRS);
    if (w->dtype == LIMN_I8) {
        limn_int8_get_lane(weights, panel, output % LIMN_PANEL, w->n_inputs, w->scales[output]);
        return;
    }
    for (size_t k = 0; k < w->n_inputs; k++)
        weights[k] = load(panel + (k * LIMN_PANEL + output % LIMN_PANEL) * size, w->dtype);
}

limn_packed limn_packed_view(const limn_packed *w, size_t first, size_t n)
{
    const size_t n_left = w->n_outputs - first;
    limn_packed view = *w;
    view.panels = (const unsigned char *)w->panels + first / LIMN_PANEL * panel_size(w);
    view.bias = w->bias ? w->bias + first : NULL;
    view.scales = w->scales ? w->scales + first : NULL;
    if (w->sums) view.sums = w->sums + first * n_planes_of(w->dtype);
    view.n_outputs = n_left < n ? n_left : n;
    return view;
}

size_t limn_packed_bytes(const limn_packed *w, bool has_bias)
{
    const size_t n_vectors = (size_t)has_bias + limn_has_codes(w); /* biases, scales */
    return limn_n_panels(w->n_outputs) * (panel_size(w) + n_vectors * LIMN_PANEL * sizeof(float)) +
           (limn_has_codes(w) ? sums_size(w) : 0);
}

void limn_packed_finish(limn_packed *w)
{
    limn_free((void *)w->panels);
    limn_free((void *)w->bias);
    limn_free((void *)w->scales);
    limn_free((void *)w->sums);
    *w = (limn_packed){ 0 };
}
