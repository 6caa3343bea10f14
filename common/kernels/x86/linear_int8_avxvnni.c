/* y = activation(x Wᵀ + b) + residual of int8 weights with AVX-VNNI, which adds four products of an
 * unsigned and a signed byte to 32 bits; weights are stored as q + 128, so a block's sum starts
 * from its offset.
 *
 * All rows take a block of a panel in turn, in tiles of R rows × two vectors. Only a block's
 * integers are in registers; the floats across blocks are in memory, since there are not registers
 * enough for both. */
#include <immintrin.h>

#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/quantize_avx2.h"
#include "common/kernels/x86/store_avx2.h"

enum { N_HALVES = LIMN_PANEL / HALF, HALF_BYTES = 4 * HALF };
enum { MAX_ROWS = 6, ROWS_AT_A_TIME = 96 };

/* Adds a block's products of n_rows rows: x is the first row's block, and sums are [n_rows][16]. */
INLINE void tile(float *sums, const limn_int8_block *x, size_t n_blocks, const uint8_t *w,
                 const size_t n_rows)
{
    __m256i acc[MAX_ROWS][N_HALVES];
    UNROLL
    for (size_t r = 0; r < n_rows; r++) {
        UNROLL
        for (size_t h = 0; h < N_HALVES; h++) acc[r][h] = _mm256_set1_epi32(x[r * n_blocks].offset);
    }
    UNROLL
    for (size_t i = 0; i < N_QUADS; i++) {
        __m256i w_i[N_HALVES];
        UNROLL
        for (size_t h = 0; h < N_HALVES; h++)
            w_i[h] = _mm256_load_si256((const __m256i *)(w + i * QUAD_BYTES + h * HALF_BYTES));
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m256i q = _mm256_set1_epi32(four_of(x[r * n_blocks].q + 4 * i));
            UNROLL
            for (size_t h = 0; h < N_HALVES; h++)
                acc[r][h] = _mm256_dpbusd_avx_epi32(acc[r][h], w_i[h], q);
        }
    }
    UNROLL
    for (size_t r = 0; r < n_rows; r++) {
        const __m256 scale = _mm256_set1_ps(x[r * n_blocks].scale);
        UNROLL
        for (size_t h = 0; h < N_HALVES; h++) {
            float *sum = sums + r * LIMN_PANEL + h * HALF;
            _mm256_store_ps(
                sum, _mm256_fmadd_ps(_mm256_cvtepi32_ps(acc[r][h]), scale, _mm256_load_ps(sum)));
        }
    }
}

/* All rows quantised so far, in tiles of nearly the same size. */
static void run_block(const tile_job *t, float *sums, size_t n_rows, size_t block, const uint8_t *w)
{
    const limn_int8_block *x = t->x + block;
    for (size_t left = (n_rows + MAX_ROWS - 1) / MAX_ROWS; left > 0; left--) {
        const size_t n = (n_rows + left - 1) / left;
        switch (n) {
        case 1: tile(sums, x, t->n_blocks, w, 1); break;
        case 2: tile(sums, x, t->n_blocks, w, 2); break;
        case 3: tile(sums, x, t->n_blocks, w, 3); break;
        case 4: tile(sums, x, t->n_blocks, w, 4); break;
        case 5: tile(sums, x, t->n_blocks, w, 5); break;
        case 6: tile(sums, x, t->n_blocks, w, 6); break;
        default: break;
        }
        n_rows -= n;
        sums += n * LIMN_PANEL;
        x += n * t->n_blocks;
    }
}

static void finish_rows(const tile_job *t, const float *sums, size_t n_rows, size_t panel)
{
    const limn_packed *w = t->job->w;
    for (size_t h = 0; h < N_HALVES; h++) {
        const size_t output = panel * LIMN_PANEL + h * HALF;
        const __m256 scale = _mm256_load_ps(w->scales + output);
        const __m256 bias = w->bias ? _mm256_load_ps(w->bias + output) : _mm256_setzero_ps();
        for (size_t r = 0; r < n_rows; r++)
            store(t->job, t->first + r, output,
                  _mm256_fmadd_ps(_mm256_load_ps(sums + r * LIMN_PANEL + h * HALF), scale, bias));
    }
}

static void run_panel(const tile_job *t, float *sums, size_t n_rows, size_t panel)
{
    const size_t block_bytes = N_QUADS * QUAD_BYTES;
    const uint8_t *bytes = (const uint8_t *)t->job->w->panels + panel * t->n_blocks * block_bytes;
    memset(sums, 0, n_rows * LIMN_PANEL * sizeof *sums);
    for (size_t b = 0; b < t->n_blocks; b++) run_block(t, sums, n_rows, b, bytes + b * block_bytes);
    finish_rows(t, sums, n_rows, panel);
}

void limn_linear_int8_avxvnni(const limn_linear_job *job)
{
    limn_int8_block x[LIMN_INT8_BLOCKS_AT_A_TIME];
    _Alignas(32) float sums[ROWS_AT_A_TIME * LIMN_PANEL];
    const size_t n_inputs = job->w->n_inputs;
    tile_job t = { .job = job,
                   .x = x,
                   .n_blocks = (n_inputs + LIMN_INT8_BLOCK - 1) / LIMN_INT8_BLOCK };
    for (size_t n; t.first < job->n_rows; t.first += n) {
        n = rows_at_a_time(job->n_rows - t.first, t.n_blocks);
        if (n > ROWS_AT_A_TIME) n = ROWS_AT_A_TIME;
        for (size_t r = 0; r < n; r++)
            quantize_row(x + r * t.n_blocks, job->x + (t.first + r) * job->x_stride, n_inputs);
        for (size_t p = job->panel_begin; p < job->panel_end; p++) run_panel(&t, sums, n, p);
    }
}
