#include "tools/limn/ban_files.h"

#include <string.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/plural.h"
#include "tools/message.h"

#define MAX_BAN_FILE_SIZE ((size_t)64 << 20) /* bytes */

/* Adds a file's text after those before it, a line end at its end. */
static limn_status add_file(limn_buffer *texts, const char *path, limn_error *err)
{
    unsigned char *text = NULL;
    size_t size;
    LIMN_TRY(limn_file_read(&text, &size, path, MAX_BAN_FILE_SIZE, err));
    const bool has_nul = memchr(text, '\0', size) != NULL;
    if (!has_nul) {
        limn_buffer_append(texts, text, size);
        limn_buffer_append(texts, "\n", 1);
    }
    limn_free(text);
    if (has_nul)
        return limn_fail(err, LIMN_E_FORMAT, "%s: has a NUL byte, so it is not a list of words",
                         path);
    return texts->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

static limn_status ban_lines(limn_options *o, char *texts, const limn_model *model, limn_error *err)
{
    size_t n_lines = 0, n_unknown = 0;
    char *rest = NULL;
    for (char *line = strtok_r(texts, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        if (!line[strspn(line, " \t")]) continue;
        n_lines++;
        if (limn_model_knows(model, line))
            LIMN_TRY(limn_options_set(o, "ban", line, err));
        else
            n_unknown++;
    }
    limn_message_note("banned: %zu of %zu %s; the others contain words that the model doesn't know",
                      n_lines - n_unknown, n_lines, limn_plural(n_lines, "line", "lines"));
    return LIMN_OK;
}

limn_status ban_files_read(limn_options *options, const limn_option_list *files,
                           const limn_model *model, limn_error *err)
{
    limn_buffer texts = { 0 };
    limn_status s = LIMN_OK;
    for (size_t i = 0; i < files->n_items && s == LIMN_OK; i++)
        s = add_file(&texts, files->items[i], err);
    if (s == LIMN_OK && files->n_items) s = ban_lines(options, texts.bytes, model, err);
    limn_buffer_finish(&texts);
    return s;
}
