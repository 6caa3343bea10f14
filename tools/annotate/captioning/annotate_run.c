/* limn_annotate: the parts of a run put together. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "tools/annotate/captioning/apply_captions.h"
#include "tools/annotate/captioning/caption_sink.h"
#include "tools/annotate/captioning/caption_stages.h"
#include "tools/annotate/captioning/run_identity.h"
#include "tools/annotate/input/inputs.h"

limn_annotate_settings limn_annotate_settings_default(void)
{
    return (limn_annotate_settings){ .inputs = limn_inputs_default(),
                                     .n_threads = 1,
                                     .min_confidence = NAN,
                                     .output_fd = STDOUT_FILENO };
}

/* A single file is split among the threads; with several, each thread works on one at a time. */
static limn_status make_job(limn_caption_job *job, const limn_annotate_settings *s, bool is_one,
                            limn_error *err)
{
    *job = (limn_caption_job){ .settings = s,
                               .options = s->options ? *s->options : limn_options_default(),
                               .writer = caption_sink_writer(s),
                               .loader = { .sandbox = s->decoders },
                               .n_state_threads = is_one ? s->n_threads : 1 };
    job->options.has_confidence =
        job->options.has_confidence || s->has_confidence || !isnan(s->min_confidence);
    if (s->applied) return LIMN_OK;
    LIMN_TRY(limn_image_load_for(&job->loader.load, s->model, job->options.max_pixels, err));
    job->loader.load.thumbnail_side = s->thumbnail_side;
    return LIMN_OK;
}

static limn_status run_pipeline(limn_pipeline_counts *counts, limn_caption_job *job,
                                const limn_inputs *inputs, bool is_one, limn_error *err)
{
    const limn_annotate_settings *s = job->settings;
    const limn_pipeline_settings pipeline = {
        .n_threads = is_one || s->is_dry_run ? 1 : s->n_threads, /* to report names in order */
        .n_together = LIMN_MAX_TOGETHER,
        .input_size = limn_image_load_size(&job->loader.load),
        .inputs = inputs,
        .hooks = &s->hooks,
        .is_stopping = &job->loader.is_stopping,
    };
    return limn_pipeline_run(counts,
                             s->is_dry_run ? &limn_caption_dry_stages : &limn_caption_stages, job,
                             &pipeline, err);
}

static limn_status begin(limn_caption_job *job, limn_sink *sink, bool *is_over, limn_error *err)
{
    const limn_annotate_settings *s = job->settings;
    limn_buffer identity = { 0 };
    limn_status status = LIMN_OK;
    if (sink->journal_path) status = limn_run_identity(&identity, s, err);
    const limn_image_run_settings settings = { .sink = sink,
                                               .identity = identity.bytes,
                                               .errors_path = s->errors,
                                               .is_forced = s->is_forced,
                                               .is_dry = s->is_dry_run,
                                               .is_strict = s->is_strict,
                                               .hooks = &s->hooks,
                                               .failed = limn_caption_failed_late,
                                               .ctx = job };
    if (status == LIMN_OK) status = limn_image_run_begin(&job->run, is_over, &settings, err);
    limn_buffer_finish(&identity);
    return status;
}

static limn_status run_job(limn_account *account, limn_caption_job *job, limn_sink *sink,
                           const limn_inputs *inputs, bool is_one, limn_error *err)
{
    limn_pipeline_counts counts = { 0 };
    bool is_over = false;
    limn_status status;
    LIMN_TRY(begin(job, sink, &is_over, err));
    if (is_over)
        status = LIMN_OK;
    else if (job->settings->applied)
        status = limn_apply_captions(&counts, job, inputs, err);
    else
        status = run_pipeline(&counts, job, inputs, is_one, err);
    limn_buffer_finish(&job->scratch);
    status = limn_image_run_finish(&job->run, status, account, err);
    account->left_out = counts.left_out;
    account->n_to_do = job->n_to_do;
    for (size_t i = 0; i < LIMN_N_STATUSES; i++) account->counts[i] += job->dry_counts[i];
    return status;
}

limn_status limn_annotate(limn_account *account, const limn_annotate_settings *settings,
                          limn_error *err)
{
    limn_inputs inputs = settings->inputs;
    const bool is_one = limn_inputs_is_one_file(&inputs);
    limn_caption_job job;
    caption_sink sink = { .list.fd = -1 };
    limn_status s;
    memset(account, 0, sizeof *account);
    LIMN_TRY(limn_annotate_check(settings, err));
    if (!settings->model && !settings->applied) return limn_fail(err, LIMN_E_ARG, "no model");
    LIMN_TRY(make_job(&job, settings, is_one, err));
    s = caption_sink_make(&sink, settings, &inputs, err);
    if (s == LIMN_OK) s = run_job(account, &job, sink.sink, &inputs, is_one, err);
    caption_sink_finish(&sink);
    return s;
}
