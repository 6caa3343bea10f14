#include "tools/limn/caption_job.h"

#include <math.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "tools/limn/caption_affix.h"
#include "tools/message.h"
#include "tools/annotate/input/path_names.h"
#include "common/text/file_name.h"

typedef struct caption_worker {
    limn_caption_job *job;
    limn_state *state;
    limn_options options; /* of the state */
    limn_picture_loader_worker loading;
    caption_affix affix;
    sure_captions sure;
} caption_worker;

static limn_status open_worker(void **out, void *ctx, limn_error *err)
{
    limn_caption_job *job = ctx;
    caption_worker *w = limn_calloc(1, sizeof *w);
    limn_status s;
    if (!w) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    w->job = job;
    w->options = *job->options;
    if (limn_explain_is_wanted(&job->explain))
        w->options = limn_explain_options(&job->explain, job->options);
    s = limn_state_create(&w->state, job->model, &w->options, job->n_state_threads, err);
    if (s != LIMN_OK) {
        limn_free(w);
        return s;
    }
    limn_picture_loader_init(&w->loading, &job->loader);
    *out = w;
    return LIMN_OK;
}

static void close_worker(void *worker)
{
    caption_worker *w = worker;
    if (!w) return;
    limn_state_destroy(&w->state);
    limn_picture_loader_finish(&w->loading);
    caption_affix_finish(&w->affix);
    sure_captions_finish(&w->sure);
    limn_free(w);
}

static limn_status load(void *worker, const void *bytes, size_t size, uint8_t *pixels,
                        limn_error *err)
{
    caption_worker *w = worker;
    return limn_picture_loader_run(&w->loading, &w->job->loader, pixels, bytes, size, err);
}

/* The name that a picture has in the output. */
static const char *shown_name(const limn_caption_job *job, const limn_dirwalk_entry *input)
{
    const char *below = NULL;
    if (!job->writer->is_below_output) return input->path;
    if (job->output) below = limn_path_below_folder_of(job->output, input->path);
    return below ? below : input->relative;
}

/* What shows how the captions came about, where it is wanted. */
static limn_status explain(const caption_worker *w, const limn_dirwalk_entry *input,
                           const uint8_t *pixels, const limn_captions *captions, limn_error *err)
{
    const limn_caption_job *job = w->job;
    if (!limn_explain_is_wanted(&job->explain)) return LIMN_OK;
    return limn_explain_write(&job->explain, input, captions, job->model, &w->options,
                              limn_picture_load_thumbnail(&job->loader.load, pixels), err);
}

/* The captions that the user asked for, of those that were kept to be explained. */
static limn_captions asked_for(const limn_caption_job *job, const limn_captions *captions)
{
    limn_captions asked = *captions;
    if (asked.n_items > job->options->n_best) asked.n_items = job->options->n_best;
    return asked;
}

/* Leaves out what is not sure enough. */
static limn_status leave_out(caption_worker *w, const limn_dirwalk_entry *input,
                             const limn_captions **captions, limn_error *err)
{
    limn_caption_job *job = w->job;
    if (isnan(job->min_confidence)) return LIMN_OK;
    LIMN_TRY(sure_captions_choose(&w->sure, captions, job->min_confidence, err));
    return (*captions)->n_items ? LIMN_OK : left_out_add(&job->left_out, input->path, err);
}

static limn_status caption(void *worker, const limn_dirwalk_entry *input, const uint8_t *pixels,
                           limn_buffer *out, limn_error *err)
{
    caption_worker *w = worker;
    limn_record record = { .path = shown_name(w->job, input),
                           .model = w->job->model,
                           .has_n_best = w->job->options->n_best > 1,
                           .n_alternatives = w->job->options->n_alternatives,
                           .has_confidence = w->job->has_confidence,
                           .has_signals = w->job->has_signals };
    const limn_captions *captions;
    LIMN_TRY(limn_state_caption_input(w->state, input->path, pixels, &captions, err));
    LIMN_TRY(explain(w, input, pixels, captions, err));
    const limn_captions asked = asked_for(w->job, captions);
    record.captions = &asked;
    record.best = &asked.items[0];
    LIMN_TRY(leave_out(w, input, &record.captions, err));
    LIMN_TRY(caption_affix_apply(&w->affix, &record.captions, w->job->prefix, w->job->suffix, err));
    w->job->writer->render(out, &record);
    if (w->job->sheet && record.captions->n_items)
        return contact_sheet_add(w->job->sheet, record.path, &record.captions->items[0],
                                 limn_picture_load_thumbnail(&w->job->loader.load, pixels), err);
    return LIMN_OK;
}

static limn_status want(void *ctx, const limn_dirwalk_entry *input, bool *is_wanted,
                        limn_error *err)
{
    const limn_caption_job *job = ctx;
    return limn_picture_run_want(job->run, input, shown_name(job, input), is_wanted, err);
}

static limn_status put(void *ctx, const limn_pipeline_result *result, limn_error *err)
{
    limn_caption_job *job = ctx;
    const limn_record record = { .path = shown_name(job, result->input),
                                 .error = result->error,
                                 .model = job->model };
    const limn_pipeline_result failure = { .input = result->input,
                                           .error = result->error,
                                           .out = &job->scratch };
    if (result->note) limn_message_warning("%s: %s", result->input->path, result->note);
    if (!result->error) {
        limn_pipeline_result done = *result;
        done.is_left_out = left_out_take(&job->left_out, result->input->path);
        return limn_picture_run_put(job->run, &done, err);
    }
    limn_message_error("%s: %s", result->input->path, result->error->text);
    if (job->sheet)
        LIMN_TRY(contact_sheet_add_failure(job->sheet, record.path, result->error, err));
    limn_buffer_clear(&job->scratch);
    job->writer->render(&job->scratch, &record);
    if (job->scratch.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return limn_picture_run_put(job->run, &failure, err);
}

const limn_pipeline_stages limn_caption_stages = {
    .open = open_worker,
    .close = close_worker,
    .want = want,
    .load = load,
    .run = caption,
    .put = put,
};

/* ---- a look only ------------------------------------------------------------------------ */

static limn_status open_nothing(void **out, void *ctx, limn_error *err)
{
    (void)err;
    *out = ctx;
    return LIMN_OK;
}

static void close_nothing(void *worker)
{
    (void)worker;
}

/* Tells the name, and goes on as if the picture were not wanted. */
static limn_status want_dry(void *ctx, const limn_dirwalk_entry *input, bool *is_wanted,
                            limn_error *err)
{
    limn_caption_job *job = ctx;
    LIMN_TRY(limn_picture_run_want(job->run, input, shown_name(job, input), is_wanted, err));
    if (!*is_wanted) return LIMN_OK;
    *is_wanted = false;
    job->n_to_do++;
    limn_buffer_clear(&job->scratch);
    limn_file_name_append_line(&job->scratch, input->path);
    limn_buffer_append_text(&job->scratch, "\n");
    if (job->scratch.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    fwrite(job->scratch.bytes, 1, job->scratch.size, stdout); /* looked at in the end */
    return LIMN_OK;
}

static limn_status put_dry(void *ctx, const limn_pipeline_result *result, limn_error *err)
{
    (void)ctx;
    (void)err;
    limn_message_error("%s: %s", result->input->path, result->error->text);
    return LIMN_OK;
}

const limn_pipeline_stages limn_caption_dry_stages = {
    .open = open_nothing,
    .close = close_nothing,
    .want = want_dry,
    .put = put_dry,
};
