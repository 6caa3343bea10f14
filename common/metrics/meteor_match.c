#include "common/metrics/meteor_match.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"

void limn_meteor_matches_finish(limn_meteor_matches *m)
{
    limn_free(m->items);
    limn_free(m->found);
    m->items = m->found = NULL;
    m->n_items = m->n_found = m->capacity = m->found_capacity = 0;
}

static void cover(uint16_t *coverage, size_t start, size_t length)
{
    for (size_t i = start; i < start + length; i++)
        if (coverage[i] < UINT16_MAX) coverage[i]++;
}

static limn_status add(limn_meteor_matches *m, limn_meteor_match match, limn_error *err)
{
    if (!limn_grow((void **)&m->found, &m->found_capacity, m->n_found + 1, sizeof match))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    m->found[m->n_found++] = match;
    cover(m->ref_coverage, match.start, match.length);
    cover(m->hyp_coverage, match.hyp_start, match.hyp_length);
    return LIMN_OK;
}

/* ---- single words --------------------------------------------------------------------------- */

static bool is_match(const limn_meteor_words *w, limn_meteor_module module, uint32_t hyp,
                     uint32_t ref)
{
    const limn_meteor_word *a = &w->words[hyp], *b = &w->words[ref];
    if (module == LIMN_METEOR_EXACT) return a->key == b->key;
    if (a->key == b->key) return false;
    return module == LIMN_METEOR_STEM ? a->stem_key == b->stem_key
                                      : limn_meteor_words_are_synonyms(w, hyp, ref);
}

static limn_status match_single_words(limn_meteor_matches *m, const limn_meteor_words *w,
                                      limn_meteor_module module, limn_meteor_sentence hyp,
                                      limn_meteor_sentence ref, limn_error *err)
{
    for (size_t i = 0; i < ref.n_words; i++)
        for (size_t j = 0; j < hyp.n_words; j++)
            if (is_match(w, module, hyp.words[j], ref.words[i]))
                LIMN_TRY(
                    add(m, (limn_meteor_match){ (uint16_t)i, 1, (uint16_t)j, 1, module }, err));
    return LIMN_OK;
}

/* ---- paraphrases ---------------------------------------------------------------------------- */

typedef struct phrase_words {
    uint16_t words[LIMN_METEOR_MAX_WORDS];
    size_t n_words;
    uint64_t present[1024]; /* one bit a word of the table that occurs */
} phrase_words;

static void translate(phrase_words *out, const limn_meteor_words *w, limn_meteor_sentence s)
{
    out->n_words = s.n_words;
    memset(out->present, 0, sizeof out->present);
    for (size_t i = 0; i < s.n_words; i++) {
        const uint16_t word = w->words[s.words[i]].paraphrase_word;
        out->words[i] = word;
        if (word != LIMN_METEOR_NO_WORD) out->present[word / 64] |= UINT64_C(1) << (word % 64);
    }
}

static bool is_present(const phrase_words *p, uint16_t word)
{
    return p->present[word / 64] >> (word % 64) & 1;
}

/* Matches a phrase of the one side that has paraphrases against every occurrence of one in the
 * other. */
static limn_status match_phrase(limn_meteor_matches *m, size_t start, size_t length,
                                const limn_meteor_paraphrase_list *paraphrase,
                                const phrase_words *other, bool is_from_ref, limn_error *err)
{
    const size_t n = paraphrase->n_words;
    for (size_t i = 0; i + n <= other->n_words; i++) {
        if (memcmp(other->words + i, paraphrase->words, n * sizeof *other->words) != 0) continue;
        limn_meteor_match match = { (uint16_t)i, (uint16_t)n, (uint16_t)start, (uint16_t)length,
                                    LIMN_METEOR_PARAPHRASE };
        if (is_from_ref)
            match = (limn_meteor_match){ (uint16_t)start, (uint16_t)length, (uint16_t)i,
                                         (uint16_t)n, LIMN_METEOR_PARAPHRASE };
        LIMN_TRY(add(m, match, err));
    }
    return LIMN_OK;
}

static limn_status match_phrases_at(limn_meteor_matches *m, const limn_meteor_paraphrases *p,
                                    size_t start, const phrase_words *from,
                                    const phrase_words *other, bool is_from_ref, limn_error *err)
{
    for (size_t length = 1; length <= p->max_source_words && start + length <= from->n_words;
         length++) {
        if (from->words[start + length - 1] == LIMN_METEOR_NO_WORD) return LIMN_OK;
        limn_meteor_paraphrase_list l = limn_meteor_paraphrases_of(p, from->words + start, length);
        while (limn_meteor_next_paraphrase(&l))
            if (l.n_words && is_present(other, l.words[0]))
                LIMN_TRY(match_phrase(m, start, length, &l, other, is_from_ref, err));
    }
    return LIMN_OK;
}

static limn_status match_paraphrases(limn_meteor_matches *m, const limn_meteor_words *w,
                                     limn_meteor_sentence hyp, limn_meteor_sentence ref,
                                     limn_error *err)
{
    phrase_words h, r;
    translate(&h, w, hyp);
    translate(&r, w, ref);
    for (size_t i = 0; i < r.n_words; i++)
        LIMN_TRY(match_phrases_at(m, w->paraphrases, i, &r, &h, true, err));
    for (size_t i = 0; i < h.n_words; i++)
        LIMN_TRY(match_phrases_at(m, w->paraphrases, i, &h, &r, false, err));
    return LIMN_OK;
}

/* ---- all modules ---------------------------------------------------------------------------- */

/* Identical sentences need no more than the exact matches. */
static bool are_identical(const limn_meteor_words *w, limn_meteor_sentence a,
                          limn_meteor_sentence b)
{
    if (a.n_words != b.n_words) return false;
    for (size_t i = 0; i < a.n_words; i++)
        if (w->words[a.words[i]].key != w->words[b.words[i]].key) return false;
    return true;
}

/* By start, keeping the order in which they were found. */
static limn_status sort_by_start(limn_meteor_matches *m, size_t n_words, limn_error *err)
{
    if (!limn_grow((void **)&m->items, &m->capacity, m->n_found, sizeof *m->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    m->n_items = m->n_found;
    memset(m->begins, 0, sizeof m->begins);
    for (size_t i = 0; i < m->n_found; i++) m->begins[m->found[i].start + 1]++;
    for (size_t i = 0; i < n_words; i++) m->begins[i + 1] += m->begins[i];
    for (size_t i = 0; i < m->n_found; i++) m->items[m->begins[m->found[i].start]++] = m->found[i];
    memmove(m->begins + 1, m->begins, n_words * sizeof *m->begins);
    m->begins[0] = 0;
    return LIMN_OK;
}

limn_status limn_meteor_match_words(limn_meteor_matches *out, const limn_meteor_words *w,
                                    limn_meteor_sentence hyp, limn_meteor_sentence ref,
                                    limn_error *err)
{
    const limn_meteor_module last =
        are_identical(w, hyp, ref) ? LIMN_METEOR_EXACT : LIMN_METEOR_SYNONYM;
    out->n_found = 0;
    memset(out->hyp_coverage, 0, hyp.n_words * sizeof *out->hyp_coverage);
    memset(out->ref_coverage, 0, ref.n_words * sizeof *out->ref_coverage);
    for (limn_meteor_module module = LIMN_METEOR_EXACT; module <= last; module++)
        LIMN_TRY(match_single_words(out, w, module, hyp, ref, err));
    if (last != LIMN_METEOR_EXACT && w->paraphrases->n_slots)
        LIMN_TRY(match_paraphrases(out, w, hyp, ref, err));
    return sort_by_start(out, ref.n_words, err);
}
