#include "encoder/efficientnet_lite/mbconv.h"

#include <string.h>

#include "common/kernels/codes.h"

enum {
    GROUP = LIMN_FILTER_GROUP, /* expanded channels that are computed together */
    CACHE_LINE = 16,           /* floats */
    MAX_KERNEL = 5,
    /* Floats that a strip may take of the L2 cache (1 MB or more on typical AVX2 machines), weights
     * and maps aside. */
    STRIP_BUDGET = 160 * 1024,
};

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* ---- geometry ---- */

static size_t ring_size(const limn_mbconv *b) /* floats of one group */
{
    return b->ring_rows * b->padded_size * GROUP;
}

static bool is_single_strip(const limn_mbconv *b)
{
    return b->strip_rows == b->output_size;
}

static void set_strip(limn_mbconv *b, size_t strip_rows)
{
    b->strip_rows = strip_rows;
    b->ring_rows = min_size((strip_rows - 1) * b->shape.stride + b->shape.kernel, b->input_size);
}

static bool fits(const limn_mbconv *b)
{
    const size_t filtered = b->strip_rows * b->output_size * b->filtered_stride;
    return filtered + ring_size(b) * (is_single_strip(b) ? 1 : b->n_groups) <= STRIP_BUDGET;
}

void limn_mbconv_plan(limn_mbconv *b, const limn_mbconv_shape *shape, size_t input_size)
{
    const size_t output_size = (input_size + shape->stride - 1) / shape->stride;
    const size_t covered = (output_size - 1) * shape->stride + shape->kernel;
    const size_t n_lines = (shape->n_expanded + CACHE_LINE - 1) / CACHE_LINE;
    b->shape = *shape;
    b->n_groups = (shape->n_expanded + GROUP - 1) / GROUP;
    b->input_size = input_size;
    b->output_size = output_size;
    b->padded_size = max_size(covered, input_size);
    b->n_before = (b->padded_size - input_size) / 2;
    /* An odd number of lines, so that neighbours don't share the same few sets of the cache. */
    b->filtered_stride = (n_lines | 1) * CACHE_LINE;
    set_strip(b, output_size);
    while (!fits(b) && b->strip_rows > 1) set_strip(b, b->strip_rows - 1);
}

void limn_mbconv_scratch_take(limn_mbconv_scratch *s, limn_arena *arena, const limn_mbconv *blocks,
                              size_t n_blocks)
{
    size_t n_ring = 0, n_filtered = 0, n_positions = 0, n_codes = 0;
    for (size_t i = 0; i < n_blocks; i++) {
        const limn_mbconv *b = &blocks[i];
        n_ring = max_size(n_ring, ring_size(b) * b->n_groups);
        n_filtered = max_size(n_filtered, b->strip_rows * b->output_size * b->filtered_stride);
        n_positions = max_size(n_positions, b->ring_rows * b->input_size);
        n_codes =
            max_size(n_codes, b->ring_rows * b->input_size * LIMN_CODES_PADDED(b->shape.n_inputs));
    }
    const limn_mbconv *last = &blocks[n_blocks - 1];
    n_positions = max_size(n_positions, last->output_size * last->output_size);
    n_codes = max_size(n_codes, last->output_size * last->output_size *
                                    LIMN_CODES_PADDED(last->shape.n_outputs));
    s->ring = limn_arena_take(arena, n_ring, sizeof *s->ring);
    s->filtered = limn_arena_take(arena, n_filtered, sizeof *s->filtered);
    s->positions = limn_arena_take(arena, n_positions, sizeof *s->positions);
    s->codes = limn_arena_take(arena, n_codes, LIMN_CODES_MAX_SIZE);
    s->steps = limn_arena_take(arena, n_positions, sizeof *s->steps);
}

/* ---- running ---- */

/* A strip in progress, seen by all threads that work on it. */
typedef struct strip {
    const limn_mbconv *b;
    const limn_kernels *k;
    const limn_mbconv_scratch *scratch;
    const float *x; /* the new input rows: [n_new_rows, n, C] at x_stride */
    size_t x_stride, n_new_rows;
    size_t first_row, end_row; /* output rows */
    const float *residual;     /* of the whole map, as y */
    float *y;
    size_t n_parts; /* of the projection */
    bool is_shared; /* by several threads */
    bool has_codes; /* of the input and of the filtered strip */
} strip;

static float *group_ring(const strip *s, size_t group)
{
    const bool is_reused = is_single_strip(s->b) && !s->is_shared;
    return s->scratch->ring + (is_reused ? 0 : group) * ring_size(s->b);
}

static float *ring_row(const limn_mbconv *b, float *ring, size_t input_row)
{
    return ring + input_row % b->ring_rows * b->padded_size * GROUP;
}

/* The zeros left and right of every row. */
static void clear_edges(const limn_mbconv *b, float *ring)
{
    const size_t n_before = b->n_before, end = n_before + b->input_size;
    for (size_t i = 0; i < b->ring_rows; i++) {
        float *row = ring_row(b, ring, i);
        memset(row, 0, n_before * GROUP * sizeof *row);
        memset(row + end * GROUP, 0, (b->padded_size - end) * GROUP * sizeof *row);
    }
}

/* Part of the new input rows as codes. */
static void encode_part(void *ctx, size_t part, size_t worker)
{
    const strip *s = ctx;
    const size_t n = s->b->shape.n_inputs, n_positions = s->n_new_rows * s->b->input_size;
    const size_t first = n_positions * part / s->n_parts;
    const size_t end = n_positions * (part + 1) / s->n_parts;
    (void)worker;
    s->k->encode_rows(s->scratch->codes + first * LIMN_CODES_PADDED(n) * s->k->code_size,
                      &s->scratch->steps[first], s->x + first * s->x_stride, end - first,
                      s->x_stride, n);
}

static void expand_group(const strip *s, size_t group, float *ring)
{
    const limn_packed w = limn_packed_view(&s->b->expand, group * GROUP, GROUP);
    limn_codes_job job = {
        .product = {
            .y = ring,
            .x = s->x,
            .y_rows = s->scratch->positions,
            .n_rows = s->n_new_rows * s->b->input_size,
            .x_stride = s->x_stride,
            .w = &w,
            .panel_end = limn_n_panels(w.n_outputs),
            .activation = LIMN_ACT_RELU6,
        },
        .x = s->scratch->codes,
        .steps = s->scratch->steps,
        .zero = LIMN_CODES_ZERO_OF_ROW,
    };
    if (!s->has_codes) {
        limn_linear(s->k, &job.product);
        return;
    }
    job.product.x_stride = LIMN_CODES_PADDED(w.n_inputs);
    s->k->linear_codes(&job);
}

/* The rows under the kernel for output row `row`; NULL above and below the map. */
static void find_rows(const float **rows, const limn_mbconv *b, float *ring, size_t row)
{
    for (size_t ky = 0; ky < b->shape.kernel; ky++) {
        const size_t padded_row = row * b->shape.stride + ky;
        const bool is_inside =
            padded_row >= b->n_before && padded_row - b->n_before < b->input_size;
        rows[ky] = is_inside ? ring_row(b, ring, padded_row - b->n_before) : NULL;
    }
}

static void filter_group(const strip *s, size_t group, float *ring)
{
    const limn_mbconv *b = s->b;
    const float *rows[MAX_KERNEL];
    for (size_t row = s->first_row; row < s->end_row; row++) {
        const size_t at =
            (row - s->first_row) * b->output_size * b->filtered_stride + group * GROUP;
        find_rows(rows, b, ring, row);
        const limn_depthwise_job job = {
            .y = s->scratch->filtered + at,
            .codes = s->has_codes ? (uint8_t *)s->scratch->filtered + at * s->k->code_size : NULL,
            .rows = rows,
            .w = limn_filter_taps(&b->filter, group),
            .bias = b->filter.bias + group * GROUP,
            .n_columns = b->output_size,
            .n_channels = min_size(b->shape.n_expanded - group * GROUP, GROUP),
            .size = b->shape.kernel,
            .stride = b->shape.stride,
            .x_stride = GROUP,
            .y_stride = b->filtered_stride,
            .w_stride = GROUP,
            .activation = LIMN_ACT_RELU6,
        };
        s->k->depthwise(&job);
    }
}

static void run_group(void *ctx, size_t group, size_t worker)
{
    const strip *s = ctx;
    float *ring = group_ring(s, group);
    (void)worker;
    if (s->first_row == 0) clear_edges(s->b, ring);
    expand_group(s, group, ring);
    filter_group(s, group, ring);
}

static void project_part(void *ctx, size_t part, size_t worker)
{
    const strip *s = ctx;
    const limn_mbconv *b = s->b;
    const size_t n_positions = (s->end_row - s->first_row) * b->output_size;
    const size_t first = n_positions * part / s->n_parts;
    const size_t end = n_positions * (part + 1) / s->n_parts;
    const size_t at = (s->first_row * b->output_size + first) * b->shape.n_outputs;
    const limn_codes_job job = {
        .product = {
            .y = s->y + at,
            .x = s->scratch->filtered + first * b->filtered_stride,
            .residual = s->residual ? s->residual + at : NULL,
            .n_rows = end - first,
            .x_stride = b->filtered_stride,
            .y_stride = b->shape.n_outputs,
            .w = &b->project,
            .panel_end = limn_n_panels(b->project.n_outputs),
        },
        .x = (const uint8_t *)s->scratch->filtered + first * b->filtered_stride * s->k->code_size,
        .step = LIMN_CODES_STEP_OF_RELU6,
        .zero = LIMN_CODES_ZERO_OF_RELU6,
    };
    (void)worker;
    if (s->has_codes)
        s->k->linear_codes(&job);
    else
        limn_linear(s->k, &job.product);
}

/* Where the expanded positions of input rows first … end-1 go in a group's ring. */
static void place_rows(const limn_mbconv *b, size_t *positions, size_t first, size_t end)
{
    for (size_t row = first; row < end; row++, positions += b->input_size) {
        const size_t at = row % b->ring_rows * b->padded_size + b->n_before;
        for (size_t i = 0; i < b->input_size; i++) positions[i] = (at + i) * GROUP;
    }
}

/* One past the last input row that output rows before `end_row` need. */
static size_t end_of_input(const limn_mbconv *b, size_t end_row)
{
    const size_t end = (end_row - 1) * b->shape.stride + b->shape.kernel - b->n_before;
    return min_size(end, b->input_size);
}

void limn_mbconv_run(const limn_mbconv *b, const limn_kernels *k, limn_pool *pool,
                     const limn_mbconv_scratch *scratch, const limn_mbconv_input *input,
                     const float *residual, float *y)
{
    strip s = {
        .b = b,
        .k = k,
        .scratch = scratch,
        .x_stride = input->stride,
        .residual = residual,
        .y = y,
        .n_parts = limn_pool_n_threads(pool),
        .is_shared = limn_pool_n_threads(pool) > 1,
        .has_codes = limn_has_codes(&b->expand) && limn_has_codes(&b->project),
    };
    size_t n_done = 0; /* input rows */
    for (size_t row = 0; row < b->output_size; row = s.end_row) {
        s.first_row = row;
        s.end_row = min_size(row + b->strip_rows, b->output_size);
        const size_t n_needed = end_of_input(b, s.end_row);
        s.n_new_rows = n_needed - n_done;
        s.x = input->rows(input->ctx, n_done, n_needed);
        place_rows(b, scratch->positions, n_done, n_needed);
        if (s.has_codes) limn_pool_run(pool, s.n_parts, encode_part, &s);
        limn_pool_run(pool, b->n_groups, run_group, &s);
        limn_pool_run(pool, s.n_parts, project_part, &s);
        n_done = n_needed;
    }
}
