#include "models/train/pixel_cache.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/train/pixel_record.h"

#define MAX_IMAGE_SIZE ((size_t)1 << 30) /* bytes of a file */
enum { MAX_PATH_SIZE = 4096, N_TOLD = 3 };

/* PATH with an extension. */
typedef struct cache_path {
    char text[MAX_PATH_SIZE];
} cache_path;

static limn_status make_path(cache_path *out, const char *path, const char *extension,
                             limn_error *err)
{
    if (snprintf(out->text, sizeof out->text, "%s%s", path, extension) < (int)sizeof out->text)
        return LIMN_OK;
    return limn_fail(err, LIMN_E_LIMIT, "%.200s…: the path is too long", path);
}

static limn_status out_of_memory(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "out of memory for a pixel cache");
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool stamp_of(limn_file_stamp *out, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) return false;
    *out = (limn_file_stamp){ st.st_size,
                              (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec };
    return true;
}

/* ---- opening ------------------------------------------------------------------------------- */

static uint64_t hash_names(const limn_image_names *names)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < limn_image_names_count(names); i++)
        hash = limn_pixel_record_hash_name(hash, limn_image_names_get(names, i));
    return hash;
}

/* Moves into the cache what it keeps of the record. */
static limn_status take_record(limn_pixel_cache *c, limn_pixel_record *r, const char *path,
                               limn_error *err)
{
    if (r->n_rows != c->rows.n_rows || r->input.spec.width != c->size)
        return limn_fail(
            err, LIMN_E_FORMAT,
            "%s: describes %zu rows of %u pixels, but the array next to it has %zu of %u", path,
            r->n_rows, (unsigned)r->input.spec.width, c->rows.n_rows, (unsigned)c->size);
    if (r->names != hash_names(&c->rows.names))
        return limn_fail(err, LIMN_E_FORMAT, "%s: the names next to it were altered", path);
    limn_row_cache_set_checksums(&c->rows, r->checksums);
    c->unreadable = r->unreadable;
    c->n_unreadable = r->n_unreadable;
    r->checksums = NULL;
    r->unreadable = NULL;
    r->n_unreadable = 0;
    return LIMN_OK;
}

/* Opens a cache; `record` (zeroed) gets the contents of PATH.json, except what went into `c`. */
static limn_status open_both(limn_pixel_cache *c, limn_pixel_record *record, const char *path,
                             uint32_t size, limn_error *err)
{
    const limn_cache_shape shape = { LIMN_NPY_U8, 3, { size, size, 3 } };
    cache_path json;
    *c = (limn_pixel_cache){ .size = size };
    LIMN_TRY(make_path(&json, path, ".json", err));
    LIMN_TRY(limn_row_cache_open(&c->rows, path, &shape, err));
    if (!exists(json.text)) return limn_row_cache_compute_checksums(&c->rows, err);
    LIMN_TRY(limn_pixel_record_read(record, json.text, err));
    return take_record(c, record, json.text, err);
}

limn_status limn_pixel_cache_open(limn_pixel_cache *out, const char *path, uint32_t size,
                                  limn_error *err)
{
    limn_pixel_record record = { 0 };
    const limn_status s = open_both(out, &record, path, size, err);
    limn_pixel_record_finish(&record);
    if (s != LIMN_OK) limn_pixel_cache_close(out);
    return s;
}

void limn_pixel_cache_close(limn_pixel_cache *c)
{
    limn_row_cache_close(&c->rows);
    for (size_t i = 0; i < c->n_unreadable; i++) {
        limn_free(c->unreadable[i].name);
        limn_free(c->unreadable[i].error);
    }
    limn_free(c->unreadable);
    *c = (limn_pixel_cache){ 0 };
}

limn_status limn_pixel_cache_read(const limn_pixel_cache *c, size_t row, uint8_t *out,
                                  limn_error *err)
{
    return limn_row_cache_read(&c->rows, row, out, err);
}

/* ---- does it fit? -------------------------------------------------------------------------- */

/* What is known of an image's file: its stamp in the record, NULL when the name is new. */
static const limn_file_stamp *recorded_stamp(const limn_pixel_cache *c, const limn_pixel_record *r,
                                             const char *name)
{
    const uint32_t row = limn_image_names_find(&c->rows.names, name);
    if (row != LIMN_NO_IMAGE) return &r->stamps[row];
    for (size_t i = 0; i < c->n_unreadable; i++)
        if (!strcmp(c->unreadable[i].name, name)) return &r->unreadable_stamps[i];
    return NULL;
}

static limn_status is_unchanged(bool *out, const limn_pixel_cache *c, const limn_pixel_record *r,
                                const char *folder, const char *name, limn_error *err)
{
    const limn_file_stamp *was = recorded_stamp(c, r, name);
    limn_file_stamp is;
    char *path;
    LIMN_TRY(limn_image_path(&path, folder, name, err));
    *out = was && (!stamp_of(&is, path) || (is.size == was->size && is.time == was->time));
    limn_free(path);
    return LIMN_OK;
}

static limn_status fits_record(bool *out, const limn_pixel_cache *c, const limn_pixel_record *r,
                               const limn_pixel_cache_settings *settings, limn_error *err)
{
    const size_t n = limn_image_names_count(settings->names);
    *out = limn_input_is_alike(&r->input.spec, &settings->input.spec) &&
           r->input.max_pixels == settings->input.max_pixels;
    for (size_t i = 0; *out && i < n; i++)
        LIMN_TRY(is_unchanged(out, c, r, settings->folder, limn_image_names_get(settings->names, i),
                              err));
    return LIMN_OK;
}

/* Opens the cache if it fits; one with a damaged record does not. */
static limn_status try_recorded(bool *fits, limn_pixel_cache *c, const char *path,
                                const limn_pixel_cache_settings *settings, limn_error *err)
{
    limn_pixel_record record = { 0 };
    limn_error why = { 0 };
    limn_status s = open_both(c, &record, path, settings->input.spec.width, &why);
    *fits = false;
    if (s == LIMN_OK) s = fits_record(fits, c, &record, settings, &why);
    limn_pixel_record_finish(&record);
    if (!*fits) limn_pixel_cache_close(c);
    return s == LIMN_E_NOMEM ? limn_fail(err, s, "%s", why.text) : LIMN_OK;
}

/* A cache that somebody made with limn-preprocess. */
static limn_status open_given(limn_pixel_cache *c, const char *path,
                              const limn_pixel_cache_settings *settings, limn_error *err)
{
    const size_t n = limn_image_names_count(settings->names);
    LIMN_TRY(limn_pixel_cache_open(c, path, settings->input.spec.width, err));
    for (size_t i = 0; i < n; i++) {
        const char *name = limn_image_names_get(settings->names, i);
        if (limn_image_names_find(&c->rows.names, name) == LIMN_NO_IMAGE)
            return limn_fail(err, LIMN_E_ARG,
                             "%s.npy: has no row for %s; it was not made by limn-train, so it is "
                             "not replaced: remove it, or give another --cache",
                             path, name);
    }
    return LIMN_OK;
}

/* ---- making -------------------------------------------------------------------------------- */

typedef struct maker {
    const limn_pixel_cache_settings *settings;
    limn_file_stamp *stamps;      /* [n names] before anything was read */
    limn_resize_scratch *scratch; /* [n_threads] */
    limn_cache_writer *writer;
    limn_pixel_record record;
} maker;

/* Checks that every image exists, before hours of work. */
static limn_status find_files(maker *m, limn_error *err)
{
    const limn_pixel_cache_settings *s = m->settings;
    for (size_t i = 0; i < limn_image_names_count(s->names); i++) {
        const char *name = limn_image_names_get(s->names, i);
        limn_error why = { 0 };
        char *path;
        if (limn_cache_writer_check_name(name, &why) != LIMN_OK)
            return limn_fail(err, LIMN_E_ARG, "%s: %s", name, why.text);
        LIMN_TRY(limn_image_path(&path, s->folder, name, err));
        if (!stamp_of(&m->stamps[i], path))
            limn_fail(&why, LIMN_E_IO, "%s: %s", path, strerror(errno));
        limn_free(path);
        if (why.code) return limn_fail(err, why.code, "%s", why.text);
    }
    return LIMN_OK;
}

static limn_status decode(void *ctx, size_t item, size_t worker, void *row, limn_error *err)
{
    maker *m = ctx;
    const limn_pixel_cache_settings *s = m->settings;
    limn_file_bytes file = { 0 };
    char *path;
    LIMN_TRY(limn_image_path(&path, s->folder, limn_image_names_get(s->names, item), err));
    limn_status status = limn_file_bytes_read(&file, path, MAX_IMAGE_SIZE, err);
    limn_free(path);
    if (status == LIMN_OK && s->load)
        status = s->load(s->load_ctx, row, file.bytes, file.size, &s->input, err);
    else if (status == LIMN_OK)
        status = limn_encoder_input_load(row, file.bytes, file.size, &s->input, &m->scratch[worker],
                                         NULL, NULL, err);
    limn_file_bytes_free(&file);
    return status;
}

/* "; a.jpg: this is text, not an image" of the first few. */
static limn_status fail_unreadable(const maker *m, limn_error *err)
{
    const limn_pixel_record *r = &m->record;
    char text[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < r->n_unreadable && i < N_TOLD && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "; %.60s: %.60s",
                                 r->unreadable[i].name, r->unreadable[i].error);
    return limn_fail(err, LIMN_E_FORMAT, "more than %g %% of %zu images can't be read%s",
                     100 * LIMN_PIXEL_CACHE_MAX_UNREADABLE,
                     limn_image_names_count(m->settings->names), text);
}

static limn_status put_unreadable(maker *m, size_t item, const limn_error *error, limn_error *err)
{
    const limn_image_names *names = m->settings->names;
    const char *name = limn_image_names_get(names, item), *text = error->text, *at;
    if (error->code == LIMN_E_NOMEM || error->code == LIMN_E_INTERRUPTED)
        return limn_fail(err, error->code, "%s: %s", name, error->text);
    at = strstr(text, name); /* reading errors contain the path, decoding errors do not */
    if (at && !strncmp(at + strlen(name), ": ", 2)) text = at + strlen(name) + 2;
    LIMN_TRY(limn_pixel_record_add_unreadable(&m->record, m->stamps[item], name, text, err));
    if ((double)m->record.n_unreadable >
        LIMN_PIXEL_CACHE_MAX_UNREADABLE * (double)limn_image_names_count(names))
        return fail_unreadable(m, err);
    return LIMN_OK;
}

static limn_status put(void *ctx, size_t item, const void *row, const limn_error *error,
                       limn_error *err)
{
    maker *m = ctx;
    const size_t side = m->settings->input.spec.width;
    if (error) return put_unreadable(m, item, error, err);
    LIMN_TRY(limn_pixel_record_add(&m->record, m->stamps[item],
                                   limn_row_checksum(row, side * side * 3), err));
    const char *name = limn_image_names_get(m->settings->names, item);
    m->record.names = limn_pixel_record_hash_name(m->record.names, name);
    return limn_cache_writer_add(m->writer, name, row, err);
}

static limn_status make_rows(maker *m, limn_error *err)
{
    const limn_pixel_cache_settings *s = m->settings;
    const size_t side = s->input.spec.width, n = limn_image_names_count(s->names);
    const limn_row_job job = {
        .n_items = n,
        .row_size = side * side * 3,
        .compute = decode,
        .put = put,
        .ctx = m,
        .pool = s->pool,
        .progress = s->progress,
        .n_total = n,
    };
    m->stamps = limn_calloc(n, sizeof *m->stamps);
    m->scratch = limn_calloc(limn_pool_n_threads(s->pool), sizeof *m->scratch);
    if (!m->stamps || !m->scratch) return out_of_memory(err);
    LIMN_TRY(find_files(m, err));
    return limn_row_job_run(&job, err);
}

/* The record comes first and the array last: where the array exists, everything does. */
static limn_status write_cache(maker *m, const char *path, const char *json, bool replaces,
                               limn_error *err)
{
    const size_t side = m->settings->input.spec.width;
    const limn_cache_shape shape = { LIMN_NPY_U8, 3, { side, side, 3 } };
    LIMN_TRY(limn_cache_writer_open(&m->writer, path, &shape, replaces, err));
    LIMN_TRY(make_rows(m, err));
    LIMN_TRY(limn_pixel_record_write(json, &m->record, err));
    return limn_cache_writer_commit(&m->writer, err);
}

static limn_status make(const char *path, const char *json, bool replaces,
                        const limn_pixel_cache_settings *settings, limn_error *err)
{
    maker m = { .settings = settings, .record = { .input = settings->input } };
    const limn_status s = write_cache(&m, path, json, replaces, err);
    limn_cache_writer_discard(&m.writer);
    for (size_t i = 0; m.scratch && i < limn_pool_n_threads(settings->pool); i++)
        limn_resize_scratch_finish(&m.scratch[i]);
    limn_free(m.scratch);
    limn_free(m.stamps);
    limn_pixel_record_finish(&m.record);
    return s;
}

static limn_status open_or_make(limn_pixel_cache *c, const char *path,
                                const limn_pixel_cache_settings *settings, limn_error *err)
{
    cache_path npy, json;
    bool fits = false;
    LIMN_TRY(make_path(&npy, path, ".npy", err));
    LIMN_TRY(make_path(&json, path, ".json", err));
    const bool is_ours = exists(json.text);
    if (exists(npy.text) && !is_ours) return open_given(c, path, settings, err);
    if (exists(npy.text)) LIMN_TRY(try_recorded(&fits, c, path, settings, err));
    if (fits) return LIMN_OK;
    if (remove(npy.text) != 0 && errno != ENOENT)
        return limn_fail(err, LIMN_E_IO, "%s: can't remove it: %s", npy.text, strerror(errno));
    LIMN_TRY(make(path, json.text, is_ours, settings, err));
    LIMN_TRY(limn_pixel_cache_open(c, path, settings->input.spec.width, err));
    c->was_made = true;
    return LIMN_OK;
}

limn_status limn_pixel_cache_make(limn_pixel_cache *out, const char *path,
                                  const limn_pixel_cache_settings *settings, limn_error *err)
{
    *out = (limn_pixel_cache){ 0 };
    if (limn_image_names_count(settings->names) == 0)
        return limn_fail(err, LIMN_E_ARG, "%s: there are no images to cache", path);
    const limn_status s = open_or_make(out, path, settings, err);
    if (s != LIMN_OK) limn_pixel_cache_close(out);
    return s;
}
