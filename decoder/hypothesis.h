/* A caption under construction, and its score: shared by all search methods. */
#ifndef LIMN_DECODER_HYPOTHESIS_H
#define LIMN_DECODER_HYPOTHESIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

typedef struct limn_hypothesis {
    uint32_t *tokens;      /* [n_tokens] without the start token, with the end token if any */
    float *token_logprobs; /* [n_tokens], the model's */
    uint32_t *rows;        /* [n_tokens]: the row of each step that gave the token */
    size_t n_tokens;
    bool is_finished; /* the end token came */
    uint32_t n_drawn; /* how often it was drawn; 1 unless sampled */
    double logprob;   /* sum of token_logprobs */
    double value;     /* what the search compares: logprob, changed by penalties or noise */
    double base;      /* `value` without what diversity took off it */
    double score;
    size_t state; /* of limn_required_words; 0 without any */
} limn_hypothesis;

/* One more token for a row. */
typedef struct limn_candidate {
    double value; /* of the whole hypothesis */
    float token_logprob;
    uint32_t row, token;
} limn_candidate;

/* [n] hypotheses with room for max_steps tokens, from `a`; NULL when it is counting or has failed.
 */
limn_hypothesis *limn_hypotheses_plan(limn_arena *a, size_t n, size_t max_steps);
/* No tokens yet. */
void limn_hypothesis_clear(limn_hypothesis *h);
/* `to` becomes `from`, in its own memory. */
void limn_hypothesis_copy(limn_hypothesis *to, const limn_hypothesis *from);
/* Adds the candidate's token and takes its value. */
void limn_hypothesis_append(limn_hypothesis *h, const limn_candidate *c);
/* By score; a limn_better_fn of hypotheses. */
bool limn_hypothesis_is_better(const void *a, const void *b);
bool limn_hypothesis_same_tokens(const limn_hypothesis *a, const limn_hypothesis *b);

/* ---- scores ----------------------------------------------------------------------------- */

/* What a caption covers of the image, 0 or less: sum over positions of log(min(c, 1)), c being
 * the attention that a position got in all steps up to the latest one, of row `row` there. */
typedef double limn_coverage_fn(void *ctx, size_t row);

/* score = value / length^A + coverage * C + reward * length */
typedef struct limn_scoring {
    float length_penalty;          /* A */
    float length_reward;           /* for each token; 0 = off */
    float coverage;                /* weight of the coverage (Wu et al. 2016), >= 0; 0 = off */
    limn_coverage_fn *coverage_of; /* C; needed where coverage > 0 */
    void *coverage_ctx;
} limn_scoring;

/* The score of a hypothesis with that value and length (end token included) that came through
 * `row`. */
double limn_score(const limn_scoring *s, double value, size_t length, size_t row);
/* An upper bound on the score that a hypothesis of n_tokens and that value can reach, given that
 * values only fall and no caption is longer than `longest` tokens. */
double limn_score_bound(const limn_scoring *s, double value, size_t n_tokens, size_t longest);

#endif
