#include "tools/annotate/sinks/splice.h"

#include <errno.h>

#include "common/base/mem.h"

limn_buffer *limn_splices_add(limn_splices *s, size_t at, size_t old_size)
{
    if (!limn_grow((void **)&s->items, &s->capacity, s->n_items + 1, sizeof *s->items)) return NULL;
    s->items[s->n_items] = (limn_splice){ .at = at, .old_size = old_size };
    return &s->items[s->n_items++].bytes;
}

limn_status limn_splices_check(const limn_splices *s, limn_error *err)
{
    for (size_t i = 0; i < s->n_items; i++)
        if (s->items[i].bytes.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return LIMN_OK;
}

limn_status limn_splices_apply(const limn_splices *s, const uint8_t *old, size_t size,
                               limn_status (*put)(void *ctx, const void *bytes, size_t size),
                               void *ctx)
{
    size_t done = 0;
    for (size_t i = 0; i < s->n_items; i++) {
        const limn_splice *one = &s->items[i];
        if (one->at < done || one->at > size || one->old_size > size - one->at) {
            errno = EINVAL; /* these are not the bytes that the splices are for */
            return LIMN_E_IO;
        }
        LIMN_TRY(put(ctx, old + done, one->at - done));
        LIMN_TRY(put(ctx, one->bytes.bytes, one->bytes.size));
        done = one->at + one->old_size;
    }
    return put(ctx, old + done, size - done);
}

static limn_status append(void *ctx, const void *bytes, size_t size)
{
    limn_buffer *out = ctx;
    if (size) limn_buffer_append(out, bytes, size);
    return out->has_failed ? LIMN_E_NOMEM : LIMN_OK;
}

limn_status limn_splices_append_file(limn_buffer *out, const limn_splices *s, const uint8_t *old,
                                     size_t size, limn_error *err)
{
    const limn_status status = limn_splices_apply(s, old, size, append, out);
    if (status == LIMN_OK) return LIMN_OK;
    return limn_fail(err, status,
                     status == LIMN_E_NOMEM ? "out of memory" : "these changes are another file's");
}

void limn_splices_finish(limn_splices *s)
{
    for (size_t i = 0; i < s->n_items; i++) limn_buffer_finish(&s->items[i].bytes);
    limn_free(s->items);
    *s = (limn_splices){ 0 };
}
