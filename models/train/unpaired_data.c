#include "models/train/unpaired_data.h"

#include <string.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/npy.h"
#include "common/io/npy_array.h"
#include "common/text/plural.h"
#include "models/train/self_training.h"

void limn_unpaired_data_finish(limn_unpaired_data *u)
{
    limn_pairing_destroy(&u->pairing);
    limn_pixel_cache_close(&u->pixels);
    limn_image_names_finish(&u->names);
    limn_free(u->numbers);
    limn_object_labels_finish(&u->labels);
    limn_training_set_finish(&u->text);
    limn_training_set_finish(&u->reward_text);
}

/* Names and numbers of the images that have pixels; of all while there are none. */
static limn_status take_names(limn_unpaired_data *u, limn_error *err)
{
    const bool has_pixels = u->pixels.rows.n_rows > 0;
    size_t n = 0;
    limn_image_names_finish(&u->names);
    if (!u->numbers) u->numbers = limn_calloc(u->labels.n_images, sizeof *u->numbers);
    if (!u->numbers) return limn_fail(err, LIMN_E_NOMEM, "no memory for images");
    for (uint32_t i = 0; i < u->labels.n_images; i++) {
        const char *name = limn_string_table_get(&u->labels.names, i);
        if (has_pixels && limn_image_names_find(&u->pixels.rows.names, name) == LIMN_NO_IMAGE)
            continue;
        LIMN_TRY(limn_image_names_add(&u->names, name, err));
        u->numbers[n++] = i;
    }
    return LIMN_OK;
}

/* ---- captions ------------------------------------------------------------------------------ */

static size_t count_repeats(const void *ctx, uint64_t round, uint32_t image)
{
    return limn_pairing_n_repeats(ctx, round, image);
}

static size_t draw_captions(const void *ctx, uint64_t round, uint32_t image, size_t repeat,
                            uint32_t *captions, size_t capacity)
{
    return limn_pairing_draw(captions, ctx, round, image, repeat, capacity);
}

static limn_status pair(limn_unpaired_data *u, uint64_t seed, limn_error *err)
{
    limn_pairing_settings settings = limn_pairing_settings_default();
    settings.seed = seed;
    limn_pairing_destroy(&u->pairing);
    LIMN_TRY(limn_pairing_create(&u->pairing, &u->labels, u->numbers,
                                 limn_image_names_count(&u->names), u->text.texts,
                                 u->text.n_captions, &settings, err));
    u->draw = (limn_caption_draw){ count_repeats, draw_captions, u->pairing, settings.max_repeats };
    const limn_pairing_summary s = limn_pairing_summarize(u->pairing);
    limn_training_say(u->listener, LIMN_TRAINING_NOTE,
                      "%zu unpaired %s with captions, %zu without an object, %zu without a "
                      "caption that fits; captions in use: %zu",
                      s.n_images, limn_plural(s.n_images, "image", "images"), s.n_without_object,
                      s.n_without_caption, s.n_captions);
    return LIMN_OK;
}

limn_status limn_unpaired_data_read(limn_unpaired_data *u, const limn_training_settings *o,
                                    const limn_vocab *vocab, const limn_training_listener *listener,
                                    limn_error *err)
{
    const limn_training_set_settings settings = { .vocab = vocab,
                                                  .max_words = o->words.max_words,
                                                  .keep_rejected = o->images.keep_rejected };
    *u = (limn_unpaired_data){ .listener = listener };
    if (o->unpaired.text)
        LIMN_TRY(limn_training_set_read_text(&u->text, o->unpaired.text, &settings, err));
    if (o->unpaired.reward_text)
        LIMN_TRY(
            limn_training_set_read_text(&u->reward_text, o->unpaired.reward_text, &settings, err));
    if (!o->unpaired.images) return LIMN_OK;
    LIMN_TRY(limn_object_labels_read(&u->labels, o->unpaired.objects, err));
    LIMN_TRY(take_names(u, err));
    return pair(u, o->seed, err);
}

/* ---- images ------------------------------------------------------------------------------ */

static limn_status load_pixels(limn_unpaired_data *u, const limn_training_settings *o,
                               const limn_pixel_cache_settings *common, const char *path,
                               limn_error *err)
{
    limn_pixel_cache_settings settings = *common;
    settings.folder = o->unpaired.images;
    settings.names = &u->names;
    limn_training_work(u->listener, "unpaired images read");
    const limn_status status = limn_pixel_cache_make(&u->pixels, path, &settings, err);
    limn_training_work(u->listener, NULL);
    return status;
}

limn_status limn_unpaired_data_load(limn_unpaired_data *u, const limn_training_settings *o,
                                    const limn_pixel_cache_settings *settings, const char *path,
                                    limn_error *err)
{
    if (!o->unpaired.images) return LIMN_OK;
    LIMN_TRY(load_pixels(u, o, settings, path, err));
    if (u->pixels.n_unreadable == 0) return LIMN_OK;
    for (size_t i = 0; i < u->pixels.n_unreadable; i++)
        limn_training_say(u->listener, LIMN_TRAINING_ERROR, "%s: %s; left out",
                          u->pixels.unreadable[i].name, u->pixels.unreadable[i].error);
    LIMN_TRY(take_names(u, err));
    return pair(u, o->seed, err);
}

/* ---- self-training ------------------------------------------------------------------------- */

static limn_status ask(float *agreement, const limn_unpaired_data *u, const limn_model *model,
                       limn_pool *pool, limn_error *err)
{
    const size_t n = limn_image_names_count(&u->names);
    limn_cached_images pixels = { 0 };
    const char **names = limn_calloc(n, sizeof *names);
    if (!names) return limn_fail(err, LIMN_E_NOMEM, "no memory for images");
    for (size_t i = 0; i < n; i++) names[i] = limn_image_names_get(&u->names, i);
    limn_status status = limn_cached_images_find(&pixels, &u->pixels, names, n, err);
    limn_free(names);
    if (status != LIMN_OK) return status;
    const limn_opinion opinion = {
        .model = model,
        .pairing = u->pairing,
        .pixels = limn_cached_images_source(&pixels),
        .n_images = n,
        .captions = u->text.texts,
        .n_captions = u->text.n_captions,
        .pool = pool,
        .progress = limn_training_progress(u->listener),
    };
    limn_training_work(u->listener, "unpaired images scored");
    status = limn_self_training_agree(agreement, &opinion, err);
    limn_training_work(u->listener, NULL);
    limn_cached_images_finish(&pixels);
    return status;
}

/* Rates the captions with the model, and keeps the ratings in the file. */
static limn_status make_agreement(float *agreement, const limn_unpaired_data *u,
                                  const char *model_path, const char *path, limn_pool *pool,
                                  limn_error *err)
{
    const size_t shape[] = { limn_image_names_count(&u->names), LIMN_AGREEMENT_MAX_CAPTIONS };
    limn_model *model = NULL;
    limn_buffer file = { 0 };
    LIMN_TRY(limn_model_open(&model, model_path, NULL, err));
    limn_status status = ask(agreement, u, model, pool, err);
    limn_model_close(&model);
    if (status != LIMN_OK) return status;
    limn_npy_append(&file, LIMN_NPY_F32, 2, shape, agreement);
    status = file.has_failed ? limn_fail(err, LIMN_E_NOMEM, "no memory for %s", path)
                             : limn_file_replace(path, file.bytes, file.size, err);
    limn_buffer_finish(&file);
    return status;
}

/* False when there are no ratings of these images. */
static bool read_agreement(float *agreement, size_t n_images, const char *path)
{
    limn_npy_array map;
    if (limn_npy_array_open(&map, path, NULL) != LIMN_OK) return false;
    const bool fits = map.dtype == LIMN_NPY_F32 && map.n_dims == 2 && map.shape[0] == n_images &&
                      map.shape[1] == LIMN_AGREEMENT_MAX_CAPTIONS;
    if (fits) memcpy(agreement, map.data, map.size);
    limn_npy_array_close(&map);
    return fits;
}

limn_status limn_unpaired_data_select(limn_unpaired_data *u, const limn_training_settings *o,
                                      const char *path, limn_pool *pool, limn_error *err)
{
    const size_t n = limn_image_names_count(&u->names);
    float *agreement;
    limn_status status = LIMN_OK;
    if (!o->unpaired.n_self_training) return LIMN_OK;
    agreement = limn_calloc(n, LIMN_AGREEMENT_MAX_CAPTIONS * sizeof *agreement);
    if (!agreement)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for an opinion on %zu images", n);
    if (!read_agreement(agreement, n, path))
        status = make_agreement(agreement, u, o->model.init, path, pool, err);
    if (status == LIMN_OK)
        status =
            limn_self_training_apply(u->pairing, n, agreement, o->unpaired.n_self_training, err);
    limn_free(agreement);
    return status;
}

/* ---- fingerprint --------------------------------------------------------------------------- */

static uint64_t hash_texts(uint64_t hash, const limn_training_set *set)
{
    for (size_t i = 0; i < set->n_captions; i++)
        hash = limn_fnv1a64(hash, set->texts[i], strlen(set->texts[i]) + 1);
    return hash;
}

uint64_t limn_unpaired_data_hash(const limn_unpaired_data *u, uint64_t hash)
{
    hash = hash_texts(hash_texts(hash, &u->text), &u->reward_text);
    for (size_t i = 0; i < limn_image_names_count(&u->names); i++) {
        const char *name = limn_image_names_get(&u->names, i);
        const uint32_t row = limn_image_names_find(&u->pixels.rows.names, name);
        const size_t first = u->labels.first_box[u->numbers[i]];
        hash = limn_fnv1a64(hash, name, strlen(name) + 1);
        hash = limn_fnv1a64(hash, &u->pixels.rows.checksums[row], sizeof *u->pixels.rows.checksums);
        for (size_t k = first; k < u->labels.first_box[u->numbers[i] + 1]; k++) {
            hash = limn_fnv1a64(hash, &u->labels.boxes[k].object, sizeof u->labels.boxes->object);
            hash = limn_fnv1a64(hash, &u->labels.boxes[k].score, sizeof u->labels.boxes->score);
        }
    }
    return hash;
}
