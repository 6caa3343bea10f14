#include "models/train/training_data.h"

#include <stdio.h>
#include <string.h>

#include "common/image/image.h"
#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/plural.h"
#include "common/weights/weights.h"
#include "decoder/vocab_build.h"
#include "encoder/encoder_training.h"
#include "models/tag_heads.h"
#include "models/train/training_frequencies.h"
#include "models/vocab_file.h"

/* ---- names ------------------------------------------------------------------------------- */

/* The splits customarily used for training, and those for choosing models. */
#define TRAIN_SPLITS "train,restval"
#define DEV_SPLITS "val,dev,validation"

static bool has_split(const limn_caption_file *file, const char *splits)
{
    for (size_t i = 0; i < file->n_records; i++)
        if (limn_caption_is_of_split(&file->records[i], splits)) return true;
    return false;
}

static bool says_splits(const limn_caption_file *file)
{
    for (size_t i = 0; i < file->n_records; i++)
        if (file->records[i].split) return true;
    return false;
}

/* The images of some splits of the caption file. */
static limn_status take_split(limn_image_names *out, const limn_caption_file *file,
                              const char *splits, limn_error *err)
{
    limn_caption_file taken = { .records = limn_alloc(file->n_records, sizeof *taken.records) };
    if (!taken.records) return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    for (size_t i = 0; i < file->n_records; i++)
        if (limn_caption_is_of_split(&file->records[i], splits))
            taken.records[taken.n_records++] = file->records[i];
    const limn_status status = limn_image_names_add_captions(out, &taken, err);
    limn_free(taken.records);
    return status;
}

static limn_status take_splits(limn_training_data *d, limn_error *err)
{
    LIMN_TRY(take_split(&d->train_names, &d->captions, TRAIN_SPLITS, err));
    return take_split(&d->dev_names, &d->captions, DEV_SPLITS, err);
}

static limn_status deal_out(limn_training_data *d, limn_error *err)
{
    const limn_training_settings *o = d->settings;
    limn_image_names all = { 0 };
    limn_status status = limn_image_names_add_captions(&all, &d->captions, err);
    if (status == LIMN_OK)
        status = limn_image_names_split(&d->train_names, &d->dev_names, &all, o->images.dev_share,
                                        o->seed, err);
    limn_image_names_finish(&all);
    return status;
}

static limn_status read_names(limn_training_data *d, limn_error *err)
{
    const limn_training_settings *o = d->settings;
    if (o->images.train_list) {
        LIMN_TRY(limn_image_names_read(&d->train_names, o->images.train_list, err));
        return limn_image_names_read(&d->dev_names, o->images.dev_list, err);
    }
    if (has_split(&d->captions, TRAIN_SPLITS) && has_split(&d->captions, DEV_SPLITS))
        return take_splits(d, err);
    if (says_splits(&d->captions))
        limn_training_say(d->listener, LIMN_TRAINING_WARNING,
                          "%s: lacks one of the splits " TRAIN_SPLITS " and " DEV_SPLITS
                          ": images are assigned by a hash of their names",
                          o->images.captions);
    return deal_out(d, err);
}

/* ---- words ------------------------------------------------------------------------------- */

static limn_status count_captions(limn_vocab_builder *b, const limn_training_data *d,
                                  limn_error *err)
{
    for (size_t i = 0; i < d->captions.n_records; i++) {
        const limn_caption_record *r = &d->captions.records[i];
        if (r->caption && limn_image_names_find_record(&d->train_names, r) != LIMN_NO_IMAGE)
            LIMN_TRY(limn_vocab_builder_add(b, r->caption, strlen(r->caption),
                                            d->settings->words.min_count, err));
    }
    return LIMN_OK;
}

/* Builds the vocabulary from the training captions, after the old words where these are
 * extended. */
static limn_status build_vocabulary(limn_training_data *d, limn_error *err)
{
    const limn_training_settings *o = d->settings;
    const limn_vocab *old = o->words.mode == LIMN_WORDS_EXTEND ? d->base.vocab : NULL;
    limn_vocab_builder *b = NULL;
    LIMN_TRY(limn_vocab_builder_create(&b, old ? limn_vocab_kind(old) : o->words.tokenizer, err));
    limn_status status = count_captions(b, d, err);
    if (status == LIMN_OK) status = limn_vocab_builder_build(&d->own_vocab, b, old, err);
    limn_vocab_builder_destroy(&b);
    return status;
}

static limn_status read_vocabulary(limn_training_data *d, limn_error *err)
{
    const limn_training_settings *o = d->settings;
    if (o->words.file)
        LIMN_TRY(limn_vocab_file_read(&d->own_vocab, o->words.file, err));
    else if (!o->model.init || o->words.mode != LIMN_WORDS_KEEP)
        LIMN_TRY(build_vocabulary(d, err));
    d->vocab = d->own_vocab ? d->own_vocab : d->base.vocab;
    if (o->model.init && d->own_vocab)
        limn_training_say(d->listener, LIMN_TRAINING_NOTE, "%zu tokens, %zu before",
                          limn_vocab_n_tokens(d->vocab), limn_vocab_n_tokens(d->base.vocab));
    return LIMN_OK;
}

/* ---- the model --------------------------------------------------------------------------- */

static bool trains_encoder(const limn_training_settings *o)
{
    limn_stage_settings stages[LIMN_TRAINING_MAX_STAGES];
    const size_t n = limn_training_stages(stages, o);
    for (size_t i = 0; i < n; i++)
        if (stages[i].stage == LIMN_STAGE_END_TO_END) return true;
    return false;
}

/* Checks the base's encoder before hours are spent on earlier stages. */
static limn_status check_encoder(const limn_training_data *d, limn_error *err)
{
    const limn_encoder_config *c = &d->config.encoder;
    LIMN_TRY(limn_encoder_check(c, err));
    if (c->input.width != c->input.height)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "the encoder sees images of %u x %u; only square ones can be trained on",
                         c->input.width, c->input.height);
    return trains_encoder(d->settings) ? limn_encoder_training_check(c, err) : LIMN_OK;
}

static limn_status refuse_int8(const limn_safetensors *tensors, const char *path, limn_error *err)
{
    if (!limn_safetensors_metadata(tensors, LIMN_INT8_KEY)) return LIMN_OK;
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "%s: is in int8, and training needs f32 or f16; convert it first: "
                     "limn-convert --dtype f16",
                     path);
}

static limn_status read_base(limn_training_data *d, limn_error *err)
{
    const limn_training_settings *o = d->settings;
    const char *base = o->model.init ? o->model.init : o->model.encoder;
    LIMN_TRY(limn_model_file_open(&d->base, base, err));
    LIMN_TRY(refuse_int8(d->base.tensors, base, err));
    if (o->model.init && !d->base.config.has_decoder)
        return limn_fail(err, LIMN_E_ARG,
                         "%s: is an encoder without a decoder; use --encoder, not --init",
                         o->model.init);
    d->config = d->base.config;
    return check_encoder(d, err);
}

/* The configuration of a new decoder for the encoder of the base. */
static limn_status new_decoder(limn_training_data *d, limn_error *err)
{
    const limn_training_settings *o = d->settings;
    const limn_feature_shape shape = limn_encoder_feature_shape(&d->config.encoder);
    d->config.has_decoder = true;
    d->config.decoder = (limn_decoder_config){
        .n_layers = o->model.n_layers,
        .dim = o->model.dim,
        .n_heads = o->model.n_heads,
        .feed_forward_dim = o->model.feed_forward ? o->model.feed_forward : 4 * o->model.dim,
        .max_positions = o->words.max_words + 24,
        .n_memory_positions = (uint32_t)limn_feature_positions(shape),
        .memory_dim = (uint32_t)shape.dim,
        .layout = LIMN_LAYOUT_LIMN,
        .specials = LIMN_SPECIALS_OWN,
    };
    d->config.length_penalty = 0.7f;
    d->config.guidance = 0; /* what suits the base's decoder says nothing of this one */
    d->config.no_repeat_ngram = 0;
    d->config.max_steps = o->words.max_words < 30 ? o->words.max_words + 1 : 30;
    return LIMN_OK;
}

/* How many objects the base knows. */
static limn_status count_objects(uint32_t *n, const limn_training_data *d, limn_error *err)
{
    limn_tag_heads heads;
    LIMN_TRY(limn_tag_heads_read(&heads, d->base.tensors, d->config.decoder.memory_dim, err));
    const limn_tag_head *head = limn_tag_heads_find(&heads, LIMN_OBJECTS_SET);
    *n = head ? head->n_tags : 0;
    limn_tag_heads_finish(&heads);
    return LIMN_OK;
}

static limn_status add_tag_slots(limn_training_data *d, limn_error *err)
{
    const limn_training_settings *o = d->settings;
    const char *base = o->model.init ? o->model.init : o->model.encoder;
    limn_decoder_config *c = &d->config.decoder;
    uint32_t n_tags;
    LIMN_TRY(count_objects(&n_tags, d, err));
    if (n_tags == 0)
        return limn_fail(err, LIMN_E_ARG,
                         "tag slots: %s has no tags of the set \"" LIMN_OBJECTS_SET "\": "
                         "limn-convert --objects LABELS --features CACHE -o NEW %s teaches them",
                         base, base);
    if (n_tags < o->model.n_tag_slots)
        return limn_fail(err, LIMN_E_ARG, "tag slots: %u are more than the %u tags of %s",
                         o->model.n_tag_slots, n_tags, base);
    if (c->n_tag_slots > 0 && c->n_tag_slots != o->model.n_tag_slots)
        return limn_fail(err, LIMN_E_ARG, "tag slots: %s already has %u", base, c->n_tag_slots);
    c->n_tag_slots = o->model.n_tag_slots;
    c->n_tags = n_tags;
    return LIMN_OK;
}

static limn_status make_config(limn_training_data *d, limn_error *err)
{
    if (!d->settings->model.init) LIMN_TRY(new_decoder(d, err));
    if (d->settings->model.n_tag_slots > 0) LIMN_TRY(add_tag_slots(d, err));
    d->config.decoder.n_tokens = (uint32_t)limn_vocab_n_tokens(d->vocab);
    return LIMN_OK;
}

/* ---- captions ---------------------------------------------------------------------------- */

static void warn_count(const limn_training_data *d, const limn_training_count *count,
                       const char *what)
{
    if (count->n == 0) return;
    limn_training_say(d->listener, LIMN_TRAINING_WARNING, "%zu %s left out; the first: %s%s",
                      count->n, what, count->first[0], count->n > 1 ? " and others" : "");
}

static void warn_report(const limn_training_data *d, const limn_training_report *r)
{
    warn_count(d, &r->empty, "captions without a word");
    warn_count(d, &r->too_long, "captions that are too long");
    warn_count(d, &r->without, "images without a caption");
}

static limn_status make_set(limn_training_set *out, limn_training_data *d,
                            const limn_image_names *names, const char *list, limn_error *err)
{
    const limn_training_set_settings settings = {
        .vocab = d->vocab,
        .max_words = d->settings->words.max_words,
        .names = names,
        .list = list,
    };
    LIMN_TRY(limn_training_set_create(out, &d->captions, &settings, err));
    warn_report(d, &out->report);
    return LIMN_OK;
}

/* CIDEr of a handful of captions is too noisy to choose a model by. */
static void warn_small_dev(const limn_training_data *d)
{
    enum { FEW = 20 };
    if (d->dev.n_images > 0 && d->dev.n_images < FEW && d->train.n_images >= FEW)
        limn_training_say(d->listener, LIMN_TRAINING_WARNING,
                          "only %zu development %s to choose the model by%s", d->dev.n_images,
                          limn_plural(d->dev.n_images, "image", "images"),
                          d->settings->images.dev_list ? "" : "; raise --dev-share");
}

static limn_status make_sets(limn_training_data *d, limn_error *err)
{
    const limn_training_settings *o = d->settings;
    LIMN_TRY(make_set(&d->train, d, &d->train_names, o->images.train_list, err));
    if (limn_image_names_count(&d->dev_names) > 0)
        LIMN_TRY(make_set(&d->dev, d, &d->dev_names, o->images.dev_list, err));
    LIMN_TRY(limn_image_names_add_all(&d->all_names, &d->train.names, err));
    LIMN_TRY(limn_image_names_add_all(&d->all_names, &d->dev.names, err));
    limn_document_frequencies_destroy(&d->frequencies);
    return limn_training_frequencies_create(&d->frequencies, &d->train, err);
}

limn_status limn_training_data_read(limn_training_data *d, const limn_training_settings *settings,
                                    limn_caption_file *captions,
                                    const limn_training_listener *listener, limn_error *err)
{
    *d = (limn_training_data){ .settings = settings, .captions = *captions, .listener = listener };
    *captions = (limn_caption_file){ .n_records = 0 };
    LIMN_TRY(read_base(d, err));
    if (settings->images.captions) LIMN_TRY(read_names(d, err));
    LIMN_TRY(read_vocabulary(d, err));
    LIMN_TRY(make_config(d, err));
    LIMN_TRY(limn_unpaired_data_read(&d->unpaired, settings, d->vocab, listener, err));
    if (settings->images.captions) LIMN_TRY(make_sets(d, err));
    warn_small_dev(d);
    return LIMN_OK;
}

void limn_training_data_finish(limn_training_data *d)
{
    limn_unpaired_data_finish(&d->unpaired);
    limn_pixel_cache_close(&d->pixels);
    limn_document_frequencies_destroy(&d->frequencies);
    limn_training_set_finish(&d->train);
    limn_training_set_finish(&d->dev);
    limn_image_names_finish(&d->train_names);
    limn_image_names_finish(&d->dev_names);
    limn_image_names_finish(&d->all_names);
    limn_caption_file_finish(&d->captions);
    limn_vocab_destroy(&d->own_vocab);
    limn_model_file_close(&d->base);
}

/* ---- images ---------------------------------------------------------------------------- */

/* Only names that have pixels. */
static limn_status keep_readable(limn_image_names *names, const limn_pixel_cache *pixels,
                                 limn_error *err)
{
    limn_image_names kept = { 0 };
    for (size_t i = 0; i < limn_image_names_count(names); i++) {
        const char *name = limn_image_names_get(names, i);
        if (limn_image_names_find(&pixels->rows.names, name) != LIMN_NO_IMAGE)
            LIMN_TRY(limn_image_names_add(&kept, name, err));
    }
    limn_image_names_finish(names);
    *names = kept;
    return LIMN_OK;
}

static limn_status leave_out_unreadable(limn_training_data *d, limn_error *err)
{
    for (size_t i = 0; i < d->pixels.n_unreadable; i++)
        limn_training_say(d->listener, LIMN_TRAINING_ERROR, "%s: %s; left out",
                          d->pixels.unreadable[i].name, d->pixels.unreadable[i].error);
    if (d->pixels.n_unreadable == 0) return LIMN_OK;
    LIMN_TRY(keep_readable(&d->train_names, &d->pixels, err));
    LIMN_TRY(keep_readable(&d->dev_names, &d->pixels, err));
    limn_training_set_finish(&d->train);
    limn_training_set_finish(&d->dev);
    limn_image_names_finish(&d->all_names);
    return make_sets(d, err);
}

static limn_status load_paired(limn_training_data *d, const char *path,
                               const limn_pixel_cache_settings *settings, limn_error *err)
{
    limn_training_work(d->listener, "images read");
    const limn_status status = limn_pixel_cache_make(&d->pixels, path, settings, err);
    limn_training_work(d->listener, NULL);
    LIMN_TRY(status);
    return leave_out_unreadable(d, err);
}

limn_status limn_training_data_load_images(limn_training_data *d, const char *cache,
                                           limn_pool *pool, limn_error *err)
{
    const limn_pixel_cache_settings settings = {
        .folder = d->settings->images.images,
        .names = &d->all_names,
        .load = d->load,
        .load_ctx = d->load_ctx,
        .pool = pool,
        .input = { d->config.encoder.input, LIMN_DEFAULT_MAX_PIXELS },
        .progress = limn_training_progress(d->listener),
    };
    limn_buffer path = { 0 };
    limn_status status = LIMN_OK;
    limn_buffer_printf(&path, "%s/pixels", cache);
    if (d->settings->images.images) status = load_paired(d, path.bytes, &settings, err);
    limn_buffer_clear(&path);
    limn_buffer_printf(&path, "%s/unpaired-pixels", cache);
    if (status == LIMN_OK)
        status = limn_unpaired_data_load(&d->unpaired, d->settings, &settings, path.bytes, err);
    limn_buffer_finish(&path);
    return status;
}

/* ---- fingerprint ------------------------------------------------------------------------- */

static uint64_t hash_set(uint64_t hash, const limn_training_set *set,
                         const limn_pixel_cache *pixels)
{
    hash = limn_fnv1a64(hash, &set->n_images, sizeof set->n_images);
    if (set->n_images == 0) return hash;
    hash =
        limn_fnv1a64(hash, set->first_captions, (set->n_images + 1) * sizeof *set->first_captions);
    for (size_t i = 0; i < set->n_images; i++) {
        const char *name = limn_training_set_name(set, i);
        const uint32_t row = limn_image_names_find(&pixels->rows.names, name);
        hash = limn_fnv1a64(hash, name, strlen(name) + 1);
        hash = limn_fnv1a64(hash, &pixels->rows.checksums[row], sizeof *pixels->rows.checksums);
    }
    for (size_t i = 0; i < set->n_captions; i++)
        hash = limn_fnv1a64(hash, set->texts[i], strlen(set->texts[i]) + 1);
    return hash;
}

uint64_t limn_training_data_fingerprint(const limn_training_data *d)
{
    uint64_t hash = limn_safetensors_checksum(d->base.tensors);
    hash = hash_set(hash, &d->train, &d->pixels);
    hash = hash_set(hash, &d->dev, &d->pixels);
    for (size_t i = 0; i < limn_vocab_n_tokens(d->vocab); i++) {
        const char *text = limn_vocab_text(d->vocab, (uint32_t)i);
        hash = limn_fnv1a64(hash, text, strlen(text) + 1);
    }
    return limn_unpaired_data_hash(&d->unpaired, hash);
}
