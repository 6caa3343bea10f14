#include "tools/annotate/writers/writer.h"

/* Captions alone, a line each: on a terminal, in a pipe, in a sidecar file. */
static void render_caption(limn_buffer *out, const limn_record *record)
{
    for (size_t i = 0; record->captions && i < record->captions->n_items; i++)
        limn_buffer_printf(out, "%s\n", record->captions->items[i].text);
    if (limn_record_is_left_out(record)) limn_buffer_append_text(out, "\n");
}

/* Captions alone can't be matched to images, so nothing can be resumed. */
static limn_status parse_caption(limn_buffer *name, size_t *record_size, const char *text,
                                 size_t size, limn_error *err)
{
    (void)name;
    (void)text;
    (void)size;
    *record_size = 0;
    return limn_fail(err, LIMN_E_FORMAT, "a caption alone doesn't say which image it is of");
}

const limn_writer limn_writer_caption = { .name = "caption",
                                          .render = render_caption,
                                          .parse = parse_caption };
