/* CIDEr-D (usually just called CIDEr) and plain CIDEr, with a table of document frequencies.
 *
 * A reward in training works on token numbers with frequencies counted once:
 *
 *     limn_cider_df *df;                               // shared, read-only once complete
 *     for each image: limn_cider_df_add(df, refs, n_refs, err);
 *     …
 *     limn_cider_scorer s = { 0 };                     // one per thread; allocates only to grow
 *     limn_cider_score(&reward, &s, df, LIMN_CIDER_D, hyp, refs, n_refs, err); */
#ifndef LIMN_COMMON_METRICS_CIDER_H
#define LIMN_COMMON_METRICS_CIDER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/metrics/ngram.h"

typedef enum limn_cider_variant {
    LIMN_CIDER_D = 0, /* counts clipped, length differences penalised (sigma = 6) */
    LIMN_CIDER_PLAIN, /* neither */
} limn_cider_variant;

/* ---- document frequencies ----------------------------------------------------------------- */

/* In how many images' references each n-gram occurs. May be read by many threads while none changes
 * it. */
typedef struct limn_cider_df limn_cider_df;

limn_status limn_cider_df_create(limn_cider_df **out, limn_error *err); /* LIMN_E_NOMEM */
void limn_cider_df_destroy(limn_cider_df **df); /* accepts NULL and *df == NULL; nulls it */

/* One more image, with its references. LIMN_E_NOMEM, LIMN_E_LIMIT. */
limn_status limn_cider_df_add(limn_cider_df *df, const limn_ngram_counts *refs, size_t n_refs,
                              limn_error *err);
/* Sets one entry, from a saved table. LIMN_E_NOMEM, LIMN_E_LIMIT. */
limn_status limn_cider_df_set(limn_cider_df *df, const limn_ngram *ngram, uint32_t n_images,
                              limn_error *err);
void limn_cider_df_set_n_images(limn_cider_df *df, uint32_t n_images);
void limn_cider_df_clear(limn_cider_df *df); /* no n-grams, no images; keeps the memory */

uint32_t limn_cider_df_n_images(const limn_cider_df *df);
/* The n-grams, `count` being the number of images. Belongs to `df`. */
const limn_ngram_table *limn_cider_df_ngrams(const limn_cider_df *df);

/* ---- scores ------------------------------------------------------------------------------- */

/* A sentence's n-grams weighted by tf × idf. Zero-initialise. */
typedef struct limn_cider_vector {
    double *weights; /* [counts->table.n_ngrams] */
    size_t capacity;
    double norms[LIMN_NGRAM_MAX_ORDER];
    double length; /* number of bigrams, as the original has it */
} limn_cider_vector;

/* LIMN_E_NOMEM */
limn_status limn_cider_vector_fill(limn_cider_vector *v, const limn_ngram_counts *counts,
                                   const limn_cider_df *df, limn_error *err);
void limn_cider_vector_finish(limn_cider_vector *v);

/* The inverse document frequency of an n-gram that is in the references of `n_images` images;
 * log_n_images: the logarithm of the number of all images. */
double limn_cider_idf(uint32_t n_images, double log_n_images);

/* The last step of a similarity: 0 … 10 from products [LIMN_NGRAM_MAX_ORDER], for each order the
 * dot product of the two sentences' weights. Of the vectors, `weights` is not read. */
double limn_cider_combine(const double *products, const limn_cider_vector *hyp,
                          const limn_cider_vector *ref, limn_cider_variant variant);

/* The similarity of one candidate and one reference, 0 … 10. */
double limn_cider_similarity(const limn_ngram_counts *hyp, const limn_cider_vector *hyp_vector,
                             const limn_ngram_counts *ref, const limn_cider_vector *ref_vector,
                             limn_cider_variant variant);

/* Scratch memory of one thread. Zero-initialise. */
typedef struct limn_cider_scorer {
    limn_cider_vector hyp, ref;
} limn_cider_scorer;

/* The mean similarity over the references. n_refs >= 1. LIMN_E_NOMEM. */
limn_status limn_cider_score(double *score, limn_cider_scorer *s, const limn_cider_df *df,
                             limn_cider_variant variant, const limn_ngram_counts *hyp,
                             const limn_ngram_counts *refs, size_t n_refs, limn_error *err);
void limn_cider_scorer_finish(limn_cider_scorer *s);

#endif
