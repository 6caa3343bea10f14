/* The distribution that a token is drawn from, and drawing.
 *
 * In this order: temperature; the k most probable; the fewest whose probabilities sum to p
 * (Holtzman et al. 2020); those not below min_p times the largest; the most typical ones (Meister
 * et al. 2023). Each is applied to what the previous one left, renormalised. */
#ifndef LIMN_DECODER_SAMPLING_H
#define LIMN_DECODER_SAMPLING_H

#include <stddef.h>
#include <stdint.h>

#include "common/kernels/kernels.h"

typedef struct limn_sampling {
    float temperature; /* log-probabilities are divided by it; 0: the most probable token alone,
                        * ties to the lowest */
    size_t top_k;      /* all ties with the k-th are kept; 0 = off */
    float top_p;       /* in (0, 1]; the token that crosses p stays; of equals the lower go first;
                        * 1 or 0 = off */
    float min_p;       /* in [0, 1]; 0 = off */
    float typical;     /* in (0, 1]: the sum of probabilities that those with an information nearest
                        * to the entropy must reach; all as near as the last stay; 1 or 0 = off */
} limn_sampling;

/* Scratch: [n_tokens] of them. */
typedef struct limn_sampling_item {
    float key;
    uint32_t token;
} limn_sampling_item;

/* values [n], log-probabilities up to a constant, -INFINITY for what is impossible, become
 * probabilities, 0 for what was left out. Returns their sum in the order of the tokens, which is
 * below 1 where some were; 0 when nothing is possible. `softmax` as in limn_kernels. */
double limn_sampling_apply(const limn_sampling *s, limn_softmax_fn *softmax,
                           limn_sampling_item *items, float *values, size_t n);

/* Draws a token by inverse transform sampling with u in [0, 1): the first at which the cumulative
 * probability exceeds u * sum. */
uint32_t limn_sampling_draw(const float *probabilities, size_t n, double sum, double u);

#endif
