#include "tools/annotate/xmp/xmp_record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

static void append_field(limn_buffer *out, const char *text)
{
    limn_buffer_append(out, text, strlen(text) + 1);
}

static void render_xmp(limn_buffer *out, const limn_record *record)
{
    const limn_captions *c = record->captions;
    char confidence[32] = "";
    if (!c || !c->n_items) return;
    append_field(out, c->items[0].text);
    if (!isnan(c->items[0].confidence))
        snprintf(confidence, sizeof confidence, "%.3f", c->items[0].confidence);
    append_field(out, confidence);
    for (size_t i = 0; i < c->n_tags; i++) append_field(out, c->tags[i].name);
}

static limn_status parse_xmp(limn_buffer *name, size_t *record_size, const char *text, size_t size,
                             limn_error *err)
{
    (void)name;
    (void)text;
    (void)size;
    *record_size = 0;
    return limn_fail(err, LIMN_E_FORMAT, "XMP fields don't name their image");
}

const limn_writer limn_writer_xmp = { .name = "xmp", .render = render_xmp, .parse = parse_xmp };

limn_status limn_xmp_record_read(limn_xmp_record *out, const char *record, size_t size,
                                 limn_error *err)
{
    const char *end = record + size;
    size_t capacity = 0;
    *out = (limn_xmp_record){ .caption = record };
    record += strlen(record) + 1;
    if (*record) out->confidence = record;
    for (record += strlen(record) + 1; record < end; record += strlen(record) + 1) {
        if (!limn_grow((void **)&out->tags, &capacity, out->n_tags + 1, sizeof *out->tags)) {
            limn_xmp_record_finish(out);
            return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        }
        out->tags[out->n_tags++] = record;
    }
    return LIMN_OK;
}

void limn_xmp_record_finish(limn_xmp_record *r)
{
    limn_free(r->tags);
    *r = (limn_xmp_record){ 0 };
}
