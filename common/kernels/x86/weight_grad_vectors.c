/* The gradient of a product's weights, dw += dyᵀ x, with AVX2 and FMA and with AVX-512.
 *
 * The sums of a tile of outputs by inputs stay in registers while rows pass by; in each row, two
 * vectors of x meet one output's dy at a time:
 *
 *                              x, vector 0   x, vector 1
 *     dy, output o    ─▶       acc[0]        acc[1]
 *     dy, output o+1  ─▶       acc[0]        acc[1]
 *
 * 14 outputs take 28 of AVX-512's 32 registers, 6 take 12 of AVX2's 16. Rows are taken in blocks,
 * which are copied in the order in which tiles read them and stay in the L2 cache; between blocks
 * the sums are in dw, which changes no bits. Meanwhile each tile prefetches a row of the next
 * block: without it, a third of the time would go by waiting for rows. */
#include "common/kernels/rows_grad_levels.h"
#include "common/kernels/x86/float_vector.h"
#include "common/kernels/x86/unroll.h"

enum {
    BLOCK_ROWS = 128,
    BLOCK_OUTPUTS = LIMN_WEIGHT_GRAD_OUTPUTS,
    BLOCK_INPUTS = LIMN_WEIGHT_GRAD_INPUTS,
    VECTORS = 2
};

#ifdef __AVX512F__
enum { MAX_OUTPUTS = 14 };
#else
enum { MAX_OUTPUTS = 6 };
#endif
enum { WIDTH = VECTORS * LANES }; /* inputs of a tile */

/* What a tile reads of the copies of a block, and where its sums are. */
typedef struct tile_job {
    const float *x;  /* [n_rows, WIDTH] */
    const float *dy; /* [n_rows, outputs of the tile] */
    float *dw;
    size_t n_rows, dw_stride;
    const char *next_x, *next_dy; /* a row of the next block: while a row passes by here, */
    size_t x_step, dy_step;       /* so many bytes of it are prefetched */
    mask last[VECTORS];           /* the lanes in use; only the last tile of a row lacks some */
} tile_job;

/* The last two arguments are constants at the call sites, so every loop but the one over rows is
 * unrolled. */
INLINE void tile(const tile_job *j, const size_t n_outputs, const int is_part)
{
    const float *x = j->x, *dy = j->dy;
    const char *next_x = j->next_x, *next_dy = j->next_dy;
    vector acc[MAX_OUTPUTS][VECTORS], x_r[VECTORS];
    UNROLL
    for (size_t i = 0; i < n_outputs * VECTORS; i++) {
        const float *dw = j->dw + i / VECTORS * j->dw_stride + i % VECTORS * LANES;
        acc[i / VECTORS][i % VECTORS] = is_part ? load_first(dw, j->last[i % VECTORS]) : load(dw);
    }
    for (size_t r = 0; r < j->n_rows; r++, x += WIDTH, dy += n_outputs) {
        _mm_prefetch(next_x, _MM_HINT_T1);
        _mm_prefetch(next_dy, _MM_HINT_T1);
        next_x += j->x_step;
        next_dy += j->dy_step;
        UNROLL
        for (size_t v = 0; v < VECTORS; v++) x_r[v] = load(x + v * LANES);
        UNROLL
        for (size_t o = 0; o < n_outputs; o++) {
            const vector dy_o = each(dy[o]);
            UNROLL
            for (size_t v = 0; v < VECTORS; v++) acc[o][v] = multiply_add(dy_o, x_r[v], acc[o][v]);
        }
    }
    UNROLL
    for (size_t i = 0; i < n_outputs * VECTORS; i++) {
        float *dw = j->dw + i / VECTORS * j->dw_stride + i % VECTORS * LANES;
        if (is_part)
            store_first(dw, j->last[i % VECTORS], acc[i / VECTORS][i % VECTORS]);
        else
            store(dw, acc[i / VECTORS][i % VECTORS]);
    }
}

typedef void tile_fn(const tile_job *j);

/* clang-format off */
#define TILE(outputs)                                                        \
    static void tile_##outputs(const tile_job *j) { tile(j, outputs, 0); }   \
    static void part_##outputs(const tile_job *j) { tile(j, outputs, 1); }
#define ENTRY(outputs) [outputs] = { tile_##outputs, part_##outputs },
#define UP_TO_6(X) X(1) X(2) X(3) X(4) X(5) X(6)
#ifdef __AVX512F__
#define EACH_NUMBER_OF_OUTPUTS(X) UP_TO_6(X) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#else
#define EACH_NUMBER_OF_OUTPUTS(X) UP_TO_6(X)
#endif
/* clang-format on */
EACH_NUMBER_OF_OUTPUTS(TILE)
static tile_fn *const tiles[MAX_OUTPUTS + 1][2] = { EACH_NUMBER_OF_OUTPUTS(ENTRY) };

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many of the n_left outputs the next tile takes: they are split evenly, so that no tile has
 * too few to keep the FMA units busy. */
static size_t outputs_of_tile(size_t n_left)
{
    const size_t n_tiles = (n_left + MAX_OUTPUTS - 1) / MAX_OUTPUTS;
    return (n_left + n_tiles - 1) / n_tiles;
}

/* to: for each tile, [n_rows, WIDTH], zero past the last input */
static void copy_x(float *to, const limn_weight_grad_job *block)
{
    for (size_t r = 0; r < block->n_rows; r++)
        for (size_t i = 0; i < block->n_inputs; i += LANES) {
            const size_t n = block->n_inputs - i;
            const float *x = block->x + r * block->x_stride + i;
            float *tile_row = to + i / WIDTH * WIDTH * block->n_rows + r * WIDTH;
            store(tile_row + i % WIDTH, n < LANES ? load_first(x, first_lanes(n)) : load(x));
            if (i % WIDTH == 0 && n <= LANES) store(tile_row + LANES, each(0));
        }
}

/* to: for each tile, [n_rows, outputs of the tile] */
static void copy_dy(float *to, const limn_weight_grad_job *block)
{
    for (size_t r = 0; r < block->n_rows; r++)
        for (size_t o = 0, n; o < block->n_outputs; o += n) {
            n = outputs_of_tile(block->n_outputs - o);
            const mask m = first_lanes(n);
            store_first(to + o * block->n_rows + r * n, m,
                        load_first(block->dy + r * block->dy_stride + o, m));
        }
}

/* Prefetching may run past the last row, but nothing there is read. */
static void prefetch_row(tile_job *j, const limn_weight_grad_job *block, size_t row)
{
    row = block->n_rows + min_size(row, block->n_rows - 1);
    j->next_x = (const char *)block->x + row * block->x_stride * sizeof(float);
    j->next_dy = (const char *)block->dy + row * block->dy_stride * sizeof(float);
}

static void run_block(const limn_weight_grad_job *block)
{
    _Alignas(64) float x[BLOCK_ROWS * BLOCK_INPUTS], dy[BLOCK_ROWS * BLOCK_OUTPUTS];
    tile_job j = { .n_rows = block->n_rows,
                   .dw_stride = block->dw_stride,
                   .x_step = block->n_inputs * sizeof(float) / block->n_rows,
                   .dy_step = block->n_outputs * sizeof(float) / block->n_rows };
    size_t n_done = 0;
    copy_x(x, block);
    copy_dy(dy, block);
    for (size_t i = 0; i < block->n_inputs; i += WIDTH) {
        const size_t n_inputs = min_size(WIDTH, block->n_inputs - i);
        for (size_t v = 0; v < VECTORS; v++)
            j.last[v] = first_lanes(n_inputs > v * LANES ? n_inputs - v * LANES : 0);
        j.x = x + i * block->n_rows;
        for (size_t o = 0, n; o < block->n_outputs; o += n) {
            n = outputs_of_tile(block->n_outputs - o);
            j.dy = dy + o * block->n_rows;
            j.dw = block->dw + o * block->dw_stride + i;
            prefetch_row(&j, block, n_done++);
            tiles[n][n_inputs < WIDTH](&j);
        }
    }
}

void LIMN_LEVEL(limn_weight_grad)(const limn_weight_grad_job *j)
{
    for (size_t o = 0; o < j->n_outputs; o += BLOCK_OUTPUTS)
        for (size_t i = 0; i < j->n_inputs; i += BLOCK_INPUTS)
            for (size_t r = 0; r < j->n_rows; r += BLOCK_ROWS) {
                limn_weight_grad_job block = *j;
                block.dw += o * j->dw_stride + i;
                block.dy += r * j->dy_stride + o;
                block.x += r * j->x_stride + i;
                block.n_outputs = min_size(BLOCK_OUTPUTS, j->n_outputs - o);
                block.n_inputs = min_size(BLOCK_INPUTS, j->n_inputs - i);
                block.n_rows = min_size(BLOCK_ROWS, j->n_rows - r);
                run_block(&block);
            }
}
