/* The list of captions that is read: records, and the strings that they point to. */
#include "common/io/captions_parse.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"

enum { CHUNK_SIZE = 1 << 16, MAX_SPLITS = 8 };

/* Strings live in chunks that never move. */
typedef struct string_chunk {
    struct string_chunk *next;
    size_t used, size;
    char bytes[];
} string_chunk;

struct limn_caption_strings {
    string_chunk *chunks; /* the newest first */
    size_t capacity;      /* of the records */
    limn_caption_reading how;
    const char *splits[MAX_SPLITS]; /* [n_splits] the first different ones that were seen */
    size_t n_splits;
};

limn_status limn_caption_begin(limn_caption_file *file, const limn_caption_reading *how,
                               limn_error *err)
{
    *file = (limn_caption_file){ 0 };
    file->strings = limn_calloc(1, sizeof *file->strings);
    if (!file->strings) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (how) file->strings->how = *how;
    return LIMN_OK;
}

const limn_caption_reading *limn_caption_how(const limn_caption_file *file)
{
    return &file->strings->how;
}

void limn_caption_file_finish(limn_caption_file *file)
{
    string_chunk *chunk = file->strings ? file->strings->chunks : NULL;
    while (chunk) {
        string_chunk *next = chunk->next;
        limn_free(chunk);
        chunk = next;
    }
    limn_free(file->strings);
    limn_free(file->records);
    *file = (limn_caption_file){ 0 };
}

static limn_status no_memory(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
}

static const char *keep_string(limn_caption_file *file, limn_caption_text text)
{
    string_chunk *chunk = file->strings->chunks;
    char *string;
    if (!chunk || chunk->size - chunk->used <= text.size) {
        const size_t size = text.size < CHUNK_SIZE ? CHUNK_SIZE : text.size + 1;
        chunk = limn_alloc(sizeof *chunk + size, 1);
        if (!chunk) return NULL;
        *chunk = (string_chunk){ .next = file->strings->chunks, .size = size };
        file->strings->chunks = chunk;
    }
    string = chunk->bytes + chunk->used;
    if (text.size > 0) memcpy(string, text.bytes, text.size);
    string[text.size] = '\0';
    chunk->used += text.size + 1;
    return string;
}

limn_caption_text limn_caption_text_of(const char *string)
{
    return (limn_caption_text){ string, string ? strlen(string) : 0 };
}

void limn_caption_begin_entry(limn_caption_file *file)
{
    file->n_entries++;
}

limn_status limn_caption_note_orphan(limn_caption_file *file, const char *path, limn_error *err)
{
    if (!file->without_image) file->without_image = keep_string(file, limn_caption_text_of(path));
    file->n_without_image++;
    return file->without_image ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

static bool equals(const char *string, limn_caption_text text)
{
    return string && strlen(string) == text.size && memcmp(string, text.bytes, text.size) == 0;
}

/* The captions of an image mostly stand together: they share one copy of its name. */
static bool keep_name(const char **out, limn_caption_file *file, const char *last,
                      limn_caption_text name)
{
    *out = !name.bytes ? NULL : equals(last, name) ? last : keep_string(file, name);
    return !name.bytes || *out;
}

/* ---- splits ------------------------------------------------------------------------------- */

bool limn_caption_is_of_split(const limn_caption_record *record, const char *splits)
{
    const size_t size = record->split ? strlen(record->split) : 0;
    while (splits && record->split) {
        const size_t n = strcspn(splits, ",");
        if (n == size && memcmp(splits, record->split, size) == 0) return true;
        splits = splits[n] ? splits + n + 1 : NULL;
    }
    return false;
}

/* *out: the one copy of a split's name. */
static limn_status note_split(const char **out, limn_caption_file *file, limn_caption_text split,
                              limn_error *err)
{
    struct limn_caption_strings *s = file->strings;
    *out = NULL;
    if (!split.bytes) return LIMN_OK;
    for (size_t i = 0; i < s->n_splits; i++)
        if (equals(s->splits[i], split)) *out = s->splits[i];
    if (*out) return LIMN_OK;
    *out = keep_string(file, split);
    if (*out && s->n_splits < MAX_SPLITS) s->splits[s->n_splits++] = *out;
    return *out ? LIMN_OK : no_memory(err);
}

limn_status limn_caption_check_list(const limn_caption_file *file, limn_error *err)
{
    const struct limn_caption_strings *s = file->strings;
    limn_buffer names = { 0 };
    if (file->n_records > 0) return LIMN_OK;
    if (!s->how.split) return limn_fail(err, LIMN_E_FORMAT, "no caption in it");
    if (s->n_splits == 0) return limn_fail(err, LIMN_E_ARG, "the file has no field \"split\"");
    for (size_t i = 0; i < s->n_splits; i++)
        limn_buffer_printf(&names, "%s%s", i > 0 ? ", " : "", s->splits[i]);
    limn_fail(err, LIMN_E_ARG, "no image has the split \"%s\"; the file has %s", s->how.split,
              names.bytes && !names.has_failed ? names.bytes : "another");
    limn_buffer_finish(&names);
    return LIMN_E_ARG;
}

void limn_caption_choose_names(limn_caption_item *item, limn_caption_text own,
                               limn_caption_text url)
{
    const limn_caption_text none = { 0 };
    if (item->id.bytes && !item->alias.bytes) {
        item->alias = own;
        item->alias_kind = LIMN_NAME_OWN_ID;
    } else if (!item->id.bytes) {
        const bool has_id = item->alias.bytes;
        item->id = has_id ? item->alias : own.bytes ? own : url;
        item->id_kind = has_id ? item->alias_kind : LIMN_NAME_PLAIN;
        item->alias = none;
    }
}

/* ---- records ------------------------------------------------------------------------------ */

static limn_status check_sizes(limn_caption_text id, limn_caption_text caption, limn_error *err)
{
    if (id.size == 0) return limn_fail(err, LIMN_E_FORMAT, "the image's name is empty");
    if (id.size > LIMN_CAPTION_MAX_SIZE || caption.size > LIMN_CAPTION_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "%s of %zu bytes exceeds the limit of %d",
                         id.size > LIMN_CAPTION_MAX_SIZE ? "a name" : "a caption",
                         id.size > LIMN_CAPTION_MAX_SIZE ? id.size : caption.size,
                         LIMN_CAPTION_MAX_SIZE);
    return LIMN_OK;
}

static limn_status append(limn_caption_file *file, limn_caption_record record,
                          const limn_caption_item *item, limn_caption_text caption, limn_error *err)
{
    const limn_caption_record *last;
    if (!limn_grow((void **)&file->records, &file->strings->capacity, file->n_records + 1,
                   sizeof *file->records))
        return no_memory(err);
    last = file->n_records > 0 ? &file->records[file->n_records - 1] : NULL;
    if (!keep_name(&record.id, file, last ? last->id : NULL, item->id) ||
        !keep_name(&record.alias, file, last ? last->alias : NULL, item->alias))
        return no_memory(err);
    record.caption = caption.bytes ? keep_string(file, caption) : NULL;
    if (caption.bytes && !record.caption) return no_memory(err);
    file->records[file->n_records++] = record;
    return LIMN_OK;
}

limn_status limn_caption_add(limn_caption_file *file, const limn_caption_item *item,
                             limn_caption_text caption, limn_error *err)
{
    const limn_caption_reading *how = &file->strings->how;
    limn_caption_record record = { .number = -1,
                                   .confidence = NAN,
                                   .entry = file->n_entries - 1,
                                   .id_kind = item->id_kind,
                                   .alias_kind = item->alias_kind,
                                   .is_rejected = item->is_rejected && !how->keep_rejected };
    LIMN_TRY(check_sizes(item->id, caption, err));
    LIMN_TRY(note_split(&record.split, file, item->split, err));
    if (how->split && !limn_caption_is_of_split(&record, how->split)) return LIMN_OK;
    file->n_rejected += record.is_rejected;
    return append(file, record, item, record.is_rejected ? (limn_caption_text){ 0 } : caption, err);
}

limn_status limn_caption_set_sureness(limn_caption_file *file, size_t record, double confidence,
                                      limn_caption_text signals, limn_error *err)
{
    limn_caption_record *r = &file->records[record];
    r->confidence = confidence;
    r->signals = signals.bytes ? keep_string(file, signals) : NULL;
    return signals.bytes && !r->signals ? no_memory(err) : LIMN_OK;
}
