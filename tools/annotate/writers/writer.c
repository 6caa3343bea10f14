#include "tools/annotate/writers/writer.h"

#include <string.h>

const limn_writer *const limn_writers[] = {
    &limn_writer_text,
    &limn_writer_jsonl,
    &limn_writer_csv,
    &limn_writer_tsv,
    &limn_writer_coco,
    &limn_writer_metadata,
    NULL,
};
const char *const limn_writer_names[] = { "text", "jsonl", "csv", "tsv", "coco", "metadata", NULL };

bool limn_record_is_left_out(const limn_record *record)
{
    return record->captions && record->captions->n_items == 0;
}

const char *limn_record_text(const limn_record *record)
{
    return record->captions->n_items ? record->captions->items[0].text : "";
}

/* Extensions are ends of names; one without a dot is the whole name, and goes before these. */
static bool is_called(const char *name, const char *extension)
{
    const size_t size = strlen(name), n = strlen(extension);
    return size >= n && !strcmp(name + size - n, extension) && (extension[0] == '.' || size == n);
}

const limn_writer *limn_writer_for(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const limn_writer *best = NULL;
    for (size_t i = 0; limn_writers[i]; i++)
        if (is_called(name, limn_writers[i]->extension) &&
            (!best || limn_writers[i]->extension[0] != '.'))
            best = limn_writers[i];
    return best;
}

unsigned limn_writer_number(const limn_writer *writer)
{
    unsigned i = 0;
    while (limn_writers[i] != writer) i++;
    return i;
}
