#include "common/metrics/meteor_align.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { BEAM = 40, WORD_BITS = 64, MAX_BLOCKS = LIMN_METEOR_MAX_WORDS / WORD_BITS };

#define NO_NODE SIZE_MAX

typedef struct path {
    int n_matched; /* of both sides, as METEOR weights them */
    int n_chunks;
    int distance;
    int hyp_end;   /* just past the last match in the caption; -1 when no chunk is open */
    size_t next;   /* reference words before this one are dealt with */
    size_t node;   /* the last chosen match, NO_NODE for none */
    size_t parent; /* its place in the beam that it was extended from */
    const limn_meteor_match *added; /* since then; NULL when a word was skipped */
} path;

typedef struct beam {
    path paths[BEAM];                /* [n_paths], the best first */
    uint64_t used[BEAM][MAX_BLOCKS]; /* a bit for each word of the caption that is taken */
    size_t n_paths;
} beam;

/* A chosen match and the one chosen before. */
typedef struct node {
    const limn_meteor_match *match;
    size_t previous;
} node;

struct limn_meteor_aligner {
    beam beams[2];
    node *nodes; /* [n_nodes] */
    size_t n_nodes, capacity;
    const limn_meteor_match *fixed[LIMN_METEOR_MAX_WORDS]; /* the only choice for its words */
    bool is_fixed[LIMN_METEOR_MAX_WORDS];                  /* reference words inside such a match */
};

limn_status limn_meteor_aligner_create(limn_meteor_aligner **out, limn_error *err)
{
    *out = limn_calloc(1, sizeof **out);
    return *out ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

void limn_meteor_aligner_destroy(limn_meteor_aligner **a)
{
    if (!a || !*a) return;
    limn_free((*a)->nodes);
    limn_free(*a);
    *a = NULL;
}

/* ---- words of the caption ------------------------------------------------------------------- */

static bool is_used(const uint64_t *used, const limn_meteor_match *m)
{
    for (size_t i = m->hyp_start; i < (size_t)m->hyp_start + m->hyp_length; i++)
        if (used[i / WORD_BITS] >> (i % WORD_BITS) & 1) return true;
    return false;
}

static void use(uint64_t *used, const limn_meteor_match *m)
{
    for (size_t i = m->hyp_start; i < (size_t)m->hyp_start + m->hyp_length; i++)
        used[i / WORD_BITS] |= UINT64_C(1) << (i % WORD_BITS);
}

/* ---- fixed matches -------------------------------------------------------------------------- */

static bool is_alone(const uint16_t *coverage, size_t start, size_t length)
{
    for (size_t i = start; i < start + length; i++)
        if (coverage[i] != 1) return false;
    return true;
}

static void fix_matches(limn_meteor_aligner *a, const limn_meteor_matches *m, uint64_t *used,
                        size_t n_ref)
{
    memset(a->fixed, 0, n_ref * sizeof *a->fixed);
    memset(a->is_fixed, 0, n_ref * sizeof *a->is_fixed);
    for (size_t i = 0; i < n_ref; i++) {
        const limn_meteor_match *match = m->items + m->begins[i];
        if (m->begins[i + 1] - m->begins[i] != 1 || !is_alone(m->ref_coverage, i, match->length) ||
            !is_alone(m->hyp_coverage, match->hyp_start, match->hyp_length))
            continue;
        a->fixed[i] = match;
        memset(a->is_fixed + i, true, match->length);
        use(used, match);
    }
}

/* ---- paths ---------------------------------------------------------------------------------- */

static int compare(const path *a, const path *b)
{
    if (a->n_matched != b->n_matched) return a->n_matched > b->n_matched ? -1 : 1;
    if (a->n_chunks != b->n_chunks) return a->n_chunks < b->n_chunks ? -1 : 1;
    return (a->distance > b->distance) - (a->distance < b->distance);
}

/* Inserts after equals; what falls off the end is dropped. */
static void insert(beam *b, const path *p)
{
    size_t i = b->n_paths;
    if (i == BEAM) {
        if (compare(p, &b->paths[BEAM - 1]) >= 0) return;
        i--;
    } else {
        b->n_paths++;
    }
    for (; i > 0 && compare(p, &b->paths[i - 1]) < 0; i--) b->paths[i] = b->paths[i - 1];
    b->paths[i] = *p;
}

static void take(path *p, const limn_meteor_match *m)
{
    const int divisor = m->module == LIMN_METEOR_EXACT ? 1 : 2;
    p->n_matched += m->hyp_length / divisor + m->length / divisor;
    p->n_chunks += p->hyp_end != -1 && m->hyp_start != p->hyp_end;
    p->next = (size_t)m->start + m->length;
    p->hyp_end = m->hyp_start + m->hyp_length;
    p->added = m;
}

static void close_chunk(path *p)
{
    p->n_chunks += p->hyp_end != -1;
    p->hyp_end = -1;
}

static bool overlaps_fixed(const limn_meteor_aligner *a, const limn_meteor_match *m)
{
    for (size_t i = m->start; i < (size_t)m->start + m->length; i++)
        if (a->is_fixed[i]) return true;
    return false;
}

/* Every way to extend path p [of the words `used`] at a free reference word. */
static void extend(beam *next, const limn_meteor_aligner *a, path p, const uint64_t *used,
                   const limn_meteor_matches *m, size_t word)
{
    for (size_t i = m->begins[word]; i < m->begins[word + 1]; i++) {
        const limn_meteor_match *match = &m->items[i];
        if (is_used(used, match) || overlaps_fixed(a, match)) continue;
        path longer = p;
        take(&longer, match);
        insert(next, &longer);
        p.distance += abs(match->start - match->hyp_start);
    }
    close_chunk(&p);
    p.next++;
    insert(next, &p);
}

static void advance(beam *next, const limn_meteor_aligner *a, const beam *now,
                    const limn_meteor_matches *m, size_t word)
{
    next->n_paths = 0;
    for (size_t i = 0; i < now->n_paths; i++) {
        path p = now->paths[i];
        p.parent = i;
        p.added = NULL;
        if (word < p.next) {
            insert(next, &p);
        } else if (a->is_fixed[word]) {
            const limn_meteor_match *match = a->fixed[word];
            assert(match != NULL);
            take(&p, match);
            p.distance += abs(match->start - match->hyp_start);
            insert(next, &p);
        } else {
            extend(next, a, p, now->used[i], m, word);
        }
    }
}

/* Records the matches that the surviving paths have added. */
static limn_status settle(limn_meteor_aligner *a, beam *next, const beam *now, size_t n_blocks,
                          limn_error *err)
{
    if (!limn_grow((void **)&a->nodes, &a->capacity, a->n_nodes + BEAM, sizeof *a->nodes))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < next->n_paths; i++) {
        path *p = &next->paths[i];
        memcpy(next->used[i], now->used[p->parent], n_blocks * sizeof(uint64_t));
        if (!p->added) continue;
        use(next->used[i], p->added);
        a->nodes[a->n_nodes] = (node){ p->added, p->node };
        p->node = a->n_nodes++;
    }
    return LIMN_OK;
}

/* Closing the last chunk can change the order once more. */
static const path *best_of(const beam *b, beam *sorted)
{
    sorted->n_paths = 0;
    for (size_t i = 0; i < b->n_paths; i++) {
        path p = b->paths[i];
        close_chunk(&p);
        insert(sorted, &p);
    }
    return &sorted->paths[0];
}

limn_status limn_meteor_align(const limn_meteor_match *chosen[LIMN_METEOR_MAX_WORDS],
                              limn_meteor_aligner *a, const limn_meteor_matches *m, size_t n_hyp,
                              size_t n_ref, limn_error *err)
{
    const size_t n_blocks = (n_hyp + WORD_BITS - 1) / WORD_BITS;
    beam *now = &a->beams[0], *next = &a->beams[1];
    a->n_nodes = 0;
    now->n_paths = 1;
    now->paths[0] = (path){ .hyp_end = -1, .node = NO_NODE };
    memset(now->used[0], 0, n_blocks * sizeof(uint64_t));
    fix_matches(a, m, now->used[0], n_ref);
    for (size_t word = 0; word < n_ref; word++) {
        advance(next, a, now, m, word);
        LIMN_TRY(settle(a, next, now, n_blocks, err));
        beam *old = now;
        now = next;
        next = old;
    }
    memset(chosen, 0, n_ref * sizeof *chosen);
    for (size_t i = best_of(now, next)->node; i != NO_NODE; i = a->nodes[i].previous)
        chosen[a->nodes[i].match->start] = a->nodes[i].match;
    return LIMN_OK;
}
