#include "tools/limn/output_settings.h"

#include "tools/message.h"

/* A sidecar holds captions alone, or an object. */
static void complete_sidecar(caption_settings *s)
{
    if (s->format == LIMN_FORMAT_BY_NAME || s->format == LIMN_FORMAT_CAPTION)
        s->format = LIMN_FORMAT_TEXT; /* a sidecar has the captions alone */
    s->sidecar_extension = s->sidecar + (s->sidecar[0] == '.');
    if (!*s->sidecar) s->sidecar_extension = s->format == LIMN_FORMAT_JSONL ? "json" : "txt";
}

static bool complete_plain(caption_settings *s)
{
    limn_format by_name = limn_output_is_folder(s->output) ? LIMN_FORMAT_JSONL : LIMN_FORMAT_TEXT;
    const char *lonely = s->out_dir                           ? "out-dir"
                         : s->is_sidecar_full                 ? "sidecar-full"
                         : s->existing != LIMN_EXISTING_UNSET ? "existing"
                         : s->separator                       ? "separator"
                                                              : NULL;
    if (lonely) {
        limn_message_error("--%s: is for --sidecar", lonely);
        return false;
    }
    if (s->output && !limn_output_is_folder(s->output)) limn_format_of_path(&by_name, s->output);
    if (s->format == LIMN_FORMAT_BY_NAME) s->format = by_name;
    return true;
}

static bool complete_inputs(caption_settings *s)
{
    s->inputs = limn_inputs_default();
    s->inputs.is_recursive = s->is_recursive;
    s->inputs.is_nul_separated = s->is_nul_separated;
    s->inputs.includes = s->includes.items;
    s->inputs.n_includes = s->includes.n_items;
    s->inputs.excludes = s->excludes.items;
    s->inputs.n_excludes = s->excludes.n_items;
    if (!s->shard || limn_inputs_parse_shard(&s->inputs, s->shard)) return true;
    limn_message_error("--shard: '%s' is not I/N with I from 0 to N - 1", s->shard);
    return false;
}

limn_annotate_settings output_settings_of(const caption_settings *s)
{
    limn_annotate_settings out = limn_annotate_settings_default();
    out.inputs = s->inputs;
    out.options = &s->options;
    out.n_threads = s->n_threads;
    out.n_best = s->options.n_best;
    out.n_alternatives = s->options.n_alternatives;
    out.prefix = s->prefix;
    out.suffix = s->suffix;
    out.min_confidence = s->min_confidence;
    out.has_confidence = s->has_confidence;
    out.has_signals = s->has_signals;
    out.output = s->output;
    out.format = (limn_format)s->format;
    out.tar_endings = s->tar.items;
    out.n_tar_endings = s->tar.n_items;
    out.sidecar_extension = s->sidecar_extension;
    out.out_dir = s->out_dir;
    out.is_sidecar_full = s->is_sidecar_full;
    out.existing = (limn_existing)s->existing;
    out.separator = s->separator;
    out.errors = s->errors;
    out.is_dry_run = s->is_dry_run;
    out.is_forced = s->is_forced;
    out.is_strict = s->is_strict;
    return out;
}

bool output_settings_complete(caption_settings *s)
{
    limn_error err = { 0 };
    if (s->sidecar)
        complete_sidecar(s);
    else if (!complete_plain(s))
        return false;
    if (s->existing == LIMN_EXISTING_UNSET) s->existing = LIMN_EXISTING_SKIP;
    if (!complete_inputs(s)) return false;
    const limn_annotate_settings settings = output_settings_of(s);
    if (limn_annotate_check(&settings, &err) == LIMN_OK) return true;
    limn_message_error("%s", err.text);
    return false;
}
