#include <string.h>

#include "common/text/file_name.h"
#include "tools/annotate/writers/writer.h"

/* PATH<TAB>CAPTION, a line for each caption, best first; nothing for an image that failed. */
static void render_text(limn_buffer *out, const limn_record *record)
{
    for (size_t i = 0; record->captions && i < record->captions->n_items; i++) {
        limn_file_name_append_line(out, record->path);
        limn_buffer_printf(out, "\t%s\n", record->captions->items[i].text);
    }
    if (limn_record_is_left_out(record)) {
        limn_file_name_append_line(out, record->path);
        limn_buffer_append_text(out, "\t\n");
    }
}

limn_status limn_writer_parse_text(limn_buffer *name, size_t *record_size, const char *text,
                                   size_t size, limn_error *err)
{
    const char *stop = memchr(text, '\n', size);
    const size_t line = stop ? (size_t)(stop - text) : size;
    const char *tab = memchr(text, '\t', line);
    *record_size = stop ? line + 1 : 0;
    if (!stop) return LIMN_OK;
    if (!tab || tab == text || !limn_file_name_append_unescaped(name, text, (size_t)(tab - text)))
        return limn_fail(err, LIMN_E_FORMAT, "not a line PATH<TAB>CAPTION");
    return LIMN_OK;
}

const limn_writer limn_writer_text = {
    .name = "text",
    .extension = ".txt",
    .render = render_text,
    .parse = limn_writer_parse_text,
};
