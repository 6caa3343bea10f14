#include "models/consensus.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/ranked.h"
#include "common/kernels/c/math_c.h"
#include "common/metrics/cider.h"
#include "decoder/word_spans.h"

struct limn_consensus {
    const limn_document_frequencies *frequencies;
    const limn_vocab *vocab;
    size_t max_captions, max_tokens;
    limn_ngram_counts_list counts; /* of the captions */
    limn_cider_df *df;             /* of their n-grams */
    limn_cider_vector *vectors;    /* [max_captions] */
    limn_sentence *sentences;      /* [max_captions] */
    double *weights;               /* [max_captions] */
    struct parts *parts;           /* NULL where every token is a word */
};

/* The words of captions of which each has one token or more: numbered by their texts. */
struct parts {
    limn_word_span *spans; /* [max_tokens] of a caption */
    uint32_t *words;       /* [max_captions, max_tokens] numbers */
    size_t *texts;         /* [max_captions * max_tokens] where each word begins in `block` */
    char *block;
    size_t block_size, n_words;
};

/* ---- words of several tokens -------------------------------------------------------------- */

static void destroy_parts(struct parts *p)
{
    if (!p) return;
    limn_free(p->spans);
    limn_free(p->words);
    limn_free(p->texts);
    limn_free(p->block);
    limn_free(p);
}

static limn_status create_parts(limn_consensus *c, limn_error *err)
{
    const size_t n = c->max_captions * c->max_tokens;
    const size_t longest = limn_vocab_longest(c->vocab);
    struct parts *p = c->parts = limn_calloc(1, sizeof *p);
    if (!p) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    p->block_size = n * (longest + 1) + 1;
    p->spans = limn_calloc(c->max_tokens, sizeof *p->spans);
    p->words = limn_calloc(n, sizeof *p->words);
    p->texts = limn_calloc(n + 1, sizeof *p->texts);
    p->block = limn_calloc(p->block_size, 1);
    if (!p->spans || !p->words || !p->texts || !p->block)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu words", n);
    return LIMN_OK;
}

/* The number of a word, which is added when no caption before had it. */
static uint32_t number_of(struct parts *p, const limn_vocab *vocab, const uint32_t *tokens,
                          size_t n)
{
    char *text = p->block + p->texts[p->n_words];
    const size_t size =
        limn_vocab_join(text, p->block_size - p->texts[p->n_words], vocab, tokens, n);
    for (uint32_t i = 0; i < p->n_words; i++)
        if (strcmp(p->block + p->texts[i], text) == 0) return i;
    p->texts[p->n_words + 1] = p->texts[p->n_words] + size + 1;
    return (uint32_t)p->n_words++;
}

/* The words of caption i. */
static limn_sentence words_of(struct parts *p, const limn_consensus *c, size_t i,
                              const uint32_t *tokens, size_t n)
{
    uint32_t *words = p->words + i * c->max_tokens;
    const size_t n_words =
        limn_word_spans(p->spans, c->max_tokens, limn_vocab_classes(c->vocab), tokens, n);
    for (size_t w = 0; w < n_words; w++)
        words[w] =
            number_of(p, c->vocab, tokens + p->spans[w].begin, p->spans[w].end - p->spans[w].begin);
    return (limn_sentence){ words, n_words };
}

static const char *text_of(const limn_consensus *c, uint32_t word)
{
    return c->parts ? c->parts->block + c->parts->texts[word] : limn_vocab_text(c->vocab, word);
}

/* ---- weights of n-grams ------------------------------------------------------------------- */

static uint32_t frequency_of(const limn_consensus *c, const limn_ngram *ngram)
{
    const char *words[LIMN_NGRAM_MAX_ORDER];
    size_t n = 0;
    for (; n < LIMN_NGRAM_MAX_ORDER && ngram->words[n] != LIMN_NO_WORD; n++)
        words[n] = text_of(c, ngram->words[n]);
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
    limn_cider_df_set_n_images(c->df, limn_document_frequencies_n_images(c->frequencies));
    LIMN_TRY(limn_ngram_counts_list_fill(&c->counts, c->sentences, n, err));
    for (size_t i = 0; i < n; i++) LIMN_TRY(look_up(c, &c->counts.items[i], err));
    for (size_t i = 0; i < n; i++)
        LIMN_TRY(limn_cider_vector_fill(&c->vectors[i], &c->counts.items[i], c->df, err));
    return LIMN_OK;
}

/* ---- creating ----------------------------------------------------------------------------- */

/* Ranks the largest possible number of the longest, most different captions once, so that nothing
 * allocates afterwards. Words are mere numbers here; document frequencies are not looked up. */
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
    if (status == LIMN_OK && limn_vocab_classes(vocab)) status = create_parts(c, err);
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
    destroy_parts(c->parts);
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

limn_status limn_consensus_rank(limn_consensus *c, limn_hypothesis *captions, size_t n,
                                bool are_samples, limn_error *err)
{
    if (n < 2) return LIMN_OK;
    if (c->parts) c->parts->n_words = 0;
    for (size_t i = 0; i < n; i++) {
        const limn_hypothesis *h = &captions[i];
        const size_t n_tokens = h->n_tokens - h->is_finished;
        c->sentences[i] = c->parts ? words_of(c->parts, c, i, h->tokens, n_tokens)
                                   : (limn_sentence){ h->tokens, n_tokens };
    }
    LIMN_TRY(make_vectors(c, n, err));
    weigh(c, captions, n, are_samples);
    for (size_t i = 0; i < n; i++) captions[i].score = consensus_of(c, n, i, are_samples);
    limn_ranked_sort(captions, n, sizeof(limn_hypothesis), limn_hypothesis_is_better);
    return LIMN_OK;
}
