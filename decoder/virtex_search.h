/* The search of VirTex (virtex/utils/beam_search.py, after AllenNLP's): of each of K hypotheses the
 * two best extensions, of these the K best by sum of log-probabilities. No token comes twice in a
 * row; a hypothesis that has ended stays and competes. The search ends when all have ended. */
#ifndef LIMN_DECODER_VIRTEX_SEARCH_H
#define LIMN_DECODER_VIRTEX_SEARCH_H

#include "common/kernels/kernels.h"
#include "decoder/beam.h"

typedef struct limn_virtex_settings {
    size_t beam_size; /* K, 1 … LIMN_BEAM_MAX; 5 there */
    size_t n_best;    /* hypotheses wanted, 1 … K */
    size_t max_steps; /* maximum number of tokens, end token included; 30 there */
    size_t n_tokens;  /* vocabulary size */
    uint32_t start_token, end_token;
    limn_log_sum_exp_fn *log_sum_exp;
} limn_virtex_settings;

typedef struct limn_virtex_search limn_virtex_search; /* scratch of one worker, from an arena */

/* As those of decoder/generate.h; score = logprob. */
limn_virtex_search *limn_virtex_search_plan(limn_arena *arena,
                                            const limn_virtex_settings *settings);
void limn_virtex_search_begin(limn_virtex_search *v, const limn_virtex_settings *settings);
limn_search_rows limn_virtex_search_rows(const limn_virtex_search *v);
void limn_virtex_search_take(limn_virtex_search *v, const float *logits);
limn_status limn_virtex_search_end(const limn_virtex_search *v, const limn_hypothesis **out,
                                   size_t *n_out, limn_error *err);

#endif
