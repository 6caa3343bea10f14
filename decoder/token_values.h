/* The values by which the next token is chosen: log-probabilities, changed by the repetition
 * penalty, the caller's filter and the constraints. */
#ifndef LIMN_DECODER_TOKEN_VALUES_H
#define LIMN_DECODER_TOKEN_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoder/constraints.h"
#include "decoder/hypothesis.h"

typedef struct limn_token_values {
    float repetition; /* factor of the log-probability of words that are there already (Keskar et
                       * al. 2019); 0 or 1 = off */
    /* Changes values [n_tokens], log-probabilities at first, of what may follow words [n_words].
     * -INFINITY bans; what is above 0 counts as 0. NULL = off (limn_filter_fn of captioner.h) */
    void (*filter)(void *ctx, const uint32_t *words, size_t n_words, float *values,
                   size_t n_tokens);
    void *filter_ctx;
} limn_token_values;

/* Whether the values are simply the log-probabilities. */
bool limn_token_values_are_plain(const limn_token_values *v);

/* What bounds the values: the sizes of a search, and its constraints. */
typedef struct limn_token_bounds {
    const limn_constraints *constraints;
    size_t n_tokens, max_steps;
    uint32_t end_token;
} limn_token_bounds;

/* values [n_tokens], which hold the log-probabilities after `h`, become the values to choose by. */
void limn_token_values_apply(const limn_token_values *v, const limn_token_bounds *bounds,
                             const limn_hypothesis *h, float *values);

#endif
