#include "tools/annotate/writers/writer.h"

/* Captions alone, a line each: what a sidecar file holds. */
static void render_caption(limn_buffer *out, const limn_record *record)
{
    for (size_t i = 0; record->captions && i < record->captions->n_items; i++)
        limn_buffer_printf(out, "%s\n", record->captions->items[i].text);
    if (limn_record_is_left_out(record)) limn_buffer_append_text(out, "\n");
}

const limn_writer limn_writer_caption = { .name = "text",
                                          .extension = ".txt",
                                          .render = render_caption };
