/* Metrics of captions against references: BLEU-1 … 4, METEOR, ROUGE-L and CIDEr-D as coco-caption
 * (pycocoevalcap) computes them, BLEU as sacreBLEU does, each with a confidence interval.
 *
 *     limn_metrics *metrics = NULL;              // a corpus; one thread at a time
 *     limn_metric_score cider;
 *     limn_metrics_create(&metrics, NULL, &err);
 *     for each image: limn_metrics_add(metrics, caption, references, n_references, &err);
 *     limn_metrics_score(metrics, LIMN_METRIC_CIDER_D, 1000, 0, &cider, &err);
 *     limn_metrics_destroy(&metrics);
 *
 * The rules of models/captioner.h hold here too. */
#ifndef LIMN_MODELS_METRICS_H
#define LIMN_MODELS_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum limn_metric {
    LIMN_METRIC_BLEU_1 =
        0, /* 0 … 1, of Penn Treebank tokens without punctuation; the next ones too */
    LIMN_METRIC_BLEU_2,
    LIMN_METRIC_BLEU_3,
    LIMN_METRIC_BLEU_4,
    LIMN_METRIC_METEOR,    /* 0 … 1; "METEOR 1.5" where the folder has the paraphrase table */
    LIMN_METRIC_ROUGE_L,   /* 0 … 1 */
    LIMN_METRIC_CIDER_D,   /* 0 … 10; n-grams are weighted by the references that were added */
    LIMN_METRIC_SACREBLEU, /* 0 … 100; tokens 13a, mixed case, smoothing exp */
    LIMN_N_METRICS
} limn_metric;

typedef struct limn_metrics limn_metrics;

/* `meteor_folder`: what PyPI's pycocoevalcap has in meteor/, read here (seconds); NULL: METEOR is
 * not asked for. LIMN_E_IO, LIMN_E_FORMAT, LIMN_E_TRUNCATED, LIMN_E_LIMIT, LIMN_E_NOMEM. */
LIMN_API limn_status limn_metrics_create(limn_metrics **out, const char *meteor_folder,
                                         limn_error *err);
LIMN_API void limn_metrics_destroy(limn_metrics **metrics); /* accepts NULL and *metrics == NULL */

/* The tokens that the metrics see, one space between two. `*tokens` belongs to `metrics` and is
 * valid until its next call. LIMN_E_FORMAT for what is no UTF-8, LIMN_E_LIMIT, LIMN_E_NOMEM. */
LIMN_API limn_status limn_metrics_tokenize(limn_metrics *metrics, const char *caption,
                                           const char **tokens, limn_error *err);

/* Adds an image: its caption and references, UTF-8 as they were written. After an error it is not
 * there. LIMN_E_ARG (no reference), LIMN_E_FORMAT, LIMN_E_LIMIT, LIMN_E_NOMEM. */
LIMN_API limn_status limn_metrics_add(limn_metrics *metrics, const char *caption,
                                      const char *const *references, size_t n_references,
                                      limn_error *err);
/* The same of texts that are tokens already, white space between two, which are taken as they are:
 * what limn_metrics_tokenize gave, or another tokenizer. */
LIMN_API limn_status limn_metrics_add_tokens(limn_metrics *metrics, const char *caption,
                                             const char *const *references, size_t n_references,
                                             limn_error *err);
LIMN_API size_t limn_metrics_n_images(const limn_metrics *metrics);

typedef struct limn_metric_score {
    double value;
    double low,
        high; /* 95 % interval of a bootstrap over images; `value` where none was asked for */
} limn_metric_score;

/* The score of all images together, its interval from n_trials draws (0: none; 1000 are usual, at
 * most 1000000) with random numbers of `seed`. LIMN_E_ARG (no image, METEOR without its folder),
 * LIMN_E_NOMEM. */
LIMN_API limn_status limn_metrics_score(limn_metrics *metrics, limn_metric metric,
                                        uint32_t n_trials, uint64_t seed, limn_metric_score *out,
                                        limn_error *err);
/* That of one image, numbered from 0 as they were added, among the others: CIDEr-D depends on them.
 * Errors as before. */
LIMN_API limn_status limn_metrics_image_score(limn_metrics *metrics, limn_metric metric,
                                              size_t image, double *out, limn_error *err);
/* Those of all images: out [limn_metrics_n_images]. */
LIMN_API limn_status limn_metrics_image_scores(limn_metrics *metrics, limn_metric metric,
                                               double *out, limn_error *err);

typedef struct limn_metric_difference {
    double value;     /* the score minus the baseline's */
    double low, high; /* 95 % interval of a bootstrap over images */
    double p;         /* two-sided probability of a difference as large where there is none */
} limn_metric_difference;

/* The score minus that of other captions of the same images, which were added to `baseline` in the
 * same order. n_trials (1 … 1000000) and `seed` as above. LIMN_E_ARG: another number of images;
 * and the errors as before. */
LIMN_API limn_status limn_metrics_compare(limn_metrics *metrics, limn_metrics *baseline,
                                          limn_metric metric, uint32_t n_trials, uint64_t seed,
                                          limn_metric_difference *out, limn_error *err);

#ifdef __cplusplus
}
#endif

#endif
