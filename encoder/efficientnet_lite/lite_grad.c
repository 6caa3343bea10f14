/* The passes. Threads split the work by image: each image goes through the whole network on one
 * thread, in memory that stays in its cache. Gradients of weights are summed over the images of a
 * part in order, then over the parts in order. */
#include "encoder/efficientnet_lite/lite_trainer.h"

#include <string.h>

#include "encoder/efficientnet_lite/lite_trainer_state.h"

enum { MAX_KERNEL = 5 };

/* ---- weights ------------------------------------------------------------------------------- */

static void fill_product(const limn_lite_trainer *t, const struct product *p, const float *w)
{
    limn_packed_fill(&p->forward, w, t->params->values + p->at.bias);
    if (p->backward.n_outputs > 0) limn_packed_fill_transposed(&p->backward, w, NULL);
}

static void fill_block(const limn_lite_trainer *t, const struct block *b)
{
    const float *values = t->params->values, *filter = values + b->depthwise.weight;
    const size_t n_taps = (size_t)b->map.shape.kernel * b->map.shape.kernel;
    const size_t n = b->map.shape.n_expanded;
    for (size_t c = 0; c < n; c++)
        for (size_t tap = 0; tap < n_taps; tap++) b->filter[tap * n + c] = filter[c * n_taps + tap];
    if (b->has_expand) fill_product(t, &b->expand, values + b->expand.at.weight);
    fill_product(t, &b->project, values + b->project.at.weight);
}

/* Item i is stage first_stage + i, as in sum_stage. */
static void fill_stage(void *ctx, size_t item, size_t worker)
{
    const limn_lite_trainer *t = ctx;
    const size_t stage = t->settings.first_stage + item;
    float *ordered = t->scratch[worker].stem_weights;
    if (stage == 0) {
        limn_stem_order(ordered, t->params->values + t->stem_product.at.weight,
                        t->settings.shape.n_stem);
        fill_product(t, &t->stem_product, ordered);
    } else if (stage <= t->settings.shape.n_blocks) {
        fill_block(t, &t->blocks[stage - 1]);
    } else {
        fill_product(t, &t->head, t->params->values + t->head.at.weight);
    }
}

static size_t n_trained_stages(const limn_lite_trainer *t)
{
    return t->settings.shape.n_blocks + 2 - t->settings.first_stage;
}

/* ---- layers -------------------------------------------------------------------------------- */

/* y = activation(x Wᵀ + b) + residual (or NULL), all dense but y at y_rows (or NULL). */
static void run_product(const limn_lite_trainer *t, const limn_packed *w, float *y,
                        const size_t *y_rows, const float *x, size_t n_rows,
                        limn_activation activation, const float *residual)
{
    limn_linear(&t->kernels, &(limn_linear_job){ .y = y,
                                                 .y_rows = y_rows,
                                                 .x = x,
                                                 .residual = residual,
                                                 .n_rows = n_rows,
                                                 .x_stride = w->n_inputs,
                                                 .y_stride = w->n_outputs,
                                                 .w = w,
                                                 .panel_end = limn_n_panels(w->n_outputs),
                                                 .activation = activation });
}

/* Adds the gradients of weight and bias, from dy [n_rows, n_outputs] and x [n_rows, n_inputs], to
 * the sums of a part. */
static void add_product(const limn_lite_trainer *t, float *sums, const struct product *p,
                        const float *dy, const float *x, size_t n_rows)
{
    const size_t n_outputs = p->forward.n_outputs;
    t->rows->column_sums(sums + p->at.bias - t->first_float, dy, n_rows, n_outputs, 0, n_outputs);
    t->rows->weight_grad(&(limn_weight_grad_job){ .dw = sums + p->at.weight - t->first_float,
                                                  .dy = dy,
                                                  .x = x,
                                                  .n_outputs = n_outputs,
                                                  .n_inputs = p->forward.n_inputs,
                                                  .n_rows = n_rows,
                                                  .dw_stride = p->forward.n_inputs,
                                                  .dy_stride = n_outputs,
                                                  .x_stride = p->forward.n_inputs });
}

/* Row `row` of a padded map, from its first position inside. */
static float *inside_of(const struct block *b, float *map, size_t row)
{
    return map + (row * b->map.padded_size + b->map.n_before) * b->map.shape.n_expanded;
}

/* The rows of a padded map under the kernel for an output row; NULL above and below. */
static void find_rows(float **rows, const struct block *b, float *map, size_t output_row)
{
    const size_t row_size = b->map.padded_size * b->map.shape.n_expanded;
    for (size_t ky = 0; ky < b->map.shape.kernel; ky++) {
        const size_t row = output_row * b->map.shape.stride + ky - b->map.n_before;
        rows[ky] = row < b->map.input_size ? map + row * row_size : NULL; /* below 0 wraps */
    }
}

static void clear_edges(const struct block *b, float *map)
{
    const size_t n = b->map.shape.n_expanded, n_before = b->map.n_before * n;
    const size_t n_inside = b->map.input_size * n, n_row = b->map.padded_size * n;
    for (size_t row = 0; row < b->map.input_size; row++, map += n_row) {
        memset(map, 0, n_before * sizeof *map);
        memset(map + n_before + n_inside, 0, (n_row - n_before - n_inside) * sizeof *map);
    }
}

/* ---- a block ------------------------------------------------------------------------------- */

static void expand(const limn_lite_trainer *t, const struct image_scratch *s, const struct block *b,
                   const float *x)
{
    const size_t side = b->map.input_size, n_row = side * b->map.shape.n_inputs;
    clear_edges(b, s->expanded);
    if (b->has_expand)
        run_product(t, &b->expand.forward, s->expanded, b->positions, x, side * side,
                    LIMN_ACT_RELU6, NULL);
    else
        for (size_t row = 0; row < side; row++)
            memcpy(inside_of(b, s->expanded, row), x + row * n_row, n_row * sizeof *x);
}

static void filter(const limn_lite_trainer *t, const struct image_scratch *s, const struct block *b)
{
    const limn_mbconv_shape *shape = &b->map.shape;
    const size_t n_row = b->map.output_size * shape->n_expanded;
    float *rows[MAX_KERNEL];
    for (size_t row = 0; row < b->map.output_size; row++) {
        find_rows(rows, b, s->expanded, row);
        t->kernels.depthwise(&(limn_depthwise_job){ .y = s->filtered + row * n_row,
                                                    .rows = (const float *const *)rows,
                                                    .w = b->filter,
                                                    .bias = t->params->values + b->depthwise.bias,
                                                    .n_columns = b->map.output_size,
                                                    .n_channels = shape->n_expanded,
                                                    .size = shape->kernel,
                                                    .stride = shape->stride,
                                                    .x_stride = shape->n_expanded,
                                                    .y_stride = shape->n_expanded,
                                                    .w_stride = shape->n_expanded,
                                                    .activation = LIMN_ACT_RELU6 });
    }
}

static void block_forward(const limn_lite_trainer *t, const struct image_scratch *s,
                          const struct block *b, float *y, const float *x)
{
    expand(t, s, b, x);
    filter(t, s, b);
    run_product(t, &b->project.forward, y, NULL, s->filtered,
                b->map.output_size * b->map.output_size, LIMN_ACT_NONE, b->has_residual ? x : NULL);
}

/* From d_filtered, gradients of the filter's outputs, to d_expanded, of its padded input. */
static void filter_backward(const limn_lite_trainer *t, float *sums, const struct image_scratch *s,
                            const struct block *b)
{
    const limn_mbconv_shape *shape = &b->map.shape;
    const size_t n_row = b->map.output_size * shape->n_expanded;
    float *rows[MAX_KERNEL], *d_rows[MAX_KERNEL];
    memset(s->d_expanded, 0,
           b->map.input_size * b->map.padded_size * shape->n_expanded * sizeof *s->d_expanded);
    for (size_t row = 0; row < b->map.output_size; row++) {
        float *dy = s->d_filtered + row * n_row;
        t->rows->relu6_dx(dy, dy, s->filtered + row * n_row, n_row);
        find_rows(rows, b, s->expanded, row);
        find_rows(d_rows, b, s->d_expanded, row);
        t->rows->depthwise(
            &(limn_depthwise_grad_job){ .dx_rows = d_rows,
                                        .x_rows = (const float *const *)rows,
                                        .w = b->filter,
                                        .dw = sums + b->depthwise.weight - t->first_float,
                                        .dbias = sums + b->depthwise.bias - t->first_float,
                                        .dy = dy,
                                        .n_columns = b->map.output_size,
                                        .n_channels = shape->n_expanded,
                                        .size = shape->kernel,
                                        .stride = shape->stride });
    }
}

/* d_expanded becomes dense, and the gradient before the ReLU6 if there is one. */
static void unpad(const limn_lite_trainer *t, const struct image_scratch *s, const struct block *b)
{
    const size_t n_row = b->map.input_size * b->map.shape.n_expanded;
    for (size_t row = 0; row < b->map.input_size; row++) {
        float *dx = inside_of(b, s->d_expanded, row);
        if (b->has_expand) t->rows->relu6_dx(dx, dx, inside_of(b, s->expanded, row), n_row);
        memmove(s->d_expanded + row * n_row, dx, n_row * sizeof *dx);
    }
}

/* From dy, the gradient of the block's output, to dx, that of its input x (NULL: not wanted). */
static void block_backward(const limn_lite_trainer *t, float *sums, const struct image_scratch *s,
                           const struct block *b, float *dx, const float *dy, const float *x)
{
    const size_t n_in = b->map.input_size * b->map.input_size;
    const size_t n_out = b->map.output_size * b->map.output_size;
    const size_t n_floats = n_in * b->map.shape.n_inputs;
    expand(t, s, b, x);
    filter(t, s, b);
    add_product(t, sums, &b->project, dy, s->filtered, n_out);
    run_product(t, &b->project.backward, s->d_filtered, NULL, dy, n_out, LIMN_ACT_NONE, NULL);
    filter_backward(t, sums, s, b);
    unpad(t, s, b);
    if (b->has_expand) add_product(t, sums, &b->expand, s->d_expanded, x, n_in);
    if (dx && b->has_expand)
        run_product(t, &b->expand.backward, dx, NULL, s->d_expanded, n_in, LIMN_ACT_NONE,
                    b->has_residual ? dy : NULL);
    else if (dx)
        for (size_t i = 0; i < n_floats; i++)
            dx[i] = s->d_expanded[i] + (b->has_residual ? dy[i] : 0.0f);
}

/* ---- an image ----------------------------------------------------------------------------- */

static float *map_of(const limn_lite_trainer *t, size_t stage, size_t image)
{
    const limn_lite_map m =
        limn_efficientnet_lite_map(&t->settings.shape, t->settings.input.width, stage);
    return t->maps[stage] + image * m.side * m.side * m.n_channels;
}

/* What a stage after the stem reads. */
static const float *input_of(const limn_lite_trainer *t, size_t stage, size_t image)
{
    const limn_lite_map m =
        limn_efficientnet_lite_map(&t->settings.shape, t->settings.input.width, stage - 1);
    return stage == t->settings.first_stage ? t->cut + image * m.side * m.side * m.n_channels
                                            : map_of(t, stage - 1, image);
}

/* The patches of the whole image. */
static const float *patches_of(const limn_lite_trainer *t, struct image_scratch *s, size_t image)
{
    const size_t side = t->settings.input.width;
    s->stem.pixels = t->pixels + image * side * side * 3;
    return limn_stem_rows(&s->stem, 0, t->stem.output_size);
}

static size_t n_stem_positions(const limn_lite_trainer *t)
{
    return t->stem.output_size * t->stem.output_size;
}

static size_t n_head_positions(const limn_lite_trainer *t)
{
    const size_t side = t->blocks[t->settings.shape.n_blocks - 1].map.output_size;
    return side * side;
}

static void forward_image(void *ctx, size_t image, size_t worker)
{
    const limn_lite_trainer *t = ctx;
    const size_t head = t->settings.shape.n_blocks + 1;
    struct image_scratch *s = &t->scratch[worker];
    size_t stage = t->settings.first_stage;
    if (stage == 0)
        run_product(t, &t->stem_product.forward, map_of(t, stage++, image), NULL,
                    patches_of(t, s, image), n_stem_positions(t), LIMN_ACT_RELU6, NULL);
    for (; stage < head; stage++)
        block_forward(t, s, &t->blocks[stage - 1], map_of(t, stage, image),
                      input_of(t, stage, image));
    run_product(t, &t->head.forward, map_of(t, head, image), NULL, input_of(t, head, image),
                n_head_positions(t), LIMN_ACT_RELU6, NULL);
}

static void stem_backward(const limn_lite_trainer *t, float *sums, struct image_scratch *s,
                          size_t image)
{
    const size_t n = n_stem_positions(t);
    float *dy = s->d_maps[0];
    t->rows->relu6_dx(dy, dy, map_of(t, 0, image), n * t->settings.shape.n_stem);
    add_product(t, sums, &t->stem_product, dy, patches_of(t, s, image), n);
}

/* Leaves the gradient of the head's input in d_maps[0]. */
static void head_backward(const limn_lite_trainer *t, float *sums, const struct image_scratch *s,
                          size_t image)
{
    const size_t n = n_head_positions(t), stage = t->settings.shape.n_blocks + 1;
    const size_t n_floats = n * t->settings.shape.n_head;
    float *dy = s->d_maps[1];
    t->rows->relu6_dx(dy, t->d_features + image * n_floats, map_of(t, stage, image), n_floats);
    add_product(t, sums, &t->head, dy, input_of(t, stage, image), n);
    if (t->head.backward.n_outputs > 0)
        run_product(t, &t->head.backward, s->d_maps[0], NULL, dy, n, LIMN_ACT_NONE, NULL);
}

static void backward_image(const limn_lite_trainer *t, float *sums, struct image_scratch *s,
                           size_t image)
{
    const size_t first_stage = t->settings.first_stage;
    head_backward(t, sums, s, image);
    for (size_t stage = t->settings.shape.n_blocks; stage > 0 && stage >= first_stage; stage--) {
        float *dy = s->d_maps[0];
        block_backward(t, sums, s, &t->blocks[stage - 1], stage > first_stage ? s->d_maps[1] : NULL,
                       dy, input_of(t, stage, image));
        s->d_maps[0] = s->d_maps[1];
        s->d_maps[1] = dy;
    }
    if (first_stage == 0) stem_backward(t, sums, s, image);
}

static void backward_part(void *ctx, size_t part, size_t worker)
{
    const limn_lite_trainer *t = ctx;
    float *sums = t->sums + part * t->n_floats;
    memset(sums, 0, t->n_floats * sizeof *sums);
    for (size_t i = t->n_images * part / t->n_parts; i < t->n_images * (part + 1) / t->n_parts; i++)
        backward_image(t, sums, &t->scratch[worker], i);
}

/* ---- sums of gradients --------------------------------------------------------------------- */

/* Adds the parts' sums of n values to their gradient. */
static void add_sums(const limn_lite_trainer *t, size_t at, size_t n)
{
    float *gradient = t->params->gradients + at;
    for (size_t part = 0; part < t->n_parts; part++) {
        const float *sums = t->sums + part * t->n_floats + at - t->first_float;
        for (size_t i = 0; i < n; i++) gradient[i] += sums[i];
    }
}

/* The same where sums are n_groups matrices [n_rows, n_columns], gradients their transposes. */
static void add_transposed(const limn_lite_trainer *t, size_t at, size_t n_groups, size_t n_rows,
                           size_t n_columns)
{
    for (size_t part = 0; part < t->n_parts; part++) {
        const float *sums = t->sums + part * t->n_floats + at - t->first_float;
        float *gradient = t->params->gradients + at;
        for (size_t g = 0; g < n_groups; g++, sums += n_rows * n_columns)
            for (size_t c = 0; c < n_columns; c++)
                for (size_t r = 0; r < n_rows; r++) *gradient++ += sums[r * n_columns + c];
    }
}

static void sum_product(const limn_lite_trainer *t, const struct product *p)
{
    add_sums(t, p->at.weight, p->forward.n_outputs * p->forward.n_inputs);
    add_sums(t, p->at.bias, p->forward.n_outputs);
}

static void sum_block(const limn_lite_trainer *t, const struct block *b)
{
    const limn_mbconv_shape *s = &b->map.shape;
    if (b->has_expand) sum_product(t, &b->expand);
    add_transposed(t, b->depthwise.weight, 1, (size_t)s->kernel * s->kernel, s->n_expanded);
    add_sums(t, b->depthwise.bias, s->n_expanded);
    sum_product(t, &b->project);
}

static void sum_stage(void *ctx, size_t item, size_t worker)
{
    const limn_lite_trainer *t = ctx;
    const size_t stage = t->settings.first_stage + item, n_stem = t->settings.shape.n_stem;
    (void)worker;
    if (stage == 0) {
        add_transposed(t, t->stem_product.at.weight, n_stem, LIMN_STEM_PATCH / 3, 3);
        add_sums(t, t->stem_product.at.bias, n_stem);
    } else if (stage <= t->settings.shape.n_blocks) {
        sum_block(t, &t->blocks[stage - 1]);
    } else {
        sum_product(t, &t->head);
    }
}

/* ---- passes -------------------------------------------------------------------------------- */

static const float *forward(limn_lite_trainer *t, size_t n_images)
{
    t->n_images = n_images;
    t->n_parts = n_images < LIMN_LITE_PARTS ? n_images : LIMN_LITE_PARTS;
    limn_pool_run(t->pool, n_trained_stages(t), fill_stage, t);
    limn_pool_run(t->pool, n_images, forward_image, t);
    return t->maps[t->settings.shape.n_blocks + 1];
}

const float *limn_lite_trainer_forward(limn_lite_trainer *t, const uint8_t *pixels, size_t n_images)
{
    t->pixels = pixels;
    return forward(t, n_images);
}

const float *limn_lite_trainer_forward_cut(limn_lite_trainer *t, const float *maps, size_t n_images)
{
    t->cut = maps;
    return forward(t, n_images);
}

void limn_lite_trainer_backward(limn_lite_trainer *t, const float *feature_gradients)
{
    t->d_features = feature_gradients;
    limn_pool_run(t->pool, t->n_parts, backward_part, t);
    limn_pool_run(t->pool, n_trained_stages(t), sum_stage, t);
}
