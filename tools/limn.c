/* limn: captions for images. */
#include <math.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "tools/environment.h"
#include "tools/interrupt.h"
#include "tools/limn/apply_run.h"
#include "tools/limn/ban_files.h"
#include "tools/limn/caption_pages.h"
#include "tools/limn/caption_report.h"
#include "tools/limn/caption_settings.h"
#include "tools/limn/output_settings.h"
#include "tools/limn/undo_run.h"
#include "tools/message.h"
#include "tools/progress.h"
#include "tools/standard_streams.h"
#include "tools/tool_hooks.h"

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

/* What captions depend on beside the model: the bytes of word lists, and options. */
static limn_status make_identity(limn_buffer *out, const caption_settings *s, limn_error *err)
{
    const limn_option_list *bans = &s->captioning.ban_files;
    for (size_t i = 0; i < bans->n_items; i++) {
        limn_file_bytes file = { 0 };
        LIMN_TRY(limn_file_bytes_read(&file, bans->items[i], SIZE_MAX, err));
        limn_buffer_printf(
            out, "banned %016llx\n",
            (unsigned long long)limn_fnv1a64(LIMN_FNV1A64_INIT, file.bytes, file.size));
        limn_file_bytes_free(&file);
    }
    limn_cli_append_values(out, s, &caption_cli_tool);
    return out->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

/* Captions, and says what became of them. */
static int annotate(caption_pages *pages, limn_annotate_settings *settings, bool is_part)
{
    limn_account account;
    limn_error err = { 0 };
    limn_status status = limn_annotate(&account, settings, &err);
    if (status == LIMN_E_ARG) return limn_cli_failed(&err);
    limn_progress_erase();
    if (settings->is_dry_run && status == LIMN_OK) status = limn_standard_output_flush(&err);
    if (settings->is_dry_run) return limn_caption_report_dry(&account, is_part, status, &err);
    status = caption_pages_write(pages, &account, status, &err);
    if (account.is_pipe_closed) limn_interrupt_raise_sigpipe();
    return limn_caption_report(&account, is_part, status, &err);
}

static int run_with_pages(caption_pages *pages, const caption_settings *s,
                          const model_paths *models, limn_decoders *decoders,
                          const limn_cli_operands *paths)
{
    limn_annotate_settings settings = output_settings_of(s);
    limn_buffer identity = { 0 };
    limn_error err = { 0 };
    int code;
    settings.inputs.names = paths->items;
    settings.inputs.n_names = paths->n_items;
    settings.model = pages->model;
    settings.model_paths = models->items;
    settings.n_model_paths = models->n;
    settings.decoders = decoders;
    settings.hooks = limn_tool_hooks(s->out.output, pages);
    caption_pages_follow(pages, &settings);
    const limn_status status = make_identity(&identity, s, &err);
    settings.identity = identity.bytes;
    code =
        status == LIMN_OK ? annotate(pages, &settings, s->in.shard != NULL) : limn_cli_failed(&err);
    limn_buffer_finish(&identity);
    return code;
}

/* A confidence is asked for only of a model that knows how. */
static limn_status check_confidence(const caption_settings *s, const limn_model *model,
                                    const char *path, limn_error *err)
{
    limn_model_info info;
    limn_model_get_info(model, &info);
    if (info.has_confidence ||
        (!s->captioning.has_confidence && isnan(s->captioning.min_confidence)))
        return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG,
                     "--%s: %s has no confidence model; limn --signals, limn-eval --fit and "
                     "limn-convert --confidence add one (limn-eval --help fit)",
                     s->captioning.has_confidence ? "confidence" : "min-confidence", path);
}

/* Opens the models, and captions. */
static int run_with(caption_settings *s, const model_paths *models, const limn_cli_operands *paths)
{
    const limn_annotate_hooks hooks = limn_tool_hooks(s->out.output, NULL);
    limn_decoders *decoders = NULL;
    limn_model *model = NULL;
    limn_error err = { 0 };
    caption_pages pages = { .explain = { s->out.explain, s->out.attention, models->items[0],
                                         s->captioning.options.n_best } };
    int code;
    if (!limn_decoders_start(&decoders, s->run.sandbox, s->run.n_threads,
                             s->captioning.options.max_pixels, &hooks, &err) &&
        !limn_model_open_ensemble(&model, models->items, models->n, s->run.cpu, &err) &&
        !check_confidence(s, model, models->items[0], &err) &&
        !ban_files_read(&s->captioning.options, &s->captioning.ban_files, model, &err) &&
        !(s->out.report && contact_sheet_create(&pages.sheet, s->out.report, &err))) {
        pages.model = model;
        note_model(model, models, s->run.n_threads);
        code = run_with_pages(&pages, s, models, decoders, paths);
    } else {
        code = limn_cli_failed(&err);
    }
    caption_pages_finish(&pages);
    limn_decoders_stop(&decoders);
    limn_model_close(&model);
    return code;
}

static int run(caption_settings *s, const limn_cli_operands *paths)
{
    char *default_path = NULL;
    limn_error err = { 0 };
    model_paths models = { s->captioning.models.items, s->captioning.models.n_items };
    int code;
    if (!limn_interrupt_start()) {
        limn_message_error("can't install signal handlers");
        return LIMN_EXIT_NOTHING;
    }
    if (!models.n && limn_default_model_path(&default_path, &err)) return limn_cli_failed(&err);
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
    limn_message_init(caption_cli_tool.name, limn_verbosity_of(s.run.is_quiet, s.run.is_verbose));
    if (!output_settings_complete(&s) || !caption_settings_complete(&s))
        code = LIMN_EXIT_USAGE;
    else
        code = s.out.is_undone ? undo_run(&s, &paths)
               : s.out.applied ? apply_run(&s, &paths)
                               : run(&s, &paths);
    caption_settings_finish(&s);
    return code;
}
