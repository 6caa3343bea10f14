/* The table of metrics, and those that count n-grams and subsequences. */
#include "models/eval/eval.h"

#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/metrics/bleu.h"
#include "common/metrics/cider.h"
#include "common/metrics/corpus_scores.h"
#include "common/metrics/rouge.h"
#include "models/eval/eval_df.h"

const limn_eval_metric *const limn_eval_metrics[] = {
    &limn_eval_bleu,         &limn_eval_meteor,      &limn_eval_rouge,
    &limn_eval_cider,        &limn_eval_cider_plain, &limn_eval_sacrebleu,
    &limn_eval_object_names, &limn_eval_retrieval,   NULL
};

static char fold(char c)
{
    return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

bool limn_eval_is_named(const char *wanted, const char *name, size_t size)
{
    if (strlen(wanted) != size) return false;
    for (size_t i = 0; i < size; i++)
        if (fold(wanted[i]) != fold(name[i])) return false;
    return true;
}

const limn_eval_metric *limn_eval_find_metric(const char *name, size_t size)
{
    for (size_t i = 0; limn_eval_metrics[i]; i++) {
        const limn_eval_metric *metric = limn_eval_metrics[i];
        if (limn_eval_is_named(metric->name, name, size)) return metric;
        for (size_t k = 0; k < metric->n_keys; k++)
            if (limn_eval_is_named(metric->keys[k], name, size)) return metric;
    }
    return NULL;
}

/* ---- results ------------------------------------------------------------------------------ */

void limn_eval_sum(double *sum, const limn_eval_result *result, size_t n_images)
{
    const size_t n_stats = result->metric->n_stats;
    memset(sum, 0, n_stats * sizeof *sum);
    for (size_t i = 0; i < n_images; i++)
        for (size_t k = 0; k < n_stats; k++) sum[k] += result->stats[i * n_stats + k];
}

static void score_corpus(double *out, const limn_eval_result *result, size_t n_images)
{
    double sum[LIMN_EVAL_MAX_STATS];
    limn_eval_sum(sum, result, n_images);
    result->metric->score(out, sum, n_images, result->settings);
}

limn_status limn_eval_measure(limn_eval_result *out, const limn_eval_metric *metric,
                              const limn_eval_data *data, size_t rank,
                              const limn_eval_settings *settings, limn_error *err)
{
    limn_status status;
    *out = (limn_eval_result){ .metric = metric, .settings = settings };
    out->stats = limn_calloc(data->n_images, metric->n_stats * sizeof *out->stats);
    if (!out->stats)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu images", data->n_images);
    status = metric->measure(out->stats, data, rank, settings, err);
    if (status != LIMN_OK) {
        limn_eval_result_finish(out);
        return status;
    }
    score_corpus(out->scores, out, data->n_images);
    return LIMN_OK;
}

void limn_eval_image_scores(double *out, const limn_eval_result *result, size_t image)
{
    result->metric->score(out, result->stats + image * result->metric->n_stats, 1,
                          result->settings);
}

void limn_eval_result_finish(limn_eval_result *result)
{
    limn_free(result->stats);
    *result = (limn_eval_result){ 0 };
}

/* Replaces the rows of `best` by those of `other` that score higher. */
static void take_better(limn_eval_result *best, const limn_eval_result *other, size_t n_images)
{
    const limn_eval_metric *metric = best->metric;
    for (size_t i = 0; i < n_images; i++) {
        double a[LIMN_EVAL_MAX_KEYS], b[LIMN_EVAL_MAX_KEYS];
        limn_eval_image_scores(a, best, i);
        limn_eval_image_scores(b, other, i);
        if (b[metric->best_key] > a[metric->best_key])
            memcpy(best->stats + i * metric->n_stats, other->stats + i * metric->n_stats,
                   metric->n_stats * sizeof *best->stats);
    }
}

limn_status limn_eval_oracle(double *out, const limn_eval_metric *metric,
                             const limn_eval_data *data, const limn_eval_settings *settings,
                             limn_error *err)
{
    limn_eval_result best, other;
    size_t n_ranks = 1;
    limn_status status;
    for (size_t i = 0; i < data->n_images; i++)
        n_ranks = data->images[i].n_hyps > n_ranks ? data->images[i].n_hyps : n_ranks;
    LIMN_TRY(limn_eval_measure(&best, metric, data, 0, settings, err));
    status = LIMN_OK;
    for (size_t rank = 1; status == LIMN_OK && rank < n_ranks; rank++) {
        status = limn_eval_measure(&other, metric, data, rank, settings, err);
        if (status == LIMN_OK) {
            take_better(&best, &other, data->n_images);
            limn_eval_result_finish(&other);
        }
    }
    if (status == LIMN_OK) score_corpus(out, &best, data->n_images);
    limn_eval_result_finish(&best);
    return status;
}

static void score_mean(double *out, const double *stats, size_t n_images,
                       const limn_eval_settings *settings)
{
    (void)settings;
    out[0] = n_images > 0 ? stats[0] / (double)n_images : 0;
}

/* ---- BLEU --------------------------------------------------------------------------------- */

/* n-grams of one image's hypothesis and references. */
typedef struct image_counts {
    limn_ngram_counts hyp;
    limn_ngram_counts_list refs;
    limn_sentence *sentences; /* [capacity] */
    size_t capacity;
} image_counts;

static void finish_counts(image_counts *c)
{
    limn_ngram_counts_finish(&c->hyp);
    limn_ngram_counts_list_finish(&c->refs);
    limn_free(c->sentences);
}

static limn_status count_refs(image_counts *c, const limn_eval_data *data, size_t image,
                              limn_error *err)
{
    const limn_eval_image *m = &data->images[image];
    if (!limn_grow((void **)&c->sentences, &c->capacity, m->n_refs, sizeof *c->sentences))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu references", m->n_refs);
    for (size_t i = 0; i < m->n_refs; i++) c->sentences[i] = data->refs[m->first_ref + i].words;
    return limn_ngram_counts_list_fill(&c->refs, c->sentences, m->n_refs, err);
}

static limn_status count_image(image_counts *c, const limn_eval_data *data, size_t image,
                               size_t rank, limn_error *err)
{
    LIMN_TRY(limn_ngram_counts_fill(&c->hyp, limn_eval_hyp(data, image, rank)->words, err));
    return count_refs(c, data, image, err);
}

static limn_status measure_bleu(double *stats, const limn_eval_data *data, size_t rank,
                                const limn_eval_settings *settings, limn_error *err)
{
    image_counts counts = { 0 };
    limn_status status = LIMN_OK;
    (void)settings;
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++) {
        status = count_image(&counts, data, i, rank, err);
        if (status == LIMN_OK) {
            const limn_bleu_stats s =
                limn_bleu_count(&counts.hyp, counts.refs.items, counts.refs.n_items);
            memcpy(stats + i * LIMN_BLEU_N_STATS, &s, sizeof s);
        }
    }
    finish_counts(&counts);
    return status;
}

static void score_bleu(double *out, const double *stats, size_t n_images,
                       const limn_eval_settings *settings)
{
    limn_bleu_stats s;
    (void)settings;
    (void)n_images;
    memcpy(&s, stats, sizeof s);
    limn_bleu_score(out, &s);
    out[LIMN_NGRAM_MAX_ORDER] = s.test_length;
    out[LIMN_NGRAM_MAX_ORDER + 1] = s.reference_length;
}

static void sign_bleu(limn_buffer *out, const limn_eval_settings *settings)
{
    (void)settings;
    limn_buffer_append_text(out, "bleu:coco,closest");
}

const limn_eval_metric limn_eval_bleu = {
    .name = "bleu",
    .keys = { "Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "testlen", "reflen" },
    .n_keys = LIMN_NGRAM_MAX_ORDER + 2,
    .n_stats = LIMN_BLEU_N_STATS,
    .best_key = LIMN_NGRAM_MAX_ORDER - 1,
    .measure = measure_bleu,
    .score = score_bleu,
    .sign = sign_bleu,
};

/* ---- ROUGE -------------------------------------------------------------------------------- */

static limn_status measure_rouge(double *stats, const limn_eval_data *data, size_t rank,
                                 const limn_eval_settings *settings, limn_error *err)
{
    limn_rouge scratch = { 0 };
    limn_sentence *refs = NULL;
    size_t capacity = 0;
    limn_status status = LIMN_OK;
    (void)settings;
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++) {
        const limn_eval_image *m = &data->images[i];
        if (!limn_grow((void **)&refs, &capacity, m->n_refs, sizeof *refs)) {
            status = limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu references", m->n_refs);
            break;
        }
        for (size_t r = 0; r < m->n_refs; r++) refs[r] = data->refs[m->first_ref + r].tokens;
        status = limn_rouge_l(&stats[i], &scratch, limn_eval_hyp(data, i, rank)->tokens, refs,
                              m->n_refs, err);
    }
    limn_free(refs);
    limn_rouge_finish(&scratch);
    return status;
}

static void sign_rouge(limn_buffer *out, const limn_eval_settings *settings)
{
    (void)settings;
    limn_buffer_append_text(out, "rouge:L,beta1.2");
}

const limn_eval_metric limn_eval_rouge = {
    .name = "rouge",
    .keys = { "ROUGE_L" },
    .n_keys = 1,
    .n_stats = 1,
    .measure = measure_rouge,
    .score = score_mean,
    .sign = sign_rouge,
};

/* ---- CIDEr -------------------------------------------------------------------------------- */

static limn_status count_frequencies(limn_cider_df *df, image_counts *counts,
                                     const limn_eval_data *data, limn_error *err)
{
    for (size_t i = 0; i < data->n_images; i++) {
        LIMN_TRY(count_refs(counts, data, i, err));
        LIMN_TRY(limn_cider_df_add(df, counts->refs.items, counts->refs.n_items, err));
    }
    return LIMN_OK;
}

limn_status limn_eval_df_create(limn_cider_df **out, const limn_eval_data *data,
                                const limn_eval_settings *settings, limn_error *err)
{
    image_counts counts = { 0 };
    limn_status status;
    LIMN_TRY(limn_cider_df_create(out, err));
    if (settings->df_path)
        status = limn_eval_df_load(*out, settings->df_path, data, err);
    else
        status = count_frequencies(*out, &counts, data, err);
    finish_counts(&counts);
    if (status != LIMN_OK) limn_cider_df_destroy(out);
    return status;
}

static limn_status measure_cider_as(double *stats, const limn_eval_data *data, size_t rank,
                                    const limn_eval_settings *settings, limn_cider_variant variant,
                                    limn_error *err)
{
    limn_cider_df *df;
    limn_cider_scorer scorer = { 0 };
    image_counts counts = { 0 };
    limn_status status = LIMN_OK;
    LIMN_TRY(limn_eval_df_create(&df, data, settings, err));
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++) {
        status = count_image(&counts, data, i, rank, err);
        if (status == LIMN_OK)
            status = limn_cider_score(&stats[i], &scorer, df, variant, &counts.hyp,
                                      counts.refs.items, counts.refs.n_items, err);
    }
    finish_counts(&counts);
    limn_cider_scorer_finish(&scorer);
    limn_cider_df_destroy(&df);
    return status;
}

static limn_status count_corpus(limn_corpus_ngrams *ngrams, size_t *n_refs,
                                const limn_eval_data *data, size_t rank, limn_error *err)
{
    for (size_t i = 0; i < data->n_images; i++) {
        const limn_eval_image *image = &data->images[i];
        LIMN_TRY(limn_corpus_ngrams_add(ngrams, limn_eval_hyp(data, i, rank)->words, err));
        for (size_t r = 0; r < image->n_refs; r++)
            LIMN_TRY(limn_corpus_ngrams_add(ngrams, data->refs[image->first_ref + r].words, err));
        n_refs[i] = image->n_refs;
    }
    return LIMN_OK;
}

/* CIDEr-D with document frequencies from the references. */
static limn_status measure_cider_of_corpus(double *stats, const limn_eval_data *data, size_t rank,
                                           limn_error *err)
{
    limn_corpus_ngrams ngrams = { 0 };
    size_t *n_refs = limn_calloc(data->n_images, sizeof *n_refs);
    limn_status s = n_refs ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK) s = count_corpus(&ngrams, n_refs, data, rank, err);
    if (s == LIMN_OK) s = limn_corpus_scores(NULL, stats, &ngrams, n_refs, data->n_images, err);
    limn_corpus_ngrams_finish(&ngrams);
    limn_free(n_refs);
    return s;
}

static limn_status measure_cider(double *stats, const limn_eval_data *data, size_t rank,
                                 const limn_eval_settings *settings, limn_error *err)
{
    if (!settings->df_path) return measure_cider_of_corpus(stats, data, rank, err);
    return measure_cider_as(stats, data, rank, settings, LIMN_CIDER_D, err);
}

static limn_status measure_cider_plain(double *stats, const limn_eval_data *data, size_t rank,
                                       const limn_eval_settings *settings, limn_error *err)
{
    return measure_cider_as(stats, data, rank, settings, LIMN_CIDER_PLAIN, err);
}

static void sign_cider(limn_buffer *out, const limn_eval_settings *settings)
{
    limn_buffer_printf(out, "cider:D,df:%s", settings->df_path ? "file" : "refs");
}

static void sign_cider_plain(limn_buffer *out, const limn_eval_settings *settings)
{
    limn_buffer_printf(out, "cider:plain,df:%s", settings->df_path ? "file" : "refs");
}

const limn_eval_metric limn_eval_cider = {
    .name = "cider",
    .keys = { "CIDEr" },
    .n_keys = 1,
    .n_stats = 1,
    .measure = measure_cider,
    .score = score_mean,
    .sign = sign_cider,
};

const limn_eval_metric limn_eval_cider_plain = {
    .name = "cider-plain",
    .keys = { "CIDEr_plain" },
    .n_keys = 1,
    .n_stats = 1,
    .measure = measure_cider_plain,
    .score = score_mean,
    .sign = sign_cider_plain,
};
