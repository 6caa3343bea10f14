/* The network is a list of layers, each of which keeps its output: stem, then per block expand,
 * depthwise, project, then the head. Activations are channels last, [n_pictures, side, side, n]. */
#include "encoder/encoder_grad.h"

#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/kernels/layers_grad.h"

enum { MAX_LAYERS = 3 * LIMN_EFFICIENTNET_LITE_MAX_BLOCKS + 2, CHANNELS_PER_ITEM = 32 };
enum { STEM_INPUTS = 27 }; /* 3 channels of a 3x3 window */

enum layer_kind { STEM, POINTWISE, DEPTHWISE };

struct layer {
    enum layer_kind kind;
    const char *name; /* in the model file, after "encoder." or "encoder.blocks.N." */
    size_t stage;
    size_t in_side, out_side, n_in, n_out;
    size_t kernel, stride, pad; /* pad: zeros before the first row and column (TensorFlow SAME) */
    bool has_relu6;
    bool starts_residual, ends_residual; /* first and last layer of a block that adds its input */
    limn_linear_params params;  /* a depthwise weight is [n_out, kernel, kernel] */
    float *y;                   /* [n_pictures, out_side, out_side, n_out] */
};

struct limn_encoder_trainer {
    limn_layer_ctx ctx;
    limn_arena arena;
    limn_encoder_config config;
    struct layer layers[MAX_LAYERS];
    size_t n_layers, first_layer; /* layers from first_layer on are trained */
    size_t max_pictures, n_pictures;
    float *windows;           /* [n_pictures, side, side, 27]: the stem's input */
    float *d_in, *d_out, *d_skip;
    float *w_last, *dw_last;  /* a depthwise weight and its gradient as [kernel, kernel, n_out] */
};

/* ---- building ------------------------------------------------------------------------------ */

static struct layer *add_layer(limn_encoder_trainer *t, enum layer_kind kind, const char *name,
                               size_t stage, size_t n_in, size_t n_out, size_t kernel,
                               size_t stride)
{
    const struct layer *last = t->n_layers ? &t->layers[t->n_layers - 1] : NULL;
    struct layer *l = &t->layers[t->n_layers++];
    *l = (struct layer){ .kind = kind, .name = name, .stage = stage, .n_in = n_in,
                         .n_out = n_out, .kernel = kernel, .stride = stride, .has_relu6 = true };
    l->in_side = last ? last->out_side : t->config.input_size;
    l->out_side = (l->in_side + stride - 1) / stride;
    const size_t covered = (l->out_side - 1) * stride + kernel;
    l->pad = covered > l->in_side ? (covered - l->in_side) / 2 : 0;
    return l;
}

static void add_block(limn_encoder_trainer *t, size_t stage, const limn_mbconv_shape *b)
{
    const bool has_residual = b->stride == 1 && b->n_inputs == b->n_outputs;
    const size_t first = t->n_layers;
    if (b->n_expanded != b->n_inputs)
        add_layer(t, POINTWISE, "expand", stage, b->n_inputs, b->n_expanded, 1, 1);
    add_layer(t, DEPTHWISE, "depthwise", stage, b->n_expanded, b->n_expanded, b->kernel,
              b->stride);
    struct layer *project =
        add_layer(t, POINTWISE, "project", stage, b->n_expanded, b->n_outputs, 1, 1);
    project->has_relu6 = false;
    project->ends_residual = has_residual;
    t->layers[first].starts_residual = has_residual;
}

static void add_layers(limn_encoder_trainer *t, const limn_efficientnet_lite_shape *s)
{
    add_layer(t, STEM, "stem", 0, 3, s->n_stem, 3, 2);
    for (size_t i = 0; i < s->n_blocks; i++) add_block(t, i + 1, &s->blocks[i]);
    add_layer(t, POINTWISE, "head", s->n_blocks + 1, s->blocks[s->n_blocks - 1].n_outputs,
              s->n_head, 1, 1);
}

static size_t n_values(const struct layer *l)
{
    return l->out_side * l->out_side * l->n_out;
}

/* Takes all activations from `a`, which may be counting. */
static void plan(limn_encoder_trainer *t, limn_arena *a)
{
    const size_t n = t->max_pictures;
    size_t largest = 0, largest_skip = 0, largest_weight = 0;
    for (size_t i = 0; i < t->n_layers; i++) {
        struct layer *l = &t->layers[i];
        const size_t weight = l->kernel * l->kernel * l->n_out;
        l->y = limn_arena_take(a, n * n_values(l), sizeof *l->y);
        largest = n_values(l) > largest ? n_values(l) : largest;
        if (l->ends_residual && n_values(l) > largest_skip)
            largest_skip = n_values(l);
        if (l->kind == DEPTHWISE && weight > largest_weight)
            largest_weight = weight;
    }
    t->windows = limn_arena_take(a, n * t->layers[0].out_side * t->layers[0].out_side,
                                 STEM_INPUTS * sizeof *t->windows);
    t->d_in = limn_arena_take(a, n * largest, sizeof *t->d_in);
    t->d_out = limn_arena_take(a, n * largest, sizeof *t->d_out);
    t->d_skip = limn_arena_take(a, n * largest_skip, sizeof *t->d_skip);
    t->w_last = limn_arena_take(a, largest_weight, sizeof *t->w_last);
    t->dw_last = limn_arena_take(a, largest_weight, sizeof *t->dw_last);
}

static limn_status resolve_weight(limn_weight *out, const limn_params *params, const char *name,
                                  limn_error *err)
{
    const limn_param *p = limn_params_find(params, name);
    if (!p)
        return limn_fail(err, LIMN_E_ARG, "parameter '%s' is missing", name);
    *out = (limn_weight){ params->values + p->offset, params->gradients + p->offset };
    return LIMN_OK;
}

static limn_status resolve(limn_encoder_trainer *t, const limn_params *params, limn_error *err)
{
    for (size_t i = 0; i < t->n_layers; i++) {
        struct layer *l = &t->layers[i];
        char prefix[64], name[LIMN_PARAM_NAME_SIZE];
        if (i == 0 || i == t->n_layers - 1)
            snprintf(prefix, sizeof prefix, "encoder.%s", l->name);
        else
            snprintf(prefix, sizeof prefix, "encoder.blocks.%zu.%s", l->stage - 1, l->name);
        l->params.n_out = l->n_out;
        l->params.n_in = l->kind == STEM ? STEM_INPUTS : l->n_in;
        snprintf(name, sizeof name, "%s.weight", prefix);
        LIMN_TRY(resolve_weight(&l->params.weight, params, name, err));
        snprintf(name, sizeof name, "%s.bias", prefix);
        LIMN_TRY(resolve_weight(&l->params.bias, params, name, err));
    }
    return LIMN_OK;
}

static void init(limn_encoder_trainer *t, const limn_efficientnet_lite_shape *shape,
                 const limn_encoder_config *config, size_t max_pictures)
{
    t->config = *config;
    t->max_pictures = max_pictures;
    add_layers(t, shape);
}

size_t limn_encoder_trainer_bytes(const limn_efficientnet_lite_shape *shape,
                                  const limn_encoder_config *config, size_t max_pictures)
{
    limn_encoder_trainer t = { 0 };
    limn_arena a;
    init(&t, shape, config, max_pictures);
    limn_arena_init_counting(&a);
    plan(&t, &a);
    return a.high;
}

limn_status limn_encoder_trainer_create(limn_encoder_trainer **out,
                                        const limn_efficientnet_lite_shape *shape,
                                        const limn_encoder_config *config, size_t first_stage,
                                        limn_params *params, size_t max_pictures, limn_pool *pool,
                                        limn_cpu_level level, limn_error *err)
{
    limn_encoder_trainer *t = limn_calloc(1, sizeof *t);
    limn_status status = LIMN_E_NOMEM;
    *out = NULL;
    if (!t)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a trainer");
    init(t, shape, config, max_pictures);
    t->ctx = (limn_layer_ctx){ pool, limn_rows_grad_choose(level) };
    while (t->first_layer < t->n_layers && t->layers[t->first_layer].stage < first_stage)
        t->first_layer++;
    if (!limn_arena_init(&t->arena, limn_encoder_trainer_bytes(shape, config, max_pictures)))
        limn_fail(err, LIMN_E_NOMEM, "no memory to train the encoder on %zu pictures at once",
                  max_pictures);
    else if ((status = resolve(t, params, err)) == LIMN_OK)
        plan(t, &t->arena);
    if (status != LIMN_OK)
        limn_encoder_trainer_destroy(&t);
    *out = t;
    return status;
}

void limn_encoder_trainer_destroy(limn_encoder_trainer **t)
{
    if (!t || !*t)
        return;
    limn_arena_finish(&(*t)->arena);
    limn_free(*t);
    *t = NULL;
}

/* ---- stem ---------------------------------------------------------------------------------- */

struct window_job {
    limn_encoder_trainer *t;
    const uint8_t *pixels;
};

/* One 3x3 window of a picture as 27 numbers, channel by channel; outside is 0. */
static void fill_window(float *window, const limn_encoder_trainer *t, const uint8_t *picture,
                        size_t oy, size_t ox)
{
    const struct layer *stem = &t->layers[0];
    const size_t side = stem->in_side;
    for (size_t c = 0; c < 3; c++)
        for (size_t ky = 0; ky < 3; ky++)
            for (size_t kx = 0; kx < 3; kx++) {
                const size_t y = oy * stem->stride + ky - stem->pad;
                const size_t x = ox * stem->stride + kx - stem->pad;
                const bool is_inside = y < side && x < side; /* a negative index wraps */
                *window++ = is_inside ? ((float)picture[(y * side + x) * 3 + c] - t->config.mean) *
                                            t->config.scale
                                      : 0.0f;
            }
}

static void fill_windows(void *ctx, size_t picture, size_t worker)
{
    const struct window_job *j = ctx;
    const struct layer *stem = &j->t->layers[0];
    const uint8_t *pixels = j->pixels + picture * stem->in_side * stem->in_side * 3;
    float *window = j->t->windows + picture * stem->out_side * stem->out_side * STEM_INPUTS;
    (void)worker;
    for (size_t y = 0; y < stem->out_side; y++)
        for (size_t x = 0; x < stem->out_side; x++, window += STEM_INPUTS)
            fill_window(window, j->t, pixels, y, x);
}

/* ---- depthwise ----------------------------------------------------------------------------- */

/* w_last [kernel², n_out] of the weight [n_out, kernel²]. */
static void weights_to_last(limn_encoder_trainer *t, const struct layer *l)
{
    const size_t area = l->kernel * l->kernel;
    for (size_t c = 0; c < l->n_out; c++)
        for (size_t k = 0; k < area; k++)
            t->w_last[k * l->n_out + c] = l->params.weight.value[c * area + k];
}

static void add_gradients_from_last(limn_encoder_trainer *t, const struct layer *l)
{
    const size_t area = l->kernel * l->kernel;
    for (size_t c = 0; c < l->n_out; c++)
        for (size_t k = 0; k < area; k++)
            l->params.weight.gradient[c * area + k] += t->dw_last[k * l->n_out + c];
}

struct depthwise_job {
    limn_encoder_trainer *t;
    const struct layer *l;
    const float *x, *dy; /* dy, dx: backward only */
    float *dx;
};

static limn_depthwise_shape depthwise_shape(const struct layer *l, size_t first_channel)
{
    const size_t left = l->n_out - first_channel;
    return (limn_depthwise_shape){
        .height = l->in_side, .width = l->in_side, .out_height = l->out_side,
        .out_width = l->out_side, .dim = l->n_out,
        .n_channels = left < CHANNELS_PER_ITEM ? left : CHANNELS_PER_ITEM,
        .size = l->kernel, .stride = l->stride, .pad_top = l->pad, .pad_left = l->pad,
    };
}

static void depthwise_forward_channels(void *ctx, size_t item, size_t worker)
{
    const struct depthwise_job *j = ctx;
    const struct layer *l = j->l;
    const size_t c = item * CHANNELS_PER_ITEM;
    const limn_depthwise_shape shape = depthwise_shape(l, c);
    (void)worker;
    for (size_t i = 0; i < j->t->n_pictures; i++)
        j->t->ctx.rows->depthwise_forward(l->y + i * n_values(l) + c,
                                          j->x + i * l->in_side * l->in_side * l->n_in + c,
                                          j->t->w_last + c, l->params.bias.value + c, &shape);
}

static void depthwise_backward_channels(void *ctx, size_t item, size_t worker)
{
    const struct depthwise_job *j = ctx;
    const struct layer *l = j->l;
    const size_t c = item * CHANNELS_PER_ITEM;
    const limn_depthwise_shape shape = depthwise_shape(l, c);
    (void)worker;
    for (size_t i = 0; i < j->t->n_pictures; i++) {
        const size_t in = i * l->in_side * l->in_side * l->n_in + c;
        j->t->ctx.rows->depthwise_backward(j->dx + in, j->t->dw_last + c,
                                           l->params.bias.gradient + c,
                                           j->dy + i * n_values(l) + c, j->x + in,
                                           j->t->w_last + c, &shape);
    }
}

static void run_depthwise(limn_encoder_trainer *t, limn_pool_fn *fn, struct depthwise_job job)
{
    weights_to_last(t, job.l);
    limn_pool_run(t->ctx.pool, (job.l->n_out + CHANNELS_PER_ITEM - 1) / CHANNELS_PER_ITEM, fn,
                  &job);
}

/* ---- passes -------------------------------------------------------------------------------- */

static const float *layer_input(const limn_encoder_trainer *t, size_t index)
{
    return index == 0 ? t->windows : t->layers[index - 1].y;
}

/* The input of the block that ends with layer `index`. */
static const float *block_input(const limn_encoder_trainer *t, size_t index)
{
    while (!t->layers[index].starts_residual) index--;
    return layer_input(t, index);
}

static void layer_forward(limn_encoder_trainer *t, size_t index)
{
    const struct layer *l = &t->layers[index];
    const size_t n_rows = t->n_pictures * l->out_side * l->out_side;
    if (l->kind == DEPTHWISE)
        run_depthwise(t, depthwise_forward_channels,
                      (struct depthwise_job){ .t = t, .l = l, .x = layer_input(t, index) });
    else
        limn_linear_forward(&t->ctx, l->y, layer_input(t, index), n_rows, &l->params);
    if (l->has_relu6)
        limn_relu6_forward(&t->ctx, l->y, n_rows * l->n_out);
    if (l->ends_residual)
        limn_add_to(&t->ctx, l->y, block_input(t, index), n_rows * l->n_out);
}

const float *limn_encoder_trainer_forward(limn_encoder_trainer *t, const uint8_t *pixels,
                                          size_t n_pictures)
{
    struct window_job windows = { t, pixels };
    t->n_pictures = n_pictures;
    limn_pool_run(t->ctx.pool, n_pictures, fill_windows, &windows);
    for (size_t i = 0; i < t->n_layers; i++) layer_forward(t, i);
    return t->layers[t->n_layers - 1].y;
}

static void depthwise_backward(limn_encoder_trainer *t, size_t index)
{
    const struct layer *l = &t->layers[index];
    const size_t n_inputs = t->n_pictures * l->in_side * l->in_side * l->n_in;
    memset(t->d_in, 0, n_inputs * sizeof *t->d_in);
    memset(t->dw_last, 0, l->kernel * l->kernel * l->n_out * sizeof *t->dw_last);
    run_depthwise(t, depthwise_backward_channels,
                  (struct depthwise_job){ .t = t, .l = l, .x = layer_input(t, index),
                                          .dy = t->d_out, .dx = t->d_in });
    add_gradients_from_last(t, l);
}

/* From d_out, the gradient of the layer's output, to d_in, that of its input. */
static void layer_backward(limn_encoder_trainer *t, size_t index)
{
    const struct layer *l = &t->layers[index];
    const size_t n_rows = t->n_pictures * l->out_side * l->out_side;
    const size_t n_inputs = t->n_pictures * l->in_side * l->in_side * l->n_in;
    if (l->ends_residual)
        memcpy(t->d_skip, t->d_out, n_rows * l->n_out * sizeof *t->d_skip);
    if (l->has_relu6)
        limn_relu6_backward(&t->ctx, t->d_out, l->y, n_rows * l->n_out);
    if (l->kind == DEPTHWISE)
        depthwise_backward(t, index);
    else
        limn_linear_backward(&t->ctx, index > t->first_layer ? t->d_in : NULL, false, t->d_out,
                             layer_input(t, index), n_rows, &l->params);
    if (l->starts_residual)
        limn_add_to(&t->ctx, t->d_in, t->d_skip, n_inputs);
}

void limn_encoder_trainer_backward(limn_encoder_trainer *t, const float *feature_gradients)
{
    const struct layer *head = &t->layers[t->n_layers - 1];
    memcpy(t->d_out, feature_gradients, t->n_pictures * n_values(head) * sizeof *t->d_out);
    for (size_t i = t->n_layers; i-- > t->first_layer;) {
        layer_backward(t, i);
        float *swap = t->d_in;
        t->d_in = t->d_out;
        t->d_out = swap;
    }
}
