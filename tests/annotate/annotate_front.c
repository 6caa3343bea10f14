/* A tiny front end of the annotate library that uses its header alone: what tests/annotate asks of
 * limn is asked of it too, so that what holds is the library's.
 *
 *     annotate_front --model FILE [OPTION...] NAME...
 *
 * The options are a few of limn's, and --stop-after N, which stops as a signal would once N images
 * are done. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/annotate/annotate.h"

enum { MAX_ITEMS = 16, N_DECODERS = 2 };

typedef struct front {
    limn_annotate_settings settings;
    const char *models[MAX_ITEMS], *endings[MAX_ITEMS];
    char *names[MAX_ITEMS];
    unsigned sandbox; /* limn_sandbox_use */
    size_t stop_after, n_done;
} front;

/* ---- hooks ---------------------------------------------------------------------------------- */

static bool keep_going(void *ctx)
{
    const front *f = ctx;
    return !f->stop_after || f->n_done < f->stop_after;
}

static void note_progress(void *ctx, const limn_annotate_progress *progress)
{
    front *f = ctx;
    f->n_done = progress->n_done;
}

static void say(void *ctx, limn_annotate_severity severity, const char *text)
{
    (void)ctx;
    if (severity != LIMN_ANNOTATE_NOTE) fprintf(stderr, "annotate_front: %s\n", text);
}

/* ---- arguments ------------------------------------------------------------------------------ */

static unsigned index_of(const char *name, const char *const *names)
{
    unsigned i = 0;
    while (names[i] && strcmp(names[i], name) != 0) i++;
    if (!names[i]) exit(1);
    return i;
}

/* An option without an argument; false when `word` is none. */
static bool take_flag(front *f, const char *word)
{
    limn_annotate_settings *s = &f->settings;
    if (!strncmp(word, "--sidecar=", 10))
        s->sidecar_extension = word + 10;
    else if (!strcmp(word, "--sidecar"))
        s->sidecar_extension = "";
    else if (!strcmp(word, "--sidecar-full"))
        s->is_sidecar_full = true;
    else if (!strcmp(word, "-r"))
        s->inputs.is_recursive = true;
    else
        return false;
    return true;
}

/* An option and its argument; false when `word` is none. */
static bool take_option(front *f, const char *word, const char *argument)
{
    limn_annotate_settings *s = &f->settings;
    if (!strcmp(word, "--model"))
        f->models[s->n_model_paths++] = argument;
    else if (!strcmp(word, "--tar"))
        f->endings[s->n_tar_endings++] = argument;
    else if (!strcmp(word, "-o"))
        s->output = argument;
    else if (!strcmp(word, "--out-dir"))
        s->out_dir = argument;
    else if (!strcmp(word, "--errors"))
        s->errors = argument;
    else if (!strcmp(word, "--format"))
        s->format = (limn_format)index_of(argument, limn_format_names);
    else if (!strcmp(word, "--existing"))
        s->existing = (limn_existing)index_of(argument, limn_existing_names);
    else if (!strcmp(word, "--sandbox"))
        f->sandbox = index_of(argument, limn_sandbox_uses);
    else if (!strcmp(word, "--stop-after"))
        f->stop_after = (size_t)atoi(argument);
    else
        return false;
    return true;
}

static void parse(front *f, int argc, char **argv)
{
    limn_annotate_settings *s = &f->settings;
    for (int i = 1; i < argc; i++) {
        const bool has_room = s->n_model_paths < MAX_ITEMS && s->n_tar_endings < MAX_ITEMS &&
                              s->inputs.n_names < MAX_ITEMS;
        if (!has_room) exit(1);
        if (take_flag(f, argv[i])) continue;
        if (i + 1 < argc && take_option(f, argv[i], argv[i + 1]))
            i++;
        else
            f->names[s->inputs.n_names++] = argv[i];
    }
    if (s->output && limn_output_is_folder(s->output))
        s->format = LIMN_FORMAT_JSONL;
    else if (s->output)
        (void)limn_format_of_path(&s->format, s->output);
    if (s->sidecar_extension && !*s->sidecar_extension)
        s->sidecar_extension = s->format == LIMN_FORMAT_JSONL ? "json" : "txt";
    if (s->sidecar_extension && !strcmp(s->sidecar_extension, "xmp")) s->xmp = LIMN_XMP_SIDECARS;
    s->is_sidecar_full = s->is_sidecar_full || s->xmp;
}

/* ---- the run -------------------------------------------------------------------------------- */

static int exit_code(limn_status status, const limn_account *account)
{
    size_t n_failed = 0, n_done = account->n_there;
    for (int i = 0; i < LIMN_N_STATUSES; i++) {
        const size_t n = account->counts[i] + account->counts_before[i];
        n_done += i == LIMN_OK ? n : 0;
        n_failed += i == LIMN_OK ? 0 : n;
    }
    if (status == LIMN_E_INTERRUPTED) return 130;
    if (status != LIMN_OK) return status == LIMN_E_ARG ? 1 : 2;
    return account->is_incomplete || !n_done ? 2 : n_failed ? 3 : 0;
}

static int run(front *f, limn_error *err)
{
    limn_annotate_settings *s = &f->settings;
    limn_model *model = NULL;
    limn_account account = { 0 };
    limn_status status = limn_decoders_start(&s->decoders, (limn_sandbox_use)f->sandbox, N_DECODERS,
                                             0, &s->hooks, err);
    if (status == LIMN_OK)
        status = limn_model_open_ensemble(&model, f->models, s->n_model_paths, NULL, err);
    s->model = model;
    if (status == LIMN_OK) status = limn_annotate(&account, s, err);
    limn_decoders_stop(&s->decoders);
    limn_model_close(&model);
    return exit_code(status, &account);
}

int main(int argc, char **argv)
{
    front f = { .settings = limn_annotate_settings_default() };
    limn_error err = { 0 };
    signal(SIGPIPE, SIG_IGN);
    f.settings.model_paths = f.models;
    f.settings.tar_endings = f.endings;
    f.settings.inputs.names = f.names;
    f.settings.n_threads = N_DECODERS;
    f.settings.hooks = (limn_annotate_hooks){
        .ctx = &f, .keep_going = keep_going, .progress = note_progress, .message = say
    };
    parse(&f, argc, argv);
    const int code = run(&f, &err);
    if (err.code) fprintf(stderr, "annotate_front: %s\n", err.text);
    return code;
}
