/* Metrics of captions against references: BLEU-1 … 4, METEOR, ROUGE-L and CIDEr-D as computed by
 * coco-caption (pycocoevalcap), and sacreBLEU, each with a confidence interval.
 *
 *     limn_metrics *metrics = NULL;              // a corpus; one thread at a time
 *     limn_metric_score cider;
 *     limn_metrics_create(&metrics, NULL, &err);
 *     for each image: limn_metrics_add(metrics, caption, references, n_references, &err);
 *     limn_metrics_score(metrics, LIMN_METRIC_CIDER_D, 1000, 0, &cider, &err);
 *     limn_metrics_destroy(&metrics);
 *
 * The rules of models/captioner.h apply. */
#ifndef LIMN_MODELS_METRICS_H
#define LIMN_MODELS_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum limn_metric {
    /* 0 … 1; on Penn Treebank tokens without punctuation, as are all metrics but sacreBLEU */
    LIMN_METRIC_BLEU_1 = 0,
    LIMN_METRIC_BLEU_2,
    LIMN_METRIC_BLEU_3,
    LIMN_METRIC_BLEU_4,
    LIMN_METRIC_METEOR,    /* 0 … 1; METEOR 1.5 if its folder has the paraphrase table */
    LIMN_METRIC_ROUGE_L,   /* 0 … 1 */
    LIMN_METRIC_CIDER_D,   /* 0 … 10; document frequencies from the references that were added */
    LIMN_METRIC_SACREBLEU, /* 0 … 100; tokenizer 13a, mixed case, smoothing exp */
    LIMN_N_METRICS
} limn_metric;

typedef struct limn_metrics limn_metrics;

/* `meteor_folder`: the folder meteor/ of PyPI's pycocoevalcap, which takes seconds to read; NULL:
 * no METEOR. LIMN_E_IO, LIMN_E_FORMAT, LIMN_E_TRUNCATED, LIMN_E_LIMIT, LIMN_E_NOMEM. */
LIMN_API limn_status limn_metrics_create(limn_metrics **out, const char *meteor_folder,
                                         limn_error *err);
LIMN_API void limn_metrics_destroy(limn_metrics **metrics); /* accepts NULL and *metrics == NULL */

/* The tokens that the metrics use, separated by single spaces. `*tokens` belongs to `metrics` and
 * is valid until its next call. LIMN_E_FORMAT (invalid UTF-8), LIMN_E_LIMIT, LIMN_E_NOMEM. */
LIMN_API limn_status limn_metrics_tokenize(limn_metrics *metrics, const char *caption,
                                           const char **tokens, limn_error *err);

/* Adds an image: its caption and references, untokenized UTF-8. On error nothing is added.
 * LIMN_E_ARG (no reference), LIMN_E_FORMAT, LIMN_E_LIMIT, LIMN_E_NOMEM. */
LIMN_API limn_status limn_metrics_add(limn_metrics *metrics, const char *caption,
                                      const char *const *references, size_t n_references,
                                      limn_error *err);
/* The same for texts that are already tokenized, by limn_metrics_tokenize or otherwise, with white
 * space between tokens. */
LIMN_API limn_status limn_metrics_add_tokens(limn_metrics *metrics, const char *caption,
                                             const char *const *references, size_t n_references,
                                             limn_error *err);
LIMN_API size_t limn_metrics_n_images(const limn_metrics *metrics);

typedef struct limn_metric_score {
    double value;
    double low, high; /* 95 % bootstrap interval over images; `value` if n_trials is 0 */
} limn_metric_score;

/* The score of all images together, with an interval from n_trials bootstrap samples (0: none;
 * usually 1000, at most 1000000) drawn with `seed`. LIMN_E_ARG (no image, METEOR without its
 * folder), LIMN_E_NOMEM. */
LIMN_API limn_status limn_metrics_score(limn_metrics *metrics, limn_metric metric,
                                        uint32_t n_trials, uint64_t seed, limn_metric_score *out,
                                        limn_error *err);
/* The score of one image, numbered from 0 in the order of adding. CIDEr-D depends on the other
 * images. Errors as above. */
LIMN_API limn_status limn_metrics_image_score(limn_metrics *metrics, limn_metric metric,
                                              size_t image, double *out, limn_error *err);
/* The scores of all images: out [limn_metrics_n_images]. */
LIMN_API limn_status limn_metrics_image_scores(limn_metrics *metrics, limn_metric metric,
                                               double *out, limn_error *err);

typedef struct limn_metric_difference {
    double value;     /* the score minus the baseline's */
    double low, high; /* 95 % bootstrap interval over images */
    double p;         /* two-sided p-value */
} limn_metric_difference;

/* Compares by a paired bootstrap with other captions of the same images, added to `baseline` in the
 * same order. n_trials (1 … 1000000) and `seed` as above. LIMN_E_ARG also if the numbers of
 * images differ. */
LIMN_API limn_status limn_metrics_compare(limn_metrics *metrics, limn_metrics *baseline,
                                          limn_metric metric, uint32_t n_trials, uint64_t seed,
                                          limn_metric_difference *out, limn_error *err);

#ifdef __cplusplus
}
#endif

#endif
