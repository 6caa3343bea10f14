#include "tools/annotate/sinks/photo_siblings.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/image/format.h"
#include "common/text/plural.h"
#include "tools/annotate/hooks.h"

enum {
    BEST,
    SECOND,
    RAW,
    NONE,      /* is never one of several files of a photo */
    BROKEN = 4 /* more: can't be decoded */
};

static unsigned rank_of(const char *path)
{
    static const struct {
        const char *end; /* of a format's name */
        unsigned rank;
    } ranks[] = { { "JPEG", BEST },    { "HEIC", SECOND },    { "HEIF", SECOND },
                  { "AVIF", SECOND },  { "JPEG XL", SECOND }, { "TIFF", SECOND },
                  { " RAW file", RAW } };
    const limn_image_format *format = limn_image_format_of_name(path);
    const size_t size = format ? strlen(format->name) : 0;
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        const size_t n = strlen(ranks[i].end);
        if (size >= n && !strcmp(format->name + size - n, ranks[i].end)) return ranks[i].rank;
    }
    return NONE;
}

limn_status limn_siblings_add(limn_siblings *s, limn_output_owner owner, const char *path,
                              bool can_be_decoded, limn_error *err)
{
    if (!limn_grow((void **)&s->items, &s->capacity, s->n_items + 1, sizeof *s->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    s->items[s->n_items++] = (limn_sibling){ owner, rank_of(path) + (can_be_decoded ? 0 : BROKEN) };
    return LIMN_OK;
}

/* By sidecar, then rank. */
static int compare(const void *a, const void *b)
{
    const limn_sibling *x = a, *y = b;
    const int order = limn_output_key_compare(x->owner.output, y->owner.output);
    if (order) return order;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return x->owner.image < y->owner.image ? -1 : x->owner.image > y->owner.image;
}

/* The number of images from item `i` on that share its sidecar. */
static size_t group_size(const limn_siblings *s, size_t i)
{
    size_t n = 1;
    while (i + n < s->n_items &&
           !limn_output_key_compare(s->items[i].owner.output, s->items[i + n].owner.output))
        n++;
    return n;
}

/* Whether the items are files of one photo, and the first is the one to caption. An image that is
 * named twice is there twice. */
static bool has_winner(const limn_sibling *items, size_t n)
{
    size_t k = 1;
    while (k < n && items[k].owner.image == items[0].owner.image) k++;
    if (k == n || items[0].rank >= BROKEN || items[k].rank == items[0].rank) return false;
    for (size_t i = 0; i < n; i++)
        if (items[i].rank % BROKEN == NONE) return false;
    return true;
}

limn_status limn_siblings_choose(limn_output_owners *out, limn_siblings *s, limn_error *err)
{
    if (s->n_items) qsort(s->items, s->n_items, sizeof *s->items, compare);
    for (size_t i = 0, n; i < s->n_items; i += n) {
        n = group_size(s, i);
        if (!has_winner(&s->items[i], n)) continue;
        for (size_t k = 1; k < n; k++)
            if (s->items[i + k].owner.image != s->items[i].owner.image)
                LIMN_TRY(limn_output_owners_add(out, s->items[i + k].owner, err));
    }
    limn_output_owners_sort(out);
    return LIMN_OK;
}

void limn_siblings_tell(const limn_output_owners *siblings, const limn_annotate_hooks *hooks)
{
    if (siblings->n_items)
        limn_hooks_message(hooks, LIMN_ANNOTATE_WARNING,
                           "%zu %s the caption of another file of the same photo, which has the "
                           "same name but for the extension (the JPEG, if there is one)",
                           siblings->n_items,
                           limn_plural(siblings->n_items, "image shares", "images share"));
}

void limn_siblings_finish(limn_siblings *s)
{
    limn_free(s->items);
    *s = (limn_siblings){ 0 };
}
