/* Products whose operands have so few bits that no product of two is rounded: pixels by f16
 * weights, the first layer of a network. Then a product and a sum of floats are a fused
 * multiply-add to the last bit, whatever the sum is. */
#include <smmintrin.h>
#include <stdbool.h>

#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/fma_sse41.h"
#include "common/kernels/x86/store_sse41.h"
#include "common/kernels/x86/unroll.h"

enum { MAX_ROWS = 3, VECTORS = LIMN_PANEL / 4, MANTISSA_BITS = 23, FLOAT_BITS = 24 };

/* What is known of many operands. */
typedef struct operands {
    spread sizes;
    __m128i bits; /* those that are set in any */
} operands;

static void add_operands(operands *o, const float *x, size_t n)
{
    size_t i = 0;
    for (; i < n; i += n - i < 4 ? 1 : 4) {
        const __m128 v = n - i < 4 ? _mm_load_ss(x + i) : _mm_loadu_ps(x + i);
        add_to_spread(&o->sizes, v);
        o->bits = _mm_or_si128(o->bits, _mm_castps_si128(v));
    }
}

/* The most bits from the first that is set to the last. */
static int n_bits_of(const operands *o)
{
    __m128i bits = _mm_or_si128(o->bits, _mm_shuffle_epi32(o->bits, 0x4e));
    bits = _mm_or_si128(bits, _mm_shuffle_epi32(bits, 0xb1));
    const uint32_t mantissas = (uint32_t)_mm_cvtsi128_si32(bits) | 1u << MANTISSA_BITS;
    return FLOAT_BITS - __builtin_ctz(mantissas);
}

/* No product is rounded, below the least float, or infinite. */
static bool is_short(const limn_linear_job *job)
{
    const size_t n_inputs = job->w->n_inputs;
    operands x = { no_spread(), _mm_setzero_si128() }, w = x;
    if (job->w->dtype != LIMN_F32 || limn_is_blocked(job)) return false;
    add_operands(&w, (const float *)job->w->panels + job->panel_begin * n_inputs * LIMN_PANEL,
                 (job->panel_end - job->panel_begin) * n_inputs * LIMN_PANEL);
    for (size_t r = 0; r < job->n_rows; r++) {
        add_operands(&x, job->x + r * job->x_stride, n_inputs);
        if (n_bits_of(&x) + n_bits_of(&w) > FLOAT_BITS) return false;
    }
    return are_ordinary(exponents_of(&x.sizes), exponents_of(&w.sizes));
}

INLINE void tile(const limn_linear_job *job, size_t panel, size_t row, const size_t n_rows)
{
    const limn_packed *packed = job->w;
    const float *w = (const float *)packed->panels + panel * packed->n_inputs * LIMN_PANEL;
    const float *x = job->x + row * job->x_stride;
    const size_t output = panel * LIMN_PANEL;
    __m128 acc[MAX_ROWS][VECTORS];
    UNROLL
    for (size_t v = 0; v < VECTORS; v++) {
        const __m128 bias =
            packed->bias ? _mm_load_ps(packed->bias + output + 4 * v) : _mm_setzero_ps();
        UNROLL
        for (size_t r = 0; r < n_rows; r++) acc[r][v] = bias;
    }
    for (size_t k = 0; k < packed->n_inputs; k++, w += LIMN_PANEL) {
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m128 input = _mm_set1_ps(x[r * job->x_stride + k]);
            UNROLL
            for (size_t v = 0; v < VECTORS; v++)
                acc[r][v] = _mm_add_ps(_mm_mul_ps(input, _mm_load_ps(w + 4 * v)), acc[r][v]);
        }
    }
    UNROLL
    for (size_t i = 0; i < n_rows * VECTORS; i++)
        store(job, row + i / VECTORS, output + i % VECTORS * 4, acc[i / VECTORS][i % VECTORS]);
}

bool limn_linear_short_sse41(const limn_linear_job *job)
{
    if (!is_short(job)) return false;
    for (size_t panel = job->panel_begin; panel < job->panel_end; panel++) {
        size_t row = 0;
        for (; row + MAX_ROWS <= job->n_rows; row += MAX_ROWS) tile(job, panel, row, MAX_ROWS);
        for (; row < job->n_rows; row++) tile(job, panel, row, 1);
    }
    return true;
}
