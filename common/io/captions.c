/* Which format a caption file is in. */
#include "common/io/captions.h"

#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/io/captions_parse.h"
#include "common/io/fileio.h"

/* Whether the first line is an object, and the others may be too, or the object of one caption is
 * the whole file. */
static bool is_jsonl(limn_caption_text text)
{
    json_t *document = NULL;
    limn_caption_text line;
    limn_status status;
    size_t n_lines = 0;
    if (!limn_caption_next_line(&line, &text, &n_lines, &status, NULL)) return false;
    while (text.size > 0 && strchr(" \t\r\n", text.bytes[0]) && text.bytes[0]) {
        text.bytes++;
        text.size--;
    }
    const bool is_object = limn_json_parse(&document, line.bytes, line.size, NULL) == LIMN_OK &&
                           json_is_object(document) &&
                           (text.size > 0 || limn_caption_is_object(document));
    json_decref(document);
    return is_object;
}

static limn_status parse_lines(limn_caption_file *file, limn_caption_text text, limn_error *err)
{
    const char separator = limn_caption_table_separator(text);
    limn_caption_text line = { 0 }, rest = text;
    limn_status s = LIMN_OK;
    size_t n_lines = 0;
    if (separator) return limn_caption_parse_table(file, text, separator, err);
    while (limn_caption_next_line(&line, &rest, &n_lines, &s, NULL) && limn_caption_is_blank(line))
        ;
    if (limn_caption_how(file)->may_be_plain && s == LIMN_OK &&
        !memchr(line.bytes, '\t', line.size))
        return limn_caption_parse_plain(file, text, err);
    LIMN_TRY(limn_caption_check_header(text, err));
    return limn_caption_parse_tsv(file, text, err);
}

static limn_status parse(limn_caption_file *file, limn_caption_text text, limn_error *err)
{
    size_t blank = 0;
    while (blank < text.size && strchr(" \t\r\n", text.bytes[blank]) && text.bytes[blank]) blank++;
    const limn_caption_text rest = { text.bytes + blank, text.size - blank };
    if (rest.size == 0) return limn_fail(err, LIMN_E_FORMAT, "the file is empty");
    if (rest.bytes[0] == '{' && is_jsonl(rest)) return limn_caption_parse_jsonl(file, text, err);
    if (rest.bytes[0] == '{' || rest.bytes[0] == '[')
        return limn_caption_parse_json(file, text, err);
    return parse_lines(file, text, err);
}

static limn_status read_file(limn_caption_file *out, const char *path, limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    LIMN_TRY(limn_file_read(&bytes, &size, path, LIMN_CAPTION_FILE_MAX_SIZE, err));
    char *text = (char *)bytes;
    limn_status status = limn_caption_decode(&text, &size, err);
    if (status == LIMN_OK) status = parse(out, (limn_caption_text){ text ? text : "", size }, err);
    if (status == LIMN_OK) status = limn_caption_check_list(out, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_free(text);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

limn_status limn_caption_file_read(limn_caption_file *out, const char *path,
                                   const limn_caption_reading *how, limn_error *err)
{
    limn_status status;
    LIMN_TRY(limn_caption_begin(out, how, err));
    if (!is_folder(path))
        status = read_file(out, path, err);
    else if (how && how->split)
        status = limn_fail(err, LIMN_E_ARG, "%s: a folder has no splits", path);
    else
        status = limn_caption_read_folder(out, path, err);
    if (status != LIMN_OK) limn_caption_file_finish(out);
    return status;
}
