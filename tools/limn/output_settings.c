#include "tools/limn/output_settings.h"

#include <string.h>
#include <strings.h>

#include "tools/message.h"

/* The first option that makes sense only with XMP; NULL: none was given. */
static const char *first_of_xmp(const caption_output *out)
{
    return out->xmp_name != CAPTION_XMP_NAME_UNSET ? "xmp-name"
           : out->has_alt_text                     ? "alt-text"
           : out->is_renewed                       ? "renew"
                                                   : NULL;
}

static bool complete_xmp(caption_settings *s)
{
    const char *odd = s->out.format != LIMN_FORMAT_BY_NAME ? "format"
                      : s->out.is_sidecar_full             ? "sidecar-full"
                      : s->out.is_inside && s->out.xmp_name != CAPTION_XMP_NAME_UNSET ? "xmp-name"
                                                                                      : NULL;
    if (odd) {
        limn_message_error("--%s: can't be combined with %s", odd,
                           s->out.is_inside ? "--write-xmp" : "--sidecar=xmp");
        return false;
    }
    s->out.xmp = s->out.is_inside ? LIMN_XMP_IMAGES : LIMN_XMP_SIDECARS;
    s->out.is_sidecar_full = s->out.xmp_name != CAPTION_XMP_STEM;
    s->out.format = LIMN_FORMAT_TEXT;
    return true;
}

/* A sidecar holds captions alone, or an object. */
static bool complete_sidecar(caption_settings *s)
{
    const char *lonely = first_of_xmp(&s->out);
    s->out.sidecar_extension = s->out.sidecar + (s->out.sidecar[0] == '.');
    if (!strcasecmp(s->out.sidecar_extension, "xmp")) return complete_xmp(s);
    if (s->out.format == LIMN_FORMAT_BY_NAME || s->out.format == LIMN_FORMAT_CAPTION)
        s->out.format = LIMN_FORMAT_TEXT; /* a sidecar has the captions alone */
    if (!*s->out.sidecar)
        s->out.sidecar_extension = s->out.format == LIMN_FORMAT_JSONL ? "json" : "txt";
    if (lonely) limn_message_error("--%s: needs --sidecar=xmp", lonely);
    return !lonely;
}

static bool complete_plain(caption_settings *s)
{
    limn_format by_name =
        limn_output_is_folder(s->out.output) ? LIMN_FORMAT_JSONL : LIMN_FORMAT_TEXT;
    const char *lonely = s->out.out_dir                           ? "out-dir"
                         : s->out.is_sidecar_full                 ? "sidecar-full"
                         : s->out.existing != LIMN_EXISTING_UNSET ? "existing"
                         : s->out.separator                       ? "separator"
                                                                  : NULL;
    if (!lonely && first_of_xmp(&s->out)) {
        limn_message_error("--%s: needs --sidecar=xmp or --write-xmp", first_of_xmp(&s->out));
        return false;
    }
    if (lonely) {
        limn_message_error("--%s: needs --sidecar", lonely);
        return false;
    }
    if (s->out.output && !limn_output_is_folder(s->out.output))
        limn_format_of_path(&by_name, s->out.output);
    if (s->out.format == LIMN_FORMAT_BY_NAME) s->out.format = by_name;
    return true;
}

/* Nothing is written but what takes captions back. */
static bool complete_undo(const caption_output *out)
{
    const char *odd = out->output        ? "output"
                      : out->sidecar     ? "sidecar"
                      : out->is_inside   ? "write-xmp"
                      : out->tar.n_items ? "tar"
                      : out->report      ? "report"
                      : out->explain     ? "explain"
                      : out->attention   ? "attention"
                      : out->errors      ? "errors"
                      : out->applied     ? "apply-xmp"
                                         : NULL;
    if (odd) limn_message_error("--%s: can't be combined with --undo-xmp", odd);
    return !odd;
}

/* Captions of a file go into XMP, and nothing else is written. */
static bool complete_applied(caption_output *out)
{
    const char *odd = out->report        ? "report"
                      : out->explain     ? "explain"
                      : out->attention   ? "attention"
                      : out->tar.n_items ? "tar"
                                         : NULL;
    if (odd) limn_message_error("--%s: can't be combined with --apply-xmp", odd);
    if (out->output && strcmp(out->output, out->applied) != 0) {
        limn_message_error("--output: --apply-xmp writes XMP only");
        return false;
    }
    out->output = NULL;
    if (!out->sidecar && !out->is_inside) out->sidecar = "xmp";
    return !odd;
}

static bool complete_output(caption_settings *s)
{
    if (s->out.applied && !s->out.is_undone && !complete_applied(&s->out)) return false;
    if (s->out.is_undone && !complete_undo(&s->out)) return false;
    if (s->out.sidecar) return complete_sidecar(s);
    return s->out.is_inside ? complete_xmp(s) : complete_plain(s);
}

static bool complete_inputs(caption_settings *s)
{
    s->in.inputs = limn_inputs_default();
    s->in.inputs.is_recursive = s->in.is_recursive;
    s->in.inputs.is_nul_separated = s->in.is_nul_separated;
    s->in.inputs.includes = s->in.includes.items;
    s->in.inputs.n_includes = s->in.includes.n_items;
    s->in.inputs.excludes = s->in.excludes.items;
    s->in.inputs.n_excludes = s->in.excludes.n_items;
    if (!s->in.shard || limn_inputs_parse_shard(&s->in.inputs, s->in.shard)) return true;
    limn_message_error("--shard: '%s' is not I/N with I from 0 to N - 1", s->in.shard);
    return false;
}

limn_annotate_settings output_settings_of(const caption_settings *s)
{
    limn_annotate_settings out = limn_annotate_settings_default();
    out.inputs = s->in.inputs;
    out.options = &s->captioning.options;
    out.n_threads = s->run.n_threads;
    out.n_best = s->captioning.options.n_best;
    out.n_alternatives = s->captioning.options.n_alternatives;
    out.prefix = s->out.prefix;
    out.suffix = s->out.suffix;
    out.min_confidence = s->captioning.min_confidence;
    out.has_confidence = s->captioning.has_confidence;
    out.has_signals = s->captioning.has_signals;
    out.output = s->out.output;
    out.format = (limn_format)s->out.format;
    out.tar_endings = s->out.tar.items;
    out.n_tar_endings = s->out.tar.n_items;
    out.sidecar_extension = s->out.sidecar_extension;
    out.out_dir = s->out.out_dir;
    out.is_sidecar_full = s->out.is_sidecar_full;
    out.xmp = s->out.xmp;
    out.has_backup = s->out.has_backup;
    out.applied = s->out.applied;
    out.has_alt_text = s->out.has_alt_text;
    out.is_renewed = s->out.is_renewed;
    out.existing = (limn_existing)s->out.existing;
    out.separator = s->out.separator;
    out.errors = s->out.errors;
    out.is_dry_run = s->run.is_dry_run;
    out.is_forced = s->run.is_forced;
    out.is_strict = s->run.is_strict;
    out.is_csv_safe = s->out.is_csv_safe;
    return out;
}

bool output_settings_complete(caption_settings *s)
{
    limn_error err = { 0 };
    if (!complete_output(s)) return false;
    if (s->out.existing == LIMN_EXISTING_UNSET) s->out.existing = LIMN_EXISTING_SKIP;
    if (!complete_inputs(s)) return false;
    const limn_annotate_settings settings = output_settings_of(s);
    if (limn_annotate_check(&settings, &err) == LIMN_OK) return true;
    limn_message_error("%s", err.text);
    return false;
}
