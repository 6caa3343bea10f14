#include "tools/annotate/writers/writer.h"

#include <string.h>

#include "common/text/path.h"

static const limn_writer *const writers[LIMN_N_FORMATS] = {
    [LIMN_FORMAT_TEXT] = &limn_writer_text,       [LIMN_FORMAT_JSONL] = &limn_writer_jsonl,
    [LIMN_FORMAT_CSV] = &limn_writer_csv,         [LIMN_FORMAT_TSV] = &limn_writer_tsv,
    [LIMN_FORMAT_COCO] = &limn_writer_coco,       [LIMN_FORMAT_METADATA] = &limn_writer_metadata,
    [LIMN_FORMAT_CAPTION] = &limn_writer_caption,
};
const char *const limn_format_names[] = { "text", "jsonl",    "csv",     "tsv",
                                          "coco", "metadata", "caption", NULL };

const limn_writer *limn_writer_of(limn_format format, bool has_confidence)
{
    if (has_confidence && format == LIMN_FORMAT_CSV) return &limn_writer_csv_confidence;
    if (has_confidence && format == LIMN_FORMAT_TSV) return &limn_writer_tsv_confidence;
    return writers[format];
}

bool limn_record_is_left_out(const limn_record *record)
{
    return record->captions && record->captions->n_items == 0;
}

const char *limn_record_text(const limn_record *record)
{
    return record->captions->n_items ? record->captions->items[0].text : "";
}

/* An extension matches the end of a name; one without a dot is a whole name, and takes
 * precedence. */
static bool is_called(const char *name, const char *extension)
{
    const size_t size = strlen(name), n = strlen(extension);
    return size >= n && !strcmp(name + size - n, extension) && (extension[0] == '.' || size == n);
}

bool limn_format_of_path(limn_format *out, const char *path)
{
    const char *name = limn_path_last(path);
    bool is_found = false;
    for (unsigned i = 0; i < LIMN_N_FORMATS; i++)
        if (writers[i]->extension && is_called(name, writers[i]->extension) &&
            (!is_found || writers[i]->extension[0] != '.')) {
            *out = (limn_format)i;
            is_found = true;
        }
    return is_found;
}
