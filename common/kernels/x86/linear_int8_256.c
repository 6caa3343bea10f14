/* y = activation(x Wᵀ + b) + residual of int8 weights in vectors of 32 bytes, for AVX2 and
 * AVX-VNNI, which differ in their dot product.
 *
 * AVX-VNNI adds four products of an unsigned and a signed byte to 32 bits; weights are stored as q
 * + 128, so a block's sum starts from its offset. AVX2 adds two such products to 16 bits: the
 * unsigned operand is |w| and the signed one is q with w's sign, so that no pair exceeds 2 * 127 *
 * 127 = 32,258.
 *
 * A tile is R rows × P panels, two vectors for each: integers within a block, floats across blocks.
 */
#include <immintrin.h>

#include "common/kernels/c/level_name.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/quantize_avx2.h"
#include "common/kernels/x86/store_avx2.h"

#ifdef __AVXVNNI__

typedef __m256i weights; /* of 8 outputs and 4 inputs */

INLINE weights load(const uint8_t *from)
{
    return _mm256_load_si256((const __m256i *)from);
}

/* Adds to each of 8 sums the products of 4 weights and the 4 inputs in each lane of q. */
INLINE __m256i dot(__m256i acc, weights w, __m256i q)
{
    return _mm256_dpbusd_avx_epi32(acc, w, q);
}

INLINE __m256i start(const limn_int8_block *block)
{
    return _mm256_set1_epi32(block->offset);
}

#else

typedef struct weights {
    __m256i magnitude, sign;
} weights;

INLINE weights load(const uint8_t *from)
{
    const __m256i w =
        _mm256_xor_si256(_mm256_load_si256((const __m256i *)from), _mm256_set1_epi8((char)0x80));
    return (weights){ .magnitude = _mm256_abs_epi8(w), .sign = w };
}

INLINE __m256i dot(__m256i acc, weights w, __m256i q)
{
    const __m256i pairs = _mm256_maddubs_epi16(w.magnitude, _mm256_sign_epi8(q, w.sign));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

INLINE __m256i start(const limn_int8_block *block)
{
    (void)block;
    return _mm256_setzero_si256();
}

#endif

enum { MAX_ROWS = 4, MAX_PANELS = 2, MAX_HALVES = 2 * MAX_PANELS };
enum { HALF_BYTES = 4 * HALF };

INLINE __m256i broadcast(const int8_t *q)
{
    return _mm256_set1_epi32(four_of(q));
}

/* The sums of a block. */
INLINE void add_block(__m256i acc[MAX_ROWS][MAX_HALVES], const limn_int8_block *x, size_t n_blocks,
                      const uint8_t *w, size_t panel_bytes, const size_t n_rows,
                      const size_t n_halves)
{
    UNROLL
    for (size_t r = 0; r < n_rows; r++) {
        UNROLL
        for (size_t h = 0; h < n_halves; h++) acc[r][h] = start(&x[r * n_blocks]);
    }
    for (size_t i = 0; i < N_QUADS; i++) {
        weights w_i[MAX_HALVES];
        UNROLL
        for (size_t h = 0; h < n_halves; h++)
            w_i[h] = load(w + h / 2 * panel_bytes + i * QUAD_BYTES + h % 2 * HALF_BYTES);
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m256i q = broadcast(x[r * n_blocks].q + 4 * i);
            UNROLL
            for (size_t h = 0; h < n_halves; h++) acc[r][h] = dot(acc[r][h], w_i[h], q);
        }
    }
}

INLINE void tile(const tile_job *t, size_t row, size_t panel, const size_t n_rows,
                 const size_t n_panels)
{
    const limn_packed *w = t->job->w;
    const size_t n_blocks = t->n_blocks, n_halves = 2 * n_panels;
    const size_t panel_bytes = n_blocks * N_QUADS * QUAD_BYTES;
    const uint8_t *bytes = (const uint8_t *)w->panels + panel * panel_bytes;
    const limn_int8_block *x = t->x + row * n_blocks;
    __m256 sums[MAX_ROWS][MAX_HALVES];
    __m256i acc[MAX_ROWS][MAX_HALVES];
    UNROLL
    for (size_t i = 0; i < n_rows * n_halves; i++)
        sums[i / n_halves][i % n_halves] = _mm256_setzero_ps();
    for (size_t b = 0; b < n_blocks; b++) {
        add_block(acc, x + b, n_blocks, bytes + b * N_QUADS * QUAD_BYTES, panel_bytes, n_rows,
                  n_halves);
        UNROLL
        for (size_t i = 0; i < n_rows * n_halves; i++) {
            const size_t r = i / n_halves, h = i % n_halves;
            sums[r][h] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(acc[r][h]),
                                         _mm256_set1_ps(x[r * n_blocks + b].scale), sums[r][h]);
        }
    }
    UNROLL
    for (size_t i = 0; i < n_rows * n_halves; i++) {
        const size_t output = panel * LIMN_PANEL + i % n_halves * HALF;
        const __m256 bias = w->bias ? _mm256_load_ps(w->bias + output) : _mm256_setzero_ps();
        store(t->job, t->first + row + i / n_halves, output,
              _mm256_fmadd_ps(sums[i / n_halves][i % n_halves], _mm256_load_ps(w->scales + output),
                              bias));
    }
}

/* Multiplies the rows quantised so far with n_panels panels. */
INLINE void run_panels(const tile_job *t, size_t n_rows, size_t panel, const size_t n_panels)
{
    size_t row = 0;
    for (; row + 4 <= n_rows; row += 4) tile(t, row, panel, 4, n_panels);
    switch (n_rows - row) {
    case 1: tile(t, row, panel, 1, n_panels); break;
    case 2: tile(t, row, panel, 2, n_panels); break;
    case 3: tile(t, row, panel, 3, n_panels); break;
    default: break;
    }
}

void LIMN_LEVEL(limn_linear_int8)(const limn_linear_job *job)
{
    limn_int8_block x[LIMN_INT8_BLOCKS_AT_A_TIME];
    const size_t n_inputs = job->w->n_inputs;
    tile_job t = { .job = job,
                   .x = x,
                   .n_blocks = (n_inputs + LIMN_INT8_BLOCK - 1) / LIMN_INT8_BLOCK };
    for (size_t n; t.first < job->n_rows; t.first += n) {
        n = rows_at_a_time(job->n_rows - t.first, t.n_blocks);
        for (size_t r = 0; r < n; r++)
            quantize_row(x + r * t.n_blocks, job->x + (t.first + r) * job->x_stride, n_inputs);
        size_t p = job->panel_begin;
        for (; p + 2 <= job->panel_end; p += 2) run_panels(&t, n, p, 2);
        if (p < job->panel_end) run_panels(&t, n, p, 1);
    }
}
