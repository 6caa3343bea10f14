/* Internals of a limn_sample_search. Only sample_search.c and stochastic_beam.c include this. */
#ifndef LIMN_DECODER_SAMPLE_SEARCH_SCRATCH_H
#define LIMN_DECODER_SAMPLE_SEARCH_SCRATCH_H

#include "common/base/rng.h"
#include "decoder/sample_search.h"

/* A caption that is being drawn, independently of others. */
typedef struct sample {
    limn_rng rng;
    size_t row; /* of the next step */
} sample;

/* A hypothesis of stochastic beam search. */
typedef struct noisy_leaf {
    double logprob; /* of the distribution that is drawn from */
    double noisy;   /* logprob and Gumbel noise, given that of its ancestors */
    size_t parent;  /* index of the hypothesis that it continues, or is */
    uint32_t token; /* LIMN_NO_TOKEN: it is that hypothesis, which is complete */
} noisy_leaf;

#define LIMN_NO_TOKEN UINT32_MAX

struct limn_sample_search {
    limn_sample_settings plan, settings; /* the largest, and those of the search in progress */
    limn_rng image;                      /* what the seed and the name give */
    const float *log_probs;              /* [n_rows, n_tokens], the caller's, of the latest rows */
    float *probabilities;                /* [n_tokens] of the row at hand */
    limn_sampling_item *items;           /* [n_tokens] */
    limn_hypothesis *open, *next;        /* [n_samples] beginnings, before and after a step */
    limn_hypothesis *finished;           /* [n_samples] */
    uint32_t *parents, *tokens;          /* [n_samples], of the rows wanted next */
    size_t n_rows, n_open, n_finished;
    sample *samples; /* [n_open_samples], of increasing row */
    size_t n_open_samples;
    noisy_leaf *leaves, *chosen, *children; /* [n_samples] of stochastic beam search */
};

/* Writes the distribution after `h`, row `row` of the latest step, to d->probabilities and returns
 * its sum; 0: nothing may follow. */
double limn_sample_distribution(limn_sample_search *d, const limn_sample_settings *s,
                                const limn_hypothesis *h, size_t row);
/* `to` becomes `from`, row `row` of the latest step, with one more token. */
void limn_sample_extend(const limn_sample_search *d, const limn_sample_settings *s,
                        limn_hypothesis *to, const limn_hypothesis *from, size_t row,
                        uint32_t token);
/* Whether a hypothesis of the latest step has come to its end, and then its score. */
bool limn_sample_complete(const limn_sample_settings *s, limn_hypothesis *h);
void limn_sample_swap_open(limn_sample_search *d);

/* A step of drawing without replacement; returns the rows of the next one. What is complete at the
 * end is in d->open [d->n_open]. */
void limn_sample_begin_distinct(limn_sample_search *d, const limn_sample_settings *s);
size_t limn_sample_step_distinct(limn_sample_search *d, const limn_sample_settings *s);

#endif
