/* Which captions are right, and how well their confidence (limn --confidence) predicts it. */
#ifndef LIMN_MODELS_EVAL_EVAL_RIGHT_H
#define LIMN_MODELS_EVAL_EVAL_RIGHT_H

#include <jansson.h>

#include "models/eval/eval.h"

#define LIMN_EVAL_RIGHT_CIDER 0.3
/* The definition in words, as stored in a fit. */
#define LIMN_EVAL_RIGHT \
    "CIDEr-D of 0.3 or more, and neither people nor an object of the 80 that no reference names"

/* right [n_images] of the best captions, by that. LIMN_E_NOMEM, errors of measuring. */
limn_status limn_eval_find_right(bool *right, const limn_eval_data *data,
                                 const limn_eval_settings *settings, limn_error *err);

enum { LIMN_EVAL_N_BINS = 10 };

typedef struct limn_eval_bin {
    size_t n, n_right;
    double sum; /* of the confidences */
} limn_eval_bin;

/* Captions by their confidence. */
typedef struct limn_eval_reliability {
    limn_eval_bin bins[LIMN_EVAL_N_BINS]; /* bin i: i / 10 up to (i + 1) / 10; the last with 1 */
    size_t n, n_right;
    double calibration_error; /* expected calibration error: |share right - mean confidence| of a
                               * caption's bin, averaged over all captions */
    double auc; /* probability that a right caption has more confidence than a wrong one; 0.5 where
                 * one kind is missing */
} limn_eval_reliability;

/* Computes it from confidences [n], 0 … 1, and whether the captions were right. LIMN_E_NOMEM. */
limn_status limn_eval_reliability_of(limn_eval_reliability *out, const double *confidences,
                                     const bool *right, size_t n, limn_error *err);
/* Computes it over the best captions that have a confidence in their file; out->n is 0 when none
 * has. */
limn_status limn_eval_reliability_measure(limn_eval_reliability *out, const limn_eval_data *data,
                                          const limn_eval_settings *settings, limn_error *err);

void limn_eval_reliability_render_text(limn_buffer *out, const limn_eval_reliability *r);
/* {"captions", "right", "calibration_error", "auc", "bins": [{"captions", "right",
 * "confidence"}]}. A new reference. */
json_t *limn_eval_reliability_json(const limn_eval_reliability *r);

#endif
