#include "tools/limn/output_settings.h"

#include <stdio.h>
#include <string.h>

#include "tools/message.h"
#include "tools/annotate/input/picture_file.h"
#include "tools/annotate/sinks/sidecar_file.h"
#include "tools/annotate/sinks/sink_shards.h"
#include "common/text/file_name.h"

/* Captions are lines of UTF-8. */
static bool check_affix(const char *name, const char *text)
{
    for (const char *p = text; p && *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            limn_message_error("--%s: holds a control character", name);
            return false;
        }
    if (text && !limn_file_name_is_utf8(text)) {
        limn_message_error("--%s: is not UTF-8", name);
        return false;
    }
    return true;
}

/* ---- sidecars --------------------------------------------------------------------------- */

static bool check_extension(const char *extension)
{
    char name[64];
    if (!*extension || strchr(extension, '/') || strlen(extension) > 32) {
        limn_message_error("--sidecar: '%s' is no extension of a file name", extension);
        return false;
    }
    snprintf(name, sizeof name, "x.%s", extension);
    if (limn_picture_file_has_extension(name)) {
        limn_message_error("--sidecar: '%s' is an extension of pictures", extension);
        return false;
    }
    return true;
}

/* A sidecar holds captions alone, or an object. */
static bool complete_sidecar(caption_settings *s)
{
    const bool is_json =
        s->format != LIMN_FORMAT_BY_NAME && limn_writers[s->format] == &limn_writer_jsonl;
    s->sidecar_extension = s->sidecar + (s->sidecar[0] == '.');
    if (!*s->sidecar) s->sidecar_extension = is_json ? "json" : "txt";
    if (s->output)
        limn_message_error("--sidecar and --output exclude each other");
    else if (s->tar.n_items)
        limn_message_error("--sidecar and --tar exclude each other");
    else if (s->format != LIMN_FORMAT_BY_NAME && !is_json &&
             limn_writers[s->format] != &limn_writer_text)
        limn_message_error("--sidecar: only --format text and jsonl make files of one picture");
    else {
        s->writer = is_json ? &limn_writer_jsonl : &limn_writer_caption;
        s->format = limn_writer_number(is_json ? &limn_writer_jsonl : &limn_writer_text);
        s->existing = s->existing == LIMN_EXISTING_UNSET ? LIMN_EXISTING_SKIP : s->existing;
        return check_extension(s->sidecar_extension);
    }
    return false;
}

/* ---- archives --------------------------------------------------------------------------- */

/* Files for archives, in a folder. */
static bool check_shards(const caption_settings *s, bool has_folder)
{
    const char *odd = NULL;
    for (size_t i = 0; i < s->tar.n_items; i++)
        if (!*s->tar.items[i] || strchr(s->tar.items[i], '/')) odd = s->tar.items[i];
    if (odd)
        limn_message_error("--tar: '%s' is no ending of a name", odd);
    else if (s->tar.n_items && !has_folder)
        limn_message_error("--tar: needs -o FOLDER/ for the tars");
    else if (s->tar.n_items && s->writer != &limn_writer_jsonl)
        limn_message_error("--tar: takes no --format");
    else if (s->shard && has_folder)
        limn_message_error("--shard: would split archives; with -o FOLDER/, give each machine "
                           "archives of its own");
    else
        return true;
    return false;
}

static bool complete_plain(caption_settings *s)
{
    const bool has_folder = limn_sink_shards_is_for(s->output);
    const char *lonely = s->out_dir                           ? "out-dir"
                         : s->is_sidecar_full                 ? "sidecar-full"
                         : s->existing != LIMN_EXISTING_UNSET ? "existing"
                                                              : NULL;
    if (lonely) {
        limn_message_error("--%s: is for --sidecar", lonely);
        return false;
    }
    s->existing = LIMN_EXISTING_SKIP;
    s->writer = s->format != LIMN_FORMAT_BY_NAME ? limn_writers[s->format]
                : has_folder                     ? &limn_writer_jsonl
                : s->output                      ? limn_writer_for(s->output)
                                                 : NULL;
    s->writer = s->writer ? s->writer : &limn_writer_text;
    s->format = limn_writer_number(s->writer);
    return check_shards(s, has_folder);
}

/* ---- all -------------------------------------------------------------------------------- */

static bool complete_filter(caption_settings *s)
{
    s->filter = (limn_input_filter){ .includes = s->includes.items,
                                     .n_includes = s->includes.n_items,
                                     .excludes = s->excludes.items,
                                     .n_excludes = s->excludes.n_items };
    if (!s->shard || limn_input_filter_parse_shard(&s->filter, s->shard)) return true;
    limn_message_error("--shard: '%s' is not I/N with I from 0 to N - 1", s->shard);
    return false;
}

bool output_settings_complete(caption_settings *s)
{
    return (s->sidecar ? complete_sidecar(s) : complete_plain(s)) && complete_filter(s) &&
           check_affix("prefix", s->prefix) && check_affix("suffix", s->suffix);
}
