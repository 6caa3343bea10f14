/* metadata.jsonl as Hugging Face's imagefolder reads it: {"file_name", "text"}, an object a line,
 * file_name relative to the folder that the file is in. */
#include "common/io/json_line.h"
#include "models/caption_json.h"
#include "tools/annotate/writers/writer.h"

static void render_metadata(limn_buffer *out, const limn_record *record)
{
    json_t *object;
    bool is_whole = true;
    if (!record->captions) return;
    object = json_object();
    limn_json_line_set_name(object, "file_name", record->path, &is_whole);
    limn_json_line_set(object, "text", json_string(limn_record_text(record)), &is_whole);
    if (record->has_n_best)
        limn_json_line_set(object, "texts", limn_json_captions_texts(record->captions, &is_whole),
                           &is_whole);
    limn_json_line_append(out, object, is_whole);
    limn_buffer_append_text(out, "\n");
}

static limn_status parse_metadata(limn_buffer *name, size_t *record_size, const char *text,
                                  size_t size, limn_error *err)
{
    return limn_json_line_parse_record(name, record_size, text, size, "file_name", err);
}

const limn_writer limn_writer_metadata = {
    .name = "metadata",
    .extension = "metadata.jsonl",
    .is_below_output = true,
    .render = render_metadata,
    .parse = parse_metadata,
};
