#include "models/train/pixel_prefetch.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"

enum { MAX_DEPTH = 16, MAX_THREADS = 64 };

/* A batch in progress. Batch k is in slot k % n_slots. */
typedef struct batch_slot {
    uint32_t *rows;  /* [max_images] */
    uint8_t *pixels; /* [max_images, S, S, 3] */
    size_t n, n_begun, n_done;
    uint64_t draw;
    limn_error error; /* of the image that failed first */
} batch_slot;

typedef struct fetch_thread {
    limn_pixel_prefetch *prefetch;
    pthread_t thread;
    limn_resize_scratch scratch;
    uint8_t *pixels; /* [S, S, 3] as they are in the cache */
} fetch_thread;

struct limn_pixel_prefetch {
    limn_pixel_prefetch_settings settings;
    limn_augment_settings augment;
    bool augments;
    size_t image_size; /* bytes */
    batch_slot *slots; /* [n_slots] */
    size_t n_slots;
    fetch_thread *threads; /* [settings.n_threads] */
    size_t n_started;
    pthread_mutex_t mutex; /* of all below, and of the counters and errors of slots */
    pthread_cond_t work_came, batch_done;
    uint64_t n_submitted, n_begun, n_taken; /* batches; n_begun: all their images are begun */
    bool is_stopping;
};

/* ---- threads ------------------------------------------------------------------------------- */

static limn_status fetch(const limn_pixel_prefetch *p, uint8_t *out, uint32_t row, uint64_t draw,
                         fetch_thread *t, limn_error *err)
{
    const limn_pixel_cache *cache = p->settings.cache;
    const char *name = limn_image_names_get(&cache->rows.names, row);
    limn_rng rng = limn_image_rng(p->settings.seed, name, "draw", draw);
    if (!p->augments) return limn_pixel_cache_read(cache, row, out, err);
    LIMN_TRY(limn_pixel_cache_read(cache, row, t->pixels, err));
    return limn_augment(out, t->pixels, cache->size, &p->augment, &rng, &t->scratch, err);
}

/* Takes the next image: false when there is none. Call with the mutex held. */
static bool begin_image(batch_slot **slot, size_t *index, limn_pixel_prefetch *p)
{
    if (p->n_begun == p->n_submitted) return false;
    *slot = &p->slots[p->n_begun % p->n_slots];
    *index = (*slot)->n_begun++;
    p->n_begun += (*slot)->n_begun == (*slot)->n;
    return true;
}

static void run_image(fetch_thread *t, batch_slot *slot, size_t index)
{
    limn_pixel_prefetch *p = t->prefetch;
    limn_error error = { 0 };
    fetch(p, slot->pixels + index * p->image_size, slot->rows[index], slot->draw, t, &error);
    pthread_mutex_lock(&p->mutex);
    if (error.code && !slot->error.code) slot->error = error;
    if (++slot->n_done == slot->n) pthread_cond_signal(&p->batch_done);
    pthread_mutex_unlock(&p->mutex);
}

static void *thread_main(void *arg)
{
    fetch_thread *t = arg;
    limn_pixel_prefetch *p = t->prefetch;
    pthread_mutex_lock(&p->mutex);
    while (!p->is_stopping) {
        batch_slot *slot;
        size_t index;
        if (!begin_image(&slot, &index, p)) {
            pthread_cond_wait(&p->work_came, &p->mutex);
            continue;
        }
        pthread_mutex_unlock(&p->mutex);
        run_image(t, slot, index);
        pthread_mutex_lock(&p->mutex);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* ---- creation ------------------------------------------------------------------------------ */

static limn_status check(const limn_pixel_prefetch_settings *s, limn_error *err)
{
    if (s->max_images < 1 || s->depth < 1 || s->depth > MAX_DEPTH || s->n_threads < 1 ||
        s->n_threads > MAX_THREADS)
        return limn_fail(err, LIMN_E_ARG,
                         "prefetching %zu batches of %zu images in %zu threads: at least one "
                         "image, 1 … %d batches and 1 … %d threads",
                         s->depth, s->max_images, s->n_threads, MAX_DEPTH, MAX_THREADS);
    return LIMN_OK;
}

static limn_status allocate(limn_pixel_prefetch *p, limn_error *err)
{
    const limn_pixel_prefetch_settings *s = &p->settings;
    p->slots = limn_calloc(p->n_slots, sizeof *p->slots);
    p->threads = limn_calloc(s->n_threads, sizeof *p->threads);
    bool is_whole = p->slots && p->threads;
    for (size_t i = 0; is_whole && i < p->n_slots; i++) {
        p->slots[i].rows = limn_calloc(s->max_images, sizeof *p->slots[i].rows);
        p->slots[i].pixels = limn_alloc_aligned(s->max_images, p->image_size);
        is_whole = p->slots[i].rows && p->slots[i].pixels;
    }
    for (size_t i = 0; is_whole && i < s->n_threads; i++) {
        p->threads[i].pixels = limn_alloc_aligned(p->image_size, 1);
        is_whole = p->threads[i].pixels != NULL;
    }
    return is_whole ? LIMN_OK
                    : limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu batches of %zu images",
                                p->n_slots, s->max_images);
}

static limn_status start_threads(limn_pixel_prefetch *p, limn_error *err)
{
    for (size_t i = 0; i < p->settings.n_threads; i++) {
        p->threads[i].prefetch = p;
        if (pthread_create(&p->threads[i].thread, NULL, thread_main, &p->threads[i]) != 0)
            return limn_fail(err, LIMN_E_NOMEM, "can't start a thread for images");
        p->n_started++;
    }
    return LIMN_OK;
}

limn_status limn_pixel_prefetch_create(limn_pixel_prefetch **out,
                                       const limn_pixel_prefetch_settings *settings,
                                       limn_error *err)
{
    const size_t side = settings->cache->size;
    *out = NULL;
    LIMN_TRY(check(settings, err));
    limn_pixel_prefetch *p = limn_calloc(1, sizeof *p);
    if (!p) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    p->settings = *settings;
    p->augments = settings->augment != NULL;
    if (p->augments) p->augment = *settings->augment;
    p->image_size = side * side * 3;
    p->n_slots = settings->depth + 1;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->work_came, NULL);
    pthread_cond_init(&p->batch_done, NULL);
    limn_status s = allocate(p, err);
    if (s == LIMN_OK) s = start_threads(p, err);
    if (s != LIMN_OK) limn_pixel_prefetch_destroy(&p);
    *out = p;
    return s;
}

static void stop_threads(limn_pixel_prefetch *p)
{
    pthread_mutex_lock(&p->mutex);
    p->is_stopping = true;
    pthread_cond_broadcast(&p->work_came);
    pthread_mutex_unlock(&p->mutex);
    for (size_t i = 0; i < p->n_started; i++) {
        pthread_join(p->threads[i].thread, NULL);
        limn_resize_scratch_finish(&p->threads[i].scratch);
    }
}

void limn_pixel_prefetch_destroy(limn_pixel_prefetch **prefetch)
{
    limn_pixel_prefetch *p = prefetch ? *prefetch : NULL;
    if (!p) return;
    stop_threads(p);
    pthread_cond_destroy(&p->batch_done);
    pthread_cond_destroy(&p->work_came);
    pthread_mutex_destroy(&p->mutex);
    for (size_t i = 0; p->slots && i < p->n_slots; i++) {
        limn_free(p->slots[i].rows);
        limn_free(p->slots[i].pixels);
    }
    for (size_t i = 0; p->threads && i < p->settings.n_threads; i++)
        limn_free(p->threads[i].pixels);
    limn_free(p->slots);
    limn_free(p->threads);
    limn_free(p);
    *prefetch = NULL;
}

/* ---- use ----------------------------------------------------------------------------------- */

static limn_status check_rows(const limn_pixel_prefetch *p, const uint32_t *rows, size_t n,
                              limn_error *err)
{
    if (n < 1 || n > p->settings.max_images)
        return limn_fail(err, LIMN_E_ARG, "a batch of %zu images is not in 1 … %zu", n,
                         p->settings.max_images);
    for (size_t i = 0; i < n; i++)
        if (rows[i] >= p->settings.cache->rows.n_rows)
            return limn_fail(err, LIMN_E_ARG, "row %u: the cache has %zu", (unsigned)rows[i],
                             p->settings.cache->rows.n_rows);
    return LIMN_OK;
}

limn_status limn_pixel_prefetch_submit(limn_pixel_prefetch *p, const uint32_t *rows, size_t n,
                                       uint64_t draw, limn_error *err)
{
    LIMN_TRY(check_rows(p, rows, n, err));
    pthread_mutex_lock(&p->mutex);
    const bool is_full = p->n_submitted - p->n_taken == p->settings.depth;
    if (!is_full) {
        batch_slot *slot = &p->slots[p->n_submitted++ % p->n_slots];
        memcpy(slot->rows, rows, n * sizeof *rows);
        slot->n = n;
        slot->n_begun = slot->n_done = 0;
        slot->draw = draw;
        slot->error = (limn_error){ 0 };
        pthread_cond_broadcast(&p->work_came);
    }
    pthread_mutex_unlock(&p->mutex);
    return is_full
               ? limn_fail(err, LIMN_E_ARG, "%zu batches are in work already", p->settings.depth)
               : LIMN_OK;
}

limn_status limn_pixel_prefetch_take(limn_pixel_prefetch *p, const uint8_t **pixels,
                                     limn_error *err)
{
    limn_error error = { 0 };
    *pixels = NULL;
    pthread_mutex_lock(&p->mutex);
    if (p->n_taken == p->n_submitted) {
        limn_fail(&error, LIMN_E_ARG, "no batch is in work");
    } else {
        const batch_slot *slot = &p->slots[p->n_taken % p->n_slots];
        while (slot->n_done < slot->n) pthread_cond_wait(&p->batch_done, &p->mutex);
        p->n_taken++;
        error = slot->error;
        *pixels = error.code ? NULL : slot->pixels;
    }
    pthread_mutex_unlock(&p->mutex);
    return error.code ? limn_fail(err, error.code, "%s", error.text) : LIMN_OK;
}
