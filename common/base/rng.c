#include "common/base/rng.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

limn_rng limn_rng_stream(uint64_t seed, const void *name, size_t size)
{
    const unsigned char *bytes = name;
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return (limn_rng){ .key = mix(mix(seed + 0x9e3779b97f4a7c15u) ^ hash) };
}

uint64_t limn_rng_next(limn_rng *rng)
{
    return mix(rng->key + 0x9e3779b97f4a7c15u * ++rng->counter);
}

double limn_rng_uniform(limn_rng *rng)
{
    return (double)(limn_rng_next(rng) >> 11) * 0x1p-53;
}

/* Rejects the draws of the incomplete last run of n, so that each value is equally likely. */
uint64_t limn_rng_below(limn_rng *rng, uint64_t n)
{
    const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t draw;
    do draw = limn_rng_next(rng);
    while (draw >= limit);
    return draw % n;
}

/* Box and Muller 1958. 1 - u is in (0, 1], so the logarithm is finite. */
double limn_rng_normal(limn_rng *rng)
{
    const double radius = sqrt(-2.0 * log(1.0 - limn_rng_uniform(rng)));
    return radius * cos(6.283185307179586 * limn_rng_uniform(rng));
}
