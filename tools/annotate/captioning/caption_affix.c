#include "tools/annotate/captioning/caption_affix.h"

#include <string.h>

#include "common/base/mem.h"

/* All texts, each with a NUL after it. */
static bool make_texts(caption_affix *a, const limn_captions *from, const char *prefix,
                       const char *suffix)
{
    limn_buffer_clear(&a->texts);
    for (size_t i = 0; i < from->n_items; i++) {
        limn_buffer_append_text(&a->texts, prefix);
        limn_buffer_append_text(&a->texts, from->items[i].text);
        limn_buffer_append_text(&a->texts, suffix);
        limn_buffer_append(&a->texts, "", 1);
    }
    return !a->texts.has_failed;
}

limn_status caption_affix_apply(caption_affix *a, const limn_captions **captions,
                                const char *prefix, const char *suffix, limn_error *err)
{
    const limn_captions *from = *captions;
    const char *text;
    if (!prefix && !suffix) return LIMN_OK;
    if (!limn_grow((void **)&a->items, &a->capacity, from->n_items, sizeof *a->items) ||
        !make_texts(a, from, prefix ? prefix : "", suffix ? suffix : ""))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    text = a->texts.bytes;
    for (size_t i = 0; i < from->n_items; i++) {
        a->items[i] = from->items[i];
        a->items[i].text = text;
        text += strlen(text) + 1;
    }
    a->captions = *from;
    a->captions.items = a->items;
    *captions = &a->captions;
    return LIMN_OK;
}

void caption_affix_finish(caption_affix *a)
{
    limn_free(a->items);
    limn_buffer_finish(&a->texts);
}
