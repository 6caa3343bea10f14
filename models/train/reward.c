#include "models/train/reward.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/io/params_tensors.h"
#include "decoder/vocab.h"
#include "models/train/reward_scorer.h"
#include "models/train/sampler.h"

/* ---- creation ------------------------------------------------------------------------------ */

struct limn_reward {
    limn_decoder_config config;
    limn_reward_settings settings;
    const limn_references *references;
    limn_pool *pool;
    limn_safetensors *source; /* the parameters */
    limn_kernels kernels;     /* of the decoder */
    limn_decoder *decoder;
    limn_reward_scorer *scorer;
    limn_sampler **samplers; /* [n_samplers], one a thread */
    size_t n_samplers;
    /* By sample of the batch: */
    uint32_t *tokens; /* [max_steps] each */
    size_t *lengths;
    double *rewards;
    uint32_t *images, *offsets; /* offsets has one more */
    /* By row of the batch: */
    uint32_t *inputs, *targets;
    float *weights;
    limn_status *statuses; /* [max_images] */
    limn_reward_batch batch;
};

limn_decoder_limits limn_reward_limits(const limn_reward_settings *s)
{
    return (limn_decoder_limits){ .max_rows = s->max_images * s->n_samples * s->max_steps,
                                  .max_images = s->max_images };
}

static limn_status take_batch(limn_reward *r, limn_error *err)
{
    const limn_reward_settings *s = &r->settings;
    const size_t n_samples = s->max_images * s->n_samples, n_rows = n_samples * s->max_steps;
    r->tokens = limn_alloc(n_rows, sizeof *r->tokens);
    r->lengths = limn_alloc(n_samples, sizeof *r->lengths);
    r->rewards = limn_alloc(n_samples, sizeof *r->rewards);
    r->images = limn_alloc(n_samples, sizeof *r->images);
    r->offsets = limn_calloc(n_samples + 1, sizeof *r->offsets);
    r->inputs = limn_alloc(n_rows, sizeof *r->inputs);
    r->targets = limn_alloc(n_rows, sizeof *r->targets);
    r->weights = limn_alloc(n_rows, sizeof *r->weights);
    r->statuses = limn_alloc(s->max_images, sizeof *r->statuses);
    if (!r->tokens || !r->lengths || !r->rewards || !r->images || !r->offsets || !r->inputs ||
        !r->targets || !r->weights || !r->statuses)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu captions of %zu tokens", n_samples,
                         s->max_steps);
    return LIMN_OK;
}

static limn_status check_settings(const limn_reward_settings *s, limn_error *err)
{
    size_t n;
    if (s->n_samples < 2 || s->n_samples > 256)
        return limn_fail(err, LIMN_E_ARG, "%zu samples of an image are not in 2 … 256",
                         s->n_samples);
    if (s->max_images < 1 || !limn_size_mul(&n, s->max_images, s->n_samples) ||
        !limn_size_mul(&n, n, s->max_steps) || n >= UINT32_MAX)
        return limn_fail(err, LIMN_E_ARG, "%zu images are not a batch that can be drawn",
                         s->max_images);
    return LIMN_OK;
}

static limn_status create_scorer(limn_reward *r, limn_error *err)
{
    const limn_reward_settings *s = &r->settings;
    const limn_reward_scorer_settings settings = { .references = r->references,
                                                   .text = s->text,
                                                   .vocab = s->vocab,
                                                   .weights = s->weights,
                                                   .max_images = s->max_images,
                                                   .n_samples = s->n_samples,
                                                   .max_steps = s->max_steps };
    return limn_reward_scorer_create(&r->scorer, &settings, err);
}

static limn_status create_samplers(limn_reward *r, limn_cpu_level level, limn_error *err)
{
    const size_t n = limn_pool_n_threads(r->pool);
    r->samplers = limn_calloc(n, sizeof *r->samplers);
    if (!r->samplers) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu threads", n);
    r->n_samplers = n;
    for (size_t i = 0; i < n; i++)
        LIMN_TRY(limn_sampler_create(&r->samplers[i], r->decoder, r->settings.n_samples,
                                     r->settings.max_steps, level, err));
    return LIMN_OK;
}

static limn_status build(limn_reward *r, const limn_params *params, limn_cpu_level level,
                         limn_error *err)
{
    const limn_reward_settings *s = &r->settings;
    LIMN_TRY(check_settings(s, err));
    LIMN_TRY(take_batch(r, err));
    LIMN_TRY(limn_params_open(&r->source, params, params->values, err));
    limn_kernels_init(&r->kernels, level);
    LIMN_TRY(limn_decoder_open(&r->decoder, r->source, &r->config, &r->kernels, err));
    LIMN_TRY(create_scorer(r, err));
    return create_samplers(r, level, err);
}

limn_status limn_reward_create(limn_reward **out, const limn_decoder_config *config,
                               const limn_params *params, const limn_references *references,
                               const limn_reward_settings *settings, limn_pool *pool,
                               limn_cpu_level level, limn_error *err)
{
    limn_reward *r = limn_calloc(1, sizeof *r);
    *out = NULL;
    if (!r) return limn_fail(err, LIMN_E_NOMEM, "no memory for a reward");
    r->config = *config;
    r->settings = *settings;
    r->references = references;
    r->pool = pool;
    const limn_status status = build(r, params, level, err);
    if (status != LIMN_OK) limn_reward_destroy(&r);
    *out = r;
    return status;
}

void limn_reward_destroy(limn_reward **p)
{
    limn_reward *r = p ? *p : NULL;
    if (!r) return;
    for (size_t i = 0; i < r->n_samplers; i++) limn_sampler_destroy(&r->samplers[i]);
    limn_free(r->samplers);
    limn_reward_scorer_destroy(&r->scorer);
    limn_decoder_close(&r->decoder);
    limn_safetensors_close(&r->source);
    limn_free(r->tokens);
    limn_free(r->lengths);
    limn_free(r->rewards);
    limn_free(r->images);
    limn_free(r->offsets);
    limn_free(r->inputs);
    limn_free(r->targets);
    limn_free(r->weights);
    limn_free(r->statuses);
    limn_free(r);
    *p = NULL;
}

/* ---- drawing ------------------------------------------------------------------------------- */

struct draw_job {
    limn_reward *r;
    uint64_t key; /* of the step */
    const limn_reward_image *images;
    size_t n_images;
    const float *features;
    const limn_tag_slot *slots; /* NULL without */
};

static void draw_image(void *ctx, size_t image, size_t worker)
{
    const struct draw_job *j = ctx;
    limn_reward *r = j->r;
    const size_t n = r->settings.n_samples;
    const limn_reward_image *p = &j->images[image];
    uint32_t *tokens = r->tokens + image * n * r->settings.max_steps;
    size_t *lengths = r->lengths + image * n;
    limn_rng rng = limn_rng_stream(j->key, p->name, strlen(p->name));
    limn_sampler_draw(r->samplers[worker], tokens, lengths,
                      j->features + image * r->config.n_memory_positions * r->config.memory_dim,
                      j->slots ? j->slots + image * r->config.n_tag_slots : NULL, &rng);
    r->statuses[image] = limn_reward_scorer_read(r->scorer, image, p->reference, tokens, lengths);
}

static void score_image(void *ctx, size_t image, size_t worker)
{
    const struct draw_job *j = ctx;
    limn_reward *r = j->r;
    (void)worker;
    limn_reward_scorer_score(r->scorer, r->rewards + image * r->settings.n_samples, image,
                             j->n_images);
}

static float advantage(const limn_reward *r, size_t sample)
{
    const size_t n = r->settings.n_samples, first = sample / n * n;
    double others = 0;
    for (size_t i = first; i < first + n; i++) others += i == sample ? 0 : r->rewards[i];
    return (float)(r->rewards[sample] - others / (double)(n - 1));
}

static void add_sample(limn_reward *r, size_t sample)
{
    const uint32_t *tokens = r->tokens + sample * r->settings.max_steps;
    const size_t first = r->offsets[sample], n = r->lengths[sample];
    const float weight = advantage(r, sample);
    for (size_t i = 0; i < n; i++) {
        r->inputs[first + i] = i == 0 ? r->config.specials.start : tokens[i - 1];
        r->targets[first + i] = tokens[i];
        r->weights[first + i] = weight;
    }
    r->images[sample] = (uint32_t)(sample / r->settings.n_samples);
    r->offsets[sample + 1] = (uint32_t)(first + n);
    r->batch.mean_reward += r->rewards[sample];
    r->batch.share_ended += tokens[n - 1] == r->config.specials.end;
}

static void fill_batch(limn_reward *r, const float *features, const limn_tag_slot *slots,
                       size_t n_images)
{
    const size_t n = n_images * r->settings.n_samples;
    r->batch = (limn_reward_batch){
        .decoder = { .n_images = n_images,
                     .n_captions = n,
                     .features = features,
                     .slots = slots,
                     .images = r->images,
                     .offsets = r->offsets,
                     .inputs = r->inputs,
                     .targets = r->targets,
                     .weights = r->weights,
                     .is_drawn = true },
        .rewards = r->rewards,
    };
    for (size_t i = 0; i < n; i++) add_sample(r, i);
    r->batch.mean_reward /= (double)n;
    r->batch.share_ended /= (double)n;
}

static size_t n_references(const limn_references *r, size_t image)
{
    return r->first_captions[image + 1] - r->first_captions[image];
}

static limn_status check_images(const limn_reward *r, const limn_reward_image *images,
                                size_t n_images, limn_error *err)
{
    if (n_images < 1 || n_images > r->settings.max_images)
        return limn_fail(err, LIMN_E_ARG, "%zu images are not in 1 … %zu", n_images,
                         r->settings.max_images);
    for (size_t i = 0; i < n_images; i++)
        if (images[i].reference >= r->references->n_images)
            return limn_fail(err, LIMN_E_ARG, "'%s' has the references of image %u of %zu",
                             images[i].name, images[i].reference, r->references->n_images);
        else if (n_references(r->references, images[i].reference) == 0)
            return limn_fail(err, LIMN_E_ARG, "'%s' has no references", images[i].name);
    return LIMN_OK;
}

limn_status limn_reward_draw(limn_reward *r, const limn_reward_batch **out, uint64_t step,
                             const limn_reward_image *images, const float *features,
                             const limn_tag_slot *slots, size_t n_images, limn_error *err)
{
    struct draw_job job = { .r = r,
                            .images = images,
                            .n_images = n_images,
                            .features = features,
                            .slots = slots,
                            .key = limn_rng_stream(r->settings.seed, &step, sizeof step).key };
    LIMN_TRY(check_images(r, images, n_images, err));
    LIMN_TRY(limn_decoder_reload(r->decoder, r->source, err));
    limn_pool_run(r->pool, n_images, draw_image, &job);
    for (size_t i = 0; i < n_images; i++)
        if (r->statuses[i] != LIMN_OK)
            return limn_fail(err, r->statuses[i], "no memory to score captions of '%s'",
                             images[i].name);
    limn_pool_run(r->pool, n_images, score_image, &job);
    fill_batch(r, features, slots, n_images);
    *out = &r->batch;
    return LIMN_OK;
}
