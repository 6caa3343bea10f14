#include "tools/writers/file_name.h"
#include "tools/writers/writer.h"

/* PATH<TAB>CAPTION, a line for each caption, best first; nothing for a picture that failed. */
static void render_text(limn_buffer *out, const limn_record *record)
{
    for (size_t i = 0; record->captions && i < record->captions->n_items; i++) {
        limn_file_name_append_line(out, record->path);
        limn_buffer_printf(out, "\t%s\n", record->captions->items[i].text);
    }
}

const limn_writer limn_writer_text = { .name = "text", .render = render_text };
