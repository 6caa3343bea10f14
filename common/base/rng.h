/* Random numbers that are a function of (seed, name, counter) alone.
 *
 * Each use (an image's name, a bootstrap, a tensor) has its own stream, so order, threads and
 * batches don't change what is drawn, and a stream can be resumed from its two numbers. The
 * generator is SplitMix64 (Steele, Lea & Flood 2014) over a hashed key. */
#ifndef LIMN_COMMON_BASE_RNG_H
#define LIMN_COMMON_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct limn_rng {
    uint64_t key, counter;
} limn_rng;

/* The stream of `name` [size bytes] under `seed`, at its beginning. */
limn_rng limn_rng_stream(uint64_t seed, const void *name, size_t size);

uint64_t limn_rng_next(limn_rng *rng);              /* 64 random bits */
double limn_rng_uniform(limn_rng *rng);             /* in [0, 1), 53 bits */
uint64_t limn_rng_below(limn_rng *rng, uint64_t n); /* in 0 … n-1, unbiased; n >= 1 */
double limn_rng_normal(limn_rng *rng);              /* standard normal; draws two numbers */

#endif
