/* limn: captions for pictures. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "tools/environment.h"
#include "tools/interrupt.h"
#include "tools/limn/ban_files.h"
#include "tools/limn/caption_job.h"
#include "tools/limn/caption_report.h"
#include "tools/limn/caption_settings.h"
#include "tools/limn/caption_sink.h"
#include "tools/message.h"
#include "common/text/file_name.h"
#include "tools/standard_streams.h"

/* One picture is split among the threads; of many, each has one at a time. */
static bool is_one_file(const limn_cli_operands *paths)
{
    struct stat st;
    return paths->n_items == 1 && strcmp(paths->items[0], "-") && !stat(paths->items[0], &st) &&
           !S_ISDIR(st.st_mode) && !limn_archive_has_name(paths->items[0]);
}

static int failed(const limn_error *err)
{
    limn_message_error("%s", err->text);
    return err->code == LIMN_E_ARG ? LIMN_EXIT_USAGE : LIMN_EXIT_NOTHING;
}

/* The model files: those that were named, or the one that came with limn. */
typedef struct model_paths {
    const char *const *items; /* [n] */
    size_t n;
} model_paths;

static void note_model(const limn_model *model, const model_paths *paths, uint32_t n_threads)
{
    limn_model_info info;
    limn_model_get_info(model, &info);
    limn_message_note("model %s: %s, %u tokens", paths->items[0], info.encoder,
                      (unsigned)info.n_tokens);
    for (size_t i = 1; i < paths->n; i++) limn_message_note("and model %s", paths->items[i]);
    limn_message_note("CPU level %s, %u threads", info.cpu_level, (unsigned)n_threads);
}

static limn_pipeline_settings pipeline_settings(const limn_caption_job *job,
                                                const caption_settings *s,
                                                const limn_cli_operands *paths)
{
    return (limn_pipeline_settings){
        .n_threads = is_one_file(paths) ? 1 : s->n_threads,
        .input_size = limn_picture_load_size(&job->loader.load),
        .names = paths->items,
        .n_names = paths->n_items,
        .is_recursive = s->is_recursive,
        .is_nul_separated = s->is_nul_separated,
        .accepts = limn_input_filter_accepts,
        .accepts_ctx = &s->filter,
    };
}

static limn_status add_checksum(limn_buffer *out, const char *what, const char *path,
                                limn_error *err)
{
    limn_file_bytes file = { 0 };
    LIMN_TRY(limn_file_bytes_read(&file, path, SIZE_MAX, err));
    limn_buffer_printf(out, "%s %016llx\n", what,
                       (unsigned long long)limn_fnv1a64(LIMN_FNV1A64_INIT, file.bytes, file.size));
    limn_file_bytes_free(&file);
    return LIMN_OK;
}

/* What the captions depend on: the program, the bytes of models and word lists, and options. */
static limn_status make_identity(limn_buffer *out, const caption_settings *s,
                                 const model_paths *models, const limn_pipeline_settings *pipeline,
                                 limn_error *err)
{
    const limn_option_list *bans = &s->ban_files;
    limn_buffer_printf(out, "limn %s\n", limn_version());
    for (size_t i = 0; i < models->n; i++)
        LIMN_TRY(add_checksum(out, "model", models->items[i], err));
    for (size_t i = 0; i < bans->n_items; i++)
        LIMN_TRY(add_checksum(out, "banned", bans->items[i], err));
    limn_cli_append_values(out, s, &caption_cli_tool);
    for (size_t i = 0; s->sidecar && i < pipeline->n_names; i++) { /* names must stay the same */
        limn_buffer_append_text(out, "path ");
        limn_file_name_append_line(out, pipeline->names[i]);
        limn_buffer_append_text(out, "\n");
    }
    return out->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

/* Also of a run that ended early: it shows what was done. */
static limn_status write_sheet(contact_sheet *sheet, const limn_account *account,
                               limn_status status, limn_error *err)
{
    size_t n_before = account->n_there;
    limn_error failure = { 0 };
    for (int s = 0; s < LIMN_N_STATUSES; s++) n_before += account->counts_before[s];
    if (contact_sheet_write(sheet, n_before, &failure) == LIMN_OK) return status;
    return status == LIMN_OK ? limn_fail(err, failure.code, "%s", failure.text) : status;
}

/* --dry-run, with job->run begun. */
static int look_only(limn_caption_job *job, const limn_pipeline_settings *pipeline, bool is_part)
{
    limn_pipeline_settings alone = *pipeline;
    limn_pipeline_counts counts = { 0 };
    limn_account account;
    limn_error err = { 0 };
    limn_status status;
    alone.n_threads = 1; /* names in their order */
    status = limn_pipeline_run(&counts, &limn_caption_dry_stages, job, &alone, &err);
    limn_buffer_finish(&job->scratch);
    if (fflush(stdout) || ferror(stdout))
        status = limn_fail(&err, LIMN_E_IO, "standard output: can't write");
    limn_picture_run_finish(&job->run, status, &account, &err);
    account.is_part = is_part;
    return limn_caption_report_dry(&counts, &account, job->n_to_do, status, &err);
}

static int run_job(limn_caption_job *job, limn_sink *sink, const caption_settings *s,
                   const model_paths *models, const limn_pipeline_settings *pipeline)
{
    limn_pipeline_counts counts = { 0 };
    limn_account account;
    limn_error err = { 0 };
    limn_buffer identity = { 0 };
    bool is_over = false;
    limn_status status = LIMN_OK;
    if (sink->journal_path) status = make_identity(&identity, s, models, pipeline, &err);
    const limn_picture_run_settings settings = { .sink = sink,
                                                 .identity = identity.bytes,
                                                 .errors_path = s->errors,
                                                 .is_forced = s->is_forced,
                                                 .is_dry = s->is_dry_run,
                                                 .is_strict = s->is_strict };
    if (status == LIMN_OK) status = limn_picture_run_begin(&job->run, &is_over, &settings, &err);
    limn_buffer_finish(&identity);
    if (status != LIMN_OK) return failed(&err);
    if (s->is_dry_run) return look_only(job, pipeline, s->shard != NULL);
    if (!is_over) status = limn_pipeline_run(&counts, &limn_caption_stages, job, pipeline, &err);
    limn_buffer_finish(&job->scratch);
    status = limn_picture_run_finish(&job->run, status, &account, &err);
    account.is_part = s->shard != NULL;
    if (job->sheet) status = write_sheet(job->sheet, &account, status, &err);
    if (sink->is_pipe_closed) limn_interrupt_raise_sigpipe();
    return limn_caption_report(&counts, &account, status, &err);
}

static int make_sink_and_run(limn_caption_job *job, const caption_settings *s,
                             const model_paths *models, const limn_cli_operands *paths)
{
    const limn_pipeline_settings pipeline = pipeline_settings(job, s, paths);
    caption_sink sink = { 0 };
    limn_error err = { 0 };
    const limn_status status = caption_sink_make(&sink, s, &pipeline, &err);
    const int code = status == LIMN_E_INTERRUPTED ? LIMN_EXIT_INTERRUPTED
                     : status != LIMN_OK          ? failed(&err)
                                                  : run_job(job, sink.sink, s, models, &pipeline);
    caption_sink_finish(&sink);
    return code;
}

/* A confidence is asked for only of a model that knows how. */
static limn_status check_confidence(const caption_settings *s, const limn_model *model,
                                    const char *path, limn_error *err)
{
    limn_model_info info;
    limn_model_get_info(model, &info);
    if (info.has_confidence || (!s->has_confidence && isnan(s->min_confidence))) return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG,
                     "--%s: %s has no confidence; limn --signals, limn-eval --fit "
                     "and limn-convert --confidence give it one (limn-eval --help fit)",
                     s->has_confidence ? "confidence" : "min-confidence", path);
}

/* Opens the models, and captions. */
static int run_with(caption_settings *s, const model_paths *models, const limn_cli_operands *paths)
{
    limn_model *model = NULL;
    limn_error err = { 0 };
    limn_caption_job job = { .options = &s->options,
                             .writer = s->writer,
                             .output = s->output,
                             .prefix = s->prefix,
                             .suffix = s->suffix,
                             .min_confidence = s->min_confidence,
                             .has_confidence = s->has_confidence || !isnan(s->min_confidence),
                             .has_signals = s->has_signals,
                             .explain = { s->explain, s->attention, models->items[0],
                                          s->options.n_best } };
    int code;
    left_out_init(&job.left_out);
    if (!limn_picture_sandbox_start(&job.loader.sandbox, s->sandbox,
                                    is_one_file(paths) ? 1 : s->n_threads, s->options.max_pixels,
                                    &err) &&
        !limn_model_open_ensemble(&model, models->items, models->n, s->cpu, &err) &&
        !check_confidence(s, model, models->items[0], &err) &&
        !ban_files_read(&s->options, &s->ban_files, model, &err) &&
        !limn_picture_load_for(&job.loader.load, model, s->options.max_pixels, &err) &&
        !(s->report && contact_sheet_create(&job.sheet, s->report, &err))) {
        job.loader.load.thumbnail_side = s->report ? SHEET_THUMBNAIL_SIDE : 0;
        job.model = model;
        job.n_state_threads = is_one_file(paths) ? s->n_threads : 1;
        if (limn_explain_is_wanted(&job.explain))
            job.loader.load.thumbnail_side = LIMN_EXPLAIN_PHOTO_SIDE;
        note_model(model, models, s->n_threads);
        code = make_sink_and_run(&job, s, models, paths);
    } else {
        code = failed(&err);
    }
    contact_sheet_destroy(&job.sheet);
    left_out_finish(&job.left_out);
    limn_sandbox_stop(&job.loader.sandbox);
    limn_model_close(&model);
    return code;
}

static int run(caption_settings *s, const limn_cli_operands *paths)
{
    char *default_path = NULL;
    limn_error err = { 0 };
    model_paths models = { s->models.items, s->models.n_items };
    int code;
    if (!limn_interrupt_start()) {
        limn_message_error("can't install signal handlers");
        return LIMN_EXIT_NOTHING;
    }
    if (!models.n && limn_default_model_path(&default_path, &err)) return failed(&err);
    if (!models.n) models = (model_paths){ (const char *const *)&default_path, 1 };
    code = run_with(s, &models, paths);
    limn_free(default_path);
    return code;
}

int main(int argc, char **argv)
{
    caption_settings s = caption_settings_default();
    limn_cli_operands paths;
    int code;
    limn_standard_streams_secure();
    if (!limn_cli_parse(&paths, &s, &caption_cli_tool, argc, argv, &code)) return code;
    limn_message_init(caption_cli_tool.name, limn_verbosity_of(s.is_quiet, s.is_verbose));
    code = caption_settings_complete(&s) ? run(&s, &paths) : LIMN_EXIT_USAGE;
    caption_settings_finish(&s);
    return code;
}
