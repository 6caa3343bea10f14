#include "common/metrics/cider.h"

#include <math.h>

#include "common/base/mem.h"

/* ---- document frequencies ----------------------------------------------------------------- */

struct limn_cider_df {
    limn_ngram_table table; /* `mark`: number, from 1, of the last image that was counted */
    uint32_t n_images;
};

limn_status limn_cider_df_create(limn_cider_df **out, limn_error *err)
{
    *out = limn_calloc(1, sizeof **out);
    return *out ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

void limn_cider_df_destroy(limn_cider_df **df)
{
    if (!df || !*df) return;
    limn_ngram_table_finish(&(*df)->table);
    limn_free(*df);
    *df = NULL;
}

limn_status limn_cider_df_add(limn_cider_df *df, const limn_ngram_counts *refs, size_t n_refs,
                              limn_error *err)
{
    const uint32_t image = ++df->n_images;
    for (size_t r = 0; r < n_refs; r++) {
        for (size_t i = 0; i < refs[r].table.n_ngrams; i++) {
            limn_ngram_entry *entry;
            LIMN_TRY(
                limn_ngram_table_add(&entry, &df->table, &refs[r].table.entries[i].ngram, err));
            entry->count += entry->mark != image;
            entry->mark = image;
        }
    }
    return LIMN_OK;
}

limn_status limn_cider_df_set(limn_cider_df *df, const limn_ngram *ngram, uint32_t n_images,
                              limn_error *err)
{
    limn_ngram_entry *entry;
    LIMN_TRY(limn_ngram_table_add(&entry, &df->table, ngram, err));
    entry->count = n_images;
    return LIMN_OK;
}

void limn_cider_df_set_n_images(limn_cider_df *df, uint32_t n_images)
{
    df->n_images = n_images;
}

void limn_cider_df_clear(limn_cider_df *df)
{
    limn_ngram_table_clear(&df->table);
    df->n_images = 0;
}

uint32_t limn_cider_df_n_images(const limn_cider_df *df)
{
    return df->n_images;
}

const limn_ngram_table *limn_cider_df_ngrams(const limn_cider_df *df)
{
    return &df->table;
}

/* ---- scores ------------------------------------------------------------------------------- */

double limn_cider_idf(uint32_t n_images, double log_n_images)
{
    return n_images > 1 ? log_n_images - log(n_images) : log_n_images;
}

static double inverse_frequency(const limn_cider_df *df, double log_n_images,
                                const limn_ngram *ngram)
{
    const limn_ngram_entry *entry = limn_ngram_table_find(&df->table, ngram);
    return limn_cider_idf(entry ? entry->count : 0, log_n_images);
}

limn_status limn_cider_vector_fill(limn_cider_vector *v, const limn_ngram_counts *counts,
                                   const limn_cider_df *df, limn_error *err)
{
    const double log_n_images = df->n_images > 0 ? log(df->n_images) : 0;
    if (!limn_grow((void **)&v->weights, &v->capacity, counts->table.n_ngrams, sizeof *v->weights))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams",
                         counts->table.n_ngrams);
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        double sum = 0;
        for (size_t i = counts->begins[n]; i < counts->begins[n + 1]; i++) {
            const limn_ngram_entry *entry = &counts->table.entries[i];
            v->weights[i] = entry->count * inverse_frequency(df, log_n_images, &entry->ngram);
            sum += v->weights[i] * v->weights[i];
        }
        v->norms[n] = sqrt(sum);
    }
    v->length = counts->n_words > 1 ? (double)(counts->n_words - 1) : 0;
    return LIMN_OK;
}

void limn_cider_vector_finish(limn_cider_vector *v)
{
    limn_free(v->weights);
    *v = (limn_cider_vector){ 0 };
}

double limn_cider_combine(const double *products, const limn_cider_vector *hyp,
                          const limn_cider_vector *ref, limn_cider_variant variant)
{
    const double sigma = 6, delta = hyp->length - ref->length;
    double mean = 0;
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        double cosine = products[n];
        if (hyp->norms[n] > 0 && ref->norms[n] > 0) cosine /= hyp->norms[n] * ref->norms[n];
        mean += cosine / LIMN_NGRAM_MAX_ORDER;
    }
    if (variant == LIMN_CIDER_D) mean *= exp(-(delta * delta) / (2 * sigma * sigma));
    return 10 * mean;
}

double limn_cider_similarity(const limn_ngram_counts *hyp, const limn_cider_vector *hyp_vector,
                             const limn_ngram_counts *ref, const limn_cider_vector *ref_vector,
                             limn_cider_variant variant)
{
    double products[LIMN_NGRAM_MAX_ORDER] = { 0 };
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        for (size_t i = hyp->begins[n]; i < hyp->begins[n + 1]; i++) {
            const limn_ngram_entry *entry =
                limn_ngram_table_find(&ref->table, &hyp->table.entries[i].ngram);
            if (!entry) continue;
            const double h = hyp_vector->weights[i];
            const double r = ref_vector->weights[entry - ref->table.entries];
            products[n] += (variant == LIMN_CIDER_D && h > r ? r : h) * r;
        }
    }
    return limn_cider_combine(products, hyp_vector, ref_vector, variant);
}

limn_status limn_cider_score(double *score, limn_cider_scorer *s, const limn_cider_df *df,
                             limn_cider_variant variant, const limn_ngram_counts *hyp,
                             const limn_ngram_counts *refs, size_t n_refs, limn_error *err)
{
    double sum = 0;
    LIMN_TRY(limn_cider_vector_fill(&s->hyp, hyp, df, err));
    for (size_t i = 0; i < n_refs; i++) {
        LIMN_TRY(limn_cider_vector_fill(&s->ref, &refs[i], df, err));
        sum += limn_cider_similarity(hyp, &s->hyp, &refs[i], &s->ref, variant);
    }
    *score = sum / (double)n_refs;
    return LIMN_OK;
}

void limn_cider_scorer_finish(limn_cider_scorer *s)
{
    limn_cider_vector_finish(&s->hyp);
    limn_cider_vector_finish(&s->ref);
}
