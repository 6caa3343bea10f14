#include "tools/annotate/run/image_run.h"

#include <pthread.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/run/error_list.h"
#include "tools/annotate/run/run_results.h"

#define STRICT "stopped at the first failure (--strict)"

struct limn_image_run {
    limn_image_run_settings settings;
    limn_sink *sink;
    limn_journal *journal; /* NULL: none */
    limn_journal_past past;
    limn_error_list errors;
    pthread_mutex_t mutex; /* guards what limn_image_run_want uses: past.done and n_there */
    limn_account account;
    limn_journal_state state;
    limn_run_results results; /* put since the last checkpoint; with a journal */
    double recorded_at;
    bool has_begun;  /* the sink has */
    bool has_failed; /* to write: nothing more may be written */
    bool is_over;
};

static size_t sum(const size_t *counts)
{
    size_t n = 0;
    for (size_t i = 0; i < LIMN_N_STATUSES; i++) n += counts[i];
    return n;
}

/* ---- checkpoints ------------------------------------------------------------------------ */

/* Flushes sink and error list to disk, and records where they end. */
static limn_status make_state(limn_image_run *run, limn_error *err)
{
    limn_buffer_clear(&run->state.sink);
    limn_buffer_clear(&run->state.errors);
    LIMN_TRY(run->sink->methods->checkpoint(run->sink, run->journal, &run->state.sink, err));
    if (run->journal) limn_run_results_record(&run->results, run->journal);
    if (!run->settings.errors_path) return LIMN_OK;
    LIMN_TRY(limn_part_file_sync(&run->errors.file, err));
    limn_part_file_append_state(&run->errors.file, &run->state.errors);
    return LIMN_OK;
}

static limn_status checkpoint(limn_image_run *run, limn_error *err)
{
    limn_status s;
    if (!run->journal) return LIMN_OK;
    s = make_state(run, err);
    if (s == LIMN_OK) s = limn_journal_checkpoint(run->journal, &run->state, err);
    run->has_failed = s != LIMN_OK;
    run->recorded_at = limn_clock_seconds();
    return s;
}

/* For limn_sink_record. */
static limn_status record_now(void *run, limn_error *err)
{
    return checkpoint(run, err);
}

/* For limn_sink_fail. */
static limn_status fail_late(void *ctx, const char *name, const limn_error *failure,
                             limn_error *err)
{
    limn_image_run *run = ctx;
    const limn_image_run_settings *s = &run->settings;
    limn_run_result *result = limn_run_results_find(&run->results, name);
    if (!result) return limn_fail(err, failure->code, "%s", failure->text);
    if (s->failed) LIMN_TRY(s->failed(s->ctx, name, failure, err));
    if (s->is_strict) return limn_fail(err, LIMN_E_IO, STRICT);
    if (s->errors_path) LIMN_TRY(limn_error_list_add(&run->errors, name, failure, err));
    result->status = failure->code;
    run->account.counts[LIMN_OK]--;
    run->account.counts[failure->code]++;
    return LIMN_OK;
}

static bool is_checkpoint_due(const limn_image_run *run)
{
    return run->results.n_items >= LIMN_IMAGE_RUN_RESULTS ||
           limn_clock_seconds() - run->recorded_at >= LIMN_IMAGE_RUN_SECONDS;
}

/* ---- beginning -------------------------------------------------------------------------- */

static limn_status settle_notes(limn_image_run *run, limn_error *err)
{
    for (size_t i = 0; i < run->past.n_notes; i++) {
        const limn_journal_note *note = &run->past.notes[i];
        bool is_done = false;
        LIMN_TRY(run->sink->methods->settle(run->sink, note, &is_done, err));
        if (!is_done) continue;
        limn_journal_add(run->journal, note->name, LIMN_OK);
        run->past.counts[LIMN_OK]++;
        LIMN_TRY(limn_name_set_add(&run->past.done, note->name, strlen(note->name), err));
    }
    return LIMN_OK;
}

static void add_before(limn_image_run *run)
{
    const limn_string_table *names = &run->past.before.names;
    for (uint32_t i = 0; i < names->n_strings; i++)
        limn_journal_add_before(run->journal, limn_string_table_get(names, i));
}

static limn_status begin_sink(limn_image_run *run, limn_error *err)
{
    const bool has_state = run->past.state != NULL;
    if (run->settings.errors_path && !run->past.errors_state)
        LIMN_TRY(limn_error_list_check(run->settings.errors_path, err));
    run->has_begun = true;
    LIMN_TRY(run->sink->methods->begin(run->sink, run->past.state, &run->past.before, err));
    if (run->settings.errors_path)
        LIMN_TRY(limn_error_list_open(&run->errors, run->settings.errors_path,
                                      run->past.errors_state, err));
    if (!run->journal) return LIMN_OK;
    LIMN_TRY(settle_notes(run, err));
    if (!has_state) add_before(run);
    LIMN_TRY(make_state(run, err));
    return limn_journal_begin(run->journal, &run->past, &run->state, err);
}

/* Gives the files of an already finished run their final names. */
static limn_status complete_past(limn_image_run *run, limn_error *err)
{
    limn_part_file errors = { 0 };
    run->is_over = true;
    LIMN_TRY(run->sink->methods->complete(run->sink, run->past.state, err));
    if (run->past.errors_state && run->settings.errors_path)
        LIMN_TRY(limn_part_file_recommit(&errors, run->settings.errors_path, run->past.errors_state,
                                         err));
    return limn_journal_remove(&run->journal, err);
}

static limn_status begin_dry(limn_image_run *run, limn_error *err)
{
    const limn_image_run_settings *s = &run->settings;
    const limn_sink_methods *sink = run->sink->methods;
    if (run->sink->journal_path)
        LIMN_TRY(
            limn_journal_peek(&run->past, run->sink->journal_path, s->identity, s->is_forced, err));
    if (run->past.is_resumed || !sink->peek) return LIMN_OK;
    return sink->peek(run->sink, &run->past.before, err);
}

/* Undoes everything done so far. */
static void undo_begin(limn_image_run *run)
{
    if (run->has_begun) run->sink->methods->discard(run->sink);
    limn_part_file_remove(&run->errors.file);
    if (run->journal) (void)limn_journal_remove(&run->journal, NULL);
}

static limn_status begin_for_good(limn_image_run *run, limn_error *err)
{
    const limn_image_run_settings *s = &run->settings;
    limn_status status;
    if (run->sink->journal_path)
        LIMN_TRY(limn_journal_open(&run->journal, &run->past, run->sink->journal_path, s->identity,
                                   s->is_forced, err));
    status = run->past.is_complete ? complete_past(run, err) : begin_sink(run, err);
    if (run->journal) {
        run->sink->record = record_now;
        run->sink->fail = fail_late;
        run->sink->run = run;
    }
    if (status != LIMN_OK && !run->past.is_resumed) undo_begin(run);
    return status;
}

static limn_status begin(limn_image_run *run, limn_error *err)
{
    const limn_status s = run->settings.is_dry ? begin_dry(run, err) : begin_for_good(run, err);
    memcpy(run->account.counts_before, run->past.counts, sizeof run->past.counts);
    run->account.n_left_out = run->past.n_left_out;
    run->account.is_resumed = run->past.is_resumed;
    return s;
}

static void destroy(limn_image_run *run)
{
    run->sink->record = NULL;
    run->sink->fail = NULL;
    limn_journal_close(&run->journal);
    limn_run_results_finish(&run->results);
    limn_journal_past_finish(&run->past);
    limn_error_list_finish(&run->errors);
    limn_buffer_finish(&run->state.sink);
    limn_buffer_finish(&run->state.errors);
    pthread_mutex_destroy(&run->mutex);
    limn_free(run);
}

limn_status limn_image_run_begin(limn_image_run **out, bool *is_over,
                                 const limn_image_run_settings *settings, limn_error *err)
{
    limn_image_run *run = limn_calloc(1, sizeof *run);
    limn_status s;
    *out = NULL;
    *is_over = false;
    if (!run) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    run->settings = *settings;
    run->sink = settings->sink;
    run->recorded_at = limn_clock_seconds();
    pthread_mutex_init(&run->mutex, NULL);
    s = begin(run, err);
    if (s != LIMN_OK) {
        destroy(run);
        return s;
    }
    *is_over = run->is_over;
    *out = run;
    return LIMN_OK;
}

/* ---- images --------------------------------------------------------------------------- */

limn_status limn_image_run_want(limn_image_run *run, const limn_dirwalk_entry *input,
                                const char *name, bool *is_wanted, limn_error *err)
{
    const limn_sink_methods *sink = run->sink->methods;
    const bool is_once = run->sink->is_once;
    limn_status s = LIMN_OK;
    bool is_there, is_done;
    pthread_mutex_lock(&run->mutex);
    /* standard input is a different image each time */
    is_there = !input->is_stream && limn_name_set_has(&run->past.before, name);
    is_done = !input->is_stream && !is_there &&
              (is_once ? limn_name_set_has(&run->past.done, input->path)
                       : limn_name_set_take(&run->past.done, input->path));
    pthread_mutex_unlock(&run->mutex);
    if (sink->look && (is_once || (!is_there && !is_done)))
        s = sink->look(run->sink, input, &is_there, is_done ? NULL : err);
    if (is_done)
        is_there = false;
    else if (s != LIMN_OK)
        return s;
    pthread_mutex_lock(&run->mutex);
    run->account.n_there += is_there;
    pthread_mutex_unlock(&run->mutex);
    *is_wanted = !is_there && !is_done;
    return LIMN_OK;
}

static limn_status put(limn_image_run *run, const limn_pipeline_result *result, limn_error *err)
{
    const limn_status status = result->error ? result->error->code : LIMN_OK;
    LIMN_TRY(run->sink->methods->put(run->sink, result, err));
    if (result->error && run->settings.errors_path)
        LIMN_TRY(limn_error_list_add(&run->errors, result->input->path, result->error, err));
    run->account.counts[status]++;
    run->account.n_left_out += result->is_left_out;
    return run->journal ? limn_run_results_add(&run->results, result->input->path, status,
                                               result->is_left_out, err)
                        : LIMN_OK;
}

limn_status limn_image_run_make_ready(limn_image_run *run, const limn_pipeline_result *result,
                                      limn_error *err)
{
    const limn_sink_methods *sink = run->sink->methods;
    return sink->make_ready ? sink->make_ready(run->sink, result, err) : LIMN_OK;
}

limn_status limn_image_run_put(limn_image_run *run, const limn_pipeline_result *result,
                               limn_error *err)
{
    if (result->error && run->settings.is_strict) return limn_fail(err, LIMN_E_IO, STRICT);
    limn_hooks_writing(run->settings.hooks, true);
    const limn_status s = put(run, result, err);
    limn_hooks_writing(run->settings.hooks, false);
    if (s != LIMN_OK) /* results may be only partly recorded: resume from the last checkpoint */
        run->has_failed = true;
    if (s != LIMN_OK || !run->journal || !is_checkpoint_due(run)) return s;
    return checkpoint(run, err);
}

/* ---- the end ---------------------------------------------------------------------------- */

static limn_status end_sink(limn_image_run *run, limn_error *err)
{
    limn_hooks_writing(run->settings.hooks, true);
    const limn_status s = run->sink->methods->end(run->sink, err);
    limn_hooks_writing(run->settings.hooks, false);
    return s;
}

static limn_status complete(limn_image_run *run, limn_error *err)
{
    const limn_sink_methods *sink = run->sink->methods;
    LIMN_TRY(end_sink(run, err));
    if (run->journal) {
        LIMN_TRY(make_state(run, err));
        LIMN_TRY(limn_journal_mark_complete(run->journal, &run->state, err));
    }
    LIMN_TRY(sink->complete(run->sink, NULL, err));
    if (run->settings.errors_path) LIMN_TRY(limn_part_file_commit(&run->errors.file, err));
    return run->journal ? limn_journal_remove(&run->journal, err) : LIMN_OK;
}

/* Whether there is nothing to resume from: neither results nor failures. */
static bool is_empty(const limn_image_run *run)
{
    return !sum(run->account.counts) && !sum(run->account.counts_before);
}

static limn_status leave_journaled(limn_image_run *run, limn_error *err)
{
    if (is_empty(run)) {
        run->sink->methods->discard(run->sink);
        limn_part_file_remove(&run->errors.file);
        return limn_journal_remove(&run->journal, err);
    }
    run->account.can_go_on = true;
    if (!run->has_failed) LIMN_TRY(checkpoint(run, err));
    return run->sink->methods->leave(run->sink, err);
}

/* Standard output has what was done, and so has the list of errors. */
static limn_status leave_plain(limn_image_run *run, limn_error *err)
{
    if (!run->sink->is_pipe_closed) LIMN_TRY(end_sink(run, err));
    LIMN_TRY(run->sink->methods->leave(run->sink, err));
    return run->settings.errors_path ? limn_part_file_commit(&run->errors.file, err) : LIMN_OK;
}

limn_status limn_image_run_finish(limn_image_run **run, limn_status status, limn_account *account,
                                  limn_error *err)
{
    limn_image_run *r = *run;
    limn_error ignored = { 0 };
    limn_status s = LIMN_OK;
    if (r->is_over || r->settings.is_dry)
        s = LIMN_OK;
    else if (status == LIMN_OK)
        s = complete(r, err);
    else
        s = r->journal ? leave_journaled(r, &ignored) : leave_plain(r, &ignored);
    *account = r->account;
    account->n_siblings = r->sink->n_siblings;
    account->is_incomplete = r->sink->is_incomplete;
    account->is_pipe_closed = r->sink->is_pipe_closed;
    destroy(r);
    *run = NULL;
    return status != LIMN_OK ? status : s;
}
