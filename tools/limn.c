/* limn: captions for pictures. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "models/captioner.h"
#include "tools/cli.h"
#include "tools/environment.h"
#include "tools/interrupt.h"
#include "tools/limn/caption_job.h"
#include "tools/message.h"
#include "tools/pipeline_report.h"

typedef struct settings {
    const char *model, *cpu, *output;
    limn_options options;
    limn_cli_list banned;
    uint32_t n_threads;
    unsigned format;
    bool is_recursive, is_nul_separated, is_quiet, is_verbose;
} settings;

#define FIELD(name) .offset = offsetof(settings, name)

static const limn_cli_option options[] = {
    { "recursive", 'r', NULL, "go into folders inside folders", .group = "Input",
      .type = LIMN_CLI_FLAG, FIELD(is_recursive) },
    { "null", '0', NULL, "the list on standard input is NUL-separated", .group = "Input",
      .type = LIMN_CLI_FLAG, FIELD(is_nul_separated) },
    { "max-pixels", 0, "N", "refuse larger pictures (default 178956970)", .group = "Input",
      .type = LIMN_CLI_SIZE, FIELD(options.max_pixels), .min = 1, .max = LIMN_MAX_PIXELS },
    { "model", 0, "FILE", "the model (default: the one that came with limn)",
      .group = "Captioning", .type = LIMN_CLI_TEXT, FIELD(model) },
    { "beam", 0, "K", "hypotheses kept; 1 = greedy (default 3)", .group = "Captioning",
      .type = LIMN_CLI_COUNT, FIELD(options.beam_size), .min = 1, .max = 64 },
    { "length-penalty", 0, "A", "score = logprob / length^A (default: the model's)",
      .detail = "The length counts the end of the caption as a word. Larger values favour longer "
                "captions.",
      .group = "Captioning", .type = LIMN_CLI_REAL, FIELD(options.length_penalty), .min = -10,
      .max = 10 },
    { "min-words", 0, "N", "no shorter captions", .group = "Captioning", .type = LIMN_CLI_COUNT,
      FIELD(options.min_words), .min = 0, .max = 511 },
    { "max-words", 0, "N", "no longer captions (default: the model's)", .group = "Captioning",
      .type = LIMN_CLI_COUNT, FIELD(options.max_words), .min = 1, .max = 511 },
    { "no-repeat-ngram", 0, "N", "no N words in a row twice; 0 = off (default)",
      .group = "Captioning", .type = LIMN_CLI_COUNT, FIELD(options.no_repeat_ngram), .min = 0,
      .max = 511 },
    { "ban", 0, "WORD", "never use WORD; may be repeated", .group = "Captioning",
      .type = LIMN_CLI_LIST, FIELD(banned) },
    { "n-best", 0, "N", "captions for each picture, at most K (default 1)", .group = "Output",
      .type = LIMN_CLI_COUNT, FIELD(options.n_best), .min = 1, .max = 64 },
    { "format", 0, "NAME", "text (default) or jsonl", .group = "Output",
      .detail = "text: PATH, a tab, CAPTION; one line for each caption, none for a picture that "
                "failed; in PATH, backslash, tab, newline and carriage return are written \\\\, "
                "\\t, \\n and \\r. jsonl: one object for each picture, failed ones with the key "
                "error; a name that is not UTF-8 has its odd bytes as \\xNN in file, and all its "
                "bytes, two hexadecimal digits each, in file_bytes.",
      .type = LIMN_CLI_CHOICE, FIELD(format), .choices = limn_writer_names },
    { "output", 'o', "FILE", "write to FILE, which must not exist yet", .group = "Output",
      .detail = "It is called FILE.part until it is complete.", .type = LIMN_CLI_TEXT,
      FIELD(output) },
    { "quiet", 'q', NULL, "say nothing but errors", .group = "Running", .type = LIMN_CLI_FLAG,
      FIELD(is_quiet) },
    { "verbose", 'v', NULL, "say what is used, and what was left out", .group = "Running",
      .type = LIMN_CLI_FLAG, FIELD(is_verbose) },
    { "threads", 0, "N", "threads (default: all cores)",
      .group = "Running", .type = LIMN_CLI_COUNT, FIELD(n_threads), .min = 1,
      .max = LIMN_MAX_THREADS },
    { "cpu", 0, "LEVEL", "c, avx2 … (default: the best here)",
      .group = "Running", .type = LIMN_CLI_TEXT, FIELD(cpu) },
};

static const limn_cli_example examples[] = {
    { "limn photo.jpg", "The caption of one picture." },
    { "limn -r photos > captions.txt", "Every picture below a folder." },
    { "limn --format jsonl --n-best 3 -o captions.jsonl photos",
      "Three captions a picture, with log-probabilities." },
    { "find . -name '*.png' -print0 | limn -0 -", "A list of names on standard input." },
};

static const limn_cli_tool tool = {
    .name = "limn",
    .summary = "captions for pictures",
    .operands = "PATH...",
    .description =
        "Writes a caption for each picture. A PATH is a picture, a folder of pictures, or - for a "
        "list of either on standard input. A folder's entries come in byte-wise order of their "
        "names, and captions in the order of the pictures, whatever the number of threads. The "
        "same picture, model and options give the same bytes everywhere.\n\n"
        "In folders, hidden files are left out, and files that are no pictures: those whose name "
        "does not end like a picture's and whose first bytes are no picture's either. A file "
        "named on the command line or in a list, or with a picture's extension, is an error when "
        "it is no picture. Symbolic links are followed. What is named twice is captioned twice.\n\n"
        "A picture that fails is named on standard error, and the others get their captions. "
        "Nothing is captioned from a half-decoded picture.\n\n"
        "SIGINT and SIGTERM let the pictures in work be finished; a second one ends limn at once.",
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
};

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

static int run_job(limn_caption_job *job, const settings *s, const limn_cli_operands *paths)
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

/* Options that contradict each other, by the names that the user knows them by. */
static bool check_options(const limn_options *o)
{
    if (o->n_best > o->beam_size)
        limn_message_error("--n-best: %u is more than --beam, %u", (unsigned)o->n_best,
                           (unsigned)o->beam_size);
    else if (o->max_words && o->min_words > o->max_words)
        limn_message_error("--min-words: %u is more than --max-words, %u", (unsigned)o->min_words,
                           (unsigned)o->max_words);
    else
        return true;
    return false;
}

/* Opens model and output, and captions. */
static int run(const settings *s, const limn_cli_operands *paths)
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
    settings s = { .options = limn_options_default(), .n_threads = limn_default_threads() };
    limn_cli_operands paths;
    int code;
    if (!limn_cli_parse(&paths, &s, &tool, argc, argv, &code))
        return code;
    limn_message_init(tool.name, limn_verbosity_of(s.is_quiet, s.is_verbose));
    s.options.banned_words = s.banned.items;
    s.options.n_banned_words = s.banned.n_items;
    code = check_options(&s.options) ? run(&s, &paths) : LIMN_EXIT_USAGE;
    limn_cli_finish(&s, &tool);
    return code;
}
