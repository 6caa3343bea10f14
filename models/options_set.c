/* Options set by name, and the memory of what they are set to. */
#include <assert.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/status.h"
#include "models/option_table.h"
#include "models/option_value.h"
#include "models/options.h"

enum { MAX_LISTS = 4 }; /* more than there are rows of type LIST */

/* The items of one list option. */
typedef struct owned_list {
    const limn_option *row; /* NULL: not in use */
    const char **items;
    size_t capacity;
} owned_list;

struct limn_options_memory {
    char **texts; /* [n_texts] */
    size_t n_texts, capacity;
    owned_list lists[MAX_LISTS];
};

/* add_item assumes that a list's pointer and count are adjacent. */
static_assert(offsetof(limn_options, n_required) - offsetof(limn_options, required) ==
                      offsetof(limn_option_list, n_items) &&
                  offsetof(limn_options, n_banned_words) - offsetof(limn_options, banned_words) ==
                      offsetof(limn_option_list, n_items),
              "counts follow their lists");

/* ---- memory ------------------------------------------------------------------------------- */

static limn_status start_memory(limn_options *o, limn_error *err)
{
    if (!o->memory) o->memory = limn_calloc(1, sizeof *o->memory);
    return o->memory ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

static limn_status keep_text(const char **out, limn_options *o, const char *text, limn_error *err)
{
    const size_t size = strlen(text) + 1;
    LIMN_TRY(start_memory(o, err));
    struct limn_options_memory *m = o->memory;
    char *copy = limn_alloc(size, 1);
    if (!copy || !limn_grow((void **)&m->texts, &m->capacity, m->n_texts + 1, sizeof *m->texts)) {
        limn_free(copy);
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    memcpy(copy, text, size);
    m->texts[m->n_texts++] = copy;
    *out = copy;
    return LIMN_OK;
}

static owned_list *list_of(struct limn_options_memory *m, const limn_option *row)
{
    size_t i = 0;
    while (i < MAX_LISTS - 1 && m->lists[i].row && m->lists[i].row != row) i++;
    m->lists[i].row = row;
    return &m->lists[i];
}

/* Adds an item; items that the caller put into the list itself stay in front of it. */
static limn_status add_item(limn_options *o, const limn_option *row, const char *text,
                            limn_error *err)
{
    limn_option_list list;
    void *field = (char *)o + row->offset;
    const char *copy;
    LIMN_TRY(keep_text(&copy, o, text, err));
    owned_list *owned = list_of(o->memory, row);
    memcpy(&list, field, sizeof list);
    const bool is_owned = list.items == owned->items;
    if (!limn_grow((void **)&owned->items, &owned->capacity, list.n_items + 1,
                   sizeof *owned->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (list.n_items && !is_owned)
        memmove(owned->items, list.items, list.n_items * sizeof *owned->items);
    owned->items[list.n_items++] = copy;
    list.items = owned->items;
    memcpy(field, &list, sizeof list);
    return LIMN_OK;
}

void limn_options_finish(limn_options *o)
{
    struct limn_options_memory *m = o ? o->memory : NULL;
    if (!m) return;
    for (size_t i = 0; i < m->n_texts; i++) limn_free(m->texts[i]);
    for (size_t i = 0; i < MAX_LISTS; i++) limn_free(m->lists[i].items);
    limn_free(m->texts);
    limn_free(m);
    limn_options_init(o, o->size);
}

/* ---- setting ------------------------------------------------------------------------------ */

static limn_status unknown(const char *name, limn_error *err)
{
    limn_near_name near = { NULL, 3 };
    for (size_t i = 0; i < limn_n_option_rows; i++)
        limn_near_name_consider(&near, &limn_option_rows[i], name);
    if (near.name)
        return limn_fail(err, LIMN_E_ARG, "unknown option %.64s; did you mean %s?", name,
                         near.name);
    return limn_fail(err, LIMN_E_ARG, "unknown option %.64s", name);
}

static limn_status set_text(limn_options *o, const limn_option *row, const char *value,
                            limn_error *err)
{
    const char *copy;
    LIMN_TRY(keep_text(&copy, o, value, err));
    return limn_option_read(o, row, copy, err);
}

limn_status limn_options_set(limn_options *o, const char *name, const char *value, limn_error *err)
{
    const limn_option *row = limn_option_find(name);
    limn_status s;
    if (!o || !name) return limn_fail(err, LIMN_E_ARG, "options: NULL");
    if (o->size < LIMN_OPTIONS_MIN_SIZE)
        return limn_fail(err, LIMN_E_ARG,
                         "options: a size of %zu bytes is not what limn_options_default writes",
                         o->size);
    if (!row || row->offset >= o->size) return unknown(name, err);
    if (value && row->type == LIMN_OPT_LIST)
        s = add_item(o, row, value, err);
    else if (value && row->type == LIMN_OPT_TEXT)
        s = set_text(o, row, value, err);
    else
        s = limn_option_read(o, row, value, err);
    if (s == LIMN_OK) o->set_by_name |= (uint64_t)1 << (row - limn_option_rows);
    return s;
}
