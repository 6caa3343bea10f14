/* Confidence intervals: of the system's scores, and of their difference from a baseline's. */
#ifndef LIMN_MODELS_EVAL_EVAL_TRIALS_H
#define LIMN_MODELS_EVAL_EVAL_TRIALS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/metrics/bootstrap.h"
#include "models/eval/eval.h"

typedef struct limn_eval_trials {
    limn_interval intervals[16][LIMN_EVAL_MAX_KEYS]; /* [n_results, metric->n_keys] */
    size_t n_trials;
    uint64_t seed;
    const char *baseline; /* its file; NULL: intervals of the scores themselves */
} limn_eval_trials;

/* Bootstraps each result, against the same metric of `baseline` [n_results] when that is not NULL.
 * n_trials and seed of `out` are set. LIMN_E_NOMEM. */
limn_status limn_eval_trials_run(limn_eval_trials *out, const limn_eval_result *results,
                                 const limn_eval_result *baseline, size_t n_results,
                                 size_t n_images, limn_error *err);

/* Matches the baseline's captions with the same references and checks that it has the same images.
 * LIMN_E_ARG when it does not. */
limn_status limn_eval_baseline_create(limn_eval_data *out, const limn_eval_data *data,
                                      const limn_caption_file *refs,
                                      const limn_caption_file *baseline, const char *tokenizer,
                                      bool allow_missing, limn_error *err);

void limn_eval_trials_render_text(limn_buffer *out, const limn_eval_trials *trials,
                                  const limn_eval_result *results, size_t n_results);
/* {"trials", "seed", "scores": {KEY: {"low", "high"}}}, and for a baseline {"file", "trials",
 * "seed", "differences": {KEY: {"difference", "low", "high", "p"}}}. A new reference. */
json_t *limn_eval_trials_json(const limn_eval_trials *trials, const limn_eval_result *results,
                              size_t n_results);

#endif
