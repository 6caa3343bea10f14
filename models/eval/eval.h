/* What is evaluated, and with what: the data set that all metrics read, and the table of metrics.
 *
 * To add a metric: write a limn_eval_metric in a file of its own and add it to
 * limn_eval_metrics (eval_metrics.c). */
#ifndef LIMN_MODELS_EVAL_EVAL_H
#define LIMN_MODELS_EVAL_EVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/io/captions.h"
#include "common/metrics/meteor.h"
#include "common/metrics/ngram.h"
#include "common/metrics/sacrebleu.h"
#include "common/text/string_table.h"
#include "models/eval/eval_tokenizer.h"

/* ---- data --------------------------------------------------------------------------------- */

typedef struct limn_eval_caption {
    const char *raw;                   /* as it is in the file */
    const limn_caption_record *record; /* there */
    const char *text;                  /* tokenised, one space between two tokens */
    limn_sentence words;               /* `text` split at white space: for BLEU and CIDEr */
    limn_sentence tokens; /* `text` split at single spaces, "" is one token: for ROUGE */
} limn_eval_caption;

typedef struct limn_eval_image {
    const char *id;           /* as the references name it */
    size_t first_ref, n_refs; /* in data->refs; n_refs >= 1 */
    size_t first_hyp, n_hyps; /* in data->hyps, best first; n_hyps >= 1 */
} limn_eval_image;

/* Names of images that could not be evaluated. */
typedef struct limn_eval_names {
    const char **items; /* [n_items], of the caption files */
    size_t n_items, capacity;
} limn_eval_names;

typedef struct limn_eval_data {
    limn_eval_image *images;        /* [n_images], in the order of the references */
    limn_eval_caption *refs, *hyps; /* [n_refs], [n_hyps] */
    size_t n_images, n_refs, n_hyps;
    limn_eval_names without_hyp, without_ref;
    size_t n_by_number;    /* hypotheses that are paired by captions' own numbers, since no other */
    const char *by_number; /* name is in both files; the first of them */
    size_t n_unfit;        /* images left out because all their references are marked as unfit */
    limn_string_table strings; /* what the numbers in sentences mean */
    const limn_eval_tokenizer_kind *tokenizer;
    limn_buffer texts, numbers; /* what the captions point into */
} limn_eval_data;

/* Matches hypotheses with references (eval_match.h) and tokenises both. The files must outlive the
 * data. `allow_missing`: images that only one file has are left
 * out; else they are an error, LIMN_E_ARG. Also LIMN_E_ARG for no name in common, two entries for
 * an image in `hyps`, and a last component that stands for two images; LIMN_E_NOMEM. */
limn_status limn_eval_data_create(limn_eval_data *out, const limn_caption_file *refs,
                                  const limn_caption_file *hyps, const char *tokenizer,
                                  bool allow_missing, limn_error *err);
void limn_eval_data_finish(limn_eval_data *data); /* accepts a zeroed one */

/* The hypothesis of an image at `rank` of its n-best list; the last one for higher ranks. */
const limn_eval_caption *limn_eval_hyp(const limn_eval_data *data, size_t image, size_t rank);

/* ---- metrics ------------------------------------------------------------------------------ */

/* What metrics need to know besides the data. A NULL path means not given. */
typedef struct limn_eval_settings {
    const char *df_path; /* saved document frequencies, instead of those of the references */
    const limn_meteor_data *meteor; /* needed by METEOR only */
    limn_sacrebleu_settings sacrebleu;
} limn_eval_settings;

enum { LIMN_EVAL_MAX_KEYS = 12, LIMN_EVAL_MAX_STATS = 32 };

/* A metric turns each image into a row of statistics, and a sum of rows into scores: those of one
 * row are the image's, those of all rows the corpus's, those of rows drawn at random a bootstrap's.
 */
typedef struct limn_eval_metric {
    const char *name;                     /* as in --metrics: "bleu" */
    const char *keys[LIMN_EVAL_MAX_KEYS]; /* [n_keys], as in JSON: "Bleu_1" … */
    size_t n_keys, n_stats;
    size_t best_key; /* index of the key by which the best caption of an n-best list is chosen */
    size_t n_lower_better; /* the first keys are better when lower */
    /* Fills stats [data->n_images, n_stats] from the hypotheses at `rank`. */
    limn_status (*measure)(double *stats, const limn_eval_data *data, size_t rank,
                           const limn_eval_settings *settings, limn_error *err);
    /* out [n_keys] from the sum of the rows of n_images images. Never NaN. */
    void (*score)(double *out, const double *stats, size_t n_images,
                  const limn_eval_settings *settings);
    /* Appends the metric's variant, for the signature: "cider:D,df:refs". */
    void (*sign)(limn_buffer *out, const limn_eval_settings *settings);
    /* Appends lines of text in the metric's own style, from a sum of rows; NULL when it has
     * none. */
    void (*print)(limn_buffer *out, const double *stats, const limn_eval_data *data,
                  const limn_eval_settings *settings);
} limn_eval_metric;

extern const limn_eval_metric *const limn_eval_metrics[]; /* NULL after the last */
extern const limn_eval_metric limn_eval_bleu, limn_eval_rouge, limn_eval_cider,
    limn_eval_cider_plain, limn_eval_meteor, limn_eval_meteor_without_paraphrases,
    limn_eval_sacrebleu, limn_eval_object_names, limn_eval_retrieval;

/* Whether `name` [size bytes] is `wanted`, whatever its case, with '_' for '-' too. */
bool limn_eval_is_named(const char *wanted, const char *name, size_t size);
/* The metric of this name, or with a key of this name ("CIDEr", "ROUGE_L", "Bleu_4"), as above.
 * NULL when there is none. */
const limn_eval_metric *limn_eval_find_metric(const char *name, size_t size);

/* ---- results ------------------------------------------------------------------------------ */

typedef struct limn_eval_result {
    const limn_eval_metric *metric;
    const limn_eval_settings *settings;
    double *stats;                     /* [n_images, metric->n_stats] */
    double scores[LIMN_EVAL_MAX_KEYS]; /* [metric->n_keys] of the corpus */
} limn_eval_result;

/* Measures the hypotheses at `rank`. Free with limn_eval_result_finish. */
limn_status limn_eval_measure(limn_eval_result *out, const limn_eval_metric *metric,
                              const limn_eval_data *data, size_t rank,
                              const limn_eval_settings *settings, limn_error *err);
/* Adds all rows: sum [metric->n_stats]. */
void limn_eval_sum(double *sum, const limn_eval_result *result, size_t n_images);
/* The scores of one image: out [metric->n_keys]. */
void limn_eval_image_scores(double *out, const limn_eval_result *result, size_t image);
void limn_eval_result_finish(limn_eval_result *result);

/* The scores [metric->n_keys] when the best caption of each image's n-best list is taken, by the
 * metric's best_key: what an ideal choice could reach. LIMN_E_NOMEM, errors of measuring. */
limn_status limn_eval_oracle(double *out, const limn_eval_metric *metric,
                             const limn_eval_data *data, const limn_eval_settings *settings,
                             limn_error *err);

#endif
