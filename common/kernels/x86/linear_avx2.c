/* y = activation(x Wᵀ + b) + residual with AVX2, FMA and F16C.
 *
 * The work is split into tiles of R rows by P panels of 16 outputs, whose sums stay in registers
 * (two vectors of 8 a row and panel) while k runs over all inputs:
 *
 *                     panel p           panel p+1 …
 *         k      [ w 0…7 | w 8…15 ]
 *         |
 *     row r   x ─▶ acc[0]   acc[1]      one step of k: load the panel's 16 weights, and for each
 *     row r+1 x ─▶ acc[0]   acc[1]      row broadcast x[k] and do 2 fused multiply-adds
 *
 * 6 rows × 1 panel take 12 of the 16 vector registers; a step does 12 FMAs for 8 loads, so that
 * the two FMA units are the limit. An FMA takes 4 cycles and 2 start in a cycle, so at least 8
 * independent sums are needed: with 1 to 3 rows (the decoder's), the tile takes more panels. */
#include <immintrin.h>

#include "common/kernels/kernel_levels.h"
#include "common/kernels/pack.h"
#include "common/kernels/x86/store_avx2.h"
#include "common/kernels/x86/unroll.h"

enum { MAX_ROWS = 6, MAX_PANELS = 4 };

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

INLINE __m256 load_weights(const limn_packed *w, size_t i, limn_dtype dtype)
{
    if (dtype == LIMN_F16)
        return _mm256_cvtph_ps(_mm_load_si128((const __m128i *)((const uint16_t *)w->panels + i)));
    return _mm256_load_ps((const float *)w->panels + i);
}

/* Offset of the 8 weights of step k for half-panel h of the tile. */
INLINE size_t half_at(size_t first, size_t h, size_t k, size_t n_inputs)
{
    return first + (h / 2 * n_inputs + k) * LIMN_PANEL + h % 2 * HALF;
}

INLINE __m256 load_bias(const limn_packed *w, size_t output)
{
    return w->bias ? _mm256_load_ps(w->bias + output) : _mm256_setzero_ps();
}

/* Writes a tile's sums. The activation is chosen once per tile: choosing for each vector would take
 * a thirtieth of the encoder's time. */
INLINE void store_tile(const limn_linear_job *job, size_t row, size_t panel,
                       __m256 acc[MAX_ROWS][2 * MAX_PANELS], const size_t n_rows,
                       const size_t n_halves)
{
    const size_t n = n_rows * n_halves;
    if (job->activation == LIMN_ACT_RELU6) {
        UNROLL
        for (size_t i = 0; i < n; i++)
            acc[i / n_halves][i % n_halves] =
                activate(LIMN_ACT_RELU6, acc[i / n_halves][i % n_halves]);
    } else if (job->activation != LIMN_ACT_NONE) {
        UNROLL
        for (size_t i = 0; i < n; i++)
            acc[i / n_halves][i % n_halves] =
                activate(job->activation, acc[i / n_halves][i % n_halves]);
    }
    UNROLL
    for (size_t i = 0; i < n; i++)
        put(job, row + i / n_halves, panel * LIMN_PANEL + i % n_halves * HALF,
            acc[i / n_halves][i % n_halves]);
}

/* Sums of blocks start from -0, as -0 + x is x for every x. */
INLINE void start_sums(__m256 sums[MAX_ROWS][2 * MAX_PANELS], const size_t n_rows,
                       const size_t n_halves)
{
    UNROLL
    for (size_t i = 0; i < n_rows * n_halves; i++)
        sums[i / n_halves][i % n_halves] = _mm256_set1_ps(-0.0f);
}

INLINE void end_block(__m256 sums[MAX_ROWS][2 * MAX_PANELS], __m256 acc[MAX_ROWS][2 * MAX_PANELS],
                      const size_t n_rows, const size_t n_halves)
{
    UNROLL
    for (size_t i = 0; i < n_rows * n_halves; i++) {
        sums[i / n_halves][i % n_halves] =
            _mm256_add_ps(sums[i / n_halves][i % n_halves], acc[i / n_halves][i % n_halves]);
        acc[i / n_halves][i % n_halves] = _mm256_setzero_ps();
    }
}

/* Adds the products of step k. Of its operands, the fewer ones are held in registers and the others
 * loaded one by one: 12 sums leave room for 4. */
INLINE void step(const limn_packed *w, size_t first, const float *x, size_t x_stride, size_t k,
                 __m256 acc[MAX_ROWS][2 * MAX_PANELS], const size_t n_rows, const size_t n_halves,
                 const limn_dtype dtype)
{
    __m256 x_k[MAX_ROWS], w_k[2 * MAX_PANELS];
    if (n_rows < n_halves) {
        UNROLL
        for (size_t r = 0; r < n_rows; r++) x_k[r] = _mm256_broadcast_ss(x + r * x_stride + k);
        UNROLL
        for (size_t h = 0; h < n_halves; h++) {
            w_k[h] = load_weights(w, half_at(first, h, k, w->n_inputs), dtype);
            UNROLL
            for (size_t r = 0; r < n_rows; r++)
                acc[r][h] = _mm256_fmadd_ps(x_k[r], w_k[h], acc[r][h]);
        }
    } else {
        UNROLL
        for (size_t h = 0; h < n_halves; h++)
            w_k[h] = load_weights(w, half_at(first, h, k, w->n_inputs), dtype);
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            x_k[r] = _mm256_broadcast_ss(x + r * x_stride + k);
            UNROLL
            for (size_t h = 0; h < n_halves; h++)
                acc[r][h] = _mm256_fmadd_ps(x_k[r], w_k[h], acc[r][h]);
        }
    }
}

/* The product of n_rows rows with n_panels panels. The last four arguments are constants at the
 * call sites, so every loop but the one over k is unrolled, and sums that are not in blocks pay
 * nothing for those that are. Each step also prefetches weights that later tiles need, `ahead_step`
 * bytes further on. */
INLINE void tile(const limn_linear_job *job, size_t row, size_t panel, const char *ahead,
                 size_t ahead_step, const size_t n_rows, const size_t n_panels,
                 const limn_dtype dtype, const bool is_blocked)
{
    const limn_packed *w = job->w;
    const size_t n_inputs = w->n_inputs, x_stride = job->x_stride, n_halves = 2 * n_panels;
    const size_t first = panel * n_inputs * LIMN_PANEL;
    const float *x = job->x + row * x_stride;
    __m256 acc[MAX_ROWS][2 * MAX_PANELS], sums[MAX_ROWS][2 * MAX_PANELS];
    size_t k = 0, end = n_inputs;
    UNROLL
    for (size_t i = 0; i < n_rows * n_halves; i++)
        acc[i / n_halves][i % n_halves] = load_bias(w, panel * LIMN_PANEL + i % n_halves * HALF);
    if (is_blocked) start_sums(sums, n_rows, n_halves);
    do {
        if (is_blocked) end = min_size(n_inputs, k + job->block);
        for (; k < end; k++) {
            if (n_rows > 1) { /* a single row is limited by its loads */
                _mm_prefetch(ahead, _MM_HINT_T0);
                ahead += ahead_step;
            }
            step(w, first, x, x_stride, k, acc, n_rows, n_halves, dtype);
        }
        if (is_blocked) end_block(sums, acc, n_rows, n_halves);
    } while (is_blocked && k < n_inputs);
    store_tile(job, row, panel, is_blocked ? sums : acc, n_rows, n_halves);
}

typedef void tile_fn(const limn_linear_job *job, size_t row, size_t panel, const char *ahead,
                     size_t ahead_step);

/* clang-format off */
#define TILE(name, rows, panels, dtype, is_blocked)                                         \
    static void name##_##rows##x##panels##_##dtype(const limn_linear_job *job, size_t row,  \
                                                   size_t panel, const char *ahead,         \
                                                   size_t ahead_step)                       \
    {                                                                                       \
        tile(job, row, panel, ahead, ahead_step, rows, panels, LIMN_##dtype, is_blocked);   \
    }
#define TILES(name, dtype, is_blocked)                                                      \
    TILE(name, 1, 1, dtype, is_blocked) TILE(name, 2, 1, dtype, is_blocked)                 \
    TILE(name, 3, 1, dtype, is_blocked) TILE(name, 4, 1, dtype, is_blocked)                 \
    TILE(name, 5, 1, dtype, is_blocked) TILE(name, 6, 1, dtype, is_blocked)                 \
    TILE(name, 1, 4, dtype, is_blocked) TILE(name, 2, 2, dtype, is_blocked)                 \
    TILE(name, 3, 2, dtype, is_blocked)
TILES(plain, F32, false)
TILES(plain, F16, false)
TILES(blocked, F32, true)
TILES(blocked, F16, true)
/* clang-format on */

typedef struct tile_shape {
    tile_fn *one_panel, *several_panels; /* for this number of rows */
    size_t n_several;
} tile_shape;

#define SHAPES(name, dtype)                                  \
    {                                                        \
        [1] = { name##_1x1_##dtype, name##_1x4_##dtype, 4 }, \
        [2] = { name##_2x1_##dtype, name##_2x2_##dtype, 2 }, \
        [3] = { name##_3x1_##dtype, name##_3x2_##dtype, 2 }, \
        [4] = { name##_4x1_##dtype, name##_4x1_##dtype, 1 }, \
        [5] = { name##_5x1_##dtype, name##_5x1_##dtype, 1 }, \
        [6] = { name##_6x1_##dtype, name##_6x1_##dtype, 1 }, \
    }
static const tile_shape shapes[2][2][MAX_ROWS + 1] = {
    [LIMN_F32] = { SHAPES(plain, F32), SHAPES(blocked, F32) },
    [LIMN_F16] = { SHAPES(plain, F16), SHAPES(blocked, F16) },
};

/* Multiplies all rows with panels `panel` … panel + n_panels - 1. Meanwhile each of the n_tiles row
 * tiles prefetches its share of the next n_panels panels, which follow in memory (prefetching may
 * run past the last panel, but nothing there is read). */
static void run_panels(const limn_linear_job *job, size_t panel, size_t n_panels, size_t n_tiles)
{
    const limn_packed *w = job->w;
    const size_t item_size = w->dtype == LIMN_F16 ? 2 : 4;
    const size_t panel_size = w->n_inputs * LIMN_PANEL * item_size;
    const char *ahead = (const char *)w->panels + (panel + n_panels) * panel_size;
    const size_t ahead_step = n_panels * LIMN_PANEL * item_size / n_tiles;
    size_t row = 0;
    for (size_t t = n_tiles; t > 0; t--) {
        const size_t n_rows = (job->n_rows - row + t - 1) / t;
        const tile_shape *shape = &shapes[w->dtype][limn_is_blocked(job)][n_rows];
        if (n_panels == shape->n_several)
            shape->several_panels(job, row, panel, ahead, ahead_step);
        else
            for (size_t i = 0; i < n_panels; i++)
                shape->one_panel(job, row, panel + i, ahead, ahead_step);
        row += n_rows;
        ahead += w->n_inputs * ahead_step;
    }
}

/* Panels in the outer loop, rows in the inner: a panel's weights are read from memory once and then
 * stay in cache. Rows are split evenly, so that no tile has too few to keep the FMA units busy. */
void limn_linear_avx2(const limn_linear_job *job)
{
    const size_t n_tiles = (job->n_rows + MAX_ROWS - 1) / MAX_ROWS;
    if (n_tiles == 0) return;
    const size_t n_most = (job->n_rows + n_tiles - 1) / n_tiles;
    const size_t n = shapes[job->w->dtype][0][n_most].n_several;
    for (size_t p = job->panel_begin; p < job->panel_end; p += n)
        run_panels(job, p, min_size(n, job->panel_end - p), n_tiles);
}
