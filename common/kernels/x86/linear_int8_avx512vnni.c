/* The products of linear_int8_avxvnni.c with AVX-512 VNNI: a vector holds 4 inputs of a whole
 * panel, and there are 32 registers, so that a tile is up to 6 rows × 2 panels, or 3 × 4 for the
 * decoder's few rows: 12 sums of integers and 12 of floats.
 *
 * A decoder's weights are larger than an L2 cache and each step reads all of them, so tiles
 * prefetch what the next panels need. A single tile of rows leaves that to the processor, which
 * sees nothing but a long read then. */
#include <immintrin.h>

#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/quantize_avx2.h"
#include "common/kernels/x86/store_avx512.h"

enum { MAX_ROWS = 6, MAX_PANELS = 4, CACHE_LINE = 64 };

/* Where a tile is in its job, and the weights that it prefetches: `ahead_step` bytes a block. */
typedef struct tile_place {
    size_t row, panel;
    const uint8_t *ahead;
    size_t ahead_step;
} tile_place;

INLINE __m512i broadcast(const int8_t *q)
{
    return _mm512_set1_epi32(four_of(q));
}

INLINE void add_block(__m512i acc[MAX_ROWS][MAX_PANELS], const limn_int8_block *x, size_t n_blocks,
                      const uint8_t *w, size_t panel_bytes, const size_t n_rows,
                      const size_t n_panels)
{
    UNROLL
    for (size_t i = 0; i < n_rows * n_panels; i++)
        acc[i / n_panels][i % n_panels] = _mm512_set1_epi32(x[i / n_panels * n_blocks].offset);
    UNROLL
    for (size_t i = 0; i < N_QUADS; i++) {
        __m512i w_i[MAX_PANELS];
        UNROLL
        for (size_t p = 0; p < n_panels; p++)
            w_i[p] = _mm512_load_si512(w + p * panel_bytes + i * QUAD_BYTES);
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m512i q = broadcast(x[r * n_blocks].q + 4 * i);
            UNROLL
            for (size_t p = 0; p < n_panels; p++)
                acc[r][p] = _mm512_dpbusd_epi32(acc[r][p], w_i[p], q);
        }
    }
}

INLINE void tile(const tile_job *t, const tile_place *at, const size_t n_rows,
                 const size_t n_panels)
{
    const limn_packed *w = t->job->w;
    const size_t n_blocks = t->n_blocks, panel_bytes = n_blocks * N_QUADS * QUAD_BYTES;
    const uint8_t *bytes = (const uint8_t *)w->panels + at->panel * panel_bytes;
    const limn_int8_block *x = t->x + at->row * n_blocks;
    const uint8_t *ahead = at->ahead;
    __m512 sums[MAX_ROWS][MAX_PANELS];
    __m512i acc[MAX_ROWS][MAX_PANELS];
    UNROLL
    for (size_t i = 0; i < n_rows * n_panels; i++)
        sums[i / n_panels][i % n_panels] = _mm512_setzero_ps();
    for (size_t b = 0; b < n_blocks; b++, ahead += at->ahead_step) {
        for (size_t i = 0; i < at->ahead_step; i += CACHE_LINE)
            _mm_prefetch((const char *)ahead + i, _MM_HINT_T0);
        add_block(acc, x + b, n_blocks, bytes + b * N_QUADS * QUAD_BYTES, panel_bytes, n_rows,
                  n_panels);
        UNROLL
        for (size_t i = 0; i < n_rows * n_panels; i++) {
            const size_t r = i / n_panels, p = i % n_panels;
            sums[r][p] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc[r][p]),
                                         _mm512_set1_ps(x[r * n_blocks + b].scale), sums[r][p]);
        }
    }
    UNROLL
    for (size_t i = 0; i < n_rows * n_panels; i++) {
        const size_t p = at->panel + i % n_panels, output = p * LIMN_PANEL;
        const __m512 bias = w->bias ? _mm512_load_ps(w->bias + output) : _mm512_setzero_ps();
        store(t->job, t->first + at->row + i / n_panels, p,
              _mm512_fmadd_ps(sums[i / n_panels][i % n_panels], _mm512_load_ps(w->scales + output),
                              bias));
    }
}

/* clang-format off */
#define TILE(rows, panels)                                                                         \
    static void tile_##rows##x##panels(const tile_job *t, const tile_place *at)                    \
    {                                                                                              \
        tile(t, at, rows, panels);                                                                 \
    }
TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)
TILE(1, 4) TILE(2, 4) TILE(3, 4) TILE(4, 2) TILE(5, 2) TILE(6, 2)
    /* clang-format on */

    typedef struct tile_shape {
    void (*one_panel)(const tile_job *t, const tile_place *at);
    void (*several_panels)(const tile_job *t, const tile_place *at);
    size_t n_several;
} tile_shape;

static const tile_shape shapes[MAX_ROWS + 1] = {
    [1] = { tile_1x1, tile_1x4, 4 }, [2] = { tile_2x1, tile_2x4, 4 },
    [3] = { tile_3x1, tile_3x4, 4 }, [4] = { tile_4x1, tile_4x2, 2 },
    [5] = { tile_5x1, tile_5x2, 2 }, [6] = { tile_6x1, tile_6x2, 2 },
};

/* n_panels panels from `panel` on, evenly split tiles of rows in turn. Each tile prefetches its
 * share of the next panels (prefetching may run past the last one, but nothing there is read). */
static void run_panels(const tile_job *t, size_t n_rows, size_t panel, size_t n_panels)
{
    const size_t n_tiles = (n_rows + MAX_ROWS - 1) / MAX_ROWS;
    const size_t block_bytes = N_QUADS * QUAD_BYTES, n_lines = n_panels * block_bytes / CACHE_LINE;
    tile_place at = { 0, panel, t->job->w->panels, 0 };
    at.ahead += (panel + n_panels) * t->n_blocks * block_bytes;
    if (n_tiles > 1) at.ahead_step = (n_lines + n_tiles - 1) / n_tiles * CACHE_LINE;
    for (size_t left = n_tiles; left > 0; left--) {
        const size_t size = (n_rows - at.row + left - 1) / left;
        const tile_shape *shape = &shapes[size];
        if (n_panels == shape->n_several)
            shape->several_panels(t, &at);
        else
            for (at.panel = panel; at.panel < panel + n_panels; at.panel++)
                shape->one_panel(t, &at);
        at.panel = panel;
        at.row += size;
        at.ahead += t->n_blocks * at.ahead_step;
    }
}

/* Panels in the outer loop, so that their weights stay in cache. */
static void run_rows(const tile_job *t, size_t n_rows)
{
    const size_t n_tiles = (n_rows + MAX_ROWS - 1) / MAX_ROWS, end = t->job->panel_end;
    const size_t step = shapes[(n_rows + n_tiles - 1) / n_tiles].n_several;
    for (size_t p = t->job->panel_begin, n; p < end; p += n) {
        n = end - p < step ? 1 : step;
        run_panels(t, n_rows, p, n);
    }
}

void limn_linear_int8_avx512vnni(const limn_linear_job *job)
{
    limn_int8_block x[LIMN_INT8_BLOCKS_AT_A_TIME];
    const size_t n_inputs = job->w->n_inputs;
    tile_job t = { job, x, (n_inputs + LIMN_INT8_BLOCK - 1) / LIMN_INT8_BLOCK, 0 };
    for (size_t n; t.first < job->n_rows; t.first += n) {
        n = rows_at_a_time(job->n_rows - t.first, t.n_blocks);
        for (size_t r = 0; r < n; r++)
            quantize_row(x + r * t.n_blocks, job->x + (t.first + r) * job->x_stride, n_inputs);
        run_rows(&t, n);
    }
}
