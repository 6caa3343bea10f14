#include "models/train/trainer.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "models/train/batch_slots.h"

struct limn_trainer {
    limn_model_config config;
    limn_trainer_settings settings;
    limn_pool *pool;
    limn_params params;
    limn_optimizer optimizer;
    limn_decoder_trainer *decoder;
    limn_encoder_trainer *encoder; /* end-to-end only */
    limn_batch_slots *slots;       /* NULL for a decoder without */
    limn_reward *reward;           /* reward only */
    limn_reward_image *images;     /* [max_images], reward only */
    float *feature_gradients;      /* [max_images, n_positions, memory_dim], end-to-end only */
};

static size_t n_feature_floats(const limn_model_config *c, const limn_decoder_limits *limits)
{
    return limits->max_images * c->decoder.n_memory_positions * c->decoder.memory_dim;
}

/* ---- creation ------------------------------------------------------------------------------ */

static limn_status add_params(limn_trainer *t, limn_error *err)
{
    const limn_trainer_settings *s = &t->settings;
    LIMN_TRY(limn_decoder_params_add(&t->params, &t->config.decoder, err));
    if (s->stage == LIMN_STAGE_END_TO_END)
        LIMN_TRY(limn_encoder_params_add(&t->params, &t->config.encoder, s->end_to_end.first_stage,
                                         s->end_to_end.encoder_rate, err));
    LIMN_TRY(limn_params_allocate(&t->params, err));
    return limn_optimizer_init(&t->optimizer, t->settings.optimizer.kind, &t->params, err);
}

static limn_encoder_trainer_settings encoder_settings(const limn_trainer *t,
                                                      const limn_decoder_limits *limits)
{
    return (limn_encoder_trainer_settings){
        .config = t->config.encoder,
        .first_stage = t->settings.end_to_end.first_stage,
        .max_images = limits->max_images,
    };
}

static limn_status create_encoder(limn_trainer *t, const limn_decoder_limits *limits,
                                  limn_cpu_level level, limn_error *err)
{
    const limn_encoder_trainer_settings settings = encoder_settings(t, limits);
    t->feature_gradients = limn_alloc_aligned(n_feature_floats(&t->config, limits), sizeof(float));
    if (!t->feature_gradients)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for gradients of %zu images",
                         limits->max_images);
    return limn_encoder_trainer_create(&t->encoder, &settings, &t->params, t->pool, level, err);
}

static limn_reward_settings reward_settings(const limn_trainer_settings *s, size_t max_images)
{
    return (limn_reward_settings){ .n_samples = s->reward.n_samples,
                                   .max_steps = s->reward.max_steps,
                                   .max_images = max_images,
                                   .seed = s->seed,
                                   .weights = s->reward.weights,
                                   .text = s->reward.text,
                                   .vocab = s->reward.vocab };
}

static limn_status create_reward(limn_trainer *t, const limn_decoder_limits *limits,
                                 limn_cpu_level level, limn_error *err)
{
    const limn_reward_settings settings = reward_settings(&t->settings, limits->max_images);
    t->images = limn_calloc(limits->max_images, sizeof *t->images);
    if (!t->images)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu images", limits->max_images);
    return limn_reward_create(&t->reward, &t->config.decoder, &t->params,
                              &t->settings.reward.references, &settings, t->pool, level, err);
}

/* Rows and images of the largest batch, drawn captions included. */
static limn_decoder_limits largest(const limn_trainer_settings *s,
                                   const limn_decoder_limits *batches)
{
    limn_decoder_limits limits = *batches;
    if (s->stage == LIMN_STAGE_REWARD) {
        const limn_reward_settings settings = reward_settings(s, batches->max_images);
        const limn_decoder_limits drawn = limn_reward_limits(&settings);
        limits.max_rows = drawn.max_rows > limits.max_rows ? drawn.max_rows : limits.max_rows;
    }
    return limits;
}

static limn_status build(limn_trainer *t, const limn_decoder_limits *limits, limn_cpu_level level,
                         limn_error *err)
{
    LIMN_TRY(limn_encoder_check(&t->config.encoder, err));
    if (t->settings.stage == LIMN_STAGE_END_TO_END)
        LIMN_TRY(limn_encoder_training_check(&t->config.encoder, err));
    LIMN_TRY(add_params(t, err));
    LIMN_TRY(limn_batch_slots_create(&t->slots, &t->config.decoder, t->settings.tagger,
                                     limits->max_images, t->pool, err));
    if (t->settings.stage == LIMN_STAGE_END_TO_END) LIMN_TRY(create_encoder(t, limits, level, err));
    if (t->settings.stage == LIMN_STAGE_REWARD) LIMN_TRY(create_reward(t, limits, level, err));
    const limn_decoder_limits all = largest(&t->settings, limits);
    return limn_decoder_trainer_create(&t->decoder, &t->config.decoder, &t->params, &all, t->pool,
                                       level, err);
}

limn_status limn_trainer_create(limn_trainer **out, const limn_model_config *config,
                                const limn_trainer_settings *settings,
                                const limn_decoder_limits *limits, limn_pool *pool,
                                limn_cpu_level level, limn_error *err)
{
    limn_trainer *t = limn_calloc(1, sizeof *t);
    *out = NULL;
    if (!t) return limn_fail(err, LIMN_E_NOMEM, "no memory for a trainer");
    t->config = *config;
    t->settings = *settings;
    t->pool = pool;
    const limn_status status = build(t, limits, level, err);
    if (status != LIMN_OK) limn_trainer_destroy(&t);
    *out = t;
    return status;
}

void limn_trainer_destroy(limn_trainer **p)
{
    limn_trainer *t = p ? *p : NULL;
    if (!t) return;
    limn_decoder_trainer_destroy(&t->decoder);
    limn_encoder_trainer_destroy(&t->encoder);
    limn_batch_slots_destroy(&t->slots);
    limn_reward_destroy(&t->reward);
    limn_free(t->images);
    limn_free(t->feature_gradients);
    limn_optimizer_finish(&t->optimizer);
    limn_params_finish(&t->params);
    limn_free(t);
    *p = NULL;
}

size_t limn_trainer_bytes(const limn_model_config *config, const limn_trainer_settings *settings,
                          const limn_decoder_limits *limits, size_t n_threads)
{
    limn_trainer t = { .config = *config, .settings = *settings };
    const bool has_encoder = settings->stage == LIMN_STAGE_END_TO_END;
    size_t n_floats = 0, bytes = 0;
    if (limn_encoder_check(&config->encoder, NULL) == LIMN_OK &&
        limn_decoder_params_add(&t.params, &config->decoder, NULL) == LIMN_OK &&
        (!has_encoder ||
         limn_encoder_params_add(&t.params, &config->encoder, settings->end_to_end.first_stage,
                                 1.0f, NULL) == LIMN_OK)) {
        n_floats = 5 * t.params.n_floats; /* values, gradients, two moments, average */
        const limn_decoder_limits all = largest(settings, limits);
        bytes = limn_decoder_trainer_bytes(&config->decoder, &all);
        if (has_encoder) {
            n_floats += n_feature_floats(config, limits);
            const limn_encoder_trainer_settings encoder = encoder_settings(&t, limits);
            bytes += limn_encoder_trainer_bytes(&encoder, n_threads);
        }
        bytes += n_floats * sizeof(float);
    }
    limn_params_finish(&t.params);
    return bytes;
}

/* ---- values -------------------------------------------------------------------------------- */

static limn_status read_values(limn_params *params, const limn_safetensors *file,
                               const char *new_prefix, limn_error *err)
{
    for (size_t i = 0; i < params->n_items; i++) {
        const limn_param *p = &params->items[i];
        const limn_tensor *tensor;
        if (new_prefix && strncmp(p->name, new_prefix, strlen(new_prefix)) == 0) continue;
        LIMN_TRY(limn_safetensors_require(&tensor, file, p->name, p->n_dims, p->shape, err));
        limn_tensor_to_f32(params->values + p->offset, tensor);
    }
    return LIMN_OK;
}

limn_status limn_trainer_load(limn_trainer *t, const limn_safetensors *file, const char *new_prefix,
                              uint64_t seed, limn_error *err)
{
    if (new_prefix) limn_decoder_params_init(&t->params, seed);
    LIMN_TRY(read_values(&t->params, file, new_prefix, err));
    limn_optimizer_restart(&t->optimizer, &t->params);
    return LIMN_OK;
}

limn_params *limn_trainer_params(limn_trainer *t)
{
    return &t->params;
}

limn_optimizer *limn_trainer_optimizer(limn_trainer *t)
{
    return &t->optimizer;
}

/* ---- a step -------------------------------------------------------------------------------- */

static limn_status gradients(limn_trainer *t, const limn_decoder_batch *batch,
                             const limn_decoder_grad_settings *settings, double *loss,
                             limn_error *err)
{
    LIMN_TRY(
        limn_decoder_trainer_run(t->decoder, batch, settings, t->feature_gradients, loss, err));
    if (t->encoder) limn_encoder_trainer_backward(t->encoder, t->feature_gradients);
    return LIMN_OK;
}

static limn_status apply(limn_trainer *t, const limn_batch *batch, limn_step_result *result,
                         limn_error *err)
{
    result->norm = limn_gradient_norm(&t->params, t->pool);
    result->rate = limn_learning_rate_at(&t->settings.learning_rate, batch->step);
    if (!isfinite(result->loss) || !isfinite(result->norm))
        return limn_fail(err, LIMN_E_LIMIT,
                         "step %llu: loss %g, gradient norm %g (first image of the batch: number "
                         "%u of source %u): lower the learning rate",
                         (unsigned long long)batch->step, result->loss, result->norm,
                         batch->images[0].image, batch->images[0].source);
    limn_optimizer_step(&t->optimizer, &t->params, &t->settings.optimizer, result->rate,
                        result->norm, t->pool);
    return LIMN_OK;
}

static const float *features_of(limn_trainer *t, const limn_batch *batch,
                                const limn_trainer_input *input)
{
    const size_t n = batch->decoder.n_images;
    if (!t->encoder || n == 0) return input->features;
    return t->settings.end_to_end.first_stage == 0
               ? limn_encoder_trainer_forward(t->encoder, input->pixels, n)
               : limn_encoder_trainer_forward_cut(t->encoder, input->activations, n);
}

/* Adds the gradients of captions that are drawn, weighted by their rewards. */
static limn_status reward_gradients(limn_trainer *t, const limn_batch *batch,
                                    const limn_decoder_batch *decoder, double *mean_reward,
                                    limn_error *err)
{
    const limn_reward_batch *drawn;
    const size_t n = batch->n_images;
    double loss;
    for (size_t i = 0; i < n; i++) {
        const limn_batch_image *p = &batch->images[i];
        const size_t reference = t->settings.reward.first_references[p->source] + p->image;
        t->images[i] =
            (limn_reward_image){ t->settings.reward.names[reference], (uint32_t)reference };
    }
    LIMN_TRY(limn_reward_draw(t->reward, &drawn, batch->step, t->images, decoder->features,
                              decoder->slots, n, err));
    const limn_decoder_grad_settings settings = {
        .scale = (1 - t->settings.reward.cross_entropy_share) /
                 (float)drawn->decoder.offsets[drawn->decoder.n_captions],
    };
    *mean_reward = drawn->mean_reward;
    return limn_decoder_trainer_run(t->decoder, &drawn->decoder, &settings, NULL, &loss, err);
}

limn_status limn_trainer_step(limn_trainer *t, const limn_batch *batch,
                              const limn_trainer_input *input, limn_step_result *result,
                              limn_error *err)
{
    const limn_trainer_settings *s = &t->settings;
    const float share = t->reward ? s->reward.cross_entropy_share : 1;
    const limn_decoder_grad_settings settings = {
        .dropout = s->regularization.dropout,
        .feature_dropout = s->regularization.feature_dropout,
        .image_dropout = s->regularization.image_dropout,
        .label_smoothing = s->regularization.label_smoothing,
        .scale = share / (float)batch->n_rows,
        .seed = limn_rng_stream(s->seed, &batch->step, sizeof batch->step).key,
    };
    limn_decoder_batch decoder = batch->decoder;
    *result = (limn_step_result){ .loss = 0 };
    decoder.features = features_of(t, batch, input);
    if (decoder.features)
        decoder.slots = limn_batch_slots_find(t->slots, decoder.features, decoder.n_images);
    limn_params_clear_gradients(&t->params);
    if (t->reward) LIMN_TRY(reward_gradients(t, batch, &decoder, &result->reward, err));
    LIMN_TRY(gradients(t, &decoder, &settings, &result->loss, err));
    return apply(t, batch, result, err);
}
