/* limn: captions for pictures. */
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "tools/environment.h"
#include "tools/interrupt.h"
#include "tools/limn/caption_job.h"
#include "tools/limn/caption_settings.h"
#include "tools/message.h"
#include "tools/pipeline_report.h"

/* One picture is split among the threads; of many, each has one at a time. */
static bool is_one_file(const limn_cli_operands *paths)
{
    struct stat st;
    return paths->n_items == 1 && strcmp(paths->items[0], "-") && !stat(paths->items[0], &st) &&
           !S_ISDIR(st.st_mode);
}

static int failed(const limn_error *err)
{
    limn_message_error("%s", err->text);
    return err->code == LIMN_E_ARG ? LIMN_EXIT_USAGE : LIMN_EXIT_NOTHING;
}

static void note_model(const limn_model *model, const char *path, uint32_t n_threads)
{
    limn_model_info info;
    limn_model_get_info(model, &info);
    limn_message_note("model %s: %s, %u tokens", path, info.encoder, (unsigned)info.n_tokens);
    limn_message_note("CPU level %s, %u threads", info.cpu_level, (unsigned)n_threads);
}

static int run_job(limn_caption_job *job, const caption_settings *s, const limn_cli_operands *paths)
{
    limn_pipeline_counts counts = { 0 };
    limn_error err = { 0 };
    limn_model_info info;
    const bool is_split = is_one_file(paths);
    limn_pipeline_settings pipeline = {
        .n_threads = is_split ? 1 : s->n_threads,
        .names = paths->items,
        .n_names = paths->n_items,
        .is_recursive = s->is_recursive,
        .is_nul_separated = s->is_nul_separated,
    };
    limn_status status, closing;
    limn_model_get_info(job->model, &info);
    pipeline.input_size = (size_t)info.input_size * info.input_size * 3;
    job->n_state_threads = is_split ? s->n_threads : 1;
    status = limn_pipeline_run(&counts, &limn_caption_stages, job, &pipeline, &err);
    closing = limn_output_close(job->output, status == LIMN_OK, &err);
    limn_buffer_finish(&job->scratch);
    if (job->output->is_pipe_closed)
        limn_interrupt_raise_sigpipe();
    return limn_pipeline_report(&counts, status == LIMN_OK ? closing : status, &err, s->output);
}

/* Opens model and output, and captions. */
static int run(const caption_settings *s, const limn_cli_operands *paths)
{
    limn_model *model = NULL;
    char *default_path = NULL;
    limn_output output;
    limn_error err = { 0 };
    int code;
    if (!limn_interrupt_start()) {
        limn_message_error("can't install signal handlers");
        return LIMN_EXIT_NOTHING;
    }
    if ((s->model || !limn_default_model_path(&default_path, &err)) &&
        !limn_model_open(&model, s->model ? s->model : default_path, s->cpu, &err) &&
        !limn_output_open(&output, s->output, &err)) {
        limn_caption_job job = { .model = model, .options = &s->options,
                                 .writer = limn_writers[s->format], .output = &output };
        note_model(model, s->model ? s->model : default_path, s->n_threads);
        code = run_job(&job, s, paths);
    } else {
        code = failed(&err);
    }
    limn_model_close(&model);
    limn_free(default_path);
    return code;
}

int main(int argc, char **argv)
{
    caption_settings s = caption_settings_default();
    limn_cli_operands paths;
    int code;
    if (!limn_cli_parse(&paths, &s, &caption_cli_tool, argc, argv, &code))
        return code;
    limn_message_init(caption_cli_tool.name, limn_verbosity_of(s.is_quiet, s.is_verbose));
    code = caption_settings_complete(&s) ? run(&s, &paths) : LIMN_EXIT_USAGE;
    limn_cli_finish(&s, &caption_cli_tool);
    return code;
}
