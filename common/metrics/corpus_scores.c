#include "common/metrics/corpus_scores.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/metrics/cider.h"

typedef struct scorer {
    limn_corpus_ngrams *ngrams;
    size_t longest;   /* n-grams of a sentence at most */
    double *idf;      /* [n_ids]; NULL, with the next two, without CIDEr-D */
    double *weights;  /* [longest] of the caption's n-grams */
    double *others;   /* [longest] of the same n-grams in a reference; 0: it lacks them */
    uint32_t *limits; /* [longest] the largest counts of the same n-grams in one reference; NULL
                       * without BLEU */
} scorer;

/* ---- document frequencies ----------------------------------------------------------------- */

static size_t size_of(const limn_counted_sentence *sentence)
{
    return sentence->begins[LIMN_NGRAM_MAX_ORDER] - sentence->begins[0];
}

/* In how many images' references each n-gram occurs: n_images_of [n_ids], zeroed by the caller;
 * `last` [n_ids], zeroed too, is scratch memory. */
static void count_images(uint32_t *n_images_of, uint32_t *last, const scorer *s,
                         const size_t *n_refs, size_t n_images)
{
    const limn_counted_sentence *caption = s->ngrams->sentences;
    for (size_t image = 0; image < n_images; image++) {
        const size_t end = caption[n_refs[image]].begins[LIMN_NGRAM_MAX_ORDER];
        for (size_t i = caption[1].begins[0]; i < end; i++) {
            const uint32_t id = s->ngrams->ngrams[i].id;
            n_images_of[id] += last[id] != image + 1;
            last[id] = (uint32_t)(image + 1);
        }
        caption += 1 + n_refs[image];
    }
}

static limn_status make_idf(scorer *s, const size_t *n_refs, size_t n_images, limn_error *err)
{
    const size_t n_ids = s->ngrams->ids.n_ids;
    const double log_n_images = log((double)n_images);
    uint32_t *n_images_of = limn_calloc(n_ids, sizeof *n_images_of);
    uint32_t *last = limn_calloc(n_ids, sizeof *last);
    s->idf = limn_calloc(n_ids, sizeof *s->idf);
    const bool has_memory = n_images_of && last && s->idf;
    if (has_memory) count_images(n_images_of, last, s, n_refs, n_images);
    for (size_t i = 0; has_memory && i < n_ids; i++)
        s->idf[i] = limn_cider_idf(n_images_of[i], log_n_images);
    limn_free(n_images_of);
    limn_free(last);
    return has_memory ? LIMN_OK
                      : limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams", n_ids);
}

/* ---- one image ---------------------------------------------------------------------------- */

/* Weights and norms of a sentence. A caption (places NULL) has its weights in order; a reference's
 * go to the places of the caption's n-grams, as far as it shares them. */
static limn_cider_vector weigh(double *weights, const scorer *s,
                               const limn_counted_sentence *sentence, const size_t *places)
{
    limn_cider_vector v = { .weights = weights,
                            .length = sentence->n_words > 1 ? (double)(sentence->n_words - 1) : 0 };
    const size_t begin = sentence->begins[0];
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        double sum = 0;
        for (size_t i = sentence->begins[n]; i < sentence->begins[n + 1]; i++) {
            const limn_counted_ngram *ngram = &s->ngrams->ngrams[i];
            const double weight = ngram->count * s->idf[ngram->id];
            const size_t place = places ? places[ngram->id] : i - begin + 1;
            if (place) weights[place - 1] = weight;
            sum += weight * weight;
        }
        v.norms[n] = sqrt(sum);
    }
    return v;
}

/* As limn_cider_similarity. An n-gram that the reference lacks adds 0. */
static double similarity(const limn_counted_sentence *caption, const limn_cider_vector *hyp,
                         const limn_cider_vector *ref)
{
    const size_t begin = caption->begins[0];
    double products[LIMN_NGRAM_MAX_ORDER] = { 0 };
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        for (size_t i = caption->begins[n] - begin; i < caption->begins[n + 1] - begin; i++) {
            const double h = hyp->weights[i], r = ref->weights[i];
            products[n] += (h > r ? r : h) * r;
        }
    }
    return limn_cider_combine(products, hyp, ref, LIMN_CIDER_D);
}

static double cider_of(const scorer *s, const limn_counted_sentence *caption, size_t n_refs)
{
    const limn_cider_vector hyp = weigh(s->weights, s, caption, NULL);
    double sum = 0;
    for (size_t i = 1; i <= n_refs; i++) {
        memset(s->others, 0, size_of(caption) * sizeof *s->others);
        const limn_cider_vector ref = weigh(s->others, s, caption + i, s->ngrams->places);
        sum += similarity(caption, &hyp, &ref);
    }
    return sum / (double)n_refs;
}

/* The largest counts of the caption's n-grams in one of its references. */
static void find_limits(const scorer *s, const limn_counted_sentence *caption, size_t n_refs)
{
    memset(s->limits, 0, size_of(caption) * sizeof *s->limits);
    for (size_t i = caption[1].begins[0]; i < caption[n_refs].begins[LIMN_NGRAM_MAX_ORDER]; i++) {
        const limn_counted_ngram *ngram = &s->ngrams->ngrams[i];
        const size_t place = s->ngrams->places[ngram->id];
        if (place && ngram->count > s->limits[place - 1]) s->limits[place - 1] = ngram->count;
    }
}

static limn_bleu_stats bleu_of(const scorer *s, const limn_counted_sentence *caption, size_t n_refs)
{
    limn_bleu_stats stats = { .test_length = (double)caption->n_words };
    size_t closest = caption[1].n_words;
    for (size_t i = 2; i <= n_refs; i++)
        closest = limn_bleu_closer_length(caption->n_words, closest, caption[i].n_words);
    stats.reference_length = (double)closest;
    find_limits(s, caption, n_refs);
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        stats.guess[n] = caption->n_words > n ? (double)(caption->n_words - n) : 0;
        for (size_t i = caption->begins[n]; i < caption->begins[n + 1]; i++) {
            const uint32_t count = s->ngrams->ngrams[i].count;
            const uint32_t limit = s->limits[i - caption->begins[0]];
            stats.correct[n] += count < limit ? count : limit;
        }
    }
    return stats;
}

/* ---- all images --------------------------------------------------------------------------- */

static limn_status prepare_bleu(scorer *s, limn_error *err)
{
    s->limits = limn_calloc(s->longest + 1, sizeof *s->limits);
    return s->limits ? LIMN_OK
                     : limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams", s->longest);
}

static limn_status prepare_cider(scorer *s, const size_t *n_refs, size_t n_images, limn_error *err)
{
    s->weights = limn_calloc(s->longest + 1, sizeof *s->weights);
    s->others = limn_calloc(s->longest + 1, sizeof *s->others);
    if (!s->weights || !s->others)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams", s->longest);
    return make_idf(s, n_refs, n_images, err);
}

static void find_longest(scorer *s)
{
    for (size_t i = 0; i < s->ngrams->n_sentences; i++)
        if (size_of(&s->ngrams->sentences[i]) > s->longest)
            s->longest = size_of(&s->ngrams->sentences[i]);
}

/* Notes where the caption has its n-grams; `one` 0 forgets them. */
static void set_places(const scorer *s, const limn_counted_sentence *caption, size_t one)
{
    const size_t begin = caption->begins[0];
    for (size_t i = 0; i < size_of(caption); i++)
        s->ngrams->places[s->ngrams->ngrams[begin + i].id] = one * (i + 1);
}

limn_status limn_corpus_scores(limn_bleu_stats *bleu, double *cider, limn_corpus_ngrams *ngrams,
                               const size_t *n_refs, size_t n_images, limn_error *err)
{
    scorer s = { .ngrams = ngrams };
    limn_status status = LIMN_OK;
    find_longest(&s);
    if (bleu) status = prepare_bleu(&s, err);
    if (status == LIMN_OK && cider) status = prepare_cider(&s, n_refs, n_images, err);
    const limn_counted_sentence *caption = ngrams->sentences;
    for (size_t i = 0; status == LIMN_OK && i < n_images; i++) {
        set_places(&s, caption, 1);
        if (bleu) bleu[i] = bleu_of(&s, caption, n_refs[i]);
        if (cider) cider[i] = cider_of(&s, caption, n_refs[i]);
        set_places(&s, caption, 0);
        caption += 1 + n_refs[i];
    }
    limn_free(s.idf);
    limn_free(s.weights);
    limn_free(s.others);
    limn_free(s.limits);
    return status;
}
