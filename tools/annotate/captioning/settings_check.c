/* limn_annotate_check: settings that contradict each other. */
#include <stdio.h>
#include <string.h>

#include "common/text/file_name.h"
#include "tools/annotate/annotate.h"
#include "tools/annotate/input/image_file.h"
#include "tools/annotate/sandbox/sandbox.h"

enum { MAX_THREADS = 256, MAX_EXTENSION = 32 };

/* Captions are lines of UTF-8. */
static limn_status check_text(const char *name, const char *text, limn_error *err)
{
    for (const char *p = text; p && *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return limn_fail(err, LIMN_E_ARG, "--%s: holds a control character", name);
    if (text && !limn_file_name_is_utf8(text))
        return limn_fail(err, LIMN_E_ARG, "--%s: is not UTF-8", name);
    return LIMN_OK;
}

/* ---- sidecars --------------------------------------------------------------------------- */

static limn_status check_extension(const char *extension, limn_error *err)
{
    char name[MAX_EXTENSION + 3];
    if (!*extension || strchr(extension, '/') || strlen(extension) > MAX_EXTENSION)
        return limn_fail(err, LIMN_E_ARG, "--sidecar: '%s' is not a valid file extension",
                         extension);
    snprintf(name, sizeof name, "x.%s", extension);
    return limn_image_file_has_extension(name)
               ? limn_fail(err, LIMN_E_ARG, "--sidecar: '%s' is an image extension", extension)
               : LIMN_OK;
}

static limn_status check_sidecar(const limn_annotate_settings *s, limn_error *err)
{
    if (s->output) return limn_fail(err, LIMN_E_ARG, "--sidecar can't be combined with --output");
    if (s->n_tar_endings)
        return limn_fail(err, LIMN_E_ARG, "--sidecar can't be combined with --tar");
    if (s->format != LIMN_FORMAT_TEXT && s->format != LIMN_FORMAT_JSONL)
        return limn_fail(err, LIMN_E_ARG, "--sidecar: needs --format text or jsonl");
    if (s->separator && (s->format != LIMN_FORMAT_TEXT || (s->existing != LIMN_EXISTING_APPEND &&
                                                           s->existing != LIMN_EXISTING_PREPEND)))
        return limn_fail(err, LIMN_E_ARG, "--separator: needs --existing append or prepend");
    return check_extension(s->sidecar_extension, err);
}

/* ---- XMP -------------------------------------------------------------------------------- */

static limn_status check_xmp(const limn_annotate_settings *s, limn_error *err)
{
    const bool is_inside = s->xmp == LIMN_XMP_IMAGES;
    if (!s->xmp && (s->is_renewed || s->has_alt_text))
        return limn_fail(err, LIMN_E_ARG,
                         "--renew and --alt-text need --sidecar=xmp or --write-xmp");
    if (s->applied && (!s->xmp || s->model))
        return limn_fail(err, LIMN_E_ARG, "--apply-xmp: writes XMP only, without a model");
    if (s->has_backup && !is_inside)
        return limn_fail(err, LIMN_E_ARG, "--backup: needs --write-xmp");
    if (is_inside && s->sidecar_extension)
        return limn_fail(err, LIMN_E_ARG, "--write-xmp can't be combined with --sidecar");
    if (is_inside && (s->output || s->out_dir || s->n_tar_endings))
        return limn_fail(err, LIMN_E_ARG,
                         "--write-xmp can't be combined with --output, --out-dir or --tar");
    if (s->xmp == LIMN_XMP_SIDECARS && !s->sidecar_extension)
        return limn_fail(err, LIMN_E_ARG, "XMP in sidecars needs --sidecar");
    if (s->xmp && !limn_xmp_library())
        return limn_fail(err, LIMN_E_UNSUPPORTED, "XMP: this limn was built without libexempi");
    return LIMN_OK;
}

/* ---- archives --------------------------------------------------------------------------- */

/* Checks settings for output per archive, into a folder. */
static limn_status check_folder(const limn_annotate_settings *s, limn_error *err)
{
    const bool has_folder = limn_output_is_folder(s->output);
    if (s->separator && !s->xmp)
        return limn_fail(err, LIMN_E_ARG, "--separator: needs --sidecar or --write-xmp");
    for (size_t i = 0; i < s->n_tar_endings; i++)
        if (!*s->tar_endings[i] || *s->tar_endings[i] == '.' || strchr(s->tar_endings[i], '/'))
            return limn_fail(err, LIMN_E_ARG, "--tar: '%s' is not a valid extension, such as txt",
                             s->tar_endings[i]);
    for (size_t i = 1; i < s->n_tar_endings; i++)
        for (size_t k = 0; k < i; k++)
            if (!strcmp(s->tar_endings[i], s->tar_endings[k]))
                return limn_fail(err, LIMN_E_ARG, "--tar %s: given twice", s->tar_endings[i]);
    if (s->n_tar_endings && !has_folder)
        return limn_fail(err, LIMN_E_ARG, "--tar: needs -o FOLDER/ for the tars");
    if (s->n_tar_endings && s->format != LIMN_FORMAT_JSONL)
        return limn_fail(err, LIMN_E_ARG, "--tar: can't be combined with --format");
    if (s->inputs.n_shards && has_folder)
        return limn_fail(err, LIMN_E_ARG,
                         "--shard: would split archives; with -o FOLDER/, give each machine "
                         "archives of its own");
    return LIMN_OK;
}

/* ---- all -------------------------------------------------------------------------------- */

static limn_status check_numbers(const limn_annotate_settings *s, limn_error *err)
{
    if (!s->n_threads || s->n_threads > MAX_THREADS)
        return limn_fail(err, LIMN_E_ARG, "--threads: %u is not in 1 … %d", (unsigned)s->n_threads,
                         MAX_THREADS);
    if ((unsigned)s->format >= LIMN_N_FORMATS || (unsigned)s->existing > LIMN_EXISTING_ERROR)
        return limn_fail(err, LIMN_E_ARG, "unknown value of format or existing");
    if (s->inputs.n_shards && s->inputs.shard >= s->inputs.n_shards)
        return limn_fail(err, LIMN_E_ARG,
                         "--shard: part %u of %u does not exist; parts are counted from 0",
                         (unsigned)s->inputs.shard, (unsigned)s->inputs.n_shards);
    return LIMN_OK;
}

limn_status limn_annotate_check(const limn_annotate_settings *s, limn_error *err)
{
    if (s->is_csv_safe && s->format != LIMN_FORMAT_CSV)
        return limn_fail(err, LIMN_E_ARG, "--csv-safe: needs --format csv");
    LIMN_TRY(check_xmp(s, err));
    LIMN_TRY(check_text("separator", s->separator, err));
    LIMN_TRY(s->sidecar_extension ? check_sidecar(s, err) : check_folder(s, err));
    LIMN_TRY(check_text("prefix", s->prefix, err));
    LIMN_TRY(check_text("suffix", s->suffix, err));
    return check_numbers(s, err);
}
