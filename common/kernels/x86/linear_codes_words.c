/* Products of codes for levels without dot products of bytes. Codes are words of 16 bits, a panel's
 * weights are widened to words once for all rows, and two products are added to 32 bits at a time
 * (pmaddwd), which is exact.
 *
 * The high and low parts of a pair become one word, 64 * high + low, at most 64 * 127 + 32 in size.
 * A sum of LIMN_CODES_MAX_PAIR_INPUTS products, at most 255 * 8160 * 1024, stays below 2^31. */
#include "common/kernels/c/level_name.h"
#include "common/kernels/codes.h"
#include "common/kernels/int8.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/codes_vector.h"
#include "common/kernels/x86/unroll.h"

/* 12 sums and what they are made of fill 16 registers. */
enum { N_VECTORS = LIMN_PANEL / LANES, MAX_ROWS = 12 / N_VECTORS };
enum { QUAD_BYTES = 4 * LIMN_PANEL };

typedef struct panel_job {
    const limn_codes_job *job;
    size_t n_twos, panel; /* inputs, two by two */
    _Alignas(64) int16_t weights[LIMN_CODES_MAX_INPUTS / 2][LIMN_PANEL][2];
    int32_t start[LIMN_PANEL]; /* what the sums start from */
} panel_job;

INLINE void widen_panel(panel_job *p, const uint8_t *w, size_t plane_bytes, const bool is_pair)
{
    for (size_t i = 0; i < p->n_twos; i += 2, w += QUAD_BYTES) {
        UNROLL
        for (size_t v = 0; v < N_VECTORS; v++) {
            const ints q = flip(load_ints(w + v * LANES * 4));
            ints even = even_bytes(q), odd = odd_bytes(q);
            if (is_pair) {
                const ints low = flip(load_ints(w + plane_bytes + v * LANES * 4));
                even = join_words(even, even_bytes(low));
                odd = join_words(odd, odd_bytes(low));
            }
            store_ints(p->weights[i][v * LANES], first_words(even, odd));
            store_ints(p->weights[i + 1][v * LANES], second_words(even, odd));
        }
    }
}

static void open_panel(panel_job *p, size_t panel)
{
    const limn_packed *w = p->job->product.w;
    const bool is_pair = w->dtype == LIMN_I8_PAIRS;
    const size_t n_blocks = (w->n_inputs + LIMN_INT8_BLOCK - 1) / LIMN_INT8_BLOCK;
    const size_t plane_bytes = n_blocks * LIMN_INT8_BLOCK * LIMN_PANEL;
    const uint8_t *bytes = (const uint8_t *)w->panels + panel * (is_pair ? 2 : 1) * plane_bytes;
    const int32_t *sums = w->sums + panel * (is_pair ? 2 : 1) * LIMN_PANEL;
    p->panel = panel;
    for (size_t o = 0; o < LIMN_PANEL; o++) {
        const int32_t sum = is_pair ? sums[o] * LIMN_CODES_PAIR + sums[LIMN_PANEL + o] : sums[o];
        p->start[o] = -p->job->zero * sum;
    }
    if (is_pair)
        widen_panel(p, bytes, plane_bytes, true);
    else
        widen_panel(p, bytes, plane_bytes, false);
}

INLINE void tile(const panel_job *p, size_t row, const size_t n_rows)
{
    const limn_linear_job *job = &p->job->product;
    const size_t output = p->panel * LIMN_PANEL;
    const uint16_t *x = (const uint16_t *)p->job->x + row * job->x_stride;
    output_place outputs[N_VECTORS];
    floats sums[MAX_ROWS * N_VECTORS];
    ints acc[MAX_ROWS][N_VECTORS];
    UNROLL
    for (size_t i = 0; i < n_rows * N_VECTORS; i++)
        acc[i / N_VECTORS][i % N_VECTORS] = load_any_ints(p->start + i % N_VECTORS * LANES);
    for (size_t i = 0; i < p->n_twos; i++, x += 2) {
        ints w[N_VECTORS];
        UNROLL
        for (size_t v = 0; v < N_VECTORS; v++) w[v] = load_ints(p->weights[i][v * LANES]);
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const ints codes = every_word(word_at(x + r * job->x_stride));
            UNROLL
            for (size_t v = 0; v < N_VECTORS; v++) acc[r][v] = add_words(acc[r][v], w[v], codes);
        }
    }
    UNROLL
    for (size_t v = 0; v < N_VECTORS; v++) outputs[v] = output_of(job, output + v * LANES);
    UNROLL
    for (size_t i = 0; i < n_rows * N_VECTORS; i++)
        sums[i] = to_floats(acc[i / N_VECTORS][i % N_VECTORS]);
    write_rows(p->job, row, sums, outputs, n_rows, N_VECTORS);
}

static void run_tile(const panel_job *p, size_t row, size_t n_rows)
{
    switch (n_rows) {
    case MAX_ROWS: tile(p, row, MAX_ROWS); break;
    case 2: tile(p, row, 2); break;
    case 1: tile(p, row, 1); break;
    default:
        tile(p, row, 3);
        for (size_t r = 3; r < n_rows; r++) tile(p, row + r, 1);
    }
}

void LIMN_LEVEL(limn_linear_codes)(const limn_codes_job *job)
{
    panel_job p;
    p.job = job;
    p.n_twos = LIMN_CODES_PADDED(job->product.w->n_inputs) / 2;
    for (size_t panel = job->product.panel_begin; panel < job->product.panel_end; panel++) {
        open_panel(&p, panel);
        for (size_t row = 0, n; row < job->product.n_rows; row += n) {
            n = job->product.n_rows - row < MAX_ROWS ? job->product.n_rows - row : MAX_ROWS;
            run_tile(&p, row, n);
        }
    }
}
