/* Rounding weights to int8 with error feedback (Frantar et al. 2022, "GPTQ"): the error that one
 * weight makes is made up for by the weights of other inputs that go along with its own.
 *
 * An output whose weights are off by e [n] is off, over rows of inputs x [n], by a sum of squares
 * of
 *
 *     eᵀ M e,   M = sum over rows of x xᵀ (their second moments)
 *
 * With inputs in order of increasing M[k][k] and M + damping * identity = Uᵀ U, U upper triangular,
 *
 *     eᵀ (M + damping) e = sum over k of (sum over i >= k of U[k][i] e[i])²
 *
 * Weights are rounded from the last input to the first, each so that its term is as small as can
 * be:
 *
 *     c = (sum over i > k in increasing order of U[k][i] * e[i]) / U[k][k]
 *     q[k] = round to nearest even of (w[k] + c) / scale, within -127 … 127
 *     e[k] = w[k] - q[k] * scale
 *
 * All is in double, in one order, so that the result is the same on every CPU. */
#ifndef LIMN_COMMON_WEIGHTS_FEEDBACK_H
#define LIMN_COMMON_WEIGHTS_FEEDBACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/base/status.h"

/* Second moments: the lower triangle of sums [n, n], of which the rest is not used. */
typedef struct limn_moments {
    size_t n;
    double *sums; /* [n, n], owned */
    double *rows; /* [LIMN_MOMENTS_ROWS, n] of scratch, owned */
} limn_moments;

enum { LIMN_MOMENTS_ROWS = 64 }; /* that one call adds at most */

/* Zeros. LIMN_E_NOMEM. */
limn_status limn_moments_init(limn_moments *m, size_t n, limn_error *err);
void limn_moments_finish(limn_moments *m); /* accepts a zeroed struct */
/* Adds rows of x [n_rows, n] at `stride`; of more than LIMN_MOMENTS_ROWS only every second, third …
 * one, beginning with the first. The same sums for any pool. */
void limn_moments_add(limn_moments *m, limn_pool *pool, const float *x, size_t stride,
                      size_t n_rows);

typedef struct limn_feedback {
    size_t n;
    size_t *order;  /* [n] inputs by increasing moment */
    double *factor; /* [n, n] U */
    double *errors; /* [n] of scratch */
    double damping;
    const atomic_bool *is_stopping; /* or NULL; borrowed */
} limn_feedback;

/* The damping is `share` (more than 0) of the mean of M[k][k]; where that is 0, weights are rounded
 * without feedback. For thousands of inputs it takes seconds: it ends early when `is_stopping`
 * (NULL: never) becomes true, with LIMN_E_INTERRUPTED. LIMN_E_FORMAT when the moments are not
 * finite or too far apart; LIMN_E_NOMEM. */
limn_status limn_feedback_init(limn_feedback *f, const limn_moments *m, double share,
                               const atomic_bool *is_stopping, limn_error *err);
/* Callers that round many outputs check it between them. */
bool limn_feedback_is_stopping(const limn_feedback *f);
void limn_feedback_finish(limn_feedback *f); /* accepts a zeroed struct */
/* The weights w [n] of one output as q [n]; returns eᵀ M e. One thread at a time. */
double limn_feedback_round(const limn_feedback *f, int8_t *q, const float *w, float scale);
/* wᵀ M w: the sum of squares of the output itself. */
double limn_feedback_size(const limn_feedback *f, const float *w);

#endif
