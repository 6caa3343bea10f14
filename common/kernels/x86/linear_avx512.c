/* y = activation(x Wᵀ + b) + residual with AVX-512; read linear_avx2.c first.
 *
 * One vector holds a whole panel, and there are 32 registers, so a tile is 14 rows × 2 panels: 28
 * sums, two vectors of weights and one broadcast input, 16 loads for 28 FMAs. 14 divides the
 * numbers of positions that a 224-pixel network has (112, 56, 28 or 14 to a row of a map).
 *
 * Few rows of weights that come from memory gain nothing from longer vectors, so they go to AVX2.
 * Where the weights fit a cache, as the keys and values of a head do, they take 4 panels at a time.
 * f16 weights are left to the base level, also AVX2: for many rows, product.c has widened them
 * before. */
#include <immintrin.h>

#include "common/kernels/kernel_levels.h"
#include "common/kernels/pack.h"
#include "common/kernels/x86/store_avx512.h"
#include "common/kernels/x86/unroll.h"

enum { MAX_ROWS = 14, MAX_PANELS = 2, FEW_ROWS = 6, PANELS_OF_FEW = 4 };
enum { CACHED_BYTES = 1 << 18 };

/* Writes a tile's sums. The activation is chosen once per tile: choosing for each vector would take
 * a thirtieth of the encoder's time. */
INLINE void store_tile(const limn_linear_job *job, size_t row, size_t panel,
                       __m512 acc[MAX_ROWS][MAX_PANELS], const size_t n_rows, const size_t n_panels)
{
    const size_t n = n_rows * n_panels;
    if (job->activation == LIMN_ACT_RELU6) {
        UNROLL
        for (size_t i = 0; i < n; i++)
            acc[i / n_panels][i % n_panels] =
                activate(LIMN_ACT_RELU6, acc[i / n_panels][i % n_panels]);
    } else if (job->activation != LIMN_ACT_NONE) {
        UNROLL
        for (size_t i = 0; i < n; i++)
            acc[i / n_panels][i % n_panels] =
                activate(job->activation, acc[i / n_panels][i % n_panels]);
    }
    UNROLL
    for (size_t i = 0; i < n; i++)
        put(job, row + i / n_panels, panel + i % n_panels, acc[i / n_panels][i % n_panels]);
}

INLINE __m512 bias_of(const limn_packed *w, size_t panel)
{
    return w->bias ? _mm512_load_ps(w->bias + panel * LIMN_PANEL) : _mm512_setzero_ps();
}

INLINE void set_bias(const limn_packed *w, size_t panel, __m512 acc[MAX_ROWS][MAX_PANELS],
                     const size_t n_rows, const size_t n_panels)
{
    UNROLL
    for (size_t p = 0; p < n_panels; p++) {
        const __m512 bias = bias_of(w, panel + p);
        UNROLL
        for (size_t r = 0; r < n_rows; r++) acc[r][p] = bias;
    }
}

/* Sums of blocks start from -0, as -0 + x is x for every x. */
INLINE void start_sums(__m512 sums[MAX_ROWS][MAX_PANELS], const size_t n_rows,
                       const size_t n_panels)
{
    UNROLL
    for (size_t i = 0; i < n_rows * n_panels; i++)
        sums[i / n_panels][i % n_panels] = _mm512_set1_ps(-0.0f);
}

INLINE void end_block(__m512 sums[MAX_ROWS][MAX_PANELS], __m512 acc[MAX_ROWS][MAX_PANELS],
                      const size_t n_rows, const size_t n_panels)
{
    UNROLL
    for (size_t i = 0; i < n_rows * n_panels; i++) {
        sums[i / n_panels][i % n_panels] =
            _mm512_add_ps(sums[i / n_panels][i % n_panels], acc[i / n_panels][i % n_panels]);
        acc[i / n_panels][i % n_panels] = _mm512_setzero_ps();
    }
}

/* The product of n_rows rows with n_panels panels. The last three arguments are constants at the
 * call sites, so every loop but the one over k is unrolled, and sums that are not in blocks pay
 * nothing for those that are. Each step also prefetches weights that later tiles need, `ahead_step`
 * bytes further on. */
INLINE void tile(const limn_linear_job *job, size_t row, size_t panel, const char *ahead,
                 size_t ahead_step, const size_t n_rows, const size_t n_panels,
                 const bool is_blocked)
{
    const limn_packed *w = job->w;
    const size_t n_inputs = w->n_inputs, x_stride = job->x_stride;
    const float *weights = (const float *)w->panels + panel * n_inputs * LIMN_PANEL;
    const float *x = job->x + row * x_stride;
    __m512 acc[MAX_ROWS][MAX_PANELS], sums[MAX_ROWS][MAX_PANELS], w_k[MAX_PANELS];
    size_t k = 0, end = n_inputs;
    set_bias(w, panel, acc, n_rows, n_panels);
    if (is_blocked) start_sums(sums, n_rows, n_panels);
    do {
        if (is_blocked) end = n_inputs - k < job->block ? n_inputs : k + job->block;
        for (; k < end; k++) {
            _mm_prefetch(ahead, _MM_HINT_T0);
            ahead += ahead_step;
            UNROLL
            for (size_t p = 0; p < n_panels; p++)
                w_k[p] = _mm512_load_ps(weights + (p * n_inputs + k) * LIMN_PANEL);
            UNROLL
            for (size_t r = 0; r < n_rows; r++) {
                const __m512 x_k = _mm512_set1_ps(x[r * x_stride + k]);
                UNROLL
                for (size_t p = 0; p < n_panels; p++)
                    acc[r][p] = _mm512_fmadd_ps(x_k, w_k[p], acc[r][p]);
            }
        }
        if (is_blocked) end_block(sums, acc, n_rows, n_panels);
    } while (is_blocked && k < n_inputs);
    store_tile(job, row, panel, is_blocked ? sums : acc, n_rows, n_panels);
}

typedef void tile_fn(const limn_linear_job *job, size_t row, size_t panel, const char *ahead,
                     size_t ahead_step);

#define TILE(name, rows, panels, is_blocked)                                                   \
    static void name##_##rows##x##panels(const limn_linear_job *job, size_t row, size_t panel, \
                                         const char *ahead, size_t ahead_step)                 \
    {                                                                                          \
        tile(job, row, panel, ahead, ahead_step, rows, panels, is_blocked);                    \
    }
#define TILES(rows, panels) TILE(plain, rows, panels, false) TILE(blocked, rows, panels, true)
/* Rows are split evenly, so that with more than 6 rows no tile gets fewer than 7. */
/* clang-format off */
#define EACH_NUMBER_OF_ROWS(X, panels)                                                       \
    X(7, panels) X(8, panels) X(9, panels) X(10, panels) X(11, panels) X(12, panels)         \
    X(13, panels) X(14, panels)
EACH_NUMBER_OF_ROWS(TILES, 1)
EACH_NUMBER_OF_ROWS(TILES, 2)
/* clang-format on */

#define PLAIN(rows, panels) [rows] = plain_##rows##x##panels,
#define BLOCKED(rows, panels) [rows] = blocked_##rows##x##panels,
static tile_fn *const tiles[2][MAX_PANELS + 1][MAX_ROWS + 1] = {
    { [1] = { EACH_NUMBER_OF_ROWS(PLAIN, 1) }, [2] = { EACH_NUMBER_OF_ROWS(PLAIN, 2) } },
    { [1] = { EACH_NUMBER_OF_ROWS(BLOCKED, 1) }, [2] = { EACH_NUMBER_OF_ROWS(BLOCKED, 2) } },
};

/* Up to 6 rows by 4 panels: 24 sums; for each input, 4 loads, and per row one broadcast and 4 FMAs.
 * What follows in memory is prefetched: the values of a head lie behind its keys. */
INLINE void short_tile(const limn_linear_job *job, size_t panel, const size_t n_rows,
                       const size_t n_panels)
{
    const size_t n_inputs = job->w->n_inputs, x_stride = job->x_stride;
    const float *weights = (const float *)job->w->panels + panel * n_inputs * LIMN_PANEL;
    __m512 acc[FEW_ROWS][PANELS_OF_FEW], w_k[PANELS_OF_FEW];
    UNROLL
    for (size_t i = 0; i < n_rows * n_panels; i++)
        acc[i / n_panels][i % n_panels] = bias_of(job->w, panel + i % n_panels);
    for (size_t k = 0; k < n_inputs; k++) {
        UNROLL
        for (size_t p = 0; p < n_panels; p++) {
            _mm_prefetch((const char *)(weights + ((p + n_panels) * n_inputs + k) * LIMN_PANEL),
                         _MM_HINT_T0);
            w_k[p] = _mm512_load_ps(weights + (p * n_inputs + k) * LIMN_PANEL);
        }
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m512 x_k = _mm512_set1_ps(job->x[r * x_stride + k]);
            UNROLL
            for (size_t p = 0; p < n_panels; p++)
                acc[r][p] = _mm512_fmadd_ps(x_k, w_k[p], acc[r][p]);
        }
    }
    UNROLL
    for (size_t i = 0; i < n_rows * n_panels; i++)
        store(job, i / n_panels, panel + i % n_panels, acc[i / n_panels][i % n_panels]);
}

INLINE void short_rows(const limn_linear_job *job, const size_t n_rows)
{
    size_t p = job->panel_begin;
    for (; p + PANELS_OF_FEW <= job->panel_end; p += PANELS_OF_FEW)
        short_tile(job, p, n_rows, PANELS_OF_FEW);
    for (; p < job->panel_end; p++) short_tile(job, p, n_rows, 1);
}

static void run_few_rows(const limn_linear_job *job)
{
    const size_t n_panels = job->panel_end - job->panel_begin;
    if (limn_is_blocked(job) ||
        n_panels * job->w->n_inputs * LIMN_PANEL * sizeof(float) > CACHED_BYTES) {
        limn_linear_avx2(job);
        return;
    }
    switch (job->n_rows) {
    case 1: short_rows(job, 1); break;
    case 2: short_rows(job, 2); break;
    case 3: short_rows(job, 3); break;
    case 4: short_rows(job, 4); break;
    case 5: short_rows(job, 5); break;
    case 6: short_rows(job, 6); break;
    default: break;
    }
}

/* Loop order, even split of rows and prefetching as in linear_avx2.c. */
void limn_linear_avx512(const limn_linear_job *job)
{
    const limn_packed *w = job->w;
    const size_t n_tiles = (job->n_rows + MAX_ROWS - 1) / MAX_ROWS;
    const size_t panel_size = w->n_inputs * LIMN_PANEL * sizeof(float);
    const bool is_blocked = limn_is_blocked(job);
    size_t n_panels;
    if (job->n_rows <= FEW_ROWS) {
        run_few_rows(job);
        return;
    }
    for (size_t p = job->panel_begin; p < job->panel_end; p += n_panels) {
        n_panels = job->panel_end - p >= MAX_PANELS ? MAX_PANELS : 1;
        const size_t ahead_step = n_panels * LIMN_PANEL * sizeof(float) / n_tiles;
        const char *ahead = (const char *)w->panels + (p + n_panels) * panel_size;
        size_t row = 0;
        for (size_t t = n_tiles; t > 0; t--) {
            const size_t n_rows = (job->n_rows - row + t - 1) / t;
            tiles[is_blocked][n_panels][n_rows](job, row, p, ahead, ahead_step);
            row += n_rows;
            ahead += w->n_inputs * ahead_step;
        }
    }
}
