#include "common/text/code_points.h"

#include "common/base/mem.h"
#include "common/text/utf8.h"

void limn_code_points_finish(limn_code_points *c)
{
    limn_free(c->items);
    *c = (limn_code_points){ 0 };
}

void limn_code_points_clear(limn_code_points *c)
{
    c->n_items = 0;
    c->has_failed = false;
}

void limn_code_points_put(limn_code_points *out, uint32_t code_point)
{
    if (out->has_failed ||
        !limn_grow((void **)&out->items, &out->capacity, out->n_items + 1, sizeof *out->items)) {
        out->has_failed = true;
        return;
    }
    out->items[out->n_items++] = code_point;
}

void limn_code_points_put_ascii(limn_code_points *out, const char *text)
{
    for (; *text; text++) limn_code_points_put(out, (unsigned char)*text);
}

limn_status limn_code_points_put_utf8(limn_code_points *out, const char *text, size_t size,
                                      limn_error *err)
{
    for (size_t i = 0, used; i < size; i += used) {
        uint32_t code_point;
        used = limn_utf8_decode(&code_point, text + i, size - i);
        if (!used) return limn_fail(err, LIMN_E_FORMAT, "caption: byte %zu is not valid UTF-8", i);
        limn_code_points_put(out, code_point);
    }
    return LIMN_OK;
}
