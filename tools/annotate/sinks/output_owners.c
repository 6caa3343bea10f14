#include "tools/annotate/sinks/output_owners.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"

limn_output_key limn_output_key_of(const void *place, size_t place_size, const char *name)
{
    limn_output_key key;
    for (size_t i = 0; i < 2; i++) {
        const uint64_t start = LIMN_FNV1A64_INIT + i * UINT64_C(0x9e3779b97f4a7c15);
        key.bits[i] = limn_fnv1a64(limn_fnv1a64(start, place, place_size), name, strlen(name));
    }
    return key;
}

int limn_output_key_compare(limn_output_key a, limn_output_key b)
{
    for (size_t i = 0; i < 2; i++)
        if (a.bits[i] != b.bits[i]) return a.bits[i] < b.bits[i] ? -1 : 1;
    return 0;
}

static int compare_owners(const void *a, const void *b)
{
    const limn_output_owner *x = a, *y = b;
    const int order = limn_output_key_compare(x->output, y->output);
    return order ? order : x->image < y->image ? -1 : x->image > y->image;
}

limn_status limn_output_owners_add(limn_output_owners *o, limn_output_owner owner, limn_error *err)
{
    if (!limn_grow((void **)&o->items, &o->capacity, o->n_items + 1, sizeof *o->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    o->items[o->n_items++] = owner;
    return LIMN_OK;
}

void limn_output_owners_sort(limn_output_owners *o)
{
    if (o->n_items) qsort(o->items, o->n_items, sizeof *o->items, compare_owners);
}

static bool are_rivals(const limn_output_owner *a, const limn_output_owner *b)
{
    return !limn_output_key_compare(a->output, b->output) && a->image != b->image;
}

bool limn_output_owners_is_shared(const limn_output_owners *o, size_t i)
{
    return (i > 0 && are_rivals(&o->items[i - 1], &o->items[i])) ||
           (i + 1 < o->n_items && are_rivals(&o->items[i], &o->items[i + 1]));
}

bool limn_output_owners_any_shared(const limn_output_owners *o)
{
    for (size_t i = 0; i < o->n_items; i++)
        if (limn_output_owners_is_shared(o, i)) return true;
    return false;
}

static const limn_output_owner *find(const limn_output_owners *o, limn_output_owner owner)
{
    return o->n_items ? bsearch(&owner, o->items, o->n_items, sizeof owner, compare_owners) : NULL;
}

bool limn_output_owners_has(const limn_output_owners *o, limn_output_owner owner)
{
    return find(o, owner) != NULL;
}

bool limn_output_owners_has_rival(const limn_output_owners *o, limn_output_owner owner)
{
    const limn_output_owner *found = find(o, owner);
    if (!found) return false;
    size_t first = (size_t)(found - o->items), last = first;
    while (first && !compare_owners(&o->items[first - 1], &owner)) first--;
    while (last + 1 < o->n_items && !compare_owners(&o->items[last + 1], &owner)) last++;
    return limn_output_owners_is_shared(o, first) || limn_output_owners_is_shared(o, last);
}

void limn_output_owners_remove(limn_output_owners *o, const limn_output_owners *others)
{
    size_t n = 0;
    for (size_t i = 0; i < o->n_items; i++)
        if (!limn_output_owners_has(others, o->items[i])) o->items[n++] = o->items[i];
    o->n_items = n;
}

void limn_output_owners_finish(limn_output_owners *o)
{
    limn_free(o->items);
    *o = (limn_output_owners){ 0 };
}
