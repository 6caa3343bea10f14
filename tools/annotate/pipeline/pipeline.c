#include "tools/annotate/pipeline/pipeline_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/input/input_count.h"
#include "tools/annotate/input/inputs.h"

enum { QUESTION_MS = 100 /* between calls of keep_going */ };

slot *pipeline_slot_at(pipeline *p, size_t image)
{
    return &p->slots[image % p->n_slots];
}

/* Few, since they wait for the disk most of the time. */
static size_t n_readers_for(size_t n_workers)
{
    return 1 + (n_workers - 1) / 4;
}

size_t pipeline_max_unfinished(const pipeline *p)
{
    return (4 + p->settings->n_together) * p->settings->n_threads + 4;
}

void pipeline_set_step(pipeline *p, slot *s, slot_step step)
{
    if (step == SLOT_DONE) {
        p->n_unfinished--;
        if (s->pixels) p->pixels[p->n_pixels++] = s->pixels;
        s->pixels = NULL;
    }
    s->step = step;
    pthread_cond_broadcast(&p->changed);
}

static void finish_step(pipeline *p, slot *s, slot_step step)
{
    pthread_mutex_lock(&p->mutex);
    pipeline_set_step(p, s, step);
    pthread_mutex_unlock(&p->mutex);
}

/* ---- workers --------------------------------------------------------------------------- */

typedef struct worker {
    pipeline *pipeline;
    void *state; /* NULL until the first image */
    pthread_t thread;
} worker;

/* The oldest image at `step`, or NULL. Call with the mutex held. */
static slot *oldest(pipeline *p, slot_step step)
{
    for (size_t i = p->first; i < p->next; i++)
        if (pipeline_slot_at(p, i)->step == step) return pipeline_slot_at(p, i);
    return NULL;
}

static bool is_work_left(pipeline *p)
{
    return p->n_readers || oldest(p, SLOT_READ) || oldest(p, SLOT_LOADED) ||
           oldest(p, SLOT_LOADING);
}

/* An image to load (its step is then SLOT_LOADING) or to run (SLOT_RUNNING); NULL: none is ready.
 * Call with the mutex held. */
static slot *look_for_work(pipeline *p)
{
    slot *s = NULL;
    if (p->n_loaded < p->settings->n_threads && (s = oldest(p, SLOT_READ))) {
        p->n_loaded++;
        s->pixels = p->pixels[--p->n_pixels];
        s->step = SLOT_LOADING;
    } else if ((s = oldest(p, SLOT_LOADED))) {
        p->n_loaded--;
        s->step = SLOT_RUNNING;
    }
    if (s) pthread_cond_broadcast(&p->changed);
    return s;
}

/* The same, but waits. NULL when there will be none. */
static slot *take_work(pipeline *p)
{
    slot *s = NULL;
    pthread_mutex_lock(&p->mutex);
    while (!(s = look_for_work(p)) && is_work_left(p)) {
        p->n_idle++;
        pthread_cond_wait(&p->changed, &p->mutex);
        p->n_idle--;
    }
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    return s;
}

/* The same for a worker that has images in progress: leaves work to those that have none. */
static slot *take_more_work(pipeline *p)
{
    pthread_mutex_lock(&p->mutex);
    slot *s = p->n_idle > 0 ? NULL : look_for_work(p);
    pthread_mutex_unlock(&p->mutex);
    return s;
}

static void load_slot(pipeline *p, worker *w, slot *s)
{
    limn_status status = LIMN_OK;
    if (!w->state) status = p->stages->open(&w->state, p->ctx, &s->error);
    if (status == LIMN_OK)
        status = p->stages->load(w->state, s->bytes, s->size, s->pixels, &s->error);
    s->error.code = status;
    limn_free(s->bytes);
    s->bytes = NULL;
    pthread_mutex_lock(&p->mutex);
    p->n_read_bytes -= s->size;
    s->size = 0;
    p->n_loaded -= status != LIMN_OK;
    pipeline_set_step(p, s, status == LIMN_OK ? SLOT_LOADED : SLOT_DONE);
    pthread_mutex_unlock(&p->mutex);
}

static void finish_slot(pipeline *p, slot *s, limn_status status)
{
    if (status == LIMN_OK && s->out.bytes.has_failed)
        status = limn_fail(&s->error, LIMN_E_NOMEM, "out of memory");
    s->error.code = status;
    finish_step(p, s, SLOT_DONE);
}

struct limn_pipeline_feed {
    pipeline *pipeline;
    worker *worker;
    slot *first; /* NULL once it is taken */
};

limn_pipeline_image *limn_pipeline_next(limn_pipeline_feed *feed)
{
    slot *s = feed->first;
    feed->first = NULL;
    while (!s && (s = take_more_work(feed->pipeline)) && s->step == SLOT_LOADING) {
        load_slot(feed->pipeline, feed->worker, s);
        s = NULL;
    }
    if (!s) return NULL;
    s->image = (limn_pipeline_image){ &s->input, s->pixels, &s->out, &s->error };
    return &s->image;
}

void limn_pipeline_done(limn_pipeline_feed *feed, limn_pipeline_image *image, limn_status status)
{
    finish_slot(feed->pipeline, (slot *)image, status);
}

static void run_slot(pipeline *p, worker *w, slot *s)
{
    limn_status status = LIMN_OK;
    if (!w->state) status = p->stages->open(&w->state, p->ctx, &s->error);
    if (status == LIMN_OK && p->stages->run_many) {
        limn_pipeline_feed feed = { p, w, s };
        limn_error err = { 0 };
        status = p->stages->run_many(w->state, &feed, &err);
        if (!feed.first) return;
        status = limn_fail(&s->error, status, "%s", err.text);
    } else if (status == LIMN_OK) {
        status = p->stages->run(w->state, &s->input, s->pixels, &s->out, &s->error);
    }
    finish_slot(p, s, status);
}

static void *worker_main(void *arg)
{
    worker *w = arg;
    slot *s;
    while ((s = take_work(w->pipeline))) {
        if (s->step == SLOT_LOADING)
            load_slot(w->pipeline, w, s);
        else
            run_slot(w->pipeline, w, s);
    }
    return NULL;
}

/* ---- the caller's thread --------------------------------------------------------------- */

/* Takes no more names; wakes those waiting for some. */
static void stop(pipeline *p, bool is_interrupted)
{
    pthread_mutex_lock(&p->mutex);
    p->is_stopped = true;
    p->is_interrupted = p->is_interrupted || is_interrupted;
    if (is_interrupted) atomic_store(&p->is_stopping, true);
    if (is_interrupted && p->settings->is_stopping) atomic_store(p->settings->is_stopping, true);
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    while (p->wake[1] >= 0 && write(p->wake[1], "", 1) < 0 && errno == EINTR) continue;
}

/* Waits for a change, with a timeout if a hook must be polled meanwhile. Call with the mutex
 * held. */
static void wait_for_change(pipeline *p)
{
    struct timespec until;
    if (!p->settings->hooks || !p->settings->hooks->keep_going) {
        pthread_cond_wait(&p->changed, &p->mutex);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += QUESTION_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&p->changed, &p->mutex, &until);
}

/* The next image in input order when it is done; NULL meanwhile, and when all were put:
 * *is_end. */
static slot *look_for_done(pipeline *p, bool *is_end)
{
    slot *s = NULL;
    pthread_mutex_lock(&p->mutex);
    if (p->first < p->next && pipeline_slot_at(p, p->first)->step == SLOT_DONE)
        s = pipeline_slot_at(p, p->first);
    else if (p->first == p->next && !p->n_readers)
        *is_end = true;
    else
        wait_for_change(p);
    pthread_mutex_unlock(&p->mutex);
    return s;
}

/* The same, but waits; calls keep_going meanwhile. */
static slot *wait_for_done(pipeline *p)
{
    slot *s = NULL;
    bool is_end = false;
    while (!s && !is_end) {
        if (!p->is_asked_to_stop && !limn_hooks_keep_going(p->settings->hooks)) {
            p->is_asked_to_stop = true;
            stop(p, true);
        }
        s = look_for_done(p, &is_end);
    }
    return s;
}

static void free_slot(pipeline *p, slot *s)
{
    pthread_mutex_lock(&p->mutex);
    p->first++;
    pipeline_set_step(p, s, SLOT_FREE);
    pthread_mutex_unlock(&p->mutex);
}

static limn_status put_slot(pipeline *p, const slot *s, limn_pipeline_counts *counts,
                            limn_error *err)
{
    const bool has_failed = s->error.code != LIMN_OK;
    const limn_pipeline_result result = {
        .input = &s->input,
        .error = has_failed ? &s->error : NULL,
        .note = !has_failed && s->error.text[0] ? s->error.text : NULL,
        .out = &s->out.bytes,
        .is_left_out = s->out.is_left_out,
    };
    counts->left_out.n_other += s->is_left_out;
    counts->n_skipped += s->is_skipped;
    if (s->is_left_out || s->is_skipped) return LIMN_OK;
    if (s->error.code == LIMN_E_INTERRUPTED) /* given up, not failed: to be done by a later run */
        return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    LIMN_TRY(p->stages->put(p->ctx, &result, err));
    counts->n_done += !has_failed;
    counts->n_failed += has_failed;
    return LIMN_OK;
}

static void show_progress(const pipeline *p, const limn_pipeline_counts *counts,
                          limn_input_count *count)
{
    const limn_annotate_hooks *h = p->settings->hooks;
    const limn_annotate_progress progress = {
        .n_done = counts->n_done + counts->n_failed + counts->left_out.n_other,
        .n_failed = counts->n_failed,
        .n_total = limn_input_count_get(count),
    };
    if (h && h->progress) h->progress(h->ctx, &progress);
}

/* Puts all results, or drops them after the first failure to put one. */
static limn_status put_results(pipeline *p, limn_input_count *count, limn_pipeline_counts *counts,
                               limn_error *err)
{
    limn_status status = LIMN_OK;
    slot *s;
    while ((s = wait_for_done(p))) {
        if (status == LIMN_OK) {
            status = put_slot(p, s, counts, err);
            show_progress(p, counts, count);
        }
        if (status != LIMN_OK) stop(p, false);
        free_slot(p, s);
    }
    return status;
}

/* ---- setting up ------------------------------------------------------------------------ */

/* How many of n threads did start. */
static size_t start_readers(pipeline *p, pthread_t *threads, size_t n)
{
    size_t n_started = 0;
    while (n_started < n && !pthread_create(&threads[n_started], NULL, pipeline_reader_main, p))
        n_started++;
    return n_started;
}

static size_t start_workers(worker *workers, size_t n)
{
    size_t n_started = 0;
    while (n_started < n &&
           !pthread_create(&workers[n_started].thread, NULL, worker_main, &workers[n_started]))
        n_started++;
    return n_started;
}

/* Blocks all signals in the calling thread and in those that it starts. */
static void block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

static void restore_signals(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Starts all threads, and sets how many workers and readers there are. Too few is an error only
 * when there are none. */
static void start_threads(pipeline *p, worker *workers, size_t *n_workers, pthread_t *readers,
                          size_t *n_readers)
{
    const size_t n_wanted = n_readers_for(p->settings->n_threads);
    p->n_readers = n_wanted;
    *n_workers = start_workers(workers, p->settings->n_threads);
    *n_readers = *n_workers ? start_readers(p, readers, n_wanted) : 0;
    pthread_mutex_lock(&p->mutex);
    p->n_readers -= n_wanted - *n_readers;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
}

/* Runs all threads to their end; `signals` are those that the caller blocks. */
static limn_status run_threads(pipeline *p, worker *workers, pthread_t *readers,
                               const sigset_t *signals, limn_pipeline_counts *counts,
                               limn_error *err)
{
    const limn_annotate_hooks *hooks = p->settings->hooks;
    limn_input_count count;
    limn_status status;
    size_t n_workers, n_readers;
    start_threads(p, workers, &n_workers, readers, &n_readers);
    limn_input_count_start(&count, p->settings->inputs, hooks && hooks->progress);
    restore_signals(signals);
    status = put_results(p, &count, counts, err);
    limn_input_count_finish(&count);
    for (size_t i = 0; i < n_readers; i++) pthread_join(readers[i], NULL);
    for (size_t i = 0; i < n_workers; i++) pthread_join(workers[i].thread, NULL);
    if (!n_readers) return limn_fail(err, LIMN_E_NOMEM, "can't start a thread");
    return status;
}

static limn_status make_slots(pipeline *p, limn_error *err)
{
    const size_t n_running = p->settings->n_together ? p->settings->n_together : 1;
    const size_t n_pixels = (1 + n_running) * p->settings->n_threads; /* 1: loaded or loading */
    p->n_slots = pipeline_max_unfinished(p) + LIMN_PIPELINE_MAX_WAITING;
    p->slots = limn_calloc(p->n_slots, sizeof *p->slots);
    p->pixels = limn_calloc(n_pixels, sizeof *p->pixels);
    if (!p->slots || !p->pixels) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    while (p->n_pixels < n_pixels) {
        p->pixels[p->n_pixels] = limn_alloc_aligned(p->settings->input_size, 1);
        if (!p->pixels[p->n_pixels]) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        p->n_pixels++;
    }
    return LIMN_OK;
}

static void free_slots(pipeline *p)
{
    for (size_t i = 0; p->slots && i < p->n_slots; i++) {
        limn_free(p->slots[i].path);
        limn_free(p->slots[i].bytes);
        limn_free(p->slots[i].pixels);
        limn_buffer_finish(&p->slots[i].out.bytes);
    }
    for (size_t i = 0; i < p->n_pixels; i++) limn_free(p->pixels[i]);
    limn_free(p->pixels);
    limn_free(p->slots);
}

static limn_status open_walk(pipeline *p, limn_error *err)
{
    const limn_inputs *inputs = p->settings->inputs;
    if (limn_inputs_has_list(inputs) &&
        (pipe(p->wake) || fcntl(p->wake[0], F_SETFD, FD_CLOEXEC) < 0 ||
         fcntl(p->wake[1], F_SETFD, FD_CLOEXEC) < 0))
        return limn_fail(err, LIMN_E_IO, "can't make a pipe: %s", strerror(errno));
    const limn_dirwalk_settings walk = limn_inputs_walk_settings(inputs, p->wake[0]);
    return limn_dirwalk_create(&p->walk, inputs->names, inputs->n_names, &walk, err);
}

static void close_walk(pipeline *p, limn_left_out *left_out)
{
    if (p->walk) {
        const size_t n_other = left_out->n_other;
        *left_out = limn_inputs_left_out(p->walk);
        left_out->n_other = n_other;
    }
    limn_dirwalk_destroy(&p->walk);
    for (size_t i = 0; i < 2; i++)
        if (p->wake[i] >= 0) close(p->wake[i]);
}

limn_status limn_pipeline_run(limn_pipeline_counts *counts, const limn_pipeline_stages *stages,
                              void *ctx, const limn_pipeline_settings *settings, limn_error *err)
{
    pipeline p = { .stages = stages,
                   .ctx = ctx,
                   .settings = settings,
                   .wake = { -1, -1 },
                   .reading = PTHREAD_MUTEX_INITIALIZER,
                   .mutex = PTHREAD_MUTEX_INITIALIZER,
                   .changed = PTHREAD_COND_INITIALIZER };
    worker *workers = limn_calloc(settings->n_threads, sizeof *workers);
    pthread_t *readers = limn_calloc(n_readers_for(settings->n_threads), sizeof *readers);
    limn_status status = LIMN_OK;
    sigset_t signals;
    *counts = (limn_pipeline_counts){ 0 };
    if (!workers || !readers) status = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (status == LIMN_OK) status = open_walk(&p, err);
    if (status == LIMN_OK) status = make_slots(&p, err);
    for (size_t i = 0; workers && i < settings->n_threads; i++) workers[i].pipeline = &p;
    block_signals(&signals); /* in all threads but this one */
    if (status == LIMN_OK) status = stages->open(&workers[0].state, ctx, err);
    if (status == LIMN_OK) status = run_threads(&p, workers, readers, &signals, counts, err);
    restore_signals(&signals);
    for (size_t i = 0; workers && i < settings->n_threads; i++) stages->close(workers[i].state);
    free_slots(&p);
    close_walk(&p, &counts->left_out);
    limn_free(workers);
    limn_free(readers);
    if (status == LIMN_OK && p.is_out_of_memory)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (status == LIMN_OK && p.is_interrupted)
        return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    return status;
}
