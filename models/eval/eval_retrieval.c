#include "models/eval/eval_retrieval.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/metrics/cider.h"
#include "models/eval/eval_df.h"

/* Floyd's sample (Bentley 1987) of n of the numbers below n_all. */
static void draw(size_t *out, size_t n, size_t n_all, limn_rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        const size_t last = n_all - n + i;
        size_t number = (size_t)limn_rng_below(rng, last + 1);
        for (size_t k = 0; k < i; k++)
            if (out[k] == number) number = last;
        out[i] = number;
    }
}

size_t limn_eval_rivals(size_t *out, const limn_eval_data *data, size_t image)
{
    const size_t n_others = data->n_images - 1;
    const size_t n = n_others < LIMN_EVAL_N_RIVALS ? n_others : (size_t)LIMN_EVAL_N_RIVALS;
    const char *id = data->images[image].id;
    limn_rng rng = limn_rng_stream(0, id, strlen(id));
    draw(out, n, n_others, &rng);
    for (size_t i = 0; i < n; i++) out[i] += out[i] >= image; /* the image itself is left out */
    return n;
}

/* A caption's n-grams and their weights. */
typedef struct weighted {
    limn_ngram_counts counts;
    limn_cider_vector vector;
} weighted;

typedef struct captions {
    weighted *own;   /* [n_images] at the rank that is measured */
    weighted *first; /* [n_images] first of each list; `own` when that is the rank */
    weighted *refs;  /* [n_refs] */
    size_t n_images, n_refs;
} captions;

static limn_status weigh(weighted *out, limn_sentence words, const limn_cider_df *df,
                         limn_error *err)
{
    LIMN_TRY(limn_ngram_counts_fill(&out->counts, words, err));
    return limn_cider_vector_fill(&out->vector, &out->counts, df, err);
}

static void finish_all(weighted *w, size_t n)
{
    for (size_t i = 0; w && i < n; i++) {
        limn_ngram_counts_finish(&w[i].counts);
        limn_cider_vector_finish(&w[i].vector);
    }
    limn_free(w);
}

static void finish(captions *c)
{
    if (c->first != c->own) finish_all(c->first, c->n_images);
    finish_all(c->own, c->n_images);
    finish_all(c->refs, c->n_refs);
}

static limn_status weigh_hyps(weighted **out, const limn_eval_data *data, size_t rank,
                              const limn_cider_df *df, limn_error *err)
{
    weighted *all = *out = limn_calloc(data->n_images, sizeof *all);
    if (!all) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu captions", data->n_images);
    for (size_t i = 0; i < data->n_images; i++)
        LIMN_TRY(weigh(&all[i], limn_eval_hyp(data, i, rank)->words, df, err));
    return LIMN_OK;
}

static limn_status fill(captions *c, const limn_eval_data *data, size_t rank,
                        const limn_cider_df *df, limn_error *err)
{
    c->n_images = data->n_images;
    c->n_refs = data->n_refs;
    LIMN_TRY(weigh_hyps(&c->own, data, rank, df, err));
    if (rank == 0)
        c->first = c->own;
    else
        LIMN_TRY(weigh_hyps(&c->first, data, 0, df, err));
    c->refs = limn_calloc(data->n_refs, sizeof *c->refs);
    if (!c->refs) return limn_fail(err, LIMN_E_NOMEM, "out of memory for references");
    for (size_t i = 0; i < data->n_refs; i++)
        LIMN_TRY(weigh(&c->refs[i], data->refs[i].words, df, err));
    return LIMN_OK;
}

/* Sum over the image's references: for comparing, as good as the mean. */
static double fit(const captions *c, const limn_eval_image *image, const weighted *hyp)
{
    double sum = 0;
    for (size_t i = 0; i < image->n_refs; i++) {
        const weighted *ref = &c->refs[image->first_ref + i];
        sum += limn_cider_similarity(&hyp->counts, &hyp->vector, &ref->counts, &ref->vector,
                                     LIMN_CIDER_D);
    }
    return sum;
}

static double choose(const captions *c, const limn_eval_data *data, size_t image)
{
    const limn_eval_image *m = &data->images[image];
    size_t rivals[LIMN_EVAL_N_RIVALS];
    const size_t n = limn_eval_rivals(rivals, data, image);
    const double own = fit(c, m, &c->own[image]);
    size_t n_best = 1;
    if (n == 0 || own <= 0) return 0;
    for (size_t i = 0; i < n; i++) {
        const double other = fit(c, m, &c->first[rivals[i]]);
        if (other > own) return 0;
        n_best += other == own;
    }
    return 1.0 / (double)n_best;
}

static limn_status measure(double *stats, const limn_eval_data *data, size_t rank,
                           const limn_eval_settings *settings, limn_error *err)
{
    limn_cider_df *df;
    captions c = { 0 };
    LIMN_TRY(limn_eval_df_create(&df, data, settings, err));
    const limn_status status = fill(&c, data, rank, df, err);
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++) stats[i] = choose(&c, data, i);
    finish(&c);
    limn_cider_df_destroy(&df);
    return status;
}

static void score(double *out, const double *stats, size_t n_images,
                  const limn_eval_settings *settings)
{
    (void)settings;
    out[0] = n_images > 0 ? stats[0] / (double)n_images : 0;
}

static void sign(limn_buffer *out, const limn_eval_settings *settings)
{
    limn_buffer_printf(out, "retrieval:cider-D,others%d,df:%s", LIMN_EVAL_N_RIVALS,
                       settings->df_path ? "file" : "refs");
}

const limn_eval_metric limn_eval_retrieval = {
    .name = "retrieval",
    .keys = { "Retrieval" },
    .n_keys = 1,
    .n_stats = 1,
    .measure = measure,
    .score = score,
    .sign = sign,
};
