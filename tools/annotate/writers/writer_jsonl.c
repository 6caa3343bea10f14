#include <jansson.h>

#include "common/io/json_line.h"
#include "models/caption_json.h"
#include "tools/annotate/writers/writer.h"

/* One object a line, keys in this order; errors too. */
static void render_jsonl(limn_buffer *out, const limn_record *record)
{
    const limn_json_captions captions = { .captions = record->captions,
                                          .model = record->model,
                                          .best = record->best,
                                          .has_n_best = record->has_n_best,
                                          .has_confidence = record->has_confidence,
                                          .has_signals = record->has_signals,
                                          .has_ids = record->has_token_ids,
                                          .n_alternatives = record->n_alternatives };
    json_t *object = json_object();
    bool is_whole = true;
    limn_json_line_set_name(object, "file", record->path, &is_whole);
    if (record->error)
        limn_json_failure_set(object, record->error, &is_whole);
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
