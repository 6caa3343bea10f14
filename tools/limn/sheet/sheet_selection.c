#include "tools/limn/sheet/sheet_selection.h"

#include <string.h>

#include "common/base/mem.h"

/* Whether `a` falls out before `b`; no two images are equal but by name. */
typedef bool falls_before(const sheet_image *a, const sheet_image *b);

static bool ranks_higher(const sheet_image *a, const sheet_image *b)
{
    return a->rank != b->rank ? a->rank > b->rank : strcmp(a->name, b->name) > 0;
}

static bool has_larger_hash(const sheet_image *a, const sheet_image *b)
{
    return a->hash != b->hash ? a->hash > b->hash : strcmp(a->name, b->name) > 0;
}

void sheet_image_finish(sheet_image *p)
{
    limn_free(p->name);
    limn_free(p->caption);
    limn_buffer_finish(&p->thumbnail);
}

/* ---- heaps ---------------------------------------------------------------------------------- */

static void swap(sheet_heap *h, size_t i, size_t k)
{
    const sheet_image p = h->items[i];
    h->items[i] = h->items[k];
    h->items[k] = p;
}

static void sift_up(sheet_heap *h, size_t i, falls_before *before)
{
    for (; i && before(&h->items[i], &h->items[(i - 1) / 2]); i = (i - 1) / 2)
        swap(h, i, (i - 1) / 2);
}

static void sift_down(sheet_heap *h, falls_before *before)
{
    for (size_t i = 0, child; (child = 2 * i + 1) < h->n_items; i = child) {
        if (child + 1 < h->n_items && before(&h->items[child + 1], &h->items[child])) child++;
        if (!before(&h->items[child], &h->items[i])) return;
        swap(h, i, child);
    }
}

/* Adds *p; true when one fell out, which is then in *p. */
static bool push(sheet_heap *h, sheet_image *p, falls_before *before)
{
    sheet_image out;
    if (h->n_items < h->capacity) {
        h->items[h->n_items] = *p;
        sift_up(h, h->n_items++, before);
        return false;
    }
    if (!h->capacity || before(p, &h->items[0])) return true;
    out = h->items[0];
    h->items[0] = *p;
    sift_down(h, before);
    *p = out;
    return true;
}

static void finish(sheet_heap *h)
{
    for (size_t i = 0; i < h->n_items; i++) sheet_image_finish(&h->items[i]);
    limn_free(h->items);
    *h = (sheet_heap){ 0 };
}

/* ---- both ----------------------------------------------------------------------------------- */

bool sheet_selection_init(sheet_selection *s, size_t n_lowest, size_t n_sample)
{
    *s = (sheet_selection){ .lowest.capacity = n_lowest, .sample.capacity = n_sample };
    s->lowest.items = limn_calloc(n_lowest, sizeof *s->lowest.items);
    s->sample.items = limn_calloc(n_sample, sizeof *s->sample.items);
    return s->lowest.items && s->sample.items;
}

void sheet_selection_finish(sheet_selection *s)
{
    finish(&s->lowest);
    finish(&s->sample);
}

/* Ties, which names would break, are wanted. */
bool sheet_selection_wants(const sheet_selection *s, double rank, uint64_t hash)
{
    return s->lowest.n_items < s->lowest.capacity || s->sample.n_items < s->sample.capacity ||
           rank <= s->lowest.items[0].rank || hash <= s->sample.items[0].hash;
}

void sheet_selection_add(sheet_selection *s, sheet_image image)
{
    if (push(&s->lowest, &image, ranks_higher) && push(&s->sample, &image, has_larger_hash))
        sheet_image_finish(&image);
}
