/* Made-up language models for tests of searches: a model's log-probabilities are a function of the
 * words so far, drawn from a hash of them, and small enough to list everything that it can say. */
#ifndef LIMN_TESTS_UNIT_TOY_LANGUAGE_H
#define LIMN_TESTS_UNIT_TOY_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/fixtures/drive_search.h"

enum { START = 0, END = 1, MAX_TOKENS = 12, MAX_STEPS = 12, MAX_ROWS = 3200, MAX_KEPT_ROWS = 8 };

/* Log-probabilities after words [n_words]. */
typedef void toy_next_fn(const void *ctx, const uint32_t *words, size_t n_words, float *log_probs);

typedef struct toy {
    uint64_t seed;
    size_t n_tokens; /* START is never written */
    int n_levels;    /* steps per unit that weights are rounded to, which makes ties; 0: none */
} toy;

void toy_next(const void *ctx, const uint32_t *words, size_t n_words, float *log_probs);

/* The callback of a search: follows the words of each row through parents. */
typedef struct toy_tracker {
    toy_next_fn *next;
    const void *lm;
    size_t n_tokens, n_calls, n_rows;
    size_t most_rows;                                   /* in any call */
    uint32_t (*words)[MAX_STEPS], (*before)[MAX_STEPS]; /* [MAX_ROWS] */
    uint32_t (*history)[MAX_KEPT_ROWS][MAX_STEPS]; /* [MAX_STEPS]: `words` of each call; or NULL */
} toy_tracker;

toy_tracker toy_tracker_of(toy_next_fn *next, const void *lm, size_t n_tokens);
void toy_tracker_finish(toy_tracker *t);
/* A drive_step_fn with a toy_tracker as ctx. */
void toy_track(void *ctx, size_t n_rows, const uint32_t *parents, const uint32_t *tokens,
               float *log_probs);

/* ---- every possible caption ------------------------------------------------------------- */

typedef struct toy_caption {
    uint32_t tokens[MAX_STEPS];
    size_t n_tokens;
    double logprob, score;
    bool is_finished;
} toy_caption;

double toy_score(double logprob, size_t length, float length_penalty);
toy_caption toy_extend(const toy_caption *c, uint32_t token, float log_prob);
/* Adds every caption that continues `c`: ended at any length, or cut off at max_steps. */
void toy_enumerate(toy_caption *out, size_t *n_out, const toy_caption *c, const toy *lm,
                   size_t max_steps, float length_penalty);
/* For qsort: the largest first. */
int toy_by_score(const void *a, const void *b);
int toy_by_logprob(const void *a, const void *b);
/* Sorting that keeps the order of equals. */
void toy_sort(toy_caption *items, size_t n, int (*compare)(const void *, const void *));
/* Checks that everything is the same, bit for bit, and adds up. */
void toy_check_same(const limn_hypothesis *h, const toy_caption *expected);
bool toy_same_tokens(const limn_hypothesis *h, const toy_caption *c);
/* Tokens [n], each as a phrase of its own, to be banned; the caller destroys it. */
limn_phrase_trie *toy_tokens(const uint32_t *tokens, size_t n);
/* Whether `phrase` is among the words. */
bool toy_says(const uint32_t *words, size_t n_words, const uint32_t *phrase, size_t n_phrase);

#endif
