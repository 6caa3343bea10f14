/* y = activation(x Wᵀ + b) + residual of int8 weights, for levels without dot products of bytes.
 * Inputs and weights are widened to words of 16 bits, and two products are added to 32 bits at a
 * time (pmaddwd), which is exact. Weights are stored as q + 128 and stay so, 1 … 255, so that a
 * block's sum starts from its offset: it stays below 32 * 127 * 255 + 128 * 32 * 127 < 2^21.
 *
 * A block of a panel is widened once for all rows, which take it in tiles of R rows × a panel. Only
 * a block's integers are in registers; the floats across blocks are in memory, since there are not
 * registers enough for both. */
#include "common/kernels/c/level_name.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/codes_vector.h"
#include "common/kernels/x86/quantize_avx2.h"

enum { PANEL_VECTORS = LIMN_PANEL / LANES, MAX_ROWS = 6, ROWS_AT_A_TIME = 96 };
enum { N_TWOS = LIMN_INT8_BLOCK / 2, BLOCK_BYTES = LIMN_INT8_BLOCK * LIMN_PANEL };

/* A block of a row. The inputs of each four are in the order 0 2 1 3, since the even and the odd
 * bytes of weights are widened apart. */
typedef struct word_block {
    int16_t q[LIMN_INT8_BLOCK];
    float scale;
    int32_t offset;
} word_block;

typedef struct words_job {
    const limn_linear_job *job;
    size_t n_blocks, first, n_rows;           /* the rows of the job that are quantised */
    word_block x[LIMN_INT8_BLOCKS_AT_A_TIME]; /* [n_blocks, n_rows] */
    _Alignas(64) float sums[ROWS_AT_A_TIME * LIMN_PANEL];           /* [n_rows, 16] of a panel */
    _Alignas(64) int16_t weights[N_TWOS][PANEL_VECTORS * LANES][2]; /* of a block */
} words_job;

static void widen_inputs(word_block *to, const limn_int8_block *from)
{
    const __m128i order = _mm_setr_epi8(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15);
    for (size_t i = 0; i < LIMN_INT8_BLOCK; i += 16) {
        const __m128i q = _mm_loadu_si128((const __m128i *)(from->q + i));
        _mm256_storeu_si256((__m256i *)(to->q + i),
                            _mm256_cvtepi8_epi16(_mm_shuffle_epi8(q, order)));
    }
    to->scale = from->scale;
    to->offset = from->offset;
}

static void quantize_rows(words_job *t)
{
    limn_int8_block blocks[LIMN_INT8_MAX_BLOCKS];
    for (size_t r = 0; r < t->n_rows; r++) {
        quantize_row(blocks, t->job->x + (t->first + r) * t->job->x_stride, t->job->w->n_inputs);
        for (size_t b = 0; b < t->n_blocks; b++) widen_inputs(&t->x[b * t->n_rows + r], &blocks[b]);
    }
}

INLINE void widen_weights(words_job *t, const uint8_t *from)
{
    UNROLL
    for (size_t i = 0; i < N_TWOS; i += 2) {
        UNROLL
        for (size_t v = 0; v < PANEL_VECTORS; v++, from += sizeof(ints)) {
            const ints w = load_ints(from);
            store_ints(t->weights[i][v * LANES], even_unsigned_bytes(w));
            store_ints(t->weights[i + 1][v * LANES], odd_unsigned_bytes(w));
        }
    }
}

/* Makes the compiler add one product after the other. gcc adds them up first in another order, for
 * which there are not registers enough. */
INLINE void keep(ints *sum)
{
    __asm__("" : "+v"(*sum));
}

/* Adds a block's products to the sums of n_rows rows. */
INLINE void tile(words_job *t, size_t row, size_t block, const size_t n_rows)
{
    const word_block *x = &t->x[block * t->n_rows + row];
    ints acc[MAX_ROWS][PANEL_VECTORS];
    UNROLL
    for (size_t i = 0; i < n_rows * PANEL_VECTORS; i++)
        acc[i / PANEL_VECTORS][i % PANEL_VECTORS] = every_word(x[i / PANEL_VECTORS].offset);
    UNROLL
    for (size_t i = 0; i < N_TWOS; i++) {
        ints w[PANEL_VECTORS];
        UNROLL
        for (size_t v = 0; v < PANEL_VECTORS; v++) w[v] = load_ints(t->weights[i][v * LANES]);
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const ints q = every_word(word_at(x[r].q + 2 * i));
            UNROLL
            for (size_t v = 0; v < PANEL_VECTORS; v++) {
                acc[r][v] = add_words(acc[r][v], w[v], q);
                keep(&acc[r][v]);
            }
        }
    }
    UNROLL
    for (size_t i = 0; i < n_rows * PANEL_VECTORS; i++) {
        const size_t r = i / PANEL_VECTORS, v = i % PANEL_VECTORS;
        float *sum = t->sums + (row + r) * LIMN_PANEL + v * LANES;
        store_floats(sum,
                     multiply_add(to_floats(acc[r][v]), every_float(x[r].scale), load_floats(sum)));
    }
}

/* All rows, in tiles of nearly the same size. */
static void run_block(words_job *t, size_t block)
{
    size_t row = 0;
    for (size_t left = (t->n_rows + MAX_ROWS - 1) / MAX_ROWS, n; left > 0; left--, row += n) {
        n = (t->n_rows - row + left - 1) / left;
        switch (n) {
        case 1: tile(t, row, block, 1); break;
        case 2: tile(t, row, block, 2); break;
        case 3: tile(t, row, block, 3); break;
        case 4: tile(t, row, block, 4); break;
        case 5: tile(t, row, block, 5); break;
        case 6: tile(t, row, block, 6); break;
        default: break;
        }
    }
}

static void finish_panel(const words_job *t, size_t panel)
{
    for (size_t v = 0; v < PANEL_VECTORS; v++) {
        const output_place at = output_of(t->job, panel * LIMN_PANEL + v * LANES);
        for (size_t r = 0; r < t->n_rows; r++)
            write(
                t->job, t->first + r, at.output,
                multiply_add(load_floats(t->sums + r * LIMN_PANEL + v * LANES), at.scale, at.bias));
    }
}

static void run_panel(words_job *t, size_t panel)
{
    const uint8_t *w =
        (const uint8_t *)t->job->w->panels + panel * t->n_blocks * (size_t)BLOCK_BYTES;
    memset(t->sums, 0, t->n_rows * LIMN_PANEL * sizeof *t->sums);
    for (size_t b = 0; b < t->n_blocks; b++, w += BLOCK_BYTES) {
        widen_weights(t, w);
        run_block(t, b);
    }
    finish_panel(t, panel);
}

void LIMN_LEVEL(limn_linear_int8)(const limn_linear_job *job)
{
    words_job t;
    t.job = job;
    t.n_blocks = (job->w->n_inputs + LIMN_INT8_BLOCK - 1) / LIMN_INT8_BLOCK;
    for (t.first = 0; t.first < job->n_rows; t.first += t.n_rows) {
        t.n_rows = rows_at_a_time(job->n_rows - t.first, t.n_blocks);
        if (t.n_rows > ROWS_AT_A_TIME) t.n_rows = ROWS_AT_A_TIME;
        quantize_rows(&t);
        for (size_t p = job->panel_begin; p < job->panel_end; p++) run_panel(&t, p);
    }
}
