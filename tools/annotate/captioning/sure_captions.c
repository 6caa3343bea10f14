#include "tools/annotate/captioning/sure_captions.h"

#include "common/base/mem.h"
#include "common/base/status.h"

static bool is_sure(const limn_caption *c, float min)
{
    return (float)c->confidence >= min;
}

limn_status sure_captions_choose(sure_captions *s, const limn_captions **captions, float min,
                                 limn_error *err)
{
    const limn_captions *from = *captions;
    size_t n = 0;
    if (!limn_grow((void **)&s->items, &s->capacity, from->n_items, sizeof *s->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < from->n_items; i++)
        if (is_sure(&from->items[i], min)) s->items[n++] = from->items[i];
    if (n == from->n_items) return LIMN_OK;
    s->captions = *from;
    s->captions.items = s->items;
    s->captions.n_items = n;
    *captions = &s->captions;
    return LIMN_OK;
}

void sure_captions_finish(sure_captions *s)
{
    limn_free(s->items);
}
