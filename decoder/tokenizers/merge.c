#include "decoder/tokenizers/merge.h"

#include "common/base/mem.h"

#define NOBODY SIZE_MAX

/* A doubly linked list of the initial symbols; one that was merged into another has size 0. */
typedef struct link {
    size_t previous, next; /* NOBODY at the ends */
} link;

/* Two neighbours that may be merged, as they were when pushed; may be stale (is_current). */
typedef struct pair {
    double order;
    size_t left;
    uint32_t token; /* what they become */
} pair;

typedef struct merging {
    limn_symbol *symbols;
    link *links;
    pair *heap; /* [n_pairs] the first to merge at 0 */
    size_t n_pairs, capacity;
    limn_merge_fn *may_merge;
    const void *ctx;
} merging;

/* ---- the heap ----------------------------------------------------------------------------- */

static bool is_before(const pair *a, const pair *b)
{
    return a->order != b->order ? a->order < b->order : a->left < b->left;
}

static void swap(pair *a, pair *b)
{
    const pair kept = *a;
    *a = *b;
    *b = kept;
}

static limn_status push(merging *m, pair p, limn_error *err)
{
    if (!limn_grow((void **)&m->heap, &m->capacity, m->n_pairs + 1, sizeof p))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    size_t at = m->n_pairs++;
    m->heap[at] = p;
    for (; at > 0 && is_before(&m->heap[at], &m->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&m->heap[at], &m->heap[(at - 1) / 2]);
    return LIMN_OK;
}

static pair pop(merging *m)
{
    const pair first = m->heap[0];
    m->heap[0] = m->heap[--m->n_pairs];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < m->n_pairs; child++)
            if (is_before(&m->heap[child], &m->heap[least])) least = child;
        if (least == at) return first;
        swap(&m->heap[at], &m->heap[least]);
        at = least;
    }
}

/* ---- merging ------------------------------------------------------------------------------ */

/* The symbol at `left` and the one after it, if they may be merged. */
static bool find_pair(const merging *m, size_t left, pair *out)
{
    const size_t right = left == NOBODY ? NOBODY : m->links[left].next;
    if (right == NOBODY || m->symbols[left].is_fixed || m->symbols[right].is_fixed) return false;
    out->left = left;
    return m->may_merge(m->ctx, &m->symbols[left], &m->symbols[right], &out->token, &out->order);
}

static limn_status push_pair(merging *m, size_t left, limn_error *err)
{
    pair p;
    return find_pair(m, left, &p) ? push(m, p, err) : LIMN_OK;
}

/* Whether both symbols of a pair are still unmerged. */
static bool is_current(const merging *m, const pair *p)
{
    pair now;
    return m->symbols[p->left].size > 0 && find_pair(m, p->left, &now) && now.token == p->token;
}

static limn_status merge_pair(merging *m, const pair *p, limn_error *err)
{
    const size_t right = m->links[p->left].next, after = m->links[right].next;
    m->symbols[p->left].size += m->symbols[right].size;
    m->symbols[p->left].token = p->token;
    m->symbols[right].size = 0;
    m->links[p->left].next = after;
    if (after != NOBODY) m->links[after].previous = p->left;
    LIMN_TRY(push_pair(m, m->links[p->left].previous, err));
    return push_pair(m, p->left, err);
}

static limn_status run(merging *m, size_t n, limn_error *err)
{
    m->links = limn_alloc(n, sizeof *m->links);
    if (!m->links) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        m->links[i] = (link){ i > 0 ? i - 1 : NOBODY, i + 1 < n ? i + 1 : NOBODY };
    for (size_t i = 0; i < n; i++) LIMN_TRY(push_pair(m, i, err));
    while (m->n_pairs > 0) {
        const pair p = pop(m);
        if (is_current(m, &p)) LIMN_TRY(merge_pair(m, &p, err));
    }
    return LIMN_OK;
}

limn_status limn_merge(limn_symbol *symbols, size_t *n, limn_merge_fn *may_merge, const void *ctx,
                       limn_error *err)
{
    merging m = { .symbols = symbols, .may_merge = may_merge, .ctx = ctx };
    size_t n_left = 0;
    const limn_status s = run(&m, *n, err);
    for (size_t i = 0; s == LIMN_OK && i < *n; i++)
        if (symbols[i].size > 0) symbols[n_left++] = symbols[i];
    if (s == LIMN_OK) *n = n_left;
    limn_free(m.links);
    limn_free(m.heap);
    return s;
}
