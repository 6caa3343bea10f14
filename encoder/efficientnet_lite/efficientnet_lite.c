#include "encoder/efficientnet_lite/efficientnet_lite.h"

#include <stdio.h>
#include <string.h>

#include "common/kernels/codes.h"

#include "encoder/efficientnet_lite/lite_network.h"

typedef struct scratch {
    limn_stem_scratch stem;
    limn_mbconv_scratch blocks;
    float *maps[2]; /* a block reads one and writes the other, or adds to the one it reads */
} scratch;

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* ---- the network ---- */

static void plan(void *p, const limn_encoder_config *config)
{
    limn_lite_network *net = p;
    const limn_input_spec *input = &config->input;
    limn_efficientnet_lite_shape_find(&net->shape, config->family);
    limn_stem_plan(&net->stem, input->width, input->mean, input->scale);
    size_t size = net->stem.output_size;
    for (size_t i = 0; i < net->shape.n_blocks; i++) {
        limn_mbconv_plan(&net->blocks[i], &net->shape.blocks[i], size);
        size = net->blocks[i].output_size;
    }
}

static const limn_mbconv *last_block(const limn_lite_network *net)
{
    return &net->blocks[net->shape.n_blocks - 1];
}

static size_t n_stages(const limn_encoder_config *config)
{
    limn_efficientnet_lite_shape shape;
    limn_efficientnet_lite_shape_find(&shape, config->family);
    return shape.n_blocks + 2;
}

static limn_feature_shape stage_shape(const limn_encoder_config *config, size_t stage)
{
    limn_efficientnet_lite_shape shape;
    limn_efficientnet_lite_shape_find(&shape, config->family);
    const limn_lite_map map = limn_efficientnet_lite_map(&shape, config->input.width, stage);
    return (limn_feature_shape){ 0, map.side, map.side, map.n_channels };
}

static void tensors(limn_tensor_table *table, const limn_encoder_config *config)
{
    limn_efficientnet_lite_shape shape;
    limn_efficientnet_lite_shape_find(&shape, config->family);
    limn_lite_tensors(table, &shape);
}

/* ---- running ---- */

static size_t map_size(const limn_mbconv *b) /* floats of its output */
{
    return b->output_size * b->output_size * b->shape.n_outputs;
}

static size_t stem_map_size(const limn_lite_network *net)
{
    return net->stem.output_size * net->stem.output_size * net->shape.n_stem;
}

static void take_parts(const limn_lite_network *net, scratch *s, limn_arena *arena)
{
    size_t n_map = 0;
    for (size_t i = 0; i < net->shape.n_blocks; i++)
        n_map = max_size(n_map, map_size(&net->blocks[i]));
    limn_stem_scratch_take(&s->stem, arena, &net->stem, net->blocks[0].ring_rows);
    limn_mbconv_scratch_take(&s->blocks, arena, net->blocks, net->shape.n_blocks);
    /* The stem's own map is written only on request. */
    s->maps[0] = limn_arena_take(arena, max_size(n_map, stem_map_size(net)), sizeof **s->maps);
    s->maps[1] = limn_arena_take(arena, n_map, sizeof **s->maps);
}

static void *take_scratch(const void *p, limn_arena *arena)
{
    scratch counted, *s = limn_arena_take(arena, 1, sizeof *s);
    take_parts(p, s ? s : &counted, arena);
    return s;
}

/* A map as the input of a block. */
typedef struct map_rows {
    const float *x;  /* [n, n, C] */
    size_t row_size; /* floats */
} map_rows;

static const float *rows_of_map(void *ctx, size_t first, size_t end)
{
    const map_rows *m = ctx;
    (void)end;
    return m->x + first * m->row_size;
}

static void tap(const limn_encoder_job *job, const char *stage, const float *x, size_t size,
                size_t n_channels)
{
    if (job->tap) job->tap(job->tap_ctx, stage, x, size, size, n_channels);
}

/* Computes the stem's whole map, for taps or last_stage 0; the first block does not need it. */
static const float *run_stem(const limn_lite_network *net, scratch *s, const limn_encoder_job *job)
{
    const size_t n = net->stem.output_size;
    for (size_t row = 0; row < n; row++) {
        const limn_linear_job stem = {
            .y = s->maps[0] + row * n * net->shape.n_stem,
            .x = limn_stem_rows(&s->stem, row, row + 1),
            .n_rows = n,
            .x_stride = LIMN_STEM_PATCH,
            .y_stride = net->shape.n_stem,
            .w = &net->blocks[0].expand,
            .panel_end = limn_n_panels(net->shape.n_stem),
            .activation = LIMN_ACT_RELU6,
        };
        limn_linear(job->kernels, &stem);
    }
    tap(job, "stem", s->maps[0], n, net->shape.n_stem);
    return s->maps[0];
}

static void tap_block(const limn_lite_network *net, size_t index, const float *y,
                      const limn_encoder_job *job)
{
    char stage[32];
    snprintf(stage, sizeof stage, "block%zu", index);
    tap(job, stage, y, net->blocks[index].output_size, net->blocks[index].shape.n_outputs);
}

/* Runs block `index` and returns its output. */
static const float *run_block(const limn_lite_network *net, scratch *s, size_t index,
                              const float *x, const limn_encoder_job *job)
{
    const limn_mbconv *b = &net->blocks[index];
    const bool is_residual = b->shape.stride == 1 && b->shape.n_inputs == b->shape.n_outputs;
    float *y = s->maps[is_residual == (x == s->maps[0]) ? 0 : 1];
    map_rows map = { x, b->input_size * b->shape.n_inputs };
    limn_mbconv_input input = { rows_of_map, &map, b->shape.n_inputs };
    if (index == 0) input = (limn_mbconv_input){ limn_stem_rows, &s->stem, LIMN_STEM_PATCH };
    limn_mbconv_run(b, job->kernels, job->pool, &s->blocks, &input, is_residual ? x : NULL, y);
    return y;
}

/* The head's outputs, split among threads by panels. */
typedef struct head_job {
    limn_codes_job job;
    const limn_kernels *kernels;
    size_t n_panels, n_parts;
} head_job;

static void run_head_part(void *ctx, size_t part, size_t worker)
{
    const head_job *h = ctx;
    limn_codes_job job = h->job;
    (void)worker;
    job.product.panel_begin = h->n_panels * part / h->n_parts;
    job.product.panel_end = h->n_panels * (part + 1) / h->n_parts;
    if (limn_has_codes(job.product.w))
        h->kernels->linear_codes(&job);
    else
        limn_linear(h->kernels, &job.product);
}

/* The head's input as codes, and how it is read then. */
static void encode_head_input(limn_linear_job *job, const scratch *s, const float *x,
                              const limn_kernels *k)
{
    const size_t n = job->w->n_inputs;
    job->x_stride = LIMN_CODES_PADDED(n);
    k->encode_rows(s->blocks.codes, s->blocks.steps, x, job->n_rows, n, n);
}

static void run_head(const limn_lite_network *net, const scratch *s, const float *x,
                     const limn_encoder_job *job)
{
    head_job head = {
        .job.product = {
            .y = job->map,
            .x = x,
            .n_rows = last_block(net)->output_size * last_block(net)->output_size,
            .x_stride = net->head.n_inputs,
            .y_stride = net->head.n_outputs,
            .w = &net->head,
            .activation = LIMN_ACT_RELU6,
        },
        .job.x = s->blocks.codes,
        .job.steps = s->blocks.steps,
        .job.zero = LIMN_CODES_ZERO_OF_ROW,
        .kernels = job->kernels,
        .n_panels = limn_n_panels(net->head.n_outputs),
        .n_parts = limn_pool_n_threads(job->pool),
    };
    if (limn_has_codes(&net->head)) encode_head_input(&head.job.product, s, x, job->kernels);
    limn_pool_run(job->pool, head.n_parts, run_head_part, &head);
}

static void run_network(const void *p, void *scratch_memory, const limn_encoder_job *job)
{
    const limn_lite_network *net = p;
    const limn_lite_map map =
        limn_efficientnet_lite_map(&net->shape, net->stem.input_size, job->last_stage);
    scratch *s = scratch_memory;
    const float *x = NULL;
    s->stem.pixels = job->pixels;
    if (job->tap || job->last_stage == 0) x = run_stem(net, s, job);
    for (size_t i = 0; i < net->shape.n_blocks && i < job->last_stage; i++) {
        x = run_block(net, s, i, x, job);
        tap_block(net, i, x, job);
    }
    if (job->last_stage > net->shape.n_blocks)
        run_head(net, s, x, job);
    else
        memcpy(job->map, x, map.side * map.side * map.n_channels * sizeof *x);
    tap(job, "features", job->map, last_block(net)->output_size, net->shape.n_head);
}

const limn_encoder_family limn_efficientnet_lite = {
    .names = limn_efficientnet_lite_names,
    .needs_square = true,
    .n_stages = n_stages,
    .shape = stage_shape,
    .tensors = tensors,
    .size = sizeof(limn_lite_network),
    .plan = plan,
    .scratch_take = take_scratch,
    .run = run_network,
};
