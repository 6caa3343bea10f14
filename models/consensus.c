#include "models/consensus.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/c/math_c.h"
#include "common/metrics/cider.h"

struct limn_consensus {
    const limn_document_frequencies *frequencies;
    const limn_vocab *vocab;
    size_t max_captions, max_tokens;
    limn_ngram_counts_list counts; /* of the captions */
    limn_cider_df *df;             /* of their n-grams */
    limn_cider_vector *vectors;    /* [max_captions] */
    limn_sentence *sentences;      /* [max_captions] */
    double *weights;               /* [max_captions] */
};

/* ---- weights of n-grams ------------------------------------------------------------------- */

static uint32_t frequency_of(const limn_consensus *c, const limn_ngram *ngram)
{
    const char *words[LIMN_NGRAM_MAX_ORDER];
    size_t n = 0;
    for (; n < LIMN_NGRAM_MAX_ORDER && ngram->words[n] != LIMN_NO_WORD; n++)
        words[n] = limn_vocab_text(c->vocab, ngram->words[n]);
    return limn_document_frequencies_find(c->frequencies, words, n);
}

/* Looks up the n-grams of one caption that no caption before had. */
static limn_status look_up(limn_consensus *c, const limn_ngram_counts *counts, limn_error *err)
{
    const limn_ngram_table *known = limn_cider_df_ngrams(c->df);
    for (size_t i = 0; i < counts->table.n_ngrams; i++) {
        const limn_ngram *ngram = &counts->table.entries[i].ngram;
        if (!limn_ngram_table_find(known, ngram))
            LIMN_TRY(limn_cider_df_set(c->df, ngram, frequency_of(c, ngram), err));
    }
    return LIMN_OK;
}

/* The captions' words in c->sentences [n], as vectors. */
static limn_status make_vectors(limn_consensus *c, size_t n, limn_error *err)
{
    limn_cider_df_clear(c->df);
    limn_cider_df_set_n_pictures(c->df, limn_document_frequencies_n_pictures(c->frequencies));
    LIMN_TRY(limn_ngram_counts_list_fill(&c->counts, c->sentences, n, err));
    for (size_t i = 0; i < n; i++) LIMN_TRY(look_up(c, &c->counts.items[i], err));
    for (size_t i = 0; i < n; i++)
        LIMN_TRY(limn_cider_vector_fill(&c->vectors[i], &c->counts.items[i], c->df, err));
    return LIMN_OK;
}

/* ---- creating ----------------------------------------------------------------------------- */

/* Ranks as many captions, as long, as different as there can be, so that nothing needs memory
 * afterwards. Words are but numbers here: the document frequencies are not asked. */
static limn_status reserve(limn_consensus *c, limn_error *err)
{
    const size_t n_words = c->max_captions * c->max_tokens;
    uint32_t *words = limn_alloc(n_words, sizeof *words);
    if (!words) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu words", n_words);
    for (size_t i = 0; i < n_words; i++) words[i] = (uint32_t)i;
    for (size_t i = 0; i < c->max_captions; i++)
        c->sentences[i] = (limn_sentence){ words + i * c->max_tokens, c->max_tokens };
    limn_status s = limn_ngram_counts_list_fill(&c->counts, c->sentences, c->max_captions, err);
    for (size_t i = 0; i < c->max_captions && s == LIMN_OK; i++)
        for (size_t k = 0; k < c->counts.items[i].table.n_ngrams && s == LIMN_OK; k++)
            s = limn_cider_df_set(c->df, &c->counts.items[i].table.entries[k].ngram, 1, err);
    for (size_t i = 0; i < c->max_captions && s == LIMN_OK; i++)
        s = limn_cider_vector_fill(&c->vectors[i], &c->counts.items[i], c->df, err);
    limn_free(words);
    return s;
}

limn_status limn_consensus_create(limn_consensus **out, size_t max_captions, size_t max_tokens,
                                  const limn_document_frequencies *frequencies,
                                  const limn_vocab *vocab, limn_error *err)
{
    limn_consensus *c = limn_calloc(1, sizeof *c);
    *out = NULL;
    if (!c) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    *c = (limn_consensus){ .frequencies = frequencies,
                           .vocab = vocab,
                           .max_captions = max_captions,
                           .max_tokens = max_tokens };
    c->vectors = limn_calloc(max_captions, sizeof *c->vectors);
    c->sentences = limn_calloc(max_captions, sizeof *c->sentences);
    c->weights = limn_calloc(max_captions, sizeof *c->weights);
    limn_status status = c->vectors && c->sentences && c->weights
                             ? limn_cider_df_create(&c->df, err)
                             : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (status == LIMN_OK) status = reserve(c, err);
    if (status != LIMN_OK) limn_consensus_destroy(&c);
    *out = c;
    return status;
}

void limn_consensus_destroy(limn_consensus **p)
{
    limn_consensus *c = p ? *p : NULL;
    if (!c) return;
    for (size_t i = 0; c->vectors && i < c->max_captions; i++)
        limn_cider_vector_finish(&c->vectors[i]);
    limn_ngram_counts_list_finish(&c->counts);
    limn_cider_df_destroy(&c->df);
    limn_free(c->vectors);
    limn_free(c->sentences);
    limn_free(c->weights);
    limn_free(c);
    *p = NULL;
}

/* ---- ranking ------------------------------------------------------------------------------ */

/* How much each caption counts as a reference, in c->weights [n]. */
static void weigh(limn_consensus *c, const limn_hypothesis *captions, size_t n, bool are_samples)
{
    double best = captions[0].logprob;
    for (size_t i = 1; i < n; i++) best = captions[i].logprob > best ? captions[i].logprob : best;
    for (size_t i = 0; i < n; i++)
        c->weights[i] = are_samples ? captions[i].n_drawn
                                    : (double)limn_expf((float)(captions[i].logprob - best) / 2);
}

/* The mean similarity of caption i with the others, and with itself where it was drawn again. */
static double consensus_of(const limn_consensus *c, size_t n, size_t i, bool are_samples)
{
    double sum = 0, weight = 0;
    for (size_t k = 0; k < n; k++) {
        const double w = k != i ? c->weights[k] : are_samples ? c->weights[k] - 1 : 0;
        if (w <= 0) continue;
        sum += w * limn_cider_similarity(&c->counts.items[i], &c->vectors[i], &c->counts.items[k],
                                         &c->vectors[k], LIMN_CIDER_D);
        weight += w;
    }
    return weight > 0 ? sum / weight : 0;
}

static void sort_by_score(limn_hypothesis *captions, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const limn_hypothesis h = captions[i];
        size_t at = i;
        for (; at > 0 && h.score > captions[at - 1].score; at--) captions[at] = captions[at - 1];
        captions[at] = h;
    }
}

limn_status limn_consensus_rank(limn_consensus *c, limn_hypothesis *captions, size_t n,
                                bool are_samples, limn_error *err)
{
    if (n < 2) return LIMN_OK;
    for (size_t i = 0; i < n; i++) {
        const limn_hypothesis *h = &captions[i];
        c->sentences[i] = (limn_sentence){ h->tokens, h->n_tokens - h->is_finished };
    }
    LIMN_TRY(make_vectors(c, n, err));
    weigh(c, captions, n, are_samples);
    for (size_t i = 0; i < n; i++) captions[i].score = consensus_of(c, n, i, are_samples);
    sort_by_score(captions, n);
    return LIMN_OK;
}
