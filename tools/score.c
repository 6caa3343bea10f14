/* limn-score: how probable a model finds given captions. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/image/image.h"
#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/plural.h"
#include "tools/caption_input.h"
#include "tools/cli.h"
#include "tools/environment.h"
#include "tools/interrupt.h"
#include "tools/message.h"
#include "tools/pipeline_report.h"
#include "tools/progress.h"
#include "tools/shared_options.h"
#include "tools/score/ids_job.h"
#include "tools/score/scoring.h"
#include "tools/tool_hooks.h"
#include "tools/standard_streams.h"

typedef struct settings {
    const char *images, *captions, *ids, *logits, *split, *model, *cpu, *output;
    uint64_t max_pixels;
    uint32_t n_threads;
    unsigned format;
    unsigned sandbox; /* a limn_sandbox_use */
    bool is_ranked, keep_rejected, is_quiet, is_verbose;
} settings;

#define FIELD(name) .offset = offsetof(settings, name)

static const limn_option options[] = {
    { "images", 0, "DIR", "folder of the images", .group = "Input",
      .detail = "A caption's image is DIR/NAME, or DIR and the last component of NAME; where the "
                "file has both a number and a name for an image, both are tried.",
      .type = LIMN_OPT_TEXT, FIELD(images) },
    { "captions", 0, "FILE", "captions, and the names of their images", .group = "Input",
      .detail = LIMN_CAPTION_FORMATS " The output of limn can be read too.", .type = LIMN_OPT_TEXT,
      FIELD(captions) },
    { "ids", 0, "FILE", "token ids instead of captions", .group = "Input",
      .detail =
          "Lines {\"file\": NAME, \"ids\": [ID, ...]}: the ids of a caption from the start token "
          "to the end token, if it has one, as the original programs of published models write "
          "them. Prints one object per line, with the log-probability of each token but the first, "
          "over the whole vocabulary, and their sum; lines are grouped by image.",
      .type = LIMN_OPT_TEXT, FIELD(ids) },
    { "split", 0, "LIST", LIMN_SPLIT_HELP, .group = "Input", .detail = LIMN_SPLIT_DETAIL,
      .type = LIMN_OPT_TEXT, FIELD(split) },
    { "keep-rejected", 0, NULL, LIMN_KEEP_REJECTED_HELP, .group = "Input",
      .detail = LIMN_KEEP_REJECTED_DETAIL, .type = LIMN_OPT_FLAG, FIELD(keep_rejected) },
    LIMN_ROW_MAX_PIXELS(FIELD(max_pixels), .group = "Input"),
    { "model", 0, "FILE", "model file (default: limn-default)", .group = "Scoring",
      .type = LIMN_OPT_TEXT, FIELD(model) },
    { "format", 0, "NAME", "text or jsonl", .group = "Output",
      .detail = "text: NAME, PMI, LOGPROB, PERPLEXITY, UNKNOWN and CAPTION, separated by tabs, one "
                "line per caption; in NAME and CAPTION, backslash, tab, newline and carriage "
                "return are written \\\\, \\t, \\n and \\r. jsonl: one object per caption, also "
                "with logprob, logprob_without and pmi of each token, null if it is unknown; an "
                "image that failed, or a caption that is too long, has the key \"error\".",
      .type = LIMN_OPT_CHOICE, FIELD(format), .choices = limn_score_format_names,
      .default_value = "text" },
    { "rank", 0, NULL, "worst matches first", .group = "Output",
      .detail = "By PMI: below 0, the image makes the caption less probable. Nothing is written "
                "until all captions are scored.",
      .type = LIMN_OPT_FLAG, FIELD(is_ranked) },
    { "logits", 0, "DIR", "with --ids: write logits to DIR/LINE.npy", .group = "Output",
      .detail = "f32 [ids, tokens]: row i holds the logits of the token that follows the first i + "
                "1 ids. LINE is the line number in FILE, from 1.",
      .type = LIMN_OPT_TEXT, FIELD(logits) },
    { "output", 'o', "FILE", "write to FILE, which must not exist yet", .group = "Output",
      .detail = "It is named FILE.part until it is complete.", .type = LIMN_OPT_TEXT,
      FIELD(output) },
    LIMN_ROW_QUIET(FIELD(is_quiet), .group = "Running"),
    { "verbose", 'v', NULL, "print the scores of all captions together", .group = "Running",
      .type = LIMN_OPT_FLAG, FIELD(is_verbose) },
    LIMN_ROW_THREADS(FIELD(n_threads), .group = "Running"),
    LIMN_ROW_SANDBOX(FIELD(sandbox), .group = "Running", .detail = "As in limn(1)."),
    LIMN_ROW_CPU(FIELD(cpu), .group = "Running"),
};

static const limn_cli_example examples[] = {
    { "limn-score --images photos --captions captions.txt", "How probable each caption is." },
    { "limn-score --images photos --captions captions.txt --rank | head -20",
      "The twenty captions that match their images least: some may belong to other images." },
    { "limn-score --model blip.safetensors --images photos --ids ids.jsonl --logits logits",
      "What the model predicts after each of given tokens, to compare with another program." },
    { "limn -q --format jsonl photos | limn-score --images photos --captions /dev/stdin --rank",
      "A model's own captions, those that owe least to the image first." },
};

static const limn_cli_tool tool = {
    .name = "limn-score",
    .summary = "scores captions by their probability with and without the image",
    .description =
        "Runs a model over each caption with teacher forcing and reports how probable the model "
        "finds it. "
        "LOGPROB is the sum of the tokens' log-probabilities (natural logarithms), the end token "
        "included. PERPLEXITY is exp(-LOGPROB / n) for n tokens.\n\nThe same is done without the "
        "image, with features of zero. PMI (pointwise mutual information) is what the image adds "
        "to the log-probability of a token, on average. It is near 0 for words that fit any image "
        "and below 0 where the image makes them less probable; a caption with a low PMI may belong "
        "to another image. These are the model's opinions: it can't judge what it can't see or has "
        "no word for.\n\nCaptions are lower-cased and stripped of punctuation, as for the metrics "
        "(limn-eval). A word outside the model's vocabulary has no probability: it is left out of "
        "the sums and of n, and the words after it are scored as following an unknown word; "
        "UNKNOWN counts such words. Captions that limn wrote get the scores that limn "
        "reported.\n\nCaptions are grouped by image, in the order in which FILE first names the "
        "images. An image that fails is named on standard error, and the others get their scores.",
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
    .options = options,
    .n_options = sizeof options / sizeof *options,
};

static void note_totals(const limn_scoring_totals *t, size_t n_without)
{
    if (t->n_tokens)
        limn_message_note("%zu %s: perplexity %.2f, without the image %.2f, PMI %.4f",
                          t->n_captions, limn_plural(t->n_captions, "caption", "captions"),
                          limn_perplexity(t->logprob, t->n_tokens),
                          limn_perplexity(t->logprob_without, t->n_tokens),
                          (t->logprob - t->logprob_without) / (double)t->n_tokens);
    if (n_without)
        limn_message_note("%zu %s no caption", n_without,
                          limn_plural(n_without, "entry has", "entries have"));
    if (t->n_unknown)
        limn_message_warning("%zu of %zu words %s left out", t->n_unknown, t->n_words,
                             limn_plural(t->n_unknown, "is not in the vocabulary and was",
                                         "are not in the vocabulary and were"));
    if (t->n_failed)
        limn_message_warning("%zu of %zu captions failed", t->n_failed,
                             t->n_failed + t->n_captions);
}

/* A caption that failed counts like an image. */
static int code_of(int code, const limn_scoring_totals *t)
{
    if (code != LIMN_EXIT_OK || !t->n_failed) return code;
    return t->n_captions ? LIMN_EXIT_SOME_FAILED : LIMN_EXIT_NOTHING;
}

/* Runs n images through `stages`: on several threads, or one image on one, whose model then has the
 * threads. */
static limn_status run_stages(limn_pipeline_counts *counts, const limn_pipeline_stages *stages,
                              void *job, limn_image_loader *loader, const settings *s,
                              char *const *paths, size_t n, limn_error *err)
{
    const limn_annotate_hooks hooks = limn_tool_hooks(s->output, NULL);
    const limn_inputs inputs = { .names = paths, .n_names = n, .list_fd = -1 };
    const limn_pipeline_settings pipeline = {
        .n_threads = n == 1 ? 1 : s->n_threads,
        .input_size = limn_image_load_size(&loader->load),
        .inputs = &inputs,
        .hooks = &hooks,
        .is_stopping = &loader->is_stopping,
    };
    const limn_status status = limn_pipeline_run(counts, stages, job, &pipeline, err);
    limn_progress_erase();
    return status;
}

static int run_scoring(limn_scoring *job, const settings *s, char *const *paths)
{
    limn_pipeline_counts counts = { 0 };
    limn_error err = { 0 };
    const size_t n = job->captions->n_images;
    job->n_scorer_threads = n == 1 ? s->n_threads : 1;
    limn_status status =
        run_stages(&counts, &limn_scoring_stages, job, &job->loader, s, paths, n, &err);
    if (job->is_ranked && (status == LIMN_OK || status == LIMN_E_INTERRUPTED)) {
        const limn_status ranking = limn_scoring_put_ranked(job, &err);
        counts.n_done = ranking == LIMN_OK ? counts.n_done : 0;
        status = status == LIMN_OK ? ranking : status;
    }
    const limn_status closing = limn_output_close(job->output, status == LIMN_OK, &err);
    limn_scoring_finish(job);
    if (job->output->is_pipe_closed) limn_interrupt_raise_sigpipe();
    note_totals(&job->totals, job->captions->n_without);
    return code_of(
        limn_pipeline_report(&counts, status == LIMN_OK ? closing : status, &err, s->output),
        &job->totals);
}

/* With the model open: reads the captions and scores them. */
static int score(const limn_model *model, limn_decoders *decoders, const settings *s)
{
    const limn_caption_reading how = { .split = s->split, .keep_rejected = s->keep_rejected };
    limn_score_captions captions;
    limn_output output;
    limn_error err = { 0 };
    char **paths = NULL;
    int code;
    if (limn_score_captions_read(&captions, s->captions, s->images, &how, &err))
        return limn_cli_failed(&err);
    paths = limn_calloc(captions.n_images, sizeof *paths);
    for (size_t i = 0; paths && i < captions.n_images; i++) paths[i] = captions.images[i].path;
    if (!paths) limn_fail(&err, LIMN_E_NOMEM, "out of memory");
    if (paths && !limn_output_open(&output, s->output, &err)) {
        limn_scoring job = { .model = model,
                             .captions = &captions,
                             .output = &output,
                             .format = limn_score_formats[s->format],
                             .max_pixels = s->max_pixels,
                             .loader = { .sandbox = decoders },
                             .is_ranked = s->is_ranked };
        code = limn_image_load_for(&job.loader.load, model, s->max_pixels, &err)
                   ? limn_cli_failed(&err)
                   : run_scoring(&job, s, paths);
    } else {
        code = limn_cli_failed(&err);
    }
    limn_free(paths);
    limn_score_captions_finish(&captions);
    return code;
}

static int compare_numbers(const void *a, const void *b)
{
    const limn_ids_record *const *x = a, *const *y = b;
    return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

/* The paths of all images, in the order in which the file first names them; *n of them. */
static char **list_paths(const limn_ids_file *f, size_t *n)
{
    const limn_ids_record **firsts = limn_calloc(f->n_records, sizeof *firsts);
    char **paths = limn_calloc(f->n_records, sizeof *paths);
    *n = 0;
    for (size_t i = 0; firsts && i < f->n_records; i++)
        if (i == 0 || strcmp(f->records[i - 1].path, f->records[i].path) != 0)
            firsts[(*n)++] = &f->records[i];
    if (firsts) qsort(firsts, *n, sizeof *firsts, compare_numbers);
    for (size_t i = 0; firsts && paths && i < *n; i++) paths[i] = firsts[i]->path;
    if (!firsts) {
        limn_free(paths);
        paths = NULL;
    }
    limn_free(firsts);
    return paths;
}

static int run_ids(limn_ids_job *job, const settings *s, char *const *paths, size_t n)
{
    limn_pipeline_counts counts = { 0 };
    limn_error err = { 0 };
    job->n_forcing_threads = n == 1 ? s->n_threads : 1;
    const limn_status status =
        run_stages(&counts, &limn_ids_stages, job, &job->loader, s, paths, n, &err);
    const limn_status closing = limn_output_close(job->output, status == LIMN_OK, &err);
    if (job->output->is_pipe_closed) limn_interrupt_raise_sigpipe();
    return limn_pipeline_report(&counts, status == LIMN_OK ? closing : status, &err, s->output);
}

/* The folder for logits, made when it is missing. */
static limn_status make_folder(const char *folder, limn_error *err)
{
    limn_buffer path = { 0 };
    if (!folder) return LIMN_OK;
    limn_buffer_printf(&path, "%s/1.npy", folder);
    const limn_status s = path.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
                                          : limn_folder_make_above(path.bytes, err);
    limn_buffer_finish(&path);
    return s;
}

/* With the model open: reads the ids and what the model makes of them. */
static int score_ids(const limn_model *model, limn_decoders *decoders, const settings *s)
{
    limn_ids_file ids;
    limn_output output;
    limn_error err = { 0 };
    size_t n;
    int code;
    if (limn_ids_file_read(&ids, s->ids, s->images, &err)) return limn_cli_failed(&err);
    char **paths = list_paths(&ids, &n);
    if (!paths) limn_fail(&err, LIMN_E_NOMEM, "out of memory");
    limn_ids_job job = { .model = model,
                         .ids = &ids,
                         .logits = s->logits,
                         .output = &output,
                         .loader = { .sandbox = decoders } };
    if (!paths || make_folder(s->logits, &err) ||
        limn_image_load_for(&job.loader.load, model, s->max_pixels, &err) ||
        limn_output_open(&output, s->output, &err))
        code = limn_cli_failed(&err);
    else
        code = run_ids(&job, s, paths, n);
    limn_free(paths);
    limn_ids_file_finish(&ids);
    return code;
}

static int run(const settings *s)
{
    const limn_annotate_hooks hooks = limn_tool_hooks(s->output, NULL);
    limn_decoders *decoders = NULL;
    limn_model *model = NULL;
    char *default_path = NULL;
    limn_error err = { 0 };
    int code;
    if (!limn_interrupt_start()) {
        limn_message_error("can't install signal handlers");
        return LIMN_EXIT_NOTHING;
    }
    if ((s->model || !limn_default_model_path(&default_path, &err)) &&
        !limn_decoders_start(&decoders, s->sandbox, s->n_threads, s->max_pixels, &hooks, &err) &&
        !limn_model_open(&model, s->model ? s->model : default_path, s->cpu, &err))
        code = s->ids ? score_ids(model, decoders, s) : score(model, decoders, s);
    else
        code = limn_cli_failed(&err);
    limn_decoders_stop(&decoders);
    limn_model_close(&model);
    limn_free(default_path);
    return code;
}

/* Options that are missing or contradict each other. */
static bool check(const settings *s)
{
    if (!s->images || (!s->captions && !s->ids))
        limn_message_error("no --%s given; see %s --help",
                           s->images ? "captions FILE" : "images DIR", tool.name);
    else if (s->ids && (s->captions || s->split || s->keep_rejected))
        limn_message_error("--captions and its options can't be combined with --ids");
    else if (s->ids && (s->is_ranked || s->format != 0))
        limn_message_error("--rank and --format can't be combined with --ids");
    else if (s->logits && !s->ids)
        limn_message_error("--logits: needs --ids FILE");
    else
        return true;
    return false;
}

int main(int argc, char **argv)
{
    settings s = { .n_threads = limn_default_threads() };
    limn_cli_operands none;
    int code;
    limn_standard_streams_secure();
    if (!limn_cli_parse(&none, &s, &tool, argc, argv, &code)) return code;
    limn_message_init(tool.name, limn_verbosity_of(s.is_quiet, s.is_verbose));
    if (!check(&s)) return LIMN_EXIT_USAGE;
    code = run(&s);
    limn_cli_finish(&s, &tool);
    return code;
}
