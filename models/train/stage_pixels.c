#include "models/train/stage_pixels.h"

#include <string.h>

#include "common/base/mem.h"
#include "models/train/pixel_prefetch.h"

enum { MAX_SOURCES = 2, DEPTH = 2 };

/* The images of one source. */
struct source {
    limn_pixel_prefetch *prefetch;
    uint32_t *rows; /* of each image in the cache */
};

struct limn_stage_pixels {
    limn_batches *ahead;
    struct source sources[MAX_SOURCES];
    size_t n_sources, image_size; /* bytes of an image */
    uint32_t *rows;               /* [max_images] of a batch */
    uint8_t *pixels;              /* [max_images, image_size] */
    uint64_t next;                /* step to be submitted next; 0 also before the first */
};

/* ---- creation ------------------------------------------------------------------------------ */

static limn_status find_rows(struct source *s, const limn_pixel_cache *cache,
                             const limn_image_names *names, limn_error *err)
{
    const size_t n = limn_image_names_count(names);
    s->rows = limn_calloc(n, sizeof *s->rows);
    if (!s->rows) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu images", n);
    for (size_t i = 0; i < n; i++)
        s->rows[i] = limn_image_names_find(&cache->rows.names, limn_image_names_get(names, i));
    return LIMN_OK;
}

static limn_status open_source(struct source *s, const limn_training_data *d,
                               const limn_pixel_cache *cache, const limn_image_names *names,
                               size_t max_images, limn_error *err)
{
    limn_augment_settings augment = limn_augment_settings_default();
    augment.filter = d->config.encoder.input.filter;
    const limn_pixel_prefetch_settings settings = {
        .cache = cache,
        .augment = &augment,
        .seed = d->settings->seed,
        .depth = DEPTH,
        .max_images = max_images,
        .n_threads = d->settings->n_threads,
    };
    LIMN_TRY(find_rows(s, cache, names, err));
    return limn_pixel_prefetch_create(&s->prefetch, &settings, err);
}

static limn_status open(limn_stage_pixels *p, const limn_training_data *d, limn_error *err)
{
    const size_t n = limn_batches_limits(p->ahead).max_images;
    p->image_size = limn_input_bytes(&d->config.encoder.input);
    p->rows = limn_calloc(n, sizeof *p->rows);
    p->pixels = limn_alloc(n, p->image_size);
    if (!p->rows || !p->pixels)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for batches of %zu images", n);
    LIMN_TRY(open_source(&p->sources[0], d, &d->pixels, &d->train.names, n, err));
    if (p->n_sources == 1) return LIMN_OK;
    return open_source(&p->sources[1], d, &d->unpaired.pixels, &d->unpaired.names, n, err);
}

limn_status limn_stage_pixels_create(limn_stage_pixels **out, const limn_training_data *data,
                                     limn_batches *ahead, size_t n_sources, limn_error *err)
{
    limn_stage_pixels *p = limn_calloc(1, sizeof *p);
    *out = p;
    if (!p) {
        limn_batches_destroy(&ahead);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for pixels");
    }
    p->ahead = ahead;
    p->n_sources = n_sources;
    const limn_status status = open(p, data, err);
    if (status != LIMN_OK) limn_stage_pixels_destroy(out);
    return status;
}

void limn_stage_pixels_destroy(limn_stage_pixels **pixels)
{
    limn_stage_pixels *p = pixels ? *pixels : NULL;
    if (!p) return;
    for (size_t i = 0; i < MAX_SOURCES; i++) {
        limn_pixel_prefetch_destroy(&p->sources[i].prefetch);
        limn_free(p->sources[i].rows);
    }
    limn_batches_destroy(&p->ahead);
    limn_free(p->rows);
    limn_free(p->pixels);
    limn_free(p);
    *pixels = NULL;
}

/* ---- batches ------------------------------------------------------------------------------- */

/* The images from `first` on that are of the same source (a batch is sorted by source). */
static size_t n_of_source(const limn_batch *batch, size_t first)
{
    size_t end = first;
    while (end < batch->n_images && batch->images[end].source == batch->images[first].source) end++;
    return end - first;
}

static limn_status submit(limn_stage_pixels *p, uint64_t step, limn_error *err)
{
    const limn_batch *batch = limn_batches_get(p->ahead, step);
    for (size_t first = 0, n; first < batch->n_images; first += n) {
        struct source *s = &p->sources[batch->images[first].source];
        n = n_of_source(batch, first);
        for (size_t i = 0; i < n; i++) p->rows[i] = s->rows[batch->images[first + i].image];
        LIMN_TRY(limn_pixel_prefetch_submit(s->prefetch, p->rows, n, step, err));
    }
    return LIMN_OK;
}

limn_status limn_stage_pixels_fill(limn_stage_pixels *p, const limn_batch *batch,
                                   const uint8_t **pixels, limn_error *err)
{
    p->next = p->next ? p->next : batch->step;
    for (; p->next < batch->step + DEPTH; p->next++) LIMN_TRY(submit(p, p->next, err));
    for (size_t first = 0, n; first < batch->n_images; first += n) {
        const uint8_t *part;
        struct source *s = &p->sources[batch->images[first].source];
        n = n_of_source(batch, first);
        LIMN_TRY(limn_pixel_prefetch_take(s->prefetch, &part, err));
        memcpy(p->pixels + first * p->image_size, part, n * p->image_size);
    }
    *pixels = p->pixels;
    return LIMN_OK;
}
