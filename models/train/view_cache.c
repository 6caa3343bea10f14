#include "models/train/view_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/place.h"
#include "common/kernels/pack.h"
#include "models/train/augment.h"
#include "models/train/row_record.h"

enum { MAX_PATH_SIZE = 4096, MAX_RECORD_SIZE = 1024 };

static limn_status out_of_memory(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "out of memory for views");
}

/* ---- encoder ------------------------------------------------------------------------------- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return limn_fnv1a64(hash, text, strlen(text) + 1);
}

/* For a square with one mean and scale, hashes only these, as earlier versions did. */
static uint64_t hash_input(uint64_t hash, const limn_input_spec *s)
{
    const bool is_plain =
        s->width == s->height && s->fit == LIMN_FIT_SQUASH && limn_input_has_one_mean(s);
    const size_t n = is_plain ? 1 : 3;
    const uint32_t more[] = { s->height, (uint32_t)s->fit, s->shorter_side };
    const uint32_t others[] = { (uint32_t)s->rounding, s->decodes_whole };
    hash = limn_fnv1a64(hash, &s->width, sizeof s->width);
    hash = limn_fnv1a64(hash, s->mean, n * sizeof *s->mean);
    hash = limn_fnv1a64(hash, s->scale, n * sizeof *s->scale);
    if (!is_plain) hash = limn_fnv1a64(hash, more, sizeof more);
    return others[0] || others[1] ? limn_fnv1a64(hash, others, sizeof others) : hash;
}

static uint64_t hash_tensor(uint64_t hash, const limn_tensor *t)
{
    hash = hash_text(hash, t->name);
    hash = hash_text(hash, limn_tensor_dtype_name(t->dtype));
    for (size_t i = 0; i < t->n_dims; i++) {
        const uint64_t side = t->shape[i];
        hash = limn_fnv1a64(hash, &side, sizeof side);
    }
    return limn_fnv1a64(hash, t->data, t->size);
}

uint64_t limn_encoder_checksum(const limn_safetensors *file, const limn_encoder_config *config)
{
    uint64_t hash = hash_text(LIMN_FNV1A64_INIT, config->family);
    hash = hash_input(hash, &config->input);
    for (size_t i = 0; i < limn_safetensors_n_tensors(file); i++) {
        const limn_tensor *t = limn_safetensors_at(file, i);
        if (!strncmp(t->name, "encoder.", 8)) hash = hash_tensor(hash, t);
    }
    return hash;
}

/* ---- views --------------------------------------------------------------------------------- */

limn_status limn_view_pixels(uint8_t *dst, const uint8_t *src, uint32_t size, size_t view,
                             uint64_t seed, const char *name, limn_resize_filter filter,
                             limn_resize_scratch *scratch, limn_error *err)
{
    limn_augment_settings settings = limn_augment_settings_default();
    limn_rng rng = limn_image_rng(seed, name, "view", view);
    settings.brightness = settings.contrast = settings.saturation = 0;
    settings.filter = filter;
    if (view > 1) return limn_augment(dst, src, size, &settings, &rng, scratch, err);
    memcpy(dst, src, (size_t)size * size * 3);
    if (view == 1) limn_flip_pixels(dst, size);
    return LIMN_OK;
}

/* ---- a view's file ------------------------------------------------------------------------- */

/* FOLDER/view-K with each extension. */
typedef struct view_paths {
    char stem[MAX_PATH_SIZE], npy[MAX_PATH_SIZE + 8], json[MAX_PATH_SIZE + 8];
} view_paths;

static limn_status make_paths(view_paths *out, const char *folder, size_t view, limn_error *err)
{
    if (snprintf(out->stem, sizeof out->stem, "%s/view-%zu", folder, view) >= (int)sizeof out->stem)
        return limn_fail(err, LIMN_E_LIMIT, "%.200s…: the path is too long", folder);
    snprintf(out->npy, sizeof out->npy, "%s.npy", out->stem);
    snprintf(out->json, sizeof out->json, "%s.json", out->stem);
    return LIMN_OK;
}

typedef struct view_worker {
    limn_encoder_state *state;
    limn_resize_scratch scratch;
    uint8_t *whole, *pixels; /* [input_size, input_size, 3]: the image, a view of it */
    float *map;              /* [n_positions, dim] */
} view_worker;

typedef struct maker {
    const limn_view_cache_settings *settings;
    const char *folder;
    size_t first_stage; /* the number of stages for the features */
    size_t n_positions, dim;
    uint32_t *rows;       /* [n names] of the pixel cache */
    uint64_t images;      /* checksum of names and pixels */
    view_worker *workers; /* [n_threads] */
    size_t view;          /* that is made now */
    limn_cache_writer *writer;
    uint64_t *checksums; /* [n_checksums] of the rows so far */
    size_t n_checksums;
} maker;

static limn_cache_shape row_shape(size_t n_positions, size_t dim)
{
    return (limn_cache_shape){ LIMN_NPY_F16, 2, { n_positions, dim } };
}

/* What a view is made from, as the text of FOLDER/view-K.json: two views are the same when their
 * texts are. Views 0 and 1 draw nothing. */
static void describe(char text[MAX_RECORD_SIZE], const maker *m, size_t view)
{
    const limn_view_cache_settings *s = m->settings;
    char drawn[96] = "";
    if (view > 1)
        snprintf(drawn, sizeof drawn, " \"seed\": %llu,\n \"resize\": \"%s\",\n",
                 (unsigned long long)s->seed,
                 s->filter == LIMN_RESIZE_BICUBIC ? "bicubic" : "bilinear");
    snprintf(text, MAX_RECORD_SIZE,
             "{\n \"encoder\": \"%016llx\",\n \"first_stage\": %zu,\n \"view\": %zu,\n%s"
             " \"pictures\": \"%016llx\",\n \"shape\": [%zu, %zu, %zu]\n}\n",
             (unsigned long long)s->encoder_checksum, m->first_stage, view, drawn,
             (unsigned long long)m->images, limn_image_names_count(s->names), m->n_positions,
             m->dim);
}

static limn_status write_record(const char *path, const maker *m, limn_error *err)
{
    char text[MAX_RECORD_SIZE];
    describe(text, m, m->view);
    return limn_row_record_write(path, text, m->checksums, m->n_checksums, err);
}

static bool has_names(const limn_row_cache *c, const limn_image_names *names)
{
    const size_t n = limn_image_names_count(names);
    bool is_same = c->n_rows == n;
    for (size_t i = 0; is_same && i < n; i++)
        is_same = !strcmp(limn_image_names_get(&c->names, i), limn_image_names_get(names, i));
    return is_same;
}

/* Opens a finished view that was made from the same; leaves `out` zeroed otherwise. */
static limn_status find_view(limn_row_cache *out, const maker *m, size_t view, limn_error *err)
{
    const limn_cache_shape shape = row_shape(m->n_positions, m->dim);
    const limn_image_names *names = m->settings->names;
    char text[MAX_RECORD_SIZE];
    view_paths paths;
    LIMN_TRY(make_paths(&paths, m->folder, view, err));
    if (access(paths.npy, F_OK) != 0) return LIMN_OK;
    if (access(paths.json, F_OK) != 0)
        return limn_fail(err, LIMN_E_ARG,
                         "%s: has no .json next to it, so it was not made by limn-train and is not "
                         "replaced: remove it, or give another --cache",
                         paths.npy);
    describe(text, m, view);
    uint64_t *checksums = limn_row_record_read(paths.json, text, limn_image_names_count(names));
    if (checksums && limn_row_cache_open(out, paths.stem, &shape, NULL) == LIMN_OK &&
        has_names(out, names)) {
        limn_row_cache_set_checksums(out, checksums);
        return LIMN_OK;
    }
    limn_free(checksums);
    limn_row_cache_close(out);
    return LIMN_OK;
}

/* ---- making a view ------------------------------------------------------------------------- */

static limn_status to_halves(uint16_t *out, const float *x, size_t n, limn_error *err)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = limn_f32_to_f16(x[i]);
        if ((out[i] & 0x7c00) == 0x7c00)
            return limn_fail(err, LIMN_E_UNSUPPORTED,
                             "the encoder gives %g, which is too large for a cache in f16",
                             (double)x[i]);
    }
    return LIMN_OK;
}

static limn_status compute(void *ctx, size_t item, size_t worker, void *row, limn_error *err)
{
    const maker *m = ctx;
    const limn_view_cache_settings *s = m->settings;
    view_worker *w = &m->workers[worker];
    LIMN_TRY(limn_pixel_cache_read(s->pixels, m->rows[item], w->whole, err));
    LIMN_TRY(limn_view_pixels(w->pixels, w->whole, s->pixels->size, m->view, s->seed,
                              limn_image_names_get(s->names, item), s->filter, &w->scratch, err));
    limn_encoder_run_stages(s->encoder, w->state, NULL, w->pixels, m->first_stage - 1, w->map);
    return to_halves(row, w->map, m->n_positions * m->dim, err);
}

static limn_status put(void *ctx, size_t item, const void *row, const limn_error *error,
                       limn_error *err)
{
    maker *m = ctx;
    const char *name = limn_image_names_get(m->settings->names, item);
    if (error) return limn_fail(err, error->code, "%s, view %zu: %s", name, m->view, error->text);
    m->checksums[m->n_checksums++] =
        limn_row_checksum(row, m->n_positions * m->dim * sizeof(uint16_t));
    return limn_cache_writer_add(m->writer, name, row, err);
}

/* Removes the old array first, then writes the record, and the new array last: where the array
 * exists, everything does. */
static limn_status write_view(maker *m, const view_paths *paths, const limn_row_job *job,
                              limn_error *err)
{
    const limn_cache_shape shape = row_shape(m->n_positions, m->dim);
    m->n_checksums = 0;
    if (remove(paths->npy) != 0 && errno != ENOENT)
        return limn_fail(err, LIMN_E_IO, "%s: can't remove it: %s", paths->npy, strerror(errno));
    LIMN_TRY(limn_cache_writer_open(&m->writer, paths->stem, &shape, access(paths->json, F_OK) == 0,
                                    err));
    LIMN_TRY(limn_row_job_run(job, err));
    LIMN_TRY(write_record(paths->json, m, err));
    return limn_cache_writer_commit(&m->writer, err);
}

static limn_status make_view(maker *m, size_t view, limn_view_cache *cache, size_t n_views_to_make,
                             limn_error *err)
{
    const size_t n = limn_image_names_count(m->settings->names);
    const limn_cache_shape shape = row_shape(m->n_positions, m->dim);
    const limn_row_job job = {
        .n_items = n,
        .row_size = m->n_positions * m->dim * sizeof(uint16_t),
        .compute = compute,
        .put = put,
        .ctx = m,
        .pool = m->settings->pool,
        .progress = m->settings->progress,
        .n_done_before = cache->n_made * n,
        .n_total = n_views_to_make * n,
    };
    view_paths paths;
    m->view = view;
    m->checksums = limn_alloc(n, sizeof *m->checksums);
    if (!m->checksums) return out_of_memory(err);
    LIMN_TRY(make_paths(&paths, m->folder, view, err));
    const limn_status s = write_view(m, &paths, &job, err);
    limn_cache_writer_discard(&m->writer);
    cache->n_made += s == LIMN_OK;
    if (s != LIMN_OK) return s;
    LIMN_TRY(limn_row_cache_open(&cache->views[view], paths.stem, &shape, err));
    limn_row_cache_set_checksums(&cache->views[view], m->checksums);
    m->checksums = NULL;
    return LIMN_OK;
}

/* ---- making a cache ------------------------------------------------------------------------ */

static limn_status find_pixels(maker *m, limn_error *err)
{
    const limn_view_cache_settings *s = m->settings;
    const size_t n = limn_image_names_count(s->names);
    m->rows = limn_alloc(n, sizeof *m->rows);
    m->images = LIMN_FNV1A64_INIT;
    if (!m->rows) return out_of_memory(err);
    for (size_t i = 0; i < n; i++) {
        const char *name = limn_image_names_get(s->names, i);
        m->rows[i] = limn_image_names_find(&s->pixels->rows.names, name);
        if (m->rows[i] == LIMN_NO_IMAGE)
            return limn_fail(err, LIMN_E_ARG, "%s: is not among the images that were decoded",
                             name);
        m->images = hash_text(m->images, name);
        m->images = limn_fnv1a64(m->images, &s->pixels->rows.checksums[m->rows[i]],
                                 sizeof *s->pixels->rows.checksums);
    }
    return LIMN_OK;
}

static limn_status make_worker(view_worker *w, const maker *m, limn_error *err)
{
    const limn_view_cache_settings *s = m->settings;
    const size_t side = s->pixels->size;
    w->whole = limn_alloc(side * side, 3);
    w->pixels = limn_alloc(side * side, 3);
    w->map = limn_alloc_aligned(m->n_positions * m->dim, sizeof *w->map);
    if (!w->whole || !w->pixels || !w->map) return out_of_memory(err);
    return limn_encoder_state_create(&w->state, s->encoder, err);
}

static limn_status make_workers(maker *m, limn_error *err)
{
    const size_t n = limn_pool_n_threads(m->settings->pool);
    m->workers = limn_calloc(n, sizeof *m->workers);
    if (!m->workers) return out_of_memory(err);
    for (size_t i = 0; i < n; i++) LIMN_TRY(make_worker(&m->workers[i], m, err));
    return LIMN_OK;
}

static void finish_maker(maker *m)
{
    for (size_t i = 0; m->workers && i < limn_pool_n_threads(m->settings->pool); i++) {
        view_worker *w = &m->workers[i];
        limn_encoder_state_destroy(&w->state);
        limn_resize_scratch_finish(&w->scratch);
        limn_free(w->whole);
        limn_free(w->pixels);
        limn_free(w->map);
    }
    limn_free(m->workers);
    limn_free(m->rows);
    limn_free(m->checksums);
}

static limn_status allocate(limn_view_cache *c, size_t n_images, size_t n_views, limn_error *err)
{
    c->n_images = n_images;
    c->rows = limn_alloc(n_images, sizeof *c->rows);
    c->views = limn_calloc(n_views, sizeof *c->views);
    if (!c->rows || !c->views) return out_of_memory(err);
    c->n_views = n_views;
    for (size_t i = 0; i < n_images; i++) c->rows[i] = (uint32_t)i;
    return LIMN_OK;
}

static limn_status make_missing(limn_view_cache *c, maker *m, limn_error *err)
{
    size_t n_missing = 0;
    for (size_t v = 0; v < c->n_views; v++) {
        LIMN_TRY(find_view(&c->views[v], m, v, err));
        n_missing += c->views[v].n_rows == 0;
    }
    if (n_missing > 0) LIMN_TRY(make_workers(m, err));
    for (size_t v = 0; v < c->n_views; v++)
        if (c->views[v].n_rows == 0) LIMN_TRY(make_view(m, v, c, n_missing, err));
    return LIMN_OK;
}

/* Sets where the encoder is cut, and the shape of its output there. */
static limn_status set_cut(maker *m, limn_error *err)
{
    const limn_view_cache_settings *s = m->settings;
    const limn_encoder_config *config = limn_encoder_get_config(s->encoder);
    const size_t n_stages = limn_encoder_count_stages(config);
    m->first_stage = s->first_stage == LIMN_STAGE_AFTER_HEAD ? n_stages : s->first_stage;
    if (m->first_stage < 1 || m->first_stage > n_stages)
        return limn_fail(err, LIMN_E_ARG,
                         "training can't begin at stage %zu of the encoder, only at 1 … %zu",
                         m->first_stage, n_stages);
    const limn_feature_shape shape = limn_encoder_stage_shape(config, m->first_stage - 1);
    m->n_positions = limn_feature_positions(shape);
    m->dim = shape.dim;
    return LIMN_OK;
}

static limn_status make(limn_view_cache *c, maker *m, limn_error *err)
{
    const limn_view_cache_settings *s = m->settings;
    const size_t n = limn_image_names_count(s->names);
    if (s->n_views < 1 || s->n_views > LIMN_MAX_VIEWS || n == 0)
        return limn_fail(err, LIMN_E_ARG, "%zu views of %zu images: 1 … %d of at least one",
                         s->n_views, n, LIMN_MAX_VIEWS);
    LIMN_TRY(set_cut(m, err));
    LIMN_TRY(find_pixels(m, err));
    LIMN_TRY(allocate(c, n, s->n_views, err));
    c->n_positions = m->n_positions;
    c->dim = m->dim;
    LIMN_TRY(limn_folder_make(m->folder, false, err));
    return make_missing(c, m, err);
}

limn_status limn_view_cache_make(limn_view_cache *out, const char *folder,
                                 const limn_view_cache_settings *settings, limn_error *err)
{
    maker m = { .settings = settings, .folder = folder };
    *out = (limn_view_cache){ 0 };
    const limn_status s = make(out, &m, err);
    finish_maker(&m);
    if (s != LIMN_OK) limn_view_cache_close(out);
    return s;
}

/* ---- a cache from elsewhere ---------------------------------------------------------------- */

static limn_status find_rows(limn_view_cache *c, const char *path, const limn_image_names *names,
                             limn_error *err)
{
    for (size_t i = 0; i < c->n_images; i++) {
        const char *name = limn_image_names_get(names, i);
        c->rows[i] = limn_image_names_find(&c->views[0].names, name);
        if (c->rows[i] == LIMN_NO_IMAGE)
            return limn_fail(err, LIMN_E_ARG, "%s.txt: has no row of %s", path, name);
    }
    return LIMN_OK;
}

/* Checks the rows against the record, which is written if there is none. */
static limn_status check_features(limn_row_cache *rows, const limn_cache_shape *shape,
                                  const char *record, limn_error *err)
{
    char text[MAX_RECORD_SIZE];
    uint64_t names = LIMN_FNV1A64_INIT;
    for (size_t i = 0; i < rows->n_rows; i++)
        names = hash_text(names, limn_image_names_get(&rows->names, i));
    snprintf(text, sizeof text, "{\n \"names\": \"%016llx\",\n \"shape\": [%zu, %zu, %zu]\n}\n",
             (unsigned long long)names, rows->n_rows, shape->row_shape[0], shape->row_shape[1]);
    uint64_t *checksums = limn_row_record_read(record, text, rows->n_rows);
    if (checksums) {
        limn_row_cache_set_checksums(rows, checksums);
        return LIMN_OK;
    }
    if (access(record, F_OK) == 0)
        return limn_fail(err, LIMN_E_FORMAT,
                         "%s: has changed since training began, according to %s; remove that file "
                         "to continue anyway",
                         rows->path, record);
    LIMN_TRY(limn_row_cache_compute_checksums(rows, err));
    return limn_row_record_write(record, text, rows->checksums, rows->n_rows, err);
}

static limn_status open_features(limn_view_cache *c, const char *path,
                                 const limn_image_names *names, const char *record, limn_error *err)
{
    const limn_cache_shape shape = row_shape(c->n_positions, c->dim);
    LIMN_TRY(allocate(c, limn_image_names_count(names), 1, err));
    LIMN_TRY(limn_row_cache_open(&c->views[0], path, &shape, err));
    LIMN_TRY(check_features(&c->views[0], &shape, record, err));
    return find_rows(c, path, names, err);
}

limn_status limn_view_cache_open_features(limn_view_cache *out, const char *path,
                                          const limn_image_names *names, size_t n_positions,
                                          size_t dim, const char *record, limn_error *err)
{
    *out = (limn_view_cache){ .n_positions = n_positions, .dim = dim };
    const limn_status s = open_features(out, path, names, record, err);
    if (s != LIMN_OK) limn_view_cache_close(out);
    return s;
}

void limn_view_cache_close(limn_view_cache *c)
{
    for (size_t v = 0; v < c->n_views; v++) limn_row_cache_close(&c->views[v]);
    limn_free(c->views);
    limn_free(c->rows);
    *c = (limn_view_cache){ 0 };
}

/* ---- reading ------------------------------------------------------------------------------- */

limn_status limn_view_cache_read(const limn_view_cache *c, size_t view, size_t image, uint16_t *out,
                                 limn_error *err)
{
    return limn_row_cache_read(&c->views[view], c->rows[image], out, err);
}

typedef struct gathering {
    const limn_view_cache *cache;
    float *out;
    const uint32_t *images, *views;
    limn_error *errors; /* [n_threads] the last of each */
} gathering;

/* The halves are read into the end of the row's own memory: each is converted before it is
 * overwritten. */
static void gather_row(void *ctx, size_t index, size_t worker)
{
    const gathering *g = ctx;
    const size_t n = g->cache->n_positions * g->cache->dim;
    const size_t view = g->views ? g->views[index] : 0;
    float *out = g->out + index * n;
    unsigned char *halves = (unsigned char *)(out + n) - n * sizeof(uint16_t);
    if (limn_row_cache_read(&g->cache->views[view], g->cache->rows[g->images[index]], halves,
                            &g->errors[worker]) != LIMN_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, halves + i * sizeof half, sizeof half);
        out[i] = limn_f16_to_f32(half);
    }
}

limn_status limn_view_cache_gather(const limn_view_cache *c, float *out, const uint32_t *images,
                                   const uint32_t *views, size_t n, limn_pool *pool,
                                   limn_error *err)
{
    const size_t n_threads = limn_pool_n_threads(pool);
    limn_status s = LIMN_OK;
    gathering g = { c, out, images, views, limn_calloc(n_threads, sizeof *g.errors) };
    if (!g.errors) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a batch");
    limn_pool_run(pool, n, gather_row, &g);
    for (size_t i = 0; i < n_threads && s == LIMN_OK; i++)
        if (g.errors[i].code) s = limn_fail(err, g.errors[i].code, "%s", g.errors[i].text);
    limn_free(g.errors);
    return s;
}
