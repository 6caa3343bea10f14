#include "tools/annotate/pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/input/input_count.h"
#include "tools/annotate/input/inputs.h"
#include "tools/annotate/input/image_file.h"

enum { QUESTION_MS = 100 /* between calls of keep_going */ };

typedef enum slot_step {
    SLOT_FREE = 0,
    SLOT_READING, /* held by a reader */
    SLOT_READ,
    SLOT_LOADING, /* a worker has it */
    SLOT_LOADED,
    SLOT_RUNNING, /* a worker has it */
    SLOT_DONE,    /* held by the caller's thread */
} slot_step;

/* One image in progress. `step` is guarded by the mutex; the rest belongs to whoever holds the
 * slot. */
typedef struct slot {
    slot_step step;
    char *path; /* input.path, owned */
    size_t path_capacity;
    limn_dirwalk_entry input;
    bool is_left_out, is_skipped;
    unsigned char *bytes; /* [size] of the file; NULL before reading and after loading */
    size_t size;
    uint8_t *pixels; /* [input_size], while it is loaded; NULL before and after */
    limn_pipeline_output out;
    limn_error error;
} slot;

typedef struct pipeline {
    const limn_pipeline_stages *stages;
    void *ctx;
    const limn_pipeline_settings *settings;
    limn_dirwalk *walk;
    int wake[2]; /* a pipe: readable once waiting for a list must stop; -1: no list */

    pthread_mutex_t reading; /* held to take the next name; taken before `mutex` */
    pthread_mutex_t mutex;   /* guards all that follows, and the steps of the slots */
    pthread_cond_t changed;
    slot *slots; /* [n_slots]; image i is in slot i % n_slots */
    size_t n_slots;
    size_t first, next;  /* images first … next-1 are in progress or wait to be put */
    size_t n_unfinished; /* slots READING … RUNNING */
    size_t n_loaded;     /* slots LOADING or LOADED */
    uint8_t **pixels;    /* [n_pixels] buffers not in use by a slot */
    size_t n_pixels;
    size_t n_read_bytes;
    size_t n_readers; /* still running */
    bool is_stopped;  /* take no more names */
    bool is_interrupted, is_out_of_memory;
    atomic_bool is_stopping; /* for those waiting for a file's bytes */

    bool is_asked_to_stop; /* by a hook; the caller's thread alone */
} pipeline;

static slot *slot_at(pipeline *p, size_t image)
{
    return &p->slots[image % p->n_slots];
}

/* Few, since they wait for the disk most of the time. */
static size_t n_readers_for(size_t n_workers)
{
    return 1 + (n_workers - 1) / 4;
}

/* Limit on images read ahead or in progress. */
static size_t max_unfinished(const pipeline *p)
{
    return 4 * p->settings->n_threads + 4;
}

/* Call with the mutex held. */
static void set_step(pipeline *p, slot *s, slot_step step)
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
    set_step(p, s, step);
    pthread_mutex_unlock(&p->mutex);
}

/* ---- readers --------------------------------------------------------------------------- */

/* Waits for a free slot and for room to read ahead. NULL when no more names may be taken. */
static slot *wait_for_slot(pipeline *p)
{
    slot *s;
    pthread_mutex_lock(&p->mutex);
    while (!p->is_stopped &&
           (p->next - p->first == p->n_slots || p->n_unfinished == max_unfinished(p) ||
            p->n_read_bytes >= LIMN_PIPELINE_READ_AHEAD))
        pthread_cond_wait(&p->changed, &p->mutex);
    s = p->is_stopped ? NULL : slot_at(p, p->next);
    pthread_mutex_unlock(&p->mutex);
    return s;
}

static bool set_slot_input(slot *s, const limn_dirwalk_entry *input)
{
    const size_t size = strlen(input->path) + 1;
    void *block = s->path;
    const bool fits = limn_grow(&block, &s->path_capacity, size, 1);
    s->path = block;
    if (!fits) return false;
    memcpy(s->path, input->path, size);
    s->input = *input;
    s->input.path = s->path;
    s->input.relative = s->path + (input->relative - input->path);
    return true;
}

/* Takes the next name into a free slot; a failed name gets a slot with its error. NULL at the
 * end. */
static slot *take_name(pipeline *p)
{
    limn_dirwalk_entry entry;
    limn_status status;
    slot *s = wait_for_slot(p);
    bool is_interrupted, is_out_of_memory, is_end;
    if (!s) return NULL;
    s->error = (limn_error){ 0 };
    s->is_left_out = s->is_skipped = false;
    s->out.is_left_out = false;
    limn_buffer_clear(&s->out.bytes);
    status = limn_dirwalk_next(p->walk, &entry, &s->error);
    is_interrupted = status == LIMN_E_INTERRUPTED;
    is_out_of_memory = entry.path && !set_slot_input(s, &entry);
    is_end = is_interrupted || is_out_of_memory || !entry.path;
    pthread_mutex_lock(&p->mutex);
    p->is_interrupted = p->is_interrupted || is_interrupted;
    p->is_out_of_memory = p->is_out_of_memory || is_out_of_memory;
    p->is_stopped = p->is_stopped || is_end;
    p->next += !is_end;
    p->n_unfinished += !is_end;
    set_step(p, s, is_end ? SLOT_FREE : SLOT_READING);
    pthread_mutex_unlock(&p->mutex);
    return is_end ? NULL : s;
}

/* Asks `want` about an input that has already failed: the failure may be known from an interrupted
 * run. */
static void look_at_failure(pipeline *p, slot *s)
{
    bool is_wanted = true;
    if (!p->stages->want || p->stages->want(p->ctx, &s->input, &is_wanted, NULL) || is_wanted)
        return;
    s->is_skipped = true;
    s->error = (limn_error){ 0 };
}

/* Sets is_left_out and is_skipped if there is nothing to read. */
static limn_status look_at_slot(pipeline *p, slot *s, limn_archive *archive)
{
    bool is_image = s->input.is_stream, is_wanted = true;
    limn_status status = LIMN_OK;
    if (archive)
        status = limn_image_member_is_image(&is_image, &s->input, archive, &s->error);
    else if (!is_image)
        status = limn_image_file_is_image(&is_image, s->path, s->input.is_named, &s->error);
    if (status != LIMN_OK) {
        look_at_failure(p, s);
        return status;
    }
    s->is_left_out = !is_image;
    if (is_image && p->stages->want)
        LIMN_TRY(p->stages->want(p->ctx, &s->input, &is_wanted, &s->error));
    s->is_skipped = !is_wanted;
    return LIMN_OK;
}

static limn_status read_bytes(pipeline *p, slot *s, limn_archive *archive)
{
    if (s->input.is_stream)
        return limn_dirwalk_read_stream(p->walk, &s->bytes, &s->size, LIMN_PIPELINE_MAX_FILE_SIZE,
                                        &s->error);
    if (archive)
        return limn_archive_read(archive, &s->bytes, &s->size, LIMN_PIPELINE_MAX_FILE_SIZE,
                                 &s->error);
    return limn_image_file_read(&s->bytes, &s->size, s->path, LIMN_PIPELINE_MAX_FILE_SIZE,
                                &p->is_stopping, &s->error);
}

static void read_slot(pipeline *p, slot *s, limn_archive *archive)
{
    limn_status status = s->error.code;
    if (status == LIMN_OK)
        status = look_at_slot(p, s, archive);
    else
        look_at_failure(p, s);
    if (status == LIMN_OK && !s->is_left_out && !s->is_skipped) status = read_bytes(p, s, archive);
    s->error.code = s->is_skipped ? LIMN_OK : status;
    pthread_mutex_lock(&p->mutex);
    p->n_read_bytes += s->size;
    set_step(p, s, s->bytes ? SLOT_READ : SLOT_DONE);
    pthread_mutex_unlock(&p->mutex);
}

/* An archive member or a stream is read before the walk continues; files by several readers at
 * once. */
static void *reader_main(void *arg)
{
    pipeline *p = arg;
    slot *s;
    do {
        pthread_mutex_lock(&p->reading);
        s = take_name(p);
        limn_archive *archive = limn_dirwalk_archive(p->walk);
        const bool is_read_here = s && (archive || s->input.is_stream);
        if (is_read_here) read_slot(p, s, archive);
        pthread_mutex_unlock(&p->reading);
        if (s && !is_read_here) read_slot(p, s, NULL);
    } while (s);
    pthread_mutex_lock(&p->mutex);
    p->n_readers--;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    return NULL;
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
        if (slot_at(p, i)->step == step) return slot_at(p, i);
    return NULL;
}

static bool is_work_left(pipeline *p)
{
    return p->n_readers || oldest(p, SLOT_READ) || oldest(p, SLOT_LOADED) ||
           oldest(p, SLOT_LOADING);
}

/* Waits for an image to load (its step is then SLOT_LOADING) or to run (SLOT_RUNNING). NULL when
 * there will be none. */
static slot *take_work(pipeline *p)
{
    slot *s = NULL;
    pthread_mutex_lock(&p->mutex);
    while (!s && is_work_left(p)) {
        if (p->n_loaded < p->settings->n_threads && (s = oldest(p, SLOT_READ))) {
            p->n_loaded++;
            s->pixels = p->pixels[--p->n_pixels];
            s->step = SLOT_LOADING;
        } else if ((s = oldest(p, SLOT_LOADED))) {
            p->n_loaded--;
            s->step = SLOT_RUNNING;
        } else {
            pthread_cond_wait(&p->changed, &p->mutex);
        }
    }
    pthread_cond_broadcast(&p->changed);
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
    set_step(p, s, status == LIMN_OK ? SLOT_LOADED : SLOT_DONE);
    pthread_mutex_unlock(&p->mutex);
}

static void run_slot(pipeline *p, worker *w, slot *s)
{
    limn_status status = LIMN_OK;
    if (!w->state) status = p->stages->open(&w->state, p->ctx, &s->error);
    if (status == LIMN_OK)
        status = p->stages->run(w->state, &s->input, s->pixels, &s->out, &s->error);
    if (status == LIMN_OK && s->out.bytes.has_failed)
        status = limn_fail(&s->error, LIMN_E_NOMEM, "out of memory");
    s->error.code = status;
    finish_step(p, s, SLOT_DONE);
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
    if (p->first < p->next && slot_at(p, p->first)->step == SLOT_DONE)
        s = slot_at(p, p->first);
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
    set_step(p, s, SLOT_FREE);
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
    while (n_started < n && !pthread_create(&threads[n_started], NULL, reader_main, p)) n_started++;
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
    const size_t n_pixels = 2 * p->settings->n_threads; /* loaded or loading, and running */
    p->n_slots = max_unfinished(p) + LIMN_PIPELINE_MAX_WAITING;
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
        const limn_dirwalk_counts c = limn_dirwalk_get_counts(p->walk);
        const size_t n_other = left_out->n_other;
        *left_out = (limn_left_out){ .n_other = n_other,
                                     .n_hidden = c.n_hidden,
                                     .n_special = c.n_special,
                                     .n_folders = c.n_folders,
                                     .n_archives = c.n_archives,
                                     .n_loops = c.n_loops,
                                     .n_refused = c.n_refused,
                                     .n_lost = c.n_lost };
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
