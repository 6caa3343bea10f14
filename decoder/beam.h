/* Beam search. It knows scores and tokens, not models: a callback gives log-probabilities.
 *
 * Semantics (those of the reference captioner): at each step the 2K best extensions over all open
 * hypotheses are walked from the best; an extension by the end token is a finished hypothesis,
 * taken only while fewer than K open ones rank above it; others stay open until there are K. It
 * stops when K are finished and no open one can still beat the worst of them, at most max_steps
 * steps; if fewer than K have finished by then, the open ones count too, with
 * logprob / max_steps^A and no end token. Score = logprob / length^A; length counts the end token,
 * not the start token. Ties go to the lower (row, token); of hypotheses with equal scores, to the
 * one found first.
 *
 * Logprobs only fall, so an open hypothesis can't come to more than logprob / L^A (L: the longest
 * length; for A < 0 the next one). Where that is no better than the n-th best of K finished scores,
 * it can't come among the n best, nor can those below it: such ones are dropped at once, and the
 * search ends when none is left. The n best are those of the whole search. */
#ifndef LIMN_DECODER_BEAM_H
#define LIMN_DECODER_BEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "decoder/constraints.h"

#define LIMN_BEAM_MAX 64

typedef struct limn_beam_settings {
    size_t beam_size;     /* K, 1 … LIMN_BEAM_MAX */
    size_t n_best;        /* hypotheses wanted, 1 … beam_size */
    size_t max_steps;     /* tokens at most, end token included, >= 1 */
    float length_penalty; /* A */
    size_t n_tokens;      /* vocabulary size */
    uint32_t start_token, end_token;
    limn_constraints constraints;
} limn_beam_settings;

typedef struct limn_hypothesis {
    uint32_t *tokens;      /* [n_tokens] without the start token, with the end token if any */
    float *token_logprobs; /* [n_tokens] */
    uint32_t *rows;        /* [n_tokens]: the row of each step that gave the token */
    size_t n_tokens;
    bool is_finished;      /* the end token came */
    double logprob, score;
} limn_hypothesis;

/* Writes log-probabilities [n_rows, n_tokens], none above 0, after row i, which continued row
 * parents[i] of the call before, took tokens[i]. At the first call n_rows is 1 and the token the
 * start token. */
typedef void limn_beam_step_fn(void *ctx, size_t n_rows, const uint32_t *parents,
                               const uint32_t *tokens, float *log_probs);

typedef struct limn_beam limn_beam; /* scratch of one worker, taken from an arena */

/* Takes all scratch for searches of up to these sizes from `arena`. NULL when the arena is counting
 * or has failed. */
limn_beam *limn_beam_plan(limn_arena *arena, size_t beam_size, size_t max_steps, size_t n_tokens);

/* Searches. *out [*n_out] are the best hypotheses, best score first, n_out in 1 … n_best; they
 * belong to `b` and stay valid until its next search. Allocates nothing.
 * LIMN_E_ARG: settings out of range or beyond the plan, or no caption can meet the constraints. */
limn_status limn_beam_search(limn_beam *b, const limn_beam_settings *settings,
                             limn_beam_step_fn *step, void *ctx, const limn_hypothesis **out,
                             size_t *n_out, limn_error *err);

#endif
