/* Beam search: plain, diverse (in groups) and constrained (with required words). It is independent
 * of the model: whoever drives it gives it log-probabilities (search_rows.h).
 *
 * Plain (the semantics of the reference captioner): at each step the 2K best extensions of all
 * open hypotheses are considered in order; an extension by the end token is a finished hypothesis,
 * kept only if fewer than K open ones rank above it; of the others, the best K stay open. It stops
 * when K are finished and no open one can still beat the worst of them, at most max_steps steps; if
 * fewer than K have finished by then, the open ones count too, with logprob / max_steps^A and no
 * end token. Score = logprob / length^A; length counts the end token, not the start token. Ties go
 * to the lower (row, token); of hypotheses with equal scores, to the one found first.
 *
 * Log-probabilities only fall, so an open hypothesis can't score more than logprob / L^A (L: the
 * maximum length; for A < 0 the next one). If that is no better than the n-th best of K finished
 * scores, neither it nor those below it can be among the n best: they are dropped at once, and the
 * search ends when none is left. The n best are those of the whole search.
 *
 * Patience: the number of finished hypotheses is round(K * patience) instead of K.
 *
 * Groups (Vijayakumar et al. 2016): G plain searches of K / G hypotheses side by side; at each
 * step they choose in turn, and a token is penalised by `diversity` for each open hypothesis of
 * earlier groups that has just chosen it. The penalty counts inside a group, not in the score. The
 * n best are the best of each group, then the second of each …, without repetition, by their
 * scores.
 *
 * Automaton (Anderson et al. 2017): each of its states has its own plain beam of K hypotheses; an
 * extension competes in the beam of the state that its token leads to. Only hypotheses in an
 * accepting state finish.
 *
 * The search compares values: log-probabilities, changed by a filter, penalties and diversity. The
 * log-probabilities that a hypothesis reports are never changed. */
#ifndef LIMN_DECODER_BEAM_H
#define LIMN_DECODER_BEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "decoder/constraints.h"
#include "decoder/hypothesis.h"
#include "decoder/required_words.h"
#include "decoder/search_rows.h"
#include "decoder/token_values.h"

#define LIMN_BEAM_MAX 64       /* hypotheses */
#define LIMN_BEAM_MAX_ROWS 256 /* those of all states */

typedef struct limn_beam_settings {
    size_t beam_size;     /* K, 1 … LIMN_BEAM_MAX */
    size_t n_best;        /* hypotheses wanted, 1 … what may finish */
    size_t max_steps;     /* maximum number of tokens, end token included, >= 1 */
    float length_penalty; /* A */
    size_t n_tokens;      /* vocabulary size */
    uint32_t start_token, end_token;
    limn_constraints constraints;
    /* From here on, 0 turns an option off. */
    float patience;                      /* 0 = 1 */
    size_t n_groups;                     /* G, which divides K; 0 = 1 */
    float diversity;                     /* >= 0 */
    const limn_required_words *required; /* over n_tokens tokens */
    limn_token_values values;            /* filter and penalties of tokens */
    float length_reward, coverage;       /* of limn_scoring */
    limn_coverage_fn *coverage_of;
    void *coverage_ctx; /* of coverage_of */
} limn_beam_settings;

typedef struct limn_beam limn_beam; /* scratch of one worker, taken from an arena */

/* Rows of the widest step, and hypotheses that may finish, all groups together. */
size_t limn_beam_max_rows(const limn_beam_settings *settings);
size_t limn_beam_max_finished(const limn_beam_settings *settings);

/* Takes all scratch for searches with these settings from `arena`. NULL when the arena is counting
 * or has failed. */
limn_beam *limn_beam_plan(limn_arena *arena, const limn_beam_settings *settings);

/* Begins a search; what the settings borrow must outlive it. None of these allocates.
 * LIMN_E_ARG: settings out of range or beyond the plan. */
limn_status limn_beam_begin(limn_beam *b, const limn_beam_settings *settings, limn_error *err);
/* At first one row of the start token. */
limn_search_rows limn_beam_rows(const limn_beam *b);
/* Takes log_probs [n_rows, n_tokens], none above 0, of limn_beam_rows; it may change them. */
void limn_beam_take(limn_beam *b, float *log_probs);
/* The results, once there are no rows: *out [*n_out] are the best hypotheses, best score first,
 * n_out in 1 … n_best; they belong to `b` and stay valid until its next search. LIMN_E_ARG when no
 * caption can meet the constraints. */
limn_status limn_beam_end(limn_beam *b, const limn_hypothesis **out, size_t *n_out,
                          limn_error *err);

#endif
