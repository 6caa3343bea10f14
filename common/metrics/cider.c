#include "common/metrics/cider.h"

#include <math.h>

#include "common/base/mem.h"

/* ---- document frequencies ----------------------------------------------------------------- */

struct limn_cider_df {
    limn_ngram_table table;
    uint32_t *n_pictures; /* [table.n_ngrams] */
    uint32_t *last;       /* [table.n_ngrams] number, from 1, of the last picture that counted */
    size_t n_pictures_capacity, last_capacity;
    uint32_t n_all;
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
    limn_free((*df)->n_pictures);
    limn_free((*df)->last);
    limn_free(*df);
    *df = NULL;
}

static limn_status entry_of(uint32_t *number, limn_cider_df *df, const limn_ngram *ngram,
                            limn_error *err)
{
    const size_t n_before = df->table.n_ngrams;
    if (!limn_grow((void **)&df->n_pictures, &df->n_pictures_capacity, n_before + 1,
                   sizeof *df->n_pictures) ||
        !limn_grow((void **)&df->last, &df->last_capacity, n_before + 1, sizeof *df->last))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams", n_before + 1);
    LIMN_TRY(limn_ngram_table_add(number, &df->table, ngram, err));
    if (df->table.n_ngrams > n_before) {
        df->n_pictures[*number] = 0;
        df->last[*number] = 0;
    }
    return LIMN_OK;
}

limn_status limn_cider_df_add(limn_cider_df *df, const limn_ngram_counts *refs, size_t n_refs,
                              limn_error *err)
{
    const uint32_t picture = ++df->n_all;
    for (size_t r = 0; r < n_refs; r++) {
        for (size_t i = 0; i < refs[r].table.n_ngrams; i++) {
            uint32_t number;
            LIMN_TRY(entry_of(&number, df, &refs[r].table.ngrams[i], err));
            df->n_pictures[number] += df->last[number] != picture;
            df->last[number] = picture;
        }
    }
    return LIMN_OK;
}

limn_status limn_cider_df_set(limn_cider_df *df, const limn_ngram *ngram, uint32_t n_pictures,
                              limn_error *err)
{
    uint32_t number;
    LIMN_TRY(entry_of(&number, df, ngram, err));
    df->n_pictures[number] = n_pictures;
    return LIMN_OK;
}

void limn_cider_df_set_n_pictures(limn_cider_df *df, uint32_t n_pictures)
{
    df->n_all = n_pictures;
}

uint32_t limn_cider_df_n_pictures(const limn_cider_df *df)
{
    return df->n_all;
}

const limn_ngram_table *limn_cider_df_ngrams(const uint32_t **n_pictures, const limn_cider_df *df)
{
    *n_pictures = df->n_pictures;
    return &df->table;
}

/* ---- scores ------------------------------------------------------------------------------- */

static double inverse_frequency(const limn_cider_df *df, double log_n_all, const limn_ngram *ngram)
{
    uint32_t number;
    if (!limn_ngram_table_find(&number, &df->table, ngram) || df->n_pictures[number] < 2)
        return log_n_all;
    return log_n_all - log(df->n_pictures[number]);
}

limn_status limn_cider_vector_fill(limn_cider_vector *v, const limn_ngram_counts *counts,
                                   const limn_cider_df *df, limn_error *err)
{
    const double log_n_all = df->n_all > 0 ? log(df->n_all) : 0;
    if (!limn_grow((void **)&v->weights, &v->capacity, counts->table.n_ngrams, sizeof *v->weights))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams",
                         counts->table.n_ngrams);
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        double sum = 0;
        for (size_t i = counts->begins[n]; i < counts->begins[n + 1]; i++) {
            v->weights[i] =
                counts->counts[i] * inverse_frequency(df, log_n_all, &counts->table.ngrams[i]);
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

double limn_cider_similarity(const limn_ngram_counts *hyp, const limn_cider_vector *hyp_vector,
                             const limn_ngram_counts *ref, const limn_cider_vector *ref_vector,
                             limn_cider_variant variant)
{
    const double sigma = 6, delta = hyp_vector->length - ref_vector->length;
    double mean = 0;
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        double dot = 0;
        for (size_t i = hyp->begins[n]; i < hyp->begins[n + 1]; i++) {
            uint32_t number;
            if (!limn_ngram_table_find(&number, &ref->table, &hyp->table.ngrams[i])) continue;
            const double h = hyp_vector->weights[i], r = ref_vector->weights[number];
            dot += (variant == LIMN_CIDER_D && h > r ? r : h) * r;
        }
        if (hyp_vector->norms[n] > 0 && ref_vector->norms[n] > 0)
            dot /= hyp_vector->norms[n] * ref_vector->norms[n];
        mean += dot / LIMN_NGRAM_MAX_ORDER;
    }
    if (variant == LIMN_CIDER_D) mean *= exp(-(delta * delta) / (2 * sigma * sigma));
    return 10 * mean;
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
