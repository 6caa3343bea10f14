#include "encoder/efficientnet_lite/lite_trainer.h"

#include <string.h>

#include "common/base/mem.h"
#include "encoder/efficientnet_lite/lite_network.h"
#include "encoder/efficientnet_lite/lite_trainer_state.h"

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t n_blocks(const limn_lite_trainer *t)
{
    return t->settings.shape.n_blocks;
}

/* Blocks from this one on are trained. */
static size_t first_block(const limn_lite_trainer *t)
{
    return t->settings.first_stage > 0 ? t->settings.first_stage - 1 : 0;
}

/* ---- geometry ------------------------------------------------------------------------------ */

static size_t map_floats(const limn_lite_trainer *t, size_t stage)
{
    const limn_lite_map m =
        limn_efficientnet_lite_map(&t->settings.shape, t->settings.input.width, stage);
    return m.side * m.side * m.n_channels;
}

static void init(limn_lite_trainer *t, const limn_lite_trainer_settings *settings)
{
    const limn_input_spec *input = &settings->input;
    t->settings = *settings;
    limn_stem_plan(&t->stem, input->width, input->mean, input->scale);
    for (size_t i = 0; i < n_blocks(t); i++) {
        const limn_mbconv_shape *shape = &t->settings.shape.blocks[i];
        struct block *b = &t->blocks[i];
        limn_mbconv_plan(&b->map, shape,
                         limn_efficientnet_lite_map(&t->settings.shape, input->width, i).side);
        b->has_expand = shape->n_expanded != shape->n_inputs;
        b->has_residual = shape->stride == 1 && shape->n_inputs == shape->n_outputs;
    }
}

static size_t expanded_floats(const struct block *b)
{
    return b->map.input_size * b->map.padded_size * b->map.shape.n_expanded;
}

static size_t filtered_floats(const struct block *b)
{
    return b->map.output_size * b->map.output_size * b->map.shape.n_expanded;
}

/* ---- memory -------------------------------------------------------------------------------- */

static void plan_product(struct product *p, limn_arena *a, size_t n_outputs, size_t n_inputs,
                         bool goes_back)
{
    p->forward = limn_packed_take(a, n_outputs, n_inputs, true);
    if (goes_back) p->backward = limn_packed_take(a, n_inputs, n_outputs, false);
}

static void plan_block(limn_lite_trainer *t, size_t index, limn_arena *a)
{
    struct block *b = &t->blocks[index];
    const limn_mbconv_shape *s = &b->map.shape;
    if (b->has_expand)
        plan_product(&b->expand, a, s->n_expanded, s->n_inputs,
                     index + 1 > t->settings.first_stage);
    plan_product(&b->project, a, s->n_outputs, s->n_expanded, true);
    b->filter =
        limn_arena_take(a, (size_t)s->kernel * s->kernel * s->n_expanded, sizeof *b->filter);
    b->positions = limn_arena_take(a, b->map.input_size * b->map.input_size, sizeof *b->positions);
}

static void plan_maps(limn_lite_trainer *t, limn_arena *a)
{
    for (size_t stage = t->settings.first_stage; stage <= n_blocks(t) + 1; stage++) {
        size_t n = SIZE_MAX; /* stays when it overflows */
        limn_size_mul(&n, t->settings.max_images, map_floats(t, stage));
        t->maps[stage] = limn_arena_take(a, n, sizeof **t->maps);
    }
}

static void plan_scratch(const limn_lite_trainer *t, struct image_scratch *s, limn_arena *a)
{
    size_t n_expanded = 0, n_filtered = 0, n_map = 0;
    for (size_t i = first_block(t); i < n_blocks(t); i++) {
        n_expanded = max_size(n_expanded, expanded_floats(&t->blocks[i]));
        n_filtered = max_size(n_filtered, filtered_floats(&t->blocks[i]));
        n_map = max_size(n_map, max_size(map_floats(t, i), map_floats(t, i + 1)));
    }
    n_map = max_size(n_map, map_floats(t, n_blocks(t) + 1));
    if (t->settings.first_stage == 0) {
        limn_stem_scratch_take(&s->stem, a, &t->stem, t->stem.output_size);
        s->stem_weights =
            limn_arena_take(a, t->settings.shape.n_stem * LIMN_STEM_PATCH, sizeof *s->stem_weights);
    }
    s->expanded = limn_arena_take(a, n_expanded, sizeof *s->expanded);
    s->d_expanded = limn_arena_take(a, n_expanded, sizeof *s->d_expanded);
    s->filtered = limn_arena_take(a, n_filtered, sizeof *s->filtered);
    s->d_filtered = limn_arena_take(a, n_filtered, sizeof *s->d_filtered);
    s->d_maps[0] = limn_arena_take(a, n_map, sizeof *s->d_maps[0]);
    s->d_maps[1] = limn_arena_take(a, n_map, sizeof *s->d_maps[1]);
}

/* Takes all memory from `a`, which may be counting. */
static void plan(limn_lite_trainer *t, size_t n_threads, limn_arena *a)
{
    const limn_efficientnet_lite_shape *shape = &t->settings.shape;
    const size_t first_stage = t->settings.first_stage;
    if (first_stage == 0) plan_product(&t->stem_product, a, shape->n_stem, LIMN_STEM_PATCH, false);
    for (size_t i = first_block(t); i < n_blocks(t); i++) plan_block(t, i, a);
    plan_product(&t->head, a, shape->n_head, shape->blocks[n_blocks(t) - 1].n_outputs,
                 first_stage <= n_blocks(t));
    plan_maps(t, a);
    t->scratch = limn_arena_take(a, n_threads, sizeof *t->scratch);
    for (size_t i = 0; i < n_threads; i++) {
        struct image_scratch counted;
        plan_scratch(t, t->scratch ? &t->scratch[i] : &counted, a);
    }
    t->sums = limn_arena_take(a, LIMN_LITE_PARTS * t->n_floats, sizeof *t->sums);
}

/* Where the expanded positions of a map go among the zeros. */
static void place_positions(struct block *b)
{
    const limn_mbconv *m = &b->map;
    for (size_t row = 0; row < m->input_size; row++)
        for (size_t i = 0; i < m->input_size; i++)
            b->positions[row * m->input_size + i] =
                (row * m->padded_size + m->n_before + i) * m->shape.n_expanded;
}

/* ---- parameters ---------------------------------------------------------------------------- */

limn_status limn_lite_params_add(limn_params *params, const limn_efficientnet_lite_shape *shape,
                                 size_t first_stage, float rate, limn_error *err)
{
    limn_tensor_table table = { 0 };
    limn_lite_tensors(&table, shape);
    limn_status status = limn_tensor_table_check(&table, err);
    if (status == LIMN_OK)
        status = limn_table_params_add(params, &table, (uint32_t)first_stage, rate, err);
    limn_tensor_table_finish(&table);
    return status;
}

/* Where the weights of the rows from the first stage on are, and their whole range. */
static limn_status find_rows(limn_lite_trainer *t, const limn_tensor_table *table, limn_error *err)
{
    size_t begin = SIZE_MAX, end = 0;
    for (size_t i = 0; i < table->n_rows; i++) {
        const limn_tensor_row *row = &table->rows[i];
        limn_row_at at;
        if (row->stage < t->settings.first_stage) continue;
        LIMN_TRY(limn_row_find(&at, t->params, row, err));
        *(limn_row_at *)((char *)t + row->trained_at) = at;
        begin = at.weight < begin ? at.weight : begin;
        end = max_size(end, at.bias + row->shape[0]);
    }
    t->first_float = begin;
    t->n_floats = end - begin;
    return LIMN_OK;
}

static limn_status find_params(limn_lite_trainer *t, limn_error *err)
{
    limn_tensor_table table = { 0 };
    limn_lite_tensors(&table, &t->settings.shape);
    limn_status status = limn_tensor_table_check(&table, err);
    if (status == LIMN_OK) status = find_rows(t, &table, err);
    limn_tensor_table_finish(&table);
    return status;
}

/* ---- creation ------------------------------------------------------------------------------ */

static size_t count_params(const limn_lite_trainer_settings *settings)
{
    limn_params params = { 0 };
    const limn_status status =
        limn_lite_params_add(&params, &settings->shape, settings->first_stage, 1.0f, NULL);
    const size_t n = status == LIMN_OK ? params.n_floats : 0;
    limn_params_finish(&params);
    return n;
}

size_t limn_lite_trainer_bytes(const limn_lite_trainer_settings *settings, size_t n_threads)
{
    limn_lite_trainer t = { .n_floats = count_params(settings) };
    limn_arena a;
    init(&t, settings);
    limn_arena_init_counting(&a);
    plan(&t, n_threads, &a);
    return a.high;
}

static limn_status take_memory(limn_lite_trainer *t, limn_error *err)
{
    const size_t n_threads = limn_pool_n_threads(t->pool);
    limn_arena counting;
    limn_arena_init_counting(&counting);
    plan(t, n_threads, &counting);
    if (counting.has_failed || !limn_arena_init(&t->arena, counting.high))
        return limn_fail(err, LIMN_E_NOMEM, "no memory to train the encoder on %zu images",
                         t->settings.max_images);
    plan(t, n_threads, &t->arena);
    for (size_t i = first_block(t); i < n_blocks(t); i++) place_positions(&t->blocks[i]);
    return LIMN_OK;
}

limn_status limn_lite_trainer_create(limn_lite_trainer **out,
                                     const limn_lite_trainer_settings *settings,
                                     limn_params *params, limn_pool *pool, limn_cpu_level level,
                                     limn_error *err)
{
    limn_lite_trainer *t = limn_calloc(1, sizeof *t);
    *out = NULL;
    if (!t) return limn_fail(err, LIMN_E_NOMEM, "no memory for a trainer");
    init(t, settings);
    limn_kernels_init(&t->kernels, level);
    t->rows = limn_rows_grad_choose(level);
    t->params = params;
    t->pool = pool;
    limn_status status = find_params(t, err);
    if (status == LIMN_OK) status = take_memory(t, err);
    if (status != LIMN_OK) limn_lite_trainer_destroy(&t);
    *out = t;
    return status;
}

void limn_lite_trainer_destroy(limn_lite_trainer **t)
{
    if (!t || !*t) return;
    limn_arena_finish(&(*t)->arena);
    limn_free(*t);
    *t = NULL;
}

/* ---- as a family that can be trained --------------------------------------------------------- */

static limn_lite_trainer_settings own_settings(const limn_encoder_trainer_settings *settings)
{
    limn_lite_trainer_settings own = { .input = settings->config.input,
                                       .first_stage = settings->first_stage,
                                       .max_images = settings->max_images };
    limn_efficientnet_lite_shape_find(&own.shape, settings->config.family);
    return own;
}

static limn_status create_trainer(void **out, const limn_encoder_trainer_settings *settings,
                                  limn_params *params, limn_pool *pool, limn_cpu_level level,
                                  limn_error *err)
{
    const limn_lite_trainer_settings own = own_settings(settings);
    limn_lite_trainer *t;
    const limn_status status = limn_lite_trainer_create(&t, &own, params, pool, level, err);
    *out = t;
    return status;
}

static void destroy_trainer(void *trainer)
{
    limn_lite_trainer *t = trainer;
    limn_lite_trainer_destroy(&t);
}

static size_t trainer_bytes(const limn_encoder_trainer_settings *settings, size_t n_threads)
{
    const limn_lite_trainer_settings own = own_settings(settings);
    return limn_lite_trainer_bytes(&own, n_threads);
}

static const float *forward(void *trainer, const uint8_t *pixels, size_t n_images)
{
    return limn_lite_trainer_forward(trainer, pixels, n_images);
}

static const float *forward_cut(void *trainer, const float *maps, size_t n_images)
{
    return limn_lite_trainer_forward_cut(trainer, maps, n_images);
}

static void backward(void *trainer, const float *feature_gradients)
{
    limn_lite_trainer_backward(trainer, feature_gradients);
}

const limn_encoder_training limn_efficientnet_lite_training = {
    create_trainer, destroy_trainer, trainer_bytes, forward, forward_cut, backward,
};
