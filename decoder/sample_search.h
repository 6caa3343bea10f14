/* Captions drawn from the model's distribution: independent ones, or ones that all differ.
 *
 * Samples are a function of the seed, the name, and the model's outputs only. Independent sample
 * number i is the same however many are drawn.
 *
 * Different ones are drawn without replacement by stochastic beam search (Kool et al. 2019): the
 * captions whose log-probabilities plus Gumbel noise are the largest. */
#ifndef LIMN_DECODER_SAMPLE_SEARCH_H
#define LIMN_DECODER_SAMPLE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "decoder/beam.h"
#include "decoder/sampling.h"

#define LIMN_SAMPLES_MAX LIMN_BEAM_MAX_ROWS

typedef struct limn_sample_settings {
    size_t n_samples; /* 1 … LIMN_SAMPLES_MAX */
    bool is_distinct; /* without replacement */
    size_t max_steps; /* maximum number of tokens, end token included; >= 1 */
    size_t n_tokens;  /* vocabulary size */
    uint32_t start_token, end_token;
    limn_constraints constraints;
    limn_token_values values; /* act before the sampling; 0 is off */
    limn_sampling sampling;
    limn_scoring scoring;     /* of what was drawn */
    limn_softmax_fn *softmax; /* of limn_kernels */
} limn_sample_settings;

typedef struct limn_sample_search limn_sample_search; /* scratch of one worker, from an arena */

/* Takes all scratch for searches with these settings from `arena`. NULL when the arena is counting
 * or has failed. */
limn_sample_search *limn_sample_plan(limn_arena *arena, const limn_sample_settings *settings);

/* Begins to draw; what the settings borrow must outlive the search, `name` need not. None of these
 * allocates. LIMN_E_ARG: settings out of range or beyond the plan. */
limn_status limn_sample_begin(limn_sample_search *search, const limn_sample_settings *settings,
                              uint64_t seed, const char *name, size_t name_size, limn_error *err);
/* At first one row of the start token; at most n_samples. */
limn_search_rows limn_sample_rows(const limn_sample_search *search);
/* Takes log_probs [n_rows, n_tokens], none above 0, of limn_sample_rows. */
void limn_sample_take(limn_sample_search *search, const float *log_probs);
/* The results, once there are no rows: *out [*n_out] are the different captions that were drawn,
 * best score first, n_out in 1 … n_samples; `n_drawn` says how often each. They belong to `search`
 * and stay valid until it begins again. LIMN_E_ARG when no caption can meet the constraints. */
limn_status limn_sample_end(limn_sample_search *search, const limn_hypothesis **out, size_t *n_out,
                            limn_error *err);

#endif
