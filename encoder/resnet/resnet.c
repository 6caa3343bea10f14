#include "encoder/resnet/resnet.h"

#include <stdio.h>
#include <string.h>

#include "common/kernels/convolution.h"
#include "encoder/resnet/resnet_shape.h"

enum { POOL_SIZE = 3, POOL_STRIDE = 2, POOL_BEFORE = 1, COLOURS = 3 };

typedef struct layer {
    limn_convolution shape;
    limn_packed weights;
} layer;

typedef struct block {
    size_t n_convolutions;
    layer convolutions[LIMN_RESNET_MAX_CONVOLUTIONS];
    bool has_shortcut;
    layer shortcut;
} block;

typedef struct network {
    limn_input_spec input;
    layer stem;
    size_t pooled_width, pooled_height;
    size_t n_blocks;
    block blocks[LIMN_RESNET_MAX_BLOCKS]; /* [n_blocks] */
} network;

typedef struct scratch {
    float *pixels;   /* [height, width, 3], normalised */
    float *patches;  /* of the convolution that has most */
    float *maps[2];  /* the stem's, or a block's input and output */
    float *inner[2]; /* inside of a block */
} scratch;

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* ---- the network ---- */

/* A map's sides and channels. */
typedef struct map_size {
    size_t width, height, n_channels;
} map_size;

static size_t pooled(size_t size)
{
    return (size + 2 * POOL_BEFORE - POOL_SIZE) / POOL_STRIDE + 1;
}

static map_size plan_layer(layer *l, const limn_resnet_convolution *c, map_size in)
{
    l->shape = (limn_convolution){ .width = in.width,
                                   .height = in.height,
                                   .n_inputs = c->n_inputs,
                                   .n_outputs = c->n_outputs,
                                   .kernel = c->kernel,
                                   .stride = c->stride,
                                   .n_before = c->kernel / 2 };
    limn_convolution_plan(&l->shape);
    return (map_size){ l->shape.output_width, l->shape.output_height, c->n_outputs };
}

static map_size plan_block(block *b, const limn_resnet_block *shape, map_size in)
{
    map_size map = in;
    b->n_convolutions = shape->n_convolutions;
    b->has_shortcut = shape->has_shortcut;
    if (b->has_shortcut) plan_layer(&b->shortcut, &shape->shortcut, in);
    for (size_t i = 0; i < b->n_convolutions; i++)
        map = plan_layer(&b->convolutions[i], &shape->convolutions[i], map);
    return map;
}

static void plan(void *p, const limn_encoder_config *config)
{
    network *net = p;
    limn_resnet_shape shape;
    limn_resnet_shape_find(&shape, config->family);
    net->input = config->input;
    net->n_blocks = shape.n_blocks;
    map_size map = { net->input.width, net->input.height, COLOURS };
    map = plan_layer(&net->stem, &shape.stem, map);
    map.width = net->pooled_width = pooled(map.width);
    map.height = net->pooled_height = pooled(map.height);
    for (size_t i = 0; i < net->n_blocks; i++)
        map = plan_block(&net->blocks[i], &shape.blocks[i], map);
}

static size_t n_stages(const limn_encoder_config *config)
{
    limn_resnet_shape shape;
    limn_resnet_shape_find(&shape, config->family);
    return shape.n_blocks + 1;
}

static size_t halved(size_t size)
{
    return (size + 1) / 2; /* holds for every stride of 2 here */
}

static limn_feature_shape stage_shape(const limn_encoder_config *config, size_t stage)
{
    limn_resnet_shape shape;
    limn_resnet_shape_find(&shape, config->family);
    limn_feature_shape map = { .grid_width = pooled(halved(config->input.width)),
                               .grid_height = pooled(halved(config->input.height)),
                               .dim = shape.stem.n_outputs };
    for (size_t i = 0; i < stage; i++) {
        const limn_resnet_convolution *c = &shape.blocks[i].shortcut;
        map.grid_width = c->stride == 2 ? halved(map.grid_width) : map.grid_width;
        map.grid_height = c->stride == 2 ? halved(map.grid_height) : map.grid_height;
        map.dim = c->n_outputs;
    }
    return map;
}

static limn_tensor_row row_of(const limn_resnet_convolution *c, size_t stage, size_t offset)
{
    return (limn_tensor_row){ .kind = LIMN_ROW_CONVOLUTION,
                              .has_bias = true,
                              .is_widened = true,
                              .shape = { c->n_outputs, c->n_inputs, c->kernel, c->kernel },
                              .offset = offset + offsetof(layer, weights),
                              .stage = (uint32_t)stage };
}

static void add_block(limn_tensor_table *table, const limn_resnet_block *b, size_t i)
{
    const size_t at = offsetof(network, blocks) + i * sizeof(block);
    for (size_t k = 0; k < b->n_convolutions; k++) {
        const limn_tensor_row row = row_of(&b->convolutions[k], i + 1,
                                           at + offsetof(block, convolutions) + k * sizeof(layer));
        limn_tensor_table_add(table, &row, "encoder.layers.%zu.%zu.conv%zu", b->layer, b->index,
                              k + 1);
    }
    if (!b->has_shortcut) return;
    const limn_tensor_row row = row_of(&b->shortcut, i + 1, at + offsetof(block, shortcut));
    limn_tensor_table_add(table, &row, "encoder.layers.%zu.%zu.shortcut", b->layer, b->index);
}

static void tensors(limn_tensor_table *table, const limn_encoder_config *config)
{
    limn_resnet_shape shape;
    limn_resnet_shape_find(&shape, config->family);
    const limn_tensor_row stem = row_of(&shape.stem, 0, offsetof(network, stem));
    limn_tensor_table_add(table, &stem, "encoder.stem");
    for (size_t i = 0; i < shape.n_blocks; i++) add_block(table, &shape.blocks[i], i);
}

/* ---- memory ---- */

static size_t output_floats(const layer *l)
{
    return l->shape.output_width * l->shape.output_height * l->shape.n_outputs;
}

static const layer *last_of(const block *b)
{
    return &b->convolutions[b->n_convolutions - 1];
}

static void take_parts(const network *net, scratch *s, limn_arena *arena)
{
    size_t n_patches = limn_convolution_patch_floats(&net->stem.shape), n_inner[2] = { 0 };
    size_t n_map = output_floats(&net->stem);
    for (size_t i = 0; i < net->n_blocks; i++) {
        const block *b = &net->blocks[i];
        n_map = max_size(n_map, output_floats(last_of(b)));
        n_patches = max_size(n_patches, limn_convolution_patch_floats(&b->shortcut.shape));
        for (size_t k = 0; k < b->n_convolutions; k++) {
            const layer *l = &b->convolutions[k];
            n_patches = max_size(n_patches, limn_convolution_patch_floats(&l->shape));
            if (l != last_of(b)) n_inner[k] = max_size(n_inner[k], output_floats(l));
        }
    }
    s->pixels = limn_arena_take(arena, limn_input_bytes(&net->input), sizeof *s->pixels);
    s->patches = limn_arena_take(arena, n_patches, sizeof *s->patches);
    for (size_t i = 0; i < 2; i++) {
        s->maps[i] = limn_arena_take(arena, n_map, sizeof **s->maps);
        s->inner[i] = limn_arena_take(arena, n_inner[i], sizeof **s->inner);
    }
}

static void *take_scratch(const void *p, limn_arena *arena)
{
    scratch counted, *s = limn_arena_take(arena, 1, sizeof *s);
    take_parts(p, s ? s : &counted, arena);
    return s;
}

/* ---- running ---- */

static void run_layer(const layer *l, const scratch *s, const limn_encoder_job *job, float *y,
                      const float *x, const float *residual, limn_activation activation)
{
    limn_convolution_run(job->kernels, job->pool,
                         &(limn_convolution_job){ .shape = &l->shape,
                                                  .y = y,
                                                  .x = x,
                                                  .residual = residual,
                                                  .w = &l->weights,
                                                  .activation = activation,
                                                  .patches = s->patches });
}

/* y [pooled_height, pooled_width, C] of the stem's map x. */
static void pool(const network *net, const limn_kernels *k, float *y, const float *x)
{
    const limn_convolution *c = &net->stem.shape;
    const size_t row_size = c->output_width * c->n_outputs;
    const float *rows[POOL_SIZE];
    for (size_t i = 0; i < net->pooled_height; i++, y += net->pooled_width * c->n_outputs) {
        for (size_t ky = 0; ky < POOL_SIZE; ky++) {
            const size_t row = i * POOL_STRIDE + ky - POOL_BEFORE; /* below 0 wraps */
            rows[ky] = row < c->output_height ? x + row * row_size : NULL;
        }
        k->max_pool(&(limn_max_pool_job){ .y = y,
                                          .rows = rows,
                                          .n_columns = net->pooled_width,
                                          .n_channels = c->n_outputs,
                                          .size = POOL_SIZE,
                                          .stride = POOL_STRIDE,
                                          .width = c->output_width,
                                          .n_before = POOL_BEFORE });
    }
}

static void run_block(const block *b, const scratch *s, const limn_encoder_job *job, float *y,
                      const float *x)
{
    const float *inside = x, *residual = b->has_shortcut ? y : x;
    if (b->has_shortcut) run_layer(&b->shortcut, s, job, y, x, NULL, LIMN_ACT_NONE);
    for (size_t i = 0; i + 1 < b->n_convolutions; i++) {
        run_layer(&b->convolutions[i], s, job, s->inner[i], inside, NULL, LIMN_ACT_RELU);
        inside = s->inner[i];
    }
    run_layer(last_of(b), s, job, y, inside, residual, LIMN_ACT_RELU_OF_SUM);
}

static void tap(const limn_encoder_job *job, const char *stage, const float *x, size_t height,
                size_t width, size_t n_channels)
{
    if (job->tap) job->tap(job->tap_ctx, stage, x, height, width, n_channels);
}

static void tap_block(const limn_encoder_job *job, size_t index, const float *x, const block *b)
{
    const limn_convolution *c = &last_of(b)->shape;
    char stage[32];
    snprintf(stage, sizeof stage, "block%zu", index);
    tap(job, stage, x, c->output_height, c->output_width, c->n_outputs);
}

static void run_network(const void *p, void *scratch_memory, const limn_encoder_job *job)
{
    const network *net = p;
    const scratch *s = scratch_memory;
    const limn_convolution *last = &last_of(&net->blocks[net->n_blocks - 1])->shape;
    const size_t n_channels = net->stem.shape.n_outputs;
    const float *x = s->maps[1];
    size_t n = net->pooled_width * net->pooled_height * n_channels;
    limn_input_normalise(s->pixels, job->pixels, &net->input);
    run_layer(&net->stem, s, job, s->maps[0], s->pixels, NULL, LIMN_ACT_RELU);
    pool(net, job->kernels, s->maps[1], s->maps[0]);
    tap(job, "stem", x, net->pooled_height, net->pooled_width, n_channels);
    for (size_t i = 0; i < job->last_stage; i++) {
        float *y = s->maps[x == s->maps[0] ? 1 : 0];
        run_block(&net->blocks[i], s, job, y, x);
        x = y;
        n = output_floats(last_of(&net->blocks[i]));
        tap_block(job, i, x, &net->blocks[i]);
    }
    memcpy(job->map, x, n * sizeof *x);
    tap(job, "features", job->map, last->output_height, last->output_width, last->n_outputs);
}

const limn_encoder_family limn_resnet = {
    .names = limn_resnet_names,
    .n_stages = n_stages,
    .shape = stage_shape,
    .tensors = tensors,
    .size = sizeof(network),
    .plan = plan,
    .scratch_take = take_scratch,
    .run = run_network,
};
