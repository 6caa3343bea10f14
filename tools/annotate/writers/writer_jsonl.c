#include <jansson.h>

#include "common/io/json_line.h"
#include "common/text/file_name.h"
#include "models/caption_json.h"
#include "tools/annotate/writers/writer.h"

static json_t *error_of(const limn_error *error, bool *is_whole)
{
    json_t *object = json_object();
    limn_buffer detail = { 0 };
    limn_file_name_append_utf8(&detail, error->text); /* it may quote bytes of a file */
    limn_json_line_set(object, "kind", json_string(limn_status_name(error->code)), is_whole);
    limn_json_line_set(object, "detail",
                       json_stringn(detail.bytes ? detail.bytes : "", detail.size), is_whole);
    limn_buffer_finish(&detail);
    return object;
}

/* One object a line, keys in this order; errors too. */
static void render_jsonl(limn_buffer *out, const limn_record *record)
{
    const limn_json_captions captions = { .captions = record->captions,
                                          .model = record->model,
                                          .best = record->best,
                                          .has_n_best = record->has_n_best,
                                          .has_confidence = record->has_confidence,
                                          .has_signals = record->has_signals,
                                          .n_alternatives = record->n_alternatives };
    json_t *object = json_object();
    bool is_whole = true;
    limn_json_line_set_name(object, "file", record->path, &is_whole);
    if (record->error)
        limn_json_line_set(object, "error", error_of(record->error, &is_whole), &is_whole);
    else
        limn_json_captions_set(object, &captions, &is_whole);
    limn_json_line_append(out, object, is_whole);
    limn_buffer_append(out, "\n", 1);
}

static limn_status parse_jsonl(limn_buffer *name, size_t *record_size, const char *text,
                               size_t size, limn_error *err)
{
    return limn_json_line_parse_record(name, record_size, text, size, "file", err);
}

const limn_writer limn_writer_jsonl = {
    .name = "jsonl",
    .extension = ".jsonl",
    .render = render_jsonl,
    .parse = parse_jsonl,
};
