/* Features of the confidence model (limn_signal of captioner.h), measured on the hypotheses of a
 * search. One per worker. */
#ifndef LIMN_MODELS_SIGNALS_H
#define LIMN_MODELS_SIGNALS_H

#include "common/base/pool.h"
#include "decoder/hypothesis.h"
#include "models/captioner_model.h"

typedef struct limn_signals limn_signals;

/* `model` and `pool` (may be NULL) must outlive it. LIMN_E_NOMEM. */
limn_status limn_signals_create(limn_signals **out, const limn_model *model, limn_pool *pool,
                                limn_error *err);
void limn_signals_destroy(limn_signals **s); /* accepts NULL and *s == NULL; nulls it */

/* out [LIMN_N_SIGNALS] of hypothesis `which` of found [n], whose tokens were chosen from
 * `predictions` [n_tokens]. `probabilities` [all tags] of the image; NULL for a model without.
 * Allocates nothing. */
void limn_signals_measure(float *out, limn_signals *s, const limn_hypothesis *found, size_t n,
                          size_t which, const limn_prediction *const *predictions,
                          const float *probabilities);

#endif
