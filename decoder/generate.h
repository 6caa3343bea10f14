/* The search of transformers' `generate` (4.57), for captions identical to its output: greedy
 * search, and beam search with its own stopping rule. It differs from decoder/beam.h: lengths count
 * new tokens only, the search ends when the best open hypothesis would be no better than the worst
 * of K finished ones if it ended now, and probabilities are over all tokens.
 *
 * The repetition penalty (Keskar et al. 2019) acts on tokens of the prompt too: on logits in greedy
 * search, on log-probabilities in beam search, where it is part of the score. */
#ifndef LIMN_DECODER_GENERATE_H
#define LIMN_DECODER_GENERATE_H

#include "common/kernels/kernels.h"
#include "decoder/beam.h"

typedef struct limn_generate_settings {
    size_t beam_size;         /* K, 1 … LIMN_BEAM_MAX; 1 = greedy */
    size_t n_best;            /* hypotheses wanted, 1 … K */
    size_t max_new;           /* maximum number of new tokens, end token included; >= 1 */
    size_t min_new;           /* no end token while there are fewer */
    float length_penalty;     /* A: score = value / (new tokens)^A */
    float repetition_penalty; /* 1 = off */
    const uint32_t *prompt;   /* [n_prompt], the start token first; borrowed */
    size_t n_prompt;          /* >= 1 */
    size_t n_tokens;          /* vocabulary size */
    uint32_t end_token;
    limn_log_sum_exp_fn *log_sum_exp;
} limn_generate_settings;

typedef struct limn_generate limn_generate; /* scratch of one worker, taken from an arena */

/* Takes all scratch for searches with these settings; NULL when the arena is counting or has
 * failed. */
limn_generate *limn_generate_plan(limn_arena *arena, const limn_generate_settings *settings);

/* Begins a search, within what it was planned for; what the settings borrow must outlive it. None
 * of these allocates. */
void limn_generate_begin(limn_generate *g, const limn_generate_settings *settings);
/* At first the tokens of the prompt, one after the other, as row 0. */
limn_search_rows limn_generate_rows(const limn_generate *g);
/* Takes logits [n_rows, n_tokens] of limn_generate_rows, and changes them. */
void limn_generate_take(limn_generate *g, float *logits);
/* The results, once there are no rows: *out [*n_out] are the best hypotheses, new tokens only, best
 * score first; they belong to `g` and stay valid until its next search. LIMN_E_ARG when the logits
 * allow no caption. */
limn_status limn_generate_end(const limn_generate *g, const limn_hypothesis **out, size_t *n_out,
                              limn_error *err);

#endif
