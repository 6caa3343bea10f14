/* y = activation(x Wᵀ + b) + residual of int8 weights in vectors of 16 bytes: 4 outputs and 4
 * inputs. maddubs adds two products of a byte without and one with a sign to 16 bits: |w|, and q
 * with w's sign, so that no pair exceeds 2 * 127 * 127 = 32,258. A tile is up to 4 rows × 2
 * vectors. Sums across blocks are kept as doubles (fma_sse41.h); a tile with a tie is computed
 * again exactly. */
#include <smmintrin.h>
#include <stdbool.h>
#include <string.h>

#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/fma_sse41.h"
#include "common/kernels/x86/int8_rows.h"
#include "common/kernels/x86/quantize_sse41.h"
#include "common/kernels/x86/store_sse41.h"

enum { MAX_ROWS = 4, VECTORS = 2, OUTPUTS = 4 * VECTORS };

typedef struct tile_job {
    const limn_linear_job *job;
    const limn_int8_block *x; /* [n rows at a time, n_blocks] */
    size_t n_blocks, first;   /* the row of the job that x begins with */
    bool is_exact;            /* scales aren't ordinary */
} tile_job;

/* Sums across blocks: a pair of vectors for each vector of integers. */
typedef struct block_sums {
    __m128d of[MAX_ROWS][VECTORS][2];
} block_sums;

INLINE __m128i broadcast(const int8_t *q)
{
    return _mm_set1_epi32(four_of(q));
}

/* The sums of a block. */
INLINE void sum_block(__m128i acc[MAX_ROWS][VECTORS], const limn_int8_block *x, size_t n_blocks,
                      const uint8_t *w, const size_t n_rows)
{
    UNROLL
    for (size_t i = 0; i < n_rows * VECTORS; i++)
        acc[i / VECTORS][i % VECTORS] = _mm_setzero_si128();
    for (size_t i = 0; i < N_QUADS; i++) {
        __m128i sign[VECTORS], magnitude[VECTORS];
        UNROLL
        for (size_t v = 0; v < VECTORS; v++) {
            sign[v] = _mm_xor_si128(_mm_load_si128((const __m128i *)(w + i * QUAD_BYTES) + v),
                                    _mm_set1_epi8((char)0x80));
            magnitude[v] = _mm_abs_epi8(sign[v]);
        }
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m128i q = broadcast(x[r * n_blocks].q + 4 * i);
            UNROLL
            for (size_t v = 0; v < VECTORS; v++) {
                const __m128i twos = _mm_maddubs_epi16(magnitude[v], _mm_sign_epi8(q, sign[v]));
                acc[r][v] = _mm_add_epi32(acc[r][v], _mm_madd_epi16(twos, _mm_set1_epi16(1)));
            }
        }
    }
}

INLINE __m128d add_block(__m128i ints, __m128d scale, __m128d sum, __m128i *ties,
                         const bool is_exact)
{
    const __m128d two = _mm_cvtepi32_pd(ints);
    return is_exact ? fma_pair(two, scale, sum) : fma_pair_unless_tie(two, scale, sum, ties);
}

/* The sums of rows from `row` on and OUTPUTS outputs from `output` on; fails if there is a tie. */
INLINE bool sum_tile(block_sums *sums, const tile_job *t, size_t row, size_t output,
                     const size_t n_rows, const bool is_exact)
{
    const size_t n_blocks = t->n_blocks, panel_bytes = n_blocks * N_QUADS * QUAD_BYTES;
    const uint8_t *w = (const uint8_t *)t->job->w->panels + output / LIMN_PANEL * panel_bytes +
                       output % LIMN_PANEL * 4;
    const limn_int8_block *x = t->x + row * n_blocks;
    __m128i acc[MAX_ROWS][VECTORS], ties = _mm_setzero_si128();
    memset(sums, 0, sizeof *sums);
    for (size_t b = 0; b < n_blocks; b++, x++, w += N_QUADS * QUAD_BYTES) {
        sum_block(acc, x, n_blocks, w, n_rows);
        UNROLL
        for (size_t i = 0; i < n_rows * VECTORS; i++) {
            const size_t r = i / VECTORS, v = i % VECTORS;
            const __m128i high = _mm_shuffle_epi32(acc[r][v], 0x4e);
            const __m128d scale = _mm_set1_pd((double)x[r * n_blocks].scale);
            __m128d *pairs = sums->of[r][v];
            pairs[0] = add_block(acc[r][v], scale, pairs[0], &ties, is_exact);
            pairs[1] = add_block(high, scale, pairs[1], &ties, is_exact);
        }
    }
    return !has_tie(ties);
}

static void exact_tile(block_sums *sums, const tile_job *t, size_t row, size_t output,
                       size_t n_rows)
{
    for (size_t r = 0; r < n_rows; r++) {
        block_sums one;
        sum_tile(&one, t, row + r, output, 1, true);
        memcpy(sums->of[r], one.of[0], sizeof one.of[0]);
    }
}

static void write_tile(const block_sums *sums, const tile_job *t, size_t row, size_t output,
                       size_t n_rows)
{
    const limn_packed *w = t->job->w;
    for (size_t i = 0; i < n_rows * VECTORS; i++) {
        const size_t o = output + i % VECTORS * 4;
        const __m128d *pairs = sums->of[i / VECTORS][i % VECTORS];
        store(t->job, t->first + row + i / VECTORS, o,
              fma_four(join_pairs(pairs[0], pairs[1]), _mm_load_ps(w->scales + o),
                       w->bias ? _mm_load_ps(w->bias + o) : _mm_setzero_ps()));
    }
}

INLINE void tile(const tile_job *t, size_t row, size_t output, const size_t n_rows)
{
    block_sums sums;
    if (t->is_exact || !sum_tile(&sums, t, row, output, n_rows, false))
        exact_tile(&sums, t, row, output, n_rows);
    write_tile(&sums, t, row, output, n_rows);
}

/* Multiplies the rows quantised so far. */
static void run_outputs(const tile_job *t, size_t n_rows, size_t output)
{
    size_t row = 0;
    for (; row + 4 <= n_rows; row += 4) tile(t, row, output, 4);
    switch (n_rows - row) {
    case 1: tile(t, row, output, 1); break;
    case 2: tile(t, row, output, 2); break;
    case 3: tile(t, row, output, 3); break;
    default: break;
    }
}

/* Sums of blocks are integers below 2^20: ordinary. */
static bool are_scales_ordinary(const limn_int8_block *x, size_t n)
{
    spread scales = no_spread();
    for (size_t i = 0; i < n; i++) add_to_spread(&scales, _mm_load_ss(&x[i].scale));
    return are_ordinary(exponents_of(&scales), (exponents){ 127 + 20, 127 });
}

void limn_linear_int8_sse41(const limn_linear_job *job)
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
        t.is_exact = !are_scales_ordinary(x, n * t.n_blocks);
        for (size_t o = job->panel_begin * LIMN_PANEL; o < job->panel_end * LIMN_PANEL;
             o += OUTPUTS)
            run_outputs(&t, n, o);
    }
}
