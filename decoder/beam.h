/* Beam search. It knows scores and tokens, not models: a callback gives log-probabilities.
 *
 * Semantics (those of the reference captioner): at each step the 2K best extensions over all open
 * hypotheses are walked from the best; an extension by the end token is a finished hypothesis,
 * taken only while fewer than K open ones rank above it; others stay open until there are K. It
 * stops when K are finished and no open one can still beat the worst of them (bound: best open
 * logprob / max_steps^A), at most max_steps steps; if fewer than K have finished by then, the
 * open ones count too, with logprob / max_steps^A and no end token. Score = logprob / length^A;
 * length counts the end token, not the start token. Ties go to the lower (row, token). */
#ifndef LIMN_DECODER_BEAM_H
#define LIMN_DECODER_BEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"

#define LIMN_BEAM_MAX 64

typedef struct limn_beam_settings {
    size_t beam_size;       /* K, 1 … LIMN_BEAM_MAX */
    size_t max_steps;       /* tokens at most, end token included, >= 1 */
    size_t min_words;       /* no end token before that many words */
    size_t max_words;       /* end is forced after that many words; 0 = no bound but max_steps */
    size_t no_repeat_ngram; /* no n-gram of this size twice in a hypothesis; 0 = off */
    float length_penalty;   /* A */
    size_t n_tokens;        /* vocabulary size */
    uint32_t start_token, end_token;
    const bool *is_banned;  /* [n_tokens], never emitted; borrowed */
} limn_beam_settings;

typedef struct limn_hypothesis {
    const uint32_t *tokens;      /* [n_tokens] without the start token, with the end token if any */
    const float *token_logprobs; /* [n_tokens] */
    size_t n_tokens;
    bool is_finished;            /* the end token came */
    double logprob, score;
} limn_hypothesis;

/* Writes log-probabilities [n_rows, n_tokens] after row i, which continued row parents[i] of the
 * call before, took tokens[i]. At the first call n_rows is 1 and the token the start token. */
typedef void limn_beam_step_fn(void *ctx, size_t n_rows, const uint32_t *parents,
                               const uint32_t *tokens, float *log_probs);

typedef struct limn_beam limn_beam; /* scratch of one worker, taken from an arena */

/* Takes all scratch for searches of up to these sizes from `arena` (which may be counting;
 * then NULL comes back without error). */
limn_beam *limn_beam_plan(limn_arena *arena, size_t beam_size, size_t max_steps, size_t n_tokens);

/* Searches. *out [*n_out] are the finished hypotheses, best score first (ties: found first),
 * n_out <= beam_size, at least 1; they stay valid until the next call on `b`. Allocates nothing.
 * LIMN_E_ARG: settings out of range or beyond the plan, or no caption can meet them. */
limn_status limn_beam_search(limn_beam *b, const limn_beam_settings *settings,
                             limn_beam_step_fn *step, void *ctx, const limn_hypothesis **out,
                             size_t *n_out, limn_error *err);

#endif
