/* Fits a limn_confidence to captions labelled right or wrong: logistic regression by maximum
 * likelihood with a small ridge, by Newton's method in double precision. */
#ifndef LIMN_MODELS_CONFIDENCE_FIT_H
#define LIMN_MODELS_CONFIDENCE_FIT_H

#include "models/confidence.h"

#define LIMN_CONFIDENCE_RIDGE 1.0    /* of what is minimised, below */
#define LIMN_CONFIDENCE_MIN_RIGHT 10 /* captions that must be right, and as many wrong */

typedef struct limn_confidence_example {
    float signals[LIMN_N_SIGNALS]; /* finite */
    bool is_right;
} limn_confidence_example;

/* Means and scales are those of the signals (a signal that never changes has no weight); bias and
 * weights minimise
 *
 *     RIDGE / 2 * sum of weight^2 - sum over examples of log P(what it was)
 *
 * to the last digits that doubles have. Sums go over the examples in their order. `right` stays
 * empty. LIMN_E_ARG for fewer than MIN_RIGHT right or wrong ones, and for a signal beyond ±1e6. */
limn_status limn_confidence_fit(limn_confidence *out, const limn_confidence_example *examples,
                                size_t n, limn_error *err);

/* What is minimised, for the bias and weights of `c`. */
double limn_confidence_loss(const limn_confidence *c, const limn_confidence_example *examples,
                            size_t n);

#endif
