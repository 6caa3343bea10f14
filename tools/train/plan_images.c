#include "tools/train/plan_images.h"

#include <string.h>
#include <sys/stat.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/image/image.h"
#include "common/io/dirwalk.h"
#include "common/io/fileio.h"
#include "common/text/image_name.h"
#include "common/text/plural.h"
#include "common/text/string_table.h"
#include "tools/train/train_decoding.h"
#include "tools/message.h"

enum { SAMPLE = 50, MAX_NEAR = 3 };
#define MAX_FILE_SIZE ((size_t)1 << 30) /* bytes of an image of the sample */

/* ---- what is in the folder ---------------------------------------------------------------- */

/* Names below a folder, findable by what is common to near ones. */
typedef struct near_names {
    limn_string_table folds;
    limn_buffer fold;
    char **names; /* [folds.n_strings] the first of each fold */
    size_t capacity;
} near_names;

static void finish_near(near_names *near)
{
    for (size_t i = 0; i < near->folds.n_strings && near->names; i++) limn_free(near->names[i]);
    limn_free((void *)near->names);
    limn_string_table_finish(&near->folds);
    limn_buffer_finish(&near->fold);
}

static limn_status add_near(near_names *near, const char *name, limn_error *err)
{
    const size_t n_before = near->folds.n_strings;
    uint32_t number;
    if (!limn_image_name_has_ending(name)) return LIMN_OK;
    limn_image_name_fold(&near->fold, name);
    if (!limn_grow((void **)&near->names, &near->capacity, n_before + 1, sizeof *near->names))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for names");
    near->names[n_before] = NULL;
    LIMN_TRY(limn_string_table_add(&number, &near->folds, near->fold.bytes, near->fold.size, err));
    if (near->folds.n_strings == n_before) return LIMN_OK;
    near->names[number] = limn_strdup(name);
    return near->names[number] ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "no memory for names");
}

static limn_status read_folder(near_names *near, const char *folder, limn_error *err)
{
    const limn_dirwalk_settings settings = { .is_recursive = true, .list_fd = -1, .wake_fd = -1 };
    char *path = limn_strdup(folder);
    limn_dirwalk *walk = NULL;
    limn_dirwalk_entry entry = { 0 };
    limn_status s = path ? limn_dirwalk_create(&walk, &path, 1, &settings, err)
                         : limn_fail(err, LIMN_E_NOMEM, "no memory for names");
    while (s == LIMN_OK && (s = limn_dirwalk_next(walk, &entry, err)) == LIMN_OK && entry.path)
        s = add_near(near, entry.relative, err);
    limn_dirwalk_destroy(&walk);
    limn_free(path);
    return s;
}

/* NULL when nothing is near. */
static const char *find_near(near_names *near, const char *name)
{
    uint32_t number;
    limn_image_name_fold(&near->fold, name);
    return limn_string_table_find(&number, &near->folds, near->fold.bytes, near->fold.size)
               ? near->names[number]
               : NULL;
}

/* ---- what is missing ---------------------------------------------------------------------- */

static void warn_near(near_names *near, const char *name, const char *folder)
{
    const char *there = find_near(near, name);
    limn_buffer difference = { 0 };
    if (!there) return;
    limn_image_name_difference(&difference, name, there);
    limn_message_warning("%s: is not in %s, but %s is%s%s", name, folder, there,
                         difference.size > 0 ? ": the names differ in " : "",
                         difference.size > 0 ? difference.bytes : "");
    limn_buffer_finish(&difference);
}

/* Offers near names for the first few images that are missing. */
static limn_status offer_near(const limn_image_names *all, const limn_image_names *present,
                              const char *folder, limn_error *err)
{
    near_names near = { .names = NULL };
    const limn_status status = read_folder(&near, folder, err);
    size_t n_looked_at = 0;
    for (size_t i = 0; status == LIMN_OK && i < limn_image_names_count(all); i++) {
        const char *name = limn_image_names_get(all, i);
        uint32_t number;
        if (limn_string_table_find(&number, &present->names, name, strlen(name))) continue;
        warn_near(&near, name, folder);
        if (++n_looked_at == MAX_NEAR) break;
    }
    finish_near(&near);
    return status;
}

static const char *first_missing(const limn_image_names *all, const limn_image_names *present)
{
    uint32_t number;
    for (size_t i = 0; i < limn_image_names_count(all); i++) {
        const char *name = limn_image_names_get(all, i);
        if (!limn_string_table_find(&number, &present->names, name, strlen(name))) return name;
    }
    return "";
}

static limn_status check_missing(const limn_image_names *all, const limn_image_names *present,
                                 const char *folder, limn_error *err)
{
    const size_t n = limn_image_names_count(all), n_there = limn_image_names_count(present);
    const size_t n_missing = n - n_there;
    if (n_missing == 0) return LIMN_OK;
    LIMN_TRY(offer_near(all, present, folder, err));
    if (n_there == 0)
        return limn_fail(err, LIMN_E_IO,
                         "none of the %zu %s that the captions name is in %s, for instance %s; "
                         "--images must be the folder that the names are relative to",
                         n, limn_plural(n, "image", "images"), folder, first_missing(all, present));
    limn_message_warning("%zu of %zu images %s not in %s; the first: %s%s", n_missing, n,
                         limn_plural(n_missing, "is", "are"), folder, first_missing(all, present),
                         (double)n_missing > LIMN_PIXEL_CACHE_MAX_UNREADABLE * (double)n
                             ? "; a run stops if more than 1 % can't be read"
                             : "");
    return LIMN_OK;
}

/* ---- what can be read --------------------------------------------------------------------- */

/* Errors begin with the path. */
static limn_status open_image(const limn_training_data *d, const char *name, limn_error *err)
{
    enum { SMALL = 64 };
    const limn_encoder_input_settings input = {
        limn_input_square(SMALL, LIMN_RESIZE_BILINEAR, 0, 1), LIMN_DEFAULT_MAX_PIXELS
    };
    uint8_t pixels[SMALL * SMALL * 3];
    limn_file_bytes file = { 0 };
    char *path;
    LIMN_TRY(limn_image_path(&path, d->settings->images.images, name, err));
    limn_status s = limn_file_bytes_read(&file, path, MAX_FILE_SIZE, err);
    if (s == LIMN_OK) {
        s = limn_train_decode(d->load_ctx, pixels, file.bytes, file.size, &input, err);
        if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    }
    limn_file_bytes_free(&file);
    limn_free(path);
    return s;
}

/* A sample from all over the list. */
static void check_sample(const limn_image_names *present, const limn_training_data *d)
{
    const size_t n = limn_image_names_count(present), n_looked_at = n < SAMPLE ? n : SAMPLE;
    limn_error first = { 0 };
    size_t n_bad = 0;
    for (size_t i = 0; i < n_looked_at; i++) {
        limn_error error = { 0 };
        if (open_image(d, limn_image_names_get(present, i * n / n_looked_at), &error) == LIMN_OK)
            continue;
        if (n_bad++ == 0) first = error;
    }
    if (n_bad > 0)
        limn_message_warning("%zu of %zu sampled %s can't be read; the first: %s", n_bad,
                             n_looked_at, limn_plural(n_looked_at, "image", "images"), first.text);
}

limn_status limn_plan_images_check(const limn_training_data *d, limn_error *err)
{
    const char *folder = d->settings->images.images;
    limn_image_names present = { 0 };
    if (!folder || limn_image_names_count(&d->all_names) == 0) return LIMN_OK;
    limn_status s = limn_image_names_present(&present, &d->all_names, folder, err);
    if (s == LIMN_OK) s = check_missing(&d->all_names, &present, folder, err);
    if (s == LIMN_OK) check_sample(&present, d);
    limn_image_names_finish(&present);
    return s;
}
