#include "tools/annotate/captioning/caption_stages.h"

#include <math.h>

#include "common/base/mem.h"
#include "tools/annotate/captioning/caption_affix.h"
#include "tools/annotate/captioning/sure_captions.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/input/path_names.h"

/* ---- workers ---------------------------------------------------------------------------- */

typedef struct caption_worker {
    limn_image_worker image;
    const limn_caption_job *job;
    limn_state *state;
    caption_affix affix;
    sure_captions sure;
} caption_worker;

static void close_worker(void *worker)
{
    caption_worker *w = worker;
    if (!w) return;
    limn_state_destroy(&w->state);
    limn_image_worker_finish(&w->image);
    caption_affix_finish(&w->affix);
    sure_captions_finish(&w->sure);
    limn_free(w);
}

static limn_status open_worker(void **out, void *ctx, limn_error *err)
{
    const limn_caption_job *job = ctx;
    caption_worker *w = limn_calloc(1, sizeof *w);
    limn_status s;
    if (!w) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    w->job = job;
    w->image.loader = &job->loader;
    s = limn_state_create(&w->state, job->settings->model, &job->options, job->n_state_threads,
                          err);
    if (s == LIMN_OK)
        *out = w;
    else
        close_worker(w);
    return s;
}

/* ---- captions --------------------------------------------------------------------------- */

/* The name that an image has in the output. */
static const char *shown_name(const limn_caption_job *job, const limn_dirwalk_entry *input)
{
    const char *below = NULL, *output = job->settings->output;
    if (!job->writer->is_below_output) return input->path;
    if (output) below = limn_path_below_folder_of(output, input->path);
    return below ? below : input->relative;
}

/* Those of `captions` that are written. */
static limn_captions asked_for(const limn_annotate_settings *s, const limn_captions *captions)
{
    limn_captions asked = *captions;
    if (s->n_best && asked.n_items > s->n_best) asked.n_items = s->n_best;
    return asked;
}

static limn_status tell(const caption_worker *w, const limn_dirwalk_entry *input,
                        const uint8_t *pixels, const limn_captions *found,
                        const limn_captions *written, limn_error *err)
{
    const limn_annotate_settings *s = w->job->settings;
    const limn_image_load *load = &w->job->loader.load;
    const limn_annotated image = {
        .path = input->path,
        .relative = input->relative,
        .name = shown_name(w->job, input),
        .is_named = input->is_named,
        .found = found,
        .written = written,
        .thumbnail = s->thumbnail_side ? limn_image_load_thumbnail(load, pixels) : NULL,
    };
    return s->captioned ? s->captioned(s->hooks.ctx, &image, err) : LIMN_OK;
}

/* What is written of an image with these captions. */
static limn_status write_captions(caption_worker *w, const limn_pipeline_image *image,
                                  const limn_captions *found, limn_error *err)
{
    const limn_annotate_settings *s = w->job->settings;
    const limn_captions asked = asked_for(s, found);
    limn_record record = {
        .path = shown_name(w->job, image->input),
        .model = s->model,
        .captions = &asked,
        .best = &asked.items[0],
        .has_n_best = (s->n_best ? s->n_best : w->job->options.n_best) > 1,
        .n_alternatives = s->n_alternatives,
        .has_token_ids = w->job->options.search != LIMN_SEARCH_LIMN,
        .has_confidence = s->has_confidence || !isnan(s->min_confidence),
        .has_signals = s->has_signals,
        .is_csv_safe = s->is_csv_safe,
    };
    if (!isnan(s->min_confidence))
        LIMN_TRY(sure_captions_choose(&w->sure, &record.captions, s->min_confidence, err));
    image->out->is_left_out = !record.captions->n_items;
    LIMN_TRY(caption_affix_apply(&w->affix, &record.captions, s->prefix, s->suffix, err));
    w->job->writer->render(&image->out->bytes, &record);
    return tell(w, image->input, image->pixels, found, record.captions, err);
}

/* The images of a worker, as limn_state_caption_many gets them. */
typedef struct caption_feed {
    caption_worker *worker;
    limn_pipeline_feed *images;
} caption_feed;

static bool next_image(void *ctx, limn_source_image *out)
{
    const caption_feed *feed = ctx;
    limn_pipeline_image *image = limn_pipeline_next(feed->images);
    if (!image) return false;
    *out =
        (limn_source_image){ .name = image->input->path, .input = image->pixels, .image = image };
    return true;
}

static void image_done(void *ctx, void *of, const limn_captions *captions,
                       const limn_error *failure)
{
    const caption_feed *feed = ctx;
    limn_pipeline_image *image = of;
    const limn_status status = failure
                                   ? limn_fail(image->error, failure->code, "%s", failure->text)
                                   : write_captions(feed->worker, image, captions, image->error);
    limn_pipeline_done(feed->images, image, status);
}

static limn_status caption(void *worker, limn_pipeline_feed *images, limn_error *err)
{
    caption_worker *w = worker;
    caption_feed feed = { w, images };
    const limn_caption_source source = { &feed, next_image, image_done, LIMN_MAX_TOGETHER };
    const limn_status status = limn_state_caption_many(w->state, &source, err);
    /* of the images in progress, which have been told */
    return status == LIMN_E_INTERRUPTED ? LIMN_OK : status;
}

/* ---- results ---------------------------------------------------------------------------- */

static limn_status want(void *ctx, const limn_dirwalk_entry *input, bool *is_wanted,
                        limn_error *err)
{
    const limn_caption_job *job = ctx;
    return limn_image_run_want(job->run, input, shown_name(job, input), is_wanted, err);
}

/* Tells of a failure; `name` is shown in the output. */
static limn_status tell_of_failure(const limn_caption_job *job, const char *path, const char *name,
                                   const limn_error *failure, limn_error *err)
{
    const limn_annotate_settings *s = job->settings;
    limn_hooks_failure(&s->hooks, path, failure);
    return s->failed ? s->failed(s->hooks.ctx, name, failure, err) : LIMN_OK;
}

limn_status limn_caption_failed_late(void *ctx, const char *name, const limn_error *failure,
                                     limn_error *err)
{
    return tell_of_failure(ctx, name, name, failure, err);
}

static limn_status put_failure(limn_caption_job *job, const limn_pipeline_result *result,
                               limn_error *err)
{
    const limn_record record = { .path = shown_name(job, result->input),
                                 .error = result->error,
                                 .model = job->settings->model };
    const limn_pipeline_result failure = { .input = result->input,
                                           .error = result->error,
                                           .out = &job->scratch };
    LIMN_TRY(tell_of_failure(job, result->input->path, record.path, result->error, err));
    limn_buffer_clear(&job->scratch);
    job->writer->render(&job->scratch, &record);
    if (job->scratch.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return limn_image_run_put(job->run, &failure, err);
}

/* Puts a failure if the sink can't take the result. */
static limn_status put_success(limn_caption_job *job, const limn_pipeline_result *result,
                               limn_error *err)
{
    limn_error reason = { 0 };
    const limn_status s = limn_image_run_make_ready(job->run, result, &reason);
    const limn_pipeline_result failure = { .input = result->input, .error = &reason };
    if (s == LIMN_E_NOMEM) return limn_fail(err, s, "%s", reason.text);
    return s == LIMN_OK ? limn_image_run_put(job->run, result, err)
                        : put_failure(job, &failure, err);
}

static limn_status put(void *ctx, const limn_pipeline_result *result, limn_error *err)
{
    limn_caption_job *job = ctx;
    if (result->error) return put_failure(job, result, err);
    if (result->note)
        limn_hooks_message(&job->settings->hooks, LIMN_ANNOTATE_WARNING, "%s: %s",
                           result->input->path, result->note);
    return put_success(job, result, err);
}

const limn_pipeline_stages limn_caption_stages = {
    .open = open_worker,
    .close = close_worker,
    .want = want,
    .load = limn_image_worker_load,
    .run_many = caption,
    .put = put,
};

/* ---- dry runs ------------------------------------------------------------------------ */

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

/* Reports the name, then treats the image as not wanted. */
static limn_status want_dry(void *ctx, const limn_dirwalk_entry *input, bool *is_wanted,
                            limn_error *err)
{
    limn_caption_job *job = ctx;
    const limn_annotate_settings *s = job->settings;
    LIMN_TRY(limn_image_run_want(job->run, input, shown_name(job, input), is_wanted, err));
    if (!*is_wanted) return LIMN_OK;
    *is_wanted = false;
    job->n_to_do++;
    if (s->to_do) s->to_do(s->hooks.ctx, input->path);
    return LIMN_OK;
}

static limn_status put_dry(void *ctx, const limn_pipeline_result *result, limn_error *err)
{
    limn_caption_job *job = ctx;
    (void)err;
    job->dry_counts[result->error->code]++;
    limn_hooks_message(&job->settings->hooks, LIMN_ANNOTATE_ERROR, "%s: %s", result->input->path,
                       result->error->text);
    return LIMN_OK;
}

const limn_pipeline_stages limn_caption_dry_stages = {
    .open = open_nothing,
    .close = close_nothing,
    .want = want_dry,
    .put = put_dry,
};
