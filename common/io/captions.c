#include "common/io/captions.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/caption_parse.h"
#include "common/io/fileio.h"

/* ---- the list ----------------------------------------------------------------------------- */

enum { CHUNK_SIZE = 1 << 16 };

/* Strings live in chunks that never move. */
typedef struct string_chunk {
    struct string_chunk *next;
    size_t used, size;
    char bytes[];
} string_chunk;

struct limn_caption_strings {
    string_chunk *chunks; /* the newest first */
    size_t capacity;      /* of the records */
};

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

void limn_caption_begin_entry(limn_caption_file *file)
{
    file->n_entries++;
}

limn_status limn_caption_note_orphan(limn_caption_file *file, const char *path, limn_error *err)
{
    if (!file->without_picture)
        file->without_picture = keep_string(file, (limn_caption_text){ path, strlen(path) });
    file->n_without_picture++;
    return file->without_picture ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

static bool equals(const char *string, limn_caption_text text)
{
    return string && strlen(string) == text.size && memcmp(string, text.bytes, text.size) == 0;
}

/* The captions of a picture mostly stand together: they share one copy of its name. */
static bool keep_name(const char **out, limn_caption_file *file, const char *last,
                      limn_caption_text name)
{
    *out = !name.bytes ? NULL : equals(last, name) ? last : keep_string(file, name);
    return !name.bytes || *out;
}

limn_status limn_caption_add(limn_caption_file *file, limn_caption_text id, limn_caption_text alias,
                             limn_caption_text caption, limn_error *err)
{
    const limn_caption_record *last = NULL;
    limn_caption_record record = { .number = -1, .confidence = NAN, .entry = file->n_entries - 1 };
    if (id.size == 0) return limn_fail(err, LIMN_E_FORMAT, "the picture's name is empty");
    if (id.size > LIMN_CAPTION_MAX_SIZE || caption.size > LIMN_CAPTION_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "%s of %zu bytes exceeds the limit of %d",
                         id.size > LIMN_CAPTION_MAX_SIZE ? "a name" : "a caption",
                         id.size > LIMN_CAPTION_MAX_SIZE ? id.size : caption.size,
                         LIMN_CAPTION_MAX_SIZE);
    if (!limn_grow((void **)&file->records, &file->strings->capacity, file->n_records + 1,
                   sizeof *file->records))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu captions", file->n_records + 1);
    if (file->n_records > 0) last = &file->records[file->n_records - 1];
    if (!keep_name(&record.id, file, last ? last->id : NULL, id) ||
        !keep_name(&record.alias, file, last ? last->alias : NULL, alias))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
    record.caption = caption.bytes ? keep_string(file, caption) : NULL;
    if (caption.bytes && !record.caption)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
    file->records[file->n_records++] = record;
    return LIMN_OK;
}

limn_status limn_caption_set_sureness(limn_caption_file *file, size_t record, double confidence,
                                      limn_caption_text signals, limn_error *err)
{
    limn_caption_record *r = &file->records[record];
    r->confidence = confidence;
    r->signals = signals.bytes ? keep_string(file, signals) : NULL;
    if (signals.bytes && !r->signals)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
    return LIMN_OK;
}

/* ---- reading ------------------------------------------------------------------------------ */

static limn_status inflate_all(limn_buffer *out, const unsigned char *bytes, size_t size,
                               limn_error *err)
{
    enum { STEP = 1 << 16, GZIP = 16 };
    unsigned char *chunk = limn_alloc(STEP, 1);
    z_stream z = { 0 };
    limn_status status = LIMN_OK;
    int code = Z_OK;
    if (!chunk || inflateInit2(&z, MAX_WBITS + GZIP) != Z_OK) {
        limn_free(chunk);
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    while (status == LIMN_OK && !(code == Z_STREAM_END && size == 0 && z.avail_in == 0)) {
        const size_t step = size < STEP ? size : STEP;
        if (z.avail_in == 0 && step > 0) {
            z.next_in = (unsigned char *)bytes;
            z.avail_in = (uInt)step;
            bytes += step;
            size -= step;
        }
        if (code == Z_STREAM_END) /* gzip files may follow each other */
            inflateReset(&z);
        z.next_out = chunk;
        z.avail_out = STEP;
        code = inflate(&z, Z_NO_FLUSH);
        limn_buffer_append(out, chunk, STEP - z.avail_out);
        if (code == Z_BUF_ERROR)
            status = limn_fail(err, LIMN_E_TRUNCATED, "the gzip data ends too early");
        else if (code != Z_OK && code != Z_STREAM_END)
            status = limn_fail(err, LIMN_E_FORMAT, "bad gzip data: %s", z.msg ? z.msg : "no text");
        else if (out->has_failed)
            status = limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu bytes", out->size);
        else if (out->size > LIMN_CAPTION_FILE_MAX_SIZE)
            status = limn_fail(err, LIMN_E_LIMIT, "more than %zu bytes after gunzip",
                               LIMN_CAPTION_FILE_MAX_SIZE);
    }
    inflateEnd(&z);
    limn_free(chunk);
    return status;
}

static bool is_json_object_line(limn_caption_text line)
{
    json_t *document = NULL;
    const bool is_object = limn_json_parse(&document, line.bytes, line.size, NULL) == LIMN_OK &&
                           json_is_object(document) && !json_object_get(document, "annotations") &&
                           !json_object_get(document, "images");
    json_decref(document);
    return is_object;
}

limn_caption_text limn_caption_without_mark(const char *bytes, size_t size)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    const size_t skip = size >= 3 && memcmp(bytes, byte_order_mark, 3) == 0 ? 3 : 0;
    return (limn_caption_text){ bytes + skip, size - skip };
}

/* What a file is read as. */
typedef struct reading {
    const char *split; /* or NULL */
    bool may_be_plain; /* lines without tabs are captions without pictures */
} reading;

static limn_status parse_lines(limn_caption_file *file, limn_caption_text text, const reading *r,
                               limn_error *err)
{
    limn_caption_text line, rest = text;
    limn_status s = LIMN_OK;
    size_t n_lines = 0;
    if (limn_caption_is_table(text)) return limn_caption_parse_table(file, text, err);
    while (limn_caption_next_line(&line, &rest, &n_lines, &s, NULL) && limn_caption_is_blank(line))
        ;
    if (r->may_be_plain && s == LIMN_OK && !memchr(line.bytes, '\t', line.size))
        return limn_caption_parse_plain(file, text, err);
    return limn_caption_parse_tsv(file, text, err);
}

static limn_status parse(limn_caption_file *file, limn_caption_text text, const reading *r,
                         limn_error *err)
{
    limn_caption_text first, rest;
    size_t blank = 0, n_lines = 0;
    limn_status status = LIMN_OK;
    text = limn_caption_without_mark(text.bytes, text.size);
    while (blank < text.size && strchr(" \t\r\n", text.bytes[blank]) && text.bytes[blank]) blank++;
    rest = (limn_caption_text){ text.bytes + blank, text.size - blank };
    if (rest.size == 0) return limn_fail(err, LIMN_E_FORMAT, "the file is empty");
    const bool is_json = rest.bytes[0] == '{' || rest.bytes[0] == '[';
    const char first_byte = rest.bytes[0];
    const bool is_object_line = first_byte == '{' &&
                                limn_caption_next_line(&first, &rest, &n_lines, &status, NULL) &&
                                is_json_object_line(first);
    if (is_json && !is_object_line) return limn_caption_parse_json(file, text, r->split, err);
    if (r->split)
        return limn_fail(err, LIMN_E_ARG, "the file has no splits: only Karpathy's format has");
    if (is_object_line) return limn_caption_parse_jsonl(file, text, err);
    return parse_lines(file, text, r, err);
}

static limn_status read_file(limn_caption_file *out, const char *path, const reading *r,
                             limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    limn_buffer inflated = { 0 };
    limn_status status = limn_file_read(&bytes, &size, path, LIMN_CAPTION_FILE_MAX_SIZE, err);
    if (status != LIMN_OK) return status;
    if (size >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B) {
        status = inflate_all(&inflated, bytes, size, err);
        limn_free(bytes);
        bytes = NULL;
    }
    if (status == LIMN_OK) {
        const char *text = bytes ? (const char *)bytes : inflated.bytes ? inflated.bytes : "";
        status = parse(out, (limn_caption_text){ text, bytes ? size : inflated.size }, r, err);
    }
    if (status == LIMN_OK && out->n_records == 0)
        status = limn_fail(err, LIMN_E_FORMAT, "no caption in it");
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_free(bytes);
    limn_buffer_finish(&inflated);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static limn_status read_any(limn_caption_file *out, const char *path, const reading *r,
                            limn_error *err)
{
    limn_status status = LIMN_OK;
    *out = (limn_caption_file){ 0 };
    out->strings = limn_calloc(1, sizeof *out->strings);
    if (!out->strings) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (!is_folder(path))
        status = read_file(out, path, r, err);
    else if (r->split)
        status = limn_fail(err, LIMN_E_ARG,
                           "%s: a folder has no splits: only Karpathy's format has", path);
    else
        status = limn_caption_read_folder(out, path, err);
    if (status != LIMN_OK) limn_caption_file_finish(out);
    return status;
}

limn_status limn_caption_file_read(limn_caption_file *out, const char *path, const char *split,
                                   limn_error *err)
{
    return read_any(out, path, &(reading){ .split = split }, err);
}

limn_status limn_caption_text_file_read(limn_caption_file *out, const char *path, limn_error *err)
{
    return read_any(out, path, &(reading){ .may_be_plain = true }, err);
}
