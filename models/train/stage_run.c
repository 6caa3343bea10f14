#include "models/train/stage_run.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "models/folded_channels.h"
#include "models/tag_heads.h"
#include "models/train/optimizer_kinds.h"
#include "models/train/stage_views.h"
#include "models/train/stage_pixels.h"
#include "models/train/reward_references.h"

enum { CAPTIONS_AN_IMAGE = 5, LOG_STEPS = 20 };

struct stage_run {
    const limn_training_context *context;
    const limn_stage_settings *stage;
    bool is_trial; /* for timing only: the decoder may hold any values, and fits any words */
    limn_model_file base;
    limn_tag_heads heads;      /* of the base, that go into the stage's models */
    limn_kernels kernels;      /* of the tagger */
    limn_tagger *tagger;       /* of these; NULL for a decoder without tag slots */
    limn_stage_views inputs;   /* features, or activations at a cut */
    limn_stage_pixels *pixels; /* instead, where the whole encoder is trained */
    limn_batches *batches;
    limn_trainer *trainer;
    limn_reward_references references; /* of the reward stage alone */
};

/* ---- settings ------------------------------------------------------------------------------ */

/* The first trained stage of the encoder, counted from the stem. */
static size_t first_encoder_stage(const limn_training_data *d, const limn_stage_settings *s)
{
    const size_t n_stages = limn_encoder_count_stages(&d->config.encoder);
    return s->end_to_end.n_parts < n_stages ? n_stages - s->end_to_end.n_parts : 0;
}

static limn_trainer_settings trainer_settings(const limn_training_data *d,
                                              const limn_stage_settings *s, uint64_t n_steps)
{
    limn_trainer_settings t = {
        .stage = s->stage,
        .optimizer = limn_optimizer_settings_default(),
        .regularization = s->regularization,
        .seed = d->settings->seed,
        .end_to_end = { .first_stage = first_encoder_stage(d, s),
                        .encoder_rate = s->end_to_end.encoder_rate },
        .reward = { .n_samples = s->reward.n_samples,
                    .max_steps = d->config.max_steps,
                    .cross_entropy_share = s->reward.cross_entropy_share,
                    .weights = s->reward.weights },
        .learning_rate = limn_learning_rate_plan(s->rate, n_steps),
    };
    t.optimizer.weight_decay = s->weight_decay;
    return t;
}

static bool has_unpaired(const limn_training_data *d, const limn_stage_settings *s)
{
    return d->settings->unpaired.images && d->settings->unpaired.share > 0 &&
           s->stage != LIMN_STAGE_TEXT;
}

static limn_batch_source text_source(const limn_training_set *set)
{
    return (limn_batch_source){ .tokens = set->tokens,
                                .offsets = set->offsets,
                                .n_captions = set->n_captions };
}

static limn_batch_source paired_source(const limn_training_set *set)
{
    limn_batch_source source = text_source(set);
    source.n_images = set->n_images;
    source.first_captions = set->first_captions;
    return source;
}

static limn_batch_source unpaired_source(const limn_training_data *d)
{
    const double share = d->settings->unpaired.share;
    limn_batch_source source = text_source(&d->unpaired.text);
    source.n_images = limn_image_names_count(&d->unpaired.names);
    source.draw = &d->unpaired.draw;
    source.n_an_epoch = (size_t)(share / (1 - share) * (double)d->train.n_images + 0.5);
    return source;
}

static limn_status create_batches(limn_batches **out, const limn_training_data *d,
                                  const limn_stage_settings *s, limn_error *err)
{
    const limn_batches_settings settings = {
        .n_images = s->n_images,
        .captions_an_image = CAPTIONS_AN_IMAGE,
        .max_words = d->settings->words.max_words,
        .n_views = s->n_views,
        .seed = d->settings->seed,
        .start = limn_vocab_specials(d->vocab)->start,
        .end = limn_vocab_specials(d->vocab)->end,
    };
    limn_batch_source sources[LIMN_STAGE_N_SOURCES];
    size_t n = 0;
    if (s->stage == LIMN_STAGE_TEXT)
        sources[n++] = text_source(&d->unpaired.text);
    else
        sources[n++] = paired_source(&d->train);
    if (has_unpaired(d, s)) sources[n++] = unpaired_source(d);
    return limn_batches_create(out, sources, n, &settings, err);
}

limn_status limn_stage_n_steps(uint64_t *n_steps, const limn_training_data *d,
                               const limn_stage_settings *s, limn_error *err)
{
    limn_batches *batches = NULL;
    LIMN_TRY(create_batches(&batches, d, s, err));
    *n_steps = limn_batches_n_steps(batches) * s->n_epochs;
    limn_batches_destroy(&batches);
    return LIMN_OK;
}

limn_status limn_stage_bytes(size_t *bytes, const limn_training_data *d,
                             const limn_stage_settings *s, limn_error *err)
{
    const limn_trainer_settings settings = trainer_settings(d, s, 1);
    limn_batches *batches = NULL;
    LIMN_TRY(create_batches(&batches, d, s, err));
    const limn_decoder_limits limits = limn_batches_limits(batches);
    limn_batches_destroy(&batches);
    *bytes = limn_trainer_bytes(&d->config, &settings, &limits, d->settings->n_threads);
    return LIMN_OK;
}

/* ---- parts --------------------------------------------------------------------------------- */

static bool is_from_pixels(const limn_training_data *d, const limn_stage_settings *s)
{
    return s->stage == LIMN_STAGE_END_TO_END && first_encoder_stage(d, s) == 0;
}

static limn_status open_pixels(struct stage_run *r, limn_error *err)
{
    const limn_training_data *d = r->context->data;
    limn_batches *ahead = NULL;
    LIMN_TRY(create_batches(&ahead, d, r->stage, err));
    return limn_stage_pixels_create(&r->pixels, d, ahead, has_unpaired(d, r->stage) ? 2 : 1, err);
}

static limn_status open_inputs(struct stage_run *r, limn_error *err)
{
    const limn_training_context *c = r->context;
    const bool is_end_to_end = r->stage->stage == LIMN_STAGE_END_TO_END;
    const limn_stage_views_settings settings = {
        .base = &r->base,
        .features_record = limn_run_folder_file(c->folder, "features.json"),
        .cache = c->cache,
        .n_views = r->stage->n_views,
        .n_images = r->stage->n_images,
        .pool = c->pool,
        .listener = c->data->listener,
        .has_unpaired = has_unpaired(c->data, r->stage),
        .first_stage =
            is_end_to_end ? first_encoder_stage(c->data, r->stage) : LIMN_STAGE_AFTER_HEAD,
    };
    if (r->stage->stage == LIMN_STAGE_TEXT) return LIMN_OK;
    if (is_from_pixels(c->data, r->stage)) return open_pixels(r, err);
    return limn_stage_views_open(&r->inputs, c->data, &settings, err);
}

/* Heads belong to the encoder they were made for: training the encoder drops them, except the one
 * that the decoder itself reads, as the decoder adapts to its output. */
static void leave_heads(struct stage_run *r)
{
    const bool has_slots = r->context->data->config.decoder.n_tag_slots > 0;
    const size_t n = limn_tag_heads_keep(&r->heads, has_slots ? LIMN_OBJECTS_SET : "");
    if (n > 0 && !r->is_trial)
        limn_training_say(r->context->data->listener, LIMN_TRAINING_INFO,
                          "tag sets left out, since the encoder they were trained on changes: %zu; "
                          "limn-convert --objects trains them again",
                          n);
}

static limn_status open_heads(struct stage_run *r, limn_error *err)
{
    const limn_decoder_config *c = &r->context->data->config.decoder;
    LIMN_TRY(limn_tag_heads_read(&r->heads, r->base.tensors, c->memory_dim, err));
    if (r->stage->stage == LIMN_STAGE_END_TO_END) leave_heads(r);
    if (c->n_tag_slots == 0) return LIMN_OK;
    limn_kernels_init(&r->kernels, limn_cpu_best());
    return limn_tagger_open(&r->tagger, &r->heads, c->n_memory_positions, c->memory_dim,
                            &r->kernels, err);
}

/* Even if the encoder's file has one. */
static bool has_new_decoder(const struct stage_run *r, size_t index)
{
    return r->is_trial || (index == 0 && !r->context->data->settings->model.init);
}

/* The prefix of tensors that start at random values: a new decoder, or the tag slots of a decoder
 * that had none. */
static const char *new_tensors(const struct stage_run *r, size_t index)
{
    const limn_training_data *d = r->context->data;
    const limn_model_config *base = &r->base.config;
    if (has_new_decoder(r, index)) return "decoder.";
    return d->config.decoder.n_tag_slots > 0 && base->decoder.n_tag_slots == 0 ? "decoder.tag_"
                                                                               : NULL;
}

static limn_status create_trainer(struct stage_run *r, size_t index, limn_error *err)
{
    const limn_training_data *d = r->context->data;
    const uint64_t n_steps = limn_batches_n_steps(r->batches) * r->stage->n_epochs;
    const limn_decoder_limits limits = limn_batches_limits(r->batches);
    limn_trainer_settings settings = trainer_settings(d, r->stage, n_steps);
    LIMN_TRY(open_heads(r, err));
    settings.tagger = r->tagger;
    if (r->stage->stage == LIMN_STAGE_REWARD)
        LIMN_TRY(limn_reward_references_set(&r->references, &settings, d, has_unpaired(d, r->stage),
                                            err));
    LIMN_TRY(limn_trainer_create(&r->trainer, &d->config, &settings, &limits, r->context->pool,
                                 limn_cpu_best(), err));
    return limn_trainer_load(r->trainer, r->base.tensors, new_tensors(r, index), d->settings->seed,
                             err);
}

static limn_status fill_input(void *ctx, const limn_batch *batch, limn_trainer_input *input,
                              limn_error *err)
{
    struct stage_run *r = ctx;
    if (r->pixels) return limn_stage_pixels_fill(r->pixels, batch, &input->pixels, err);
    if (r->stage->stage == LIMN_STAGE_END_TO_END)
        return limn_stage_views_fill(&input->activations, &r->inputs, batch, err);
    if (r->stage->stage != LIMN_STAGE_TEXT)
        return limn_stage_views_fill(&input->features, &r->inputs, batch, err);
    return LIMN_OK;
}

/* ---- running ------------------------------------------------------------------------------- */

static bool show_step(void *ctx, const limn_run_report *report)
{
    const struct stage_run *r = ctx;
    const limn_training_listener *l = r->context->data->listener;
    return !l->step || l->step(l->ctx, r->stage->stage, report);
}

/* What models hold besides their networks' tensors. */
struct extras {
    limn_tensor
        tensors[LIMN_DOCUMENT_FREQUENCIES_N_TENSORS + LIMN_TAGS_MAX_HEADS * LIMN_TAGS_MAX_TENSORS];
    limn_metadata_item metadata[3];
    size_t n_tensors, n_metadata;
    char folded[LIMN_FOLDED_TEXT_SIZE];
};

/* What was scaled for int8 in the base, of the networks that are not new. */
static limn_status list_folded(struct extras *x, const struct stage_run *r, size_t index,
                               limn_error *err)
{
    limn_folded_channels folded;
    LIMN_TRY(limn_folded_channels_read(&folded, r->base.tensors, err));
    if (has_new_decoder(r, index)) folded.n_decoder = 0;
    x->n_metadata += limn_folded_channels_metadata(&x->metadata[x->n_metadata], x->folded, &folded);
    return LIMN_OK;
}

/* That, the document frequencies of the training captions, and the tags. */
static limn_status list_extras(struct extras *x, struct stage_run *r, size_t index, limn_error *err)
{
    const limn_document_frequencies *frequencies = r->context->data->frequencies;
    *x = (struct extras){ .n_tensors = 0 };
    LIMN_TRY(list_folded(x, r, index, err));
    if (frequencies) {
        x->n_tensors = limn_document_frequencies_tensors(frequencies, x->tensors);
        x->metadata[x->n_metadata++] = limn_document_frequencies_metadata(frequencies);
    }
    if (r->heads.n_items == 0) return LIMN_OK;
    x->n_tensors += limn_tag_heads_tensors(&r->heads, x->tensors + x->n_tensors);
    return limn_tag_heads_metadata(&r->heads, &x->metadata[x->n_metadata++], err);
}

static limn_model_export export_settings(const struct extras *x, const struct stage_run *r)
{
    const limn_training_data *d = r->context->data;
    return (limn_model_export){
        .config = &d->config,
        .vocab = d->vocab,
        .base = r->base.tensors,
        .dtype = d->settings->model.is_f32 ? LIMN_TENSOR_F32 : LIMN_TENSOR_F16,
        .extra_tensors = x->tensors,
        .n_extra_tensors = x->n_tensors,
        .extra = x->metadata,
        .n_extra = x->n_metadata,
    };
}

static limn_status run(struct stage_run *r, size_t index, uint64_t first_step,
                       limn_run_position *position, limn_error *err)
{
    const limn_training_context *c = r->context;
    const limn_training_settings *o = c->data->settings;
    const bool has_scores = r->stage->stage != LIMN_STAGE_TEXT; /* text: no captions to score */
    struct extras extras;
    LIMN_TRY(list_extras(&extras, r, index, err));
    const limn_model_export model = export_settings(&extras, r);
    const limn_run_parts parts = {
        .folder = c->folder,
        .trainer = r->trainer,
        .batches = r->batches,
        .input = fill_input,
        .input_ctx = r,
        .dev = has_scores ? c->dev->set : NULL,
        .dev_names = c->dev->names,
        .dev_references = c->dev->references,
        .n_dev = c->data->dev.n_images,
        .model = &model,
        .pool = c->pool,
        .report = show_step,
        .report_ctx = r,
    };
    const limn_run_settings settings = {
        .stage = r->stage->stage,
        .stage_index = index,
        .first_step = first_step,
        .n_steps = limn_batches_n_steps(r->batches) * r->stage->n_epochs,
        .log_steps = LOG_STEPS,
        .checkpoint_steps = o->checkpoint_steps,
        .n_eval_epochs = o->n_eval_epochs,
        .fingerprint = c->fingerprint,
    };
    limn_training_work(r->context->data->listener, "steps");
    const limn_status status = limn_run_stage(&settings, &parts, position, err);
    limn_training_work(r->context->data->listener, NULL);
    return status;
}

static void finish(struct stage_run *r)
{
    limn_trainer_destroy(&r->trainer);
    limn_batches_destroy(&r->batches);
    limn_stage_views_close(&r->inputs);
    limn_stage_pixels_destroy(&r->pixels);
    limn_reward_references_finish(&r->references);
    limn_tagger_close(&r->tagger);
    limn_tag_heads_finish(&r->heads);
    limn_model_file_close(&r->base);
}

limn_status limn_stage_run(const limn_training_context *context, const limn_stage_settings *stage,
                           size_t index, uint64_t first_step, const char *base,
                           limn_run_position *position, limn_error *err)
{
    struct stage_run r = { .context = context, .stage = stage };
    limn_status status = limn_model_file_open(&r.base, base, err);
    if (status == LIMN_OK) status = open_inputs(&r, err);
    if (status == LIMN_OK) status = create_batches(&r.batches, context->data, stage, err);
    if (status == LIMN_OK) status = create_trainer(&r, index, err);
    if (status == LIMN_OK) status = run(&r, index, first_step, position, err);
    finish(&r);
    return status;
}

/* ---- estimates ----------------------------------------------------------------------------- */

/* Floats of one image's input. */
static size_t input_floats(const limn_training_data *d, const limn_stage_settings *s)
{
    const limn_encoder_config *encoder = &d->config.encoder;
    const size_t first = first_encoder_stage(d, s);
    if (is_from_pixels(d, s)) /* bytes */
        return (size_t)encoder->input.width * encoder->input.height;
    if (s->stage != LIMN_STAGE_END_TO_END)
        return (size_t)d->config.decoder.n_memory_positions * d->config.decoder.memory_dim;
    return limn_feature_floats(limn_encoder_stage_shape(encoder, first - 1));
}

/* Two steps on inputs that are all zero; the second one counts. */
static limn_status time_steps(double *seconds, struct stage_run *r, const float *zeros,
                              limn_error *err)
{
    const limn_trainer_input input = { .features = zeros,
                                       .activations = zeros,
                                       .pixels = (const uint8_t *)zeros };
    limn_step_result result;
    for (uint64_t i = 0; i < 2; i++) {
        const double start = limn_clock_seconds();
        const limn_batch *batch = limn_batches_get(r->batches, i);
        LIMN_TRY(limn_trainer_step(r->trainer, batch, &input, &result, err));
        *seconds = limn_clock_seconds() - start;
    }
    return LIMN_OK;
}

limn_status limn_stage_step_seconds(double *seconds, const limn_training_data *d,
                                    const limn_stage_settings *s, limn_pool *pool, limn_error *err)
{
    const limn_training_context context = { .data = (limn_training_data *)d, .pool = pool };
    struct stage_run r = { .context = &context, .stage = s, .is_trial = true };
    const size_t n_floats = s->n_images * input_floats(d, s);
    float *zeros = limn_calloc(n_floats, sizeof *zeros);
    limn_status status =
        zeros ? limn_model_file_open(&r.base,
                                     d->settings->model.init ? d->settings->model.init
                                                             : d->settings->model.encoder,
                                     err)
              : limn_fail(err, LIMN_E_NOMEM, "no memory for a step");
    if (status == LIMN_OK) status = create_batches(&r.batches, d, s, err);
    if (status == LIMN_OK) status = create_trainer(&r, 0, err);
    if (status == LIMN_OK) status = time_steps(seconds, &r, zeros, err);
    finish(&r);
    limn_free(zeros);
    return status;
}
