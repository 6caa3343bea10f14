/* What the tests of the kernels share: random inputs, and outputs full of canaries. */
#ifndef LIMN_TESTS_UNIT_KERNEL_CHECK_H
#define LIMN_TESTS_UNIT_KERNEL_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "common/kernels/kernels.h"

static inline size_t random_below(limn_rng *rng, size_t n)
{
    return (size_t)limn_rng_below(rng, n);
}

/* n floats in [-2, 2), with a zero of either sign here and there; the caller frees. */
static inline float *random_floats(limn_rng *rng, size_t n)
{
    float *x = malloc((n ? n : 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        const size_t kind = random_below(rng, 40);
        x[i] = kind == 0 ? 0.0f : kind == 1 ? -0.0f : (float)(limn_rng_uniform(rng) * 4.0 - 2.0);
    }
    return x;
}

/* n floats that no kernel computes (a distinctive NaN), to see what a kernel wrote; the caller
 * frees. */
static inline float *canaries(size_t n)
{
    static const uint32_t canary = 0x7fc0cafe;
    float *x = malloc((n ? n : 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) memcpy(x + i, &canary, sizeof canary);
    return x;
}

#endif
