/* COCO's result format: an array of {"image_id", "caption"}, an object a line. */
#include <stdlib.h>
#include <string.h>

#include "common/io/json_line.h"
#include "common/text/path.h"
#include "models/caption_json.h"
#include "tools/annotate/writers/writer.h"

/* The number at the end of names as COCO gives them: 42.jpg, COCO_val2014_000000000042.jpg. -1 for
 * other names. */
static json_int_t number_of(const char *path)
{
    enum { MAX_DIGITS = 15, N_COCO_DIGITS = 12 };
    const char *name = limn_path_last(path);
    const char *dot = strrchr(name, '.'), *end = dot ? dot : name + strlen(name), *digits = end;
    while (digits > name && digits[-1] >= '0' && digits[-1] <= '9') digits--;
    if (digits == end || end - digits > MAX_DIGITS) return -1;
    if (digits > name && (digits[-1] != '_' || end - digits != N_COCO_DIGITS)) return -1;
    return (json_int_t)strtoll(digits, NULL, 10);
}

static void render_coco(limn_buffer *out, const limn_record *record)
{
    const json_int_t number = number_of(record->path);
    bool is_whole = true;
    json_t *object;
    if (!record->captions) return;
    object = json_object();
    if (number >= 0)
        limn_json_line_set(object, "image_id", json_integer(number), &is_whole);
    else
        limn_json_line_set_name(object, "image_id", record->path, &is_whole);
    limn_json_line_set(object, "caption", json_string(limn_record_text(record)), &is_whole);
    if (record->has_n_best)
        limn_json_line_set(object, "captions",
                           limn_json_captions_texts(record->captions, &is_whole), &is_whole);
    if (number >= 0) limn_json_line_set_name(object, "path", record->path, &is_whole);
    limn_json_line_append(out, object, is_whole);
}

static limn_status parse_coco(limn_buffer *name, size_t *record_size, const char *text, size_t size,
                              limn_error *err)
{
    json_t *object = NULL;
    limn_status s = limn_json_line_parse(&object, record_size, text, size, err);
    if (object)
        s = limn_json_line_get_name(name, object,
                                    json_object_get(object, "path") ? "path" : "image_id", err);
    json_decref(object);
    return s;
}

const limn_writer limn_writer_coco = {
    .name = "coco",
    .extension = ".json",
    .head = "[\n",
    .separator = ",\n",
    .foot = "\n]\n",
    .render = render_coco,
    .parse = parse_coco,
};
