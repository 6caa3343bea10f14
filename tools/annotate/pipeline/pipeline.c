#include "tools/annotate/pipeline/pipeline.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tools/annotate/input/input_count.h"
#include "tools/interrupt.h"
#include "tools/annotate/input/picture_file.h"
#include "tools/progress.h"

typedef enum slot_step {
    SLOT_FREE = 0,
    SLOT_READING, /* a reader has it */
    SLOT_READ,
    SLOT_LOADING, /* a worker has it */
    SLOT_LOADED,
    SLOT_RUNNING, /* a worker has it */
    SLOT_DONE,    /* the caller's thread has it */
} slot_step;

/* One picture in work. `step` is guarded by the mutex; the rest belongs to whoever has it. */
typedef struct slot {
    slot_step step;
    char *path; /* input.path, owned */
    size_t path_capacity;
    limn_dirwalk_entry input;
    bool is_left_out, is_skipped;
    unsigned char *bytes; /* [size] of the file; NULL before reading and after loading */
    size_t size;
    uint8_t *pixels; /* [input_size], while it is loaded; NULL before and after */
    limn_buffer out;
    limn_error error;
} slot;

typedef struct pipeline {
    const limn_pipeline_stages *stages;
    void *ctx;
    const limn_pipeline_settings *settings;
    limn_dirwalk *walk;

    pthread_mutex_t reading; /* held to take the next name; taken before `mutex` */
    pthread_mutex_t mutex;   /* guards all that follows, and the steps of the slots */
    pthread_cond_t changed;
    slot *slots; /* [n_slots]; picture i is in slot i % n_slots */
    size_t n_slots;
    size_t first, next;  /* pictures first … next-1 are in work or wait to be put */
    size_t n_unfinished; /* slots READING … RUNNING */
    size_t n_loaded;     /* slots LOADING or LOADED */
    uint8_t **pixels;    /* [n_pixels] those that no slot has */
    size_t n_pixels;
    size_t n_read_bytes;
    size_t n_readers; /* still running */
    bool is_stopped;  /* take no more names */
    bool is_interrupted, is_out_of_memory;
} pipeline;

static slot *slot_at(pipeline *p, size_t picture)
{
    return &p->slots[picture % p->n_slots];
}

/* Few, since they wait for the disk most of the time. */
static size_t n_readers_for(size_t n_workers)
{
    return 1 + (n_workers - 1) / 4;
}

/* Pictures that are read ahead or in work. */
static size_t max_unfinished(const pipeline *p)
{
    return 4 * p->settings->n_threads + 4;
}

/* Call with the mutex. */
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

/* Waits for a free slot and for room to read ahead. NULL when no more names are to be taken. */
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

/* Takes the next name into a free slot; a name that fails is there with its error. NULL at the
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
    limn_buffer_clear(&s->out);
    status = limn_dirwalk_next(p->walk, &entry, &s->error);
    is_interrupted = status == LIMN_E_INTERRUPTED || (entry.path && limn_interrupt_is_set());
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

/* What failed before anybody was asked whether it is wanted: the failure may be known from an
 * interrupted run. */
static void look_at_failure(pipeline *p, slot *s)
{
    bool is_wanted = true;
    if (!p->stages->want || p->stages->want(p->ctx, &s->input, &is_wanted, NULL) || is_wanted)
        return;
    s->is_skipped = true;
    s->error = (limn_error){ 0 };
}

/* Tells by is_left_out and is_skipped whether there is anything to read. */
static limn_status look_at_slot(pipeline *p, slot *s, limn_archive *archive)
{
    bool is_picture = false, is_wanted = true;
    const limn_status status =
        archive ? limn_picture_member_is_picture(&is_picture, &s->input, archive, &s->error)
                : limn_picture_file_is_picture(&is_picture, s->path, s->input.is_named, &s->error);
    if (status != LIMN_OK) {
        look_at_failure(p, s);
        return status;
    }
    s->is_left_out = !is_picture;
    if (is_picture && p->stages->want)
        LIMN_TRY(p->stages->want(p->ctx, &s->input, &is_wanted, &s->error));
    s->is_skipped = !is_wanted;
    return LIMN_OK;
}

static limn_status read_bytes(slot *s, limn_archive *archive)
{
    if (archive)
        return limn_archive_read(archive, &s->bytes, &s->size, LIMN_PIPELINE_MAX_FILE_SIZE,
                                 &s->error);
    return limn_picture_file_read(&s->bytes, &s->size, s->path, LIMN_PIPELINE_MAX_FILE_SIZE,
                                  &s->error);
}

static void read_slot(pipeline *p, slot *s, limn_archive *archive)
{
    limn_status status = s->error.code;
    if (status == LIMN_OK)
        status = look_at_slot(p, s, archive);
    else
        look_at_failure(p, s);
    if (status == LIMN_OK && !s->is_left_out && !s->is_skipped) status = read_bytes(s, archive);
    s->error.code = s->is_skipped ? LIMN_OK : status;
    pthread_mutex_lock(&p->mutex);
    p->n_read_bytes += s->size;
    set_step(p, s, s->bytes ? SLOT_READ : SLOT_DONE);
    pthread_mutex_unlock(&p->mutex);
}

/* An archive is read before its walk goes on; files by several readers at once. */
static void *reader_main(void *arg)
{
    pipeline *p = arg;
    limn_archive *archive;
    slot *s;
    do {
        pthread_mutex_lock(&p->reading);
        s = take_name(p);
        archive = limn_dirwalk_archive(p->walk);
        if (s && archive) read_slot(p, s, archive);
        pthread_mutex_unlock(&p->reading);
        if (s && !archive) read_slot(p, s, NULL);
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
    void *state; /* NULL until the first picture */
    pthread_t thread;
} worker;

/* The oldest picture at `step`, or NULL. Call with the mutex. */
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

/* Waits for a picture to load (its step is then SLOT_LOADING) or to run (SLOT_RUNNING). NULL when
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
    if (status == LIMN_OK && s->out.has_failed)
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

/* The next picture in input order when it is done, NULL when all were put. */
static slot *wait_for_done(pipeline *p)
{
    slot *s = NULL;
    pthread_mutex_lock(&p->mutex);
    for (;;) {
        if (p->first < p->next && slot_at(p, p->first)->step == SLOT_DONE) {
            s = slot_at(p, p->first);
            break;
        }
        if (p->first == p->next && !p->n_readers) break;
        pthread_cond_wait(&p->changed, &p->mutex);
    }
    pthread_mutex_unlock(&p->mutex);
    return s;
}

static void free_slot(pipeline *p, slot *s)
{
    pthread_mutex_lock(&p->mutex);
    p->first++;
    set_step(p, s, SLOT_FREE);
    pthread_mutex_unlock(&p->mutex);
}

static void stop(pipeline *p)
{
    pthread_mutex_lock(&p->mutex);
    p->is_stopped = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    limn_interrupt_wake();
}

static limn_status put_slot(pipeline *p, const slot *s, limn_pipeline_counts *counts,
                            limn_error *err)
{
    const bool has_failed = s->error.code != LIMN_OK;
    const limn_pipeline_result result = {
        .input = &s->input,
        .error = has_failed ? &s->error : NULL,
        .note = !has_failed && s->error.text[0] ? s->error.text : NULL,
        .out = &s->out,
    };
    counts->n_left_out += s->is_left_out;
    counts->n_skipped += s->is_skipped;
    if (s->is_left_out || s->is_skipped) return LIMN_OK;
    LIMN_TRY(p->stages->put(p->ctx, &result, err));
    counts->n_done += !has_failed;
    counts->n_failed += has_failed;
    return LIMN_OK;
}

/* Puts all results, or drops them after the first failure to put one. */
static limn_status put_results(pipeline *p, limn_pipeline_counts *counts, limn_error *err)
{
    limn_input_count count;
    limn_status status = LIMN_OK;
    slot *s;
    limn_input_count_start(&count, p->settings);
    limn_interrupt_unblock();
    limn_progress_start("pictures");
    while ((s = wait_for_done(p))) {
        if (status == LIMN_OK) {
            status = put_slot(p, s, counts, err);
            limn_progress_update(counts->n_done + counts->n_failed + counts->n_left_out,
                                 counts->n_failed, limn_input_count_get(&count));
        }
        if (status != LIMN_OK) stop(p);
        free_slot(p, s);
    }
    limn_progress_erase();
    limn_input_count_finish(&count);
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

/* Runs all threads to their end. Too few threads is a failure only when there is none. */
static limn_status run_threads(pipeline *p, worker *workers, pthread_t *readers,
                               limn_pipeline_counts *counts, limn_error *err)
{
    const size_t n_workers = p->settings->n_threads;
    limn_status status;
    size_t n_started, n_reading;
    p->n_readers = n_readers_for(n_workers);
    n_started = start_workers(workers, n_workers);
    n_reading = n_started ? start_readers(p, readers, p->n_readers) : 0;
    pthread_mutex_lock(&p->mutex);
    p->n_readers -= n_readers_for(n_workers) - n_reading;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    status = put_results(p, counts, err);
    for (size_t i = 0; i < n_reading; i++) pthread_join(readers[i], NULL);
    for (size_t i = 0; i < n_started; i++) pthread_join(workers[i].thread, NULL);
    if (!n_reading) return limn_fail(err, LIMN_E_NOMEM, "can't start a thread");
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
        limn_buffer_finish(&p->slots[i].out);
    }
    for (size_t i = 0; i < p->n_pixels; i++) limn_free(p->pixels[i]);
    limn_free(p->pixels);
    limn_free(p->slots);
}

limn_dirwalk_settings limn_pipeline_walk_settings(const limn_pipeline_settings *settings,
                                                  bool has_list)
{
    return (limn_dirwalk_settings){
        .is_recursive = settings->is_recursive,
        .has_archives = true,
        .list_fd = has_list ? STDIN_FILENO : -1,
        .list_separator = settings->is_nul_separated ? '\0' : '\n',
        .wake_fd = has_list ? limn_interrupt_wake_fd() : -1,
        .accepts = settings->accepts,
        .accepts_ctx = settings->accepts_ctx,
    };
}

limn_status limn_pipeline_run(limn_pipeline_counts *counts, const limn_pipeline_stages *stages,
                              void *ctx, const limn_pipeline_settings *settings, limn_error *err)
{
    pipeline p = { .stages = stages,
                   .ctx = ctx,
                   .settings = settings,
                   .reading = PTHREAD_MUTEX_INITIALIZER,
                   .mutex = PTHREAD_MUTEX_INITIALIZER,
                   .changed = PTHREAD_COND_INITIALIZER };
    const limn_dirwalk_settings walk = limn_pipeline_walk_settings(settings, true);
    worker *workers = limn_calloc(settings->n_threads, sizeof *workers);
    pthread_t *readers = limn_calloc(n_readers_for(settings->n_threads), sizeof *readers);
    limn_status status = LIMN_OK;
    *counts = (limn_pipeline_counts){ 0 };
    if (!workers || !readers) status = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (status == LIMN_OK)
        status = limn_dirwalk_create(&p.walk, settings->names, settings->n_names, &walk, err);
    if (status == LIMN_OK) status = make_slots(&p, err);
    for (size_t i = 0; workers && i < settings->n_threads; i++) workers[i].pipeline = &p;
    limn_interrupt_block(); /* in all threads but this one, which writes */
    if (status == LIMN_OK) status = stages->open(&workers[0].state, ctx, err);
    if (status == LIMN_OK) status = run_threads(&p, workers, readers, counts, err);
    limn_interrupt_unblock();
    if (p.walk) counts->walk = limn_dirwalk_get_counts(p.walk);
    for (size_t i = 0; workers && i < settings->n_threads; i++) stages->close(workers[i].state);
    free_slots(&p);
    limn_dirwalk_destroy(&p.walk);
    limn_free(workers);
    limn_free(readers);
    if (status == LIMN_OK && p.is_out_of_memory)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (status == LIMN_OK && p.is_interrupted)
        return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    return status;
}
