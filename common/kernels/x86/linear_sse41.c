/* y = activation(x Wᵀ + b) + residual with SSE4.1, without fused multiply-add instructions
 * (fma_sse41.h): two sums a vector, as doubles.
 *
 * A part of a panel, STEPS inputs of 16 outputs, is widened to doubles for up to ROWS rows at a
 * time, and so are those inputs of the rows; sums go on from one part to the next. A tile is 2 rows
 * × 8 outputs, 8 vectors of sums: each needs some 8 cycles for a step, in which the others take
 * their turns. A tile with a tie is computed again exactly. */
#include <smmintrin.h>
#include <stdbool.h>

#include "common/kernels/kernel_levels.h"
#include "common/kernels/pack.h"
#include "common/kernels/x86/fma_sse41.h"
#include "common/kernels/x86/store_sse41.h"
#include "common/kernels/x86/unroll.h"

enum {
    ROWS = 32,
    STEPS = 32,
    TILE_STEPS = 4,
    TILE_ROWS = 2,
    TILE_PAIRS = 4,
    PANEL_PAIRS = LIMN_PANEL / 2
};

/* Some rows by a panel. */
typedef struct part_job {
    const limn_linear_job *job;
    size_t row, n_rows, panel;
    bool is_exact; /* operands aren't ordinary, now or earlier in the sums */
    size_t n_steps;
    __m128d w[STEPS][PANEL_PAIRS], sums[ROWS][PANEL_PAIRS];
    double x[ROWS][STEPS];
    __m128 totals[ROWS][LIMN_PANEL / 4]; /* of the blocks before */
} part_job;

/* As limn_f16_to_f32. */
INLINE __m128 widen(__m128i halves)
{
    const __m128i h = _mm_cvtepu16_epi32(halves),
                  magnitude = _mm_and_si128(h, _mm_set1_epi32(0x7fff));
    const __m128 value =
        _mm_mul_ps(_mm_castsi128_ps(_mm_slli_epi32(magnitude, 13)), _mm_set1_ps(0x1p112f));
    const __m128i is_special = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7bff));
    const __m128i sign = _mm_slli_epi32(_mm_xor_si128(h, magnitude), 16);
    const __m128i special = _mm_and_si128(is_special, _mm_set1_epi32(0x7f800000));
    return _mm_or_ps(value, _mm_castsi128_ps(_mm_or_si128(sign, special)));
}

INLINE __m128 load_weights(const limn_packed *w, size_t i)
{
    if (w->dtype == LIMN_F16)
        return widen(_mm_loadl_epi64((const __m128i *)((const uint16_t *)w->panels + i)));
    return _mm_load_ps((const float *)w->panels + i);
}

static spread take_weights(part_job *p, size_t first)
{
    const limn_packed *w = p->job->w;
    spread all = no_spread();
    for (size_t k = 0; k < p->n_steps; k++)
        for (size_t i = 0; i < LIMN_PANEL; i += 4) {
            const __m128 v = load_weights(w, (p->panel * w->n_inputs + first + k) * LIMN_PANEL + i);
            p->w[k][i / 2] = low_pair(v);
            p->w[k][i / 2 + 1] = high_pair(v);
            add_to_spread(&all, v);
        }
    return all;
}

static spread take_inputs(part_job *p, size_t first)
{
    spread all = no_spread();
    for (size_t r = 0; r < p->n_rows; r++) {
        const float *x = p->job->x + (p->row + r) * p->job->x_stride + first;
        size_t k = 0;
        for (; k + 4 <= p->n_steps; k += 4) {
            const __m128 v = _mm_loadu_ps(x + k);
            _mm_storeu_pd(&p->x[r][k], low_pair(v));
            _mm_storeu_pd(&p->x[r][k + 2], high_pair(v));
            add_to_spread(&all, v);
        }
        for (; k < p->n_steps; k++) {
            p->x[r][k] = (double)x[k];
            add_to_spread(&all, _mm_load_ss(x + k));
        }
    }
    return all;
}

/* Adds the products of steps first … end - 1 to the sums of n_rows rows from `row` on and
 * TILE_PAIRS pairs from `pair` on. Fails, and leaves the sums, if there is a tie. */
INLINE bool tile(part_job *p, size_t row, size_t pair, size_t first, size_t end,
                 const size_t n_rows, const bool is_exact)
{
    __m128d sums[TILE_ROWS][TILE_PAIRS];
    __m128i ties = _mm_setzero_si128();
    UNROLL
    for (size_t i = 0; i < n_rows * TILE_PAIRS; i++)
        sums[i / TILE_PAIRS][i % TILE_PAIRS] = p->sums[row + i / TILE_PAIRS][pair + i % TILE_PAIRS];
    for (size_t k = first; k < end; k++) {
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m128d x = _mm_loaddup_pd(&p->x[row + r][k]);
            UNROLL
            for (size_t i = 0; i < TILE_PAIRS; i++) {
                const __m128d w = p->w[k][pair + i];
                sums[r][i] = is_exact ? fma_pair(x, w, sums[r][i])
                                      : fma_pair_unless_tie(x, w, sums[r][i], &ties);
            }
        }
    }
    if (has_tie(ties)) return false;
    UNROLL
    for (size_t i = 0; i < n_rows * TILE_PAIRS; i++)
        p->sums[row + i / TILE_PAIRS][pair + i % TILE_PAIRS] = sums[i / TILE_PAIRS][i % TILE_PAIRS];
    return true;
}

static void exact_tile(part_job *p, size_t row, size_t pair, size_t first, size_t end)
{
    tile(p, row, pair, first, end, 1, true);
}

INLINE void run_tile(part_job *p, size_t row, size_t pair, const size_t n_rows)
{
    for (size_t first = 0, end; first < p->n_steps; first = end) {
        end = p->n_steps - first < TILE_STEPS ? p->n_steps : first + TILE_STEPS;
        if (!p->is_exact && tile(p, row, pair, first, end, n_rows, false)) continue;
        for (size_t r = 0; r < n_rows; r++) exact_tile(p, row + r, pair, first, end);
    }
}

static void run_steps(part_job *p)
{
    for (size_t pair = 0; pair < PANEL_PAIRS; pair += TILE_PAIRS) {
        size_t row = 0;
        for (; row + 2 <= p->n_rows; row += 2) run_tile(p, row, pair, 2);
        if (row < p->n_rows) run_tile(p, row, pair, 1);
    }
}

/* Starts the sums from the bias. */
static void open_part(part_job *p)
{
    const limn_packed *w = p->job->w;
    spread all = no_spread();
    for (size_t i = 0; i < PANEL_PAIRS; i += 2) {
        const __m128 bias =
            w->bias ? _mm_load_ps(w->bias + p->panel * LIMN_PANEL + 2 * i) : _mm_setzero_ps();
        add_to_spread(&all, bias);
        for (size_t r = 0; r < p->n_rows; r++) {
            p->sums[r][i] = low_pair(bias);
            p->sums[r][i + 1] = high_pair(bias);
        }
    }
    p->is_exact = !is_ordinary_start(exponents_of(&all));
}

/* Adds the sums of a block of inputs to the totals, and starts the next from 0. */
static void close_block(part_job *p, bool is_first)
{
    for (size_t r = 0; r < p->n_rows; r++)
        for (size_t i = 0; i < PANEL_PAIRS; i += 2) {
            const __m128 sums = join_pairs(p->sums[r][i], p->sums[r][i + 1]);
            __m128 *total = &p->totals[r][i / 2];
            *total = is_first ? sums : _mm_add_ps(*total, sums);
            p->sums[r][i] = p->sums[r][i + 1] = _mm_setzero_pd();
        }
}

static void write_part(const part_job *p)
{
    for (size_t r = 0; r < p->n_rows; r++)
        for (size_t i = 0; i < LIMN_PANEL; i += 4)
            store(p->job, p->row + r, p->panel * LIMN_PANEL + i, p->totals[r][i / 4]);
}

static void run_inputs(part_job *p, size_t begin, size_t end)
{
    for (size_t first = begin; first < end; first += STEPS) {
        p->n_steps = end - first < STEPS ? end - first : STEPS;
        const spread w = take_weights(p, first), x = take_inputs(p, first);
        if (!are_ordinary(exponents_of(&x), exponents_of(&w))) p->is_exact = true;
        run_steps(p);
    }
}

static void run_part(part_job *p)
{
    const size_t n_inputs = p->job->w->n_inputs, block = p->job->block;
    size_t begin = 0;
    open_part(p);
    do {
        const size_t end = block > 0 && n_inputs - begin > block ? begin + block : n_inputs;
        run_inputs(p, begin, end);
        close_block(p, begin == 0);
        begin = end;
    } while (begin < n_inputs);
    write_part(p);
}

void limn_linear_sse41(const limn_linear_job *job)
{
    part_job p;
    if (limn_linear_short_sse41(job)) return;
    p.job = job;
    for (p.panel = job->panel_begin; p.panel < job->panel_end; p.panel++)
        for (p.row = 0; p.row < job->n_rows; p.row += p.n_rows) {
            p.n_rows = job->n_rows - p.row < ROWS ? job->n_rows - p.row : ROWS;
            run_part(&p);
        }
}
