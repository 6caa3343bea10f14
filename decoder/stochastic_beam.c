/* Stochastic beam search: the largest of log-probability plus Gumbel noise over all captions, found
 * from the top of the tree down. The noise of children is drawn such that the largest among
 * siblings equals their parent's, so a subtree that can't hold one of the largest is never
 * visited. */
#include <float.h>
#include <math.h>

#include "common/kernels/c/math_c.h"
#include "common/base/ranked.h"
#include "decoder/sample_search_scratch.h"

/* log(1 - e^x) of x <= 0, which is -INFINITY at 0 (Maechler 2012) */
static double log1mexp(double x)
{
    return x > -0.6931471805599453 ? log(-expm1(x)) : log1p(-exp(x));
}

/* The noise of a child, whose own made it `noisy`, given that the largest of its siblings comes to
 * `parent` (Kool et al. 2019, appendix B). */
static double condition(double noisy, double largest, double parent)
{
    const double v = parent - noisy + log1mexp(noisy - largest);
    return parent - fmax(v, 0) - log1p(exp(-fabs(v)));
}

static double gumbel(limn_rng *rng)
{
    return -log(-log(limn_rng_uniform(rng) + 0x1p-54));
}

static bool is_noisier(const void *a, const void *b)
{
    return ((const noisy_leaf *)a)->noisy > ((const noisy_leaf *)b)->noisy;
}

/* Keeps the best `max`; of equals those that came first. */
static void offer(noisy_leaf *list, size_t *n, size_t max, noisy_leaf leaf)
{
    limn_ranked_insert(list, n, max, sizeof leaf, &leaf, is_noisier);
}

/* The best children of a leaf, in d->children; returns how many. */
static size_t draw_children(limn_sample_search *d, const limn_sample_settings *s, size_t parent,
                            double sum, limn_rng *rng)
{
    size_t n = 0;
    for (size_t t = 0; t < s->n_tokens; t++) {
        const float share = (float)((double)d->probabilities[t] / sum);
        if (share < FLT_MIN) continue;
        const double logprob = d->leaves[parent].logprob + (double)limn_logf(share);
        offer(d->children, &n, s->n_samples,
              (noisy_leaf){ logprob, logprob + gumbel(rng), parent, (uint32_t)t });
    }
    return n;
}

/* The n_samples best among complete hypotheses and children of open ones, in d->chosen. */
static size_t choose(limn_sample_search *d, const limn_sample_settings *s, limn_rng *rng)
{
    size_t n_chosen = 0, row = 0;
    for (size_t i = 0; i < d->n_open; i++) {
        const noisy_leaf *leaf = &d->leaves[i];
        if (leaf->token == LIMN_NO_TOKEN) {
            offer(d->chosen, &n_chosen, s->n_samples,
                  (noisy_leaf){ leaf->logprob, leaf->noisy, i, LIMN_NO_TOKEN });
            continue;
        }
        const double sum = limn_sample_distribution(d, s, &d->open[i], row++);
        const size_t n = sum > 0 ? draw_children(d, s, i, sum, rng) : 0;
        for (size_t c = 0; c < n; c++) {
            noisy_leaf child = d->children[c];
            child.noisy = condition(child.noisy, d->children[0].noisy, leaf->noisy);
            offer(d->chosen, &n_chosen, s->n_samples, child);
        }
    }
    return n_chosen;
}

/* The row of the latest step that an open hypothesis had: complete ones have none. */
static size_t row_of(const limn_sample_search *d, size_t index)
{
    size_t row = 0;
    for (size_t i = 0; i < index; i++) row += d->leaves[i].token != LIMN_NO_TOKEN;
    return row;
}

/* Chosen leaves [n] become the hypotheses of the next step; returns its rows. */
static size_t take_chosen(limn_sample_search *d, const limn_sample_settings *s, size_t n)
{
    size_t n_rows = 0;
    for (size_t i = 0; i < n; i++) {
        noisy_leaf *leaf = &d->chosen[i];
        const limn_hypothesis *from = &d->open[leaf->parent];
        if (leaf->token == LIMN_NO_TOKEN) {
            limn_hypothesis_copy(&d->next[i], from);
            continue;
        }
        const size_t row = row_of(d, leaf->parent);
        limn_sample_extend(d, s, &d->next[i], from, row, leaf->token);
        if (limn_sample_complete(s, &d->next[i])) {
            leaf->token = LIMN_NO_TOKEN;
            continue;
        }
        d->parents[n_rows] = (uint32_t)row;
        d->tokens[n_rows++] = leaf->token;
    }
    return n_rows;
}

static void swap_leaves(limn_sample_search *d, size_t n)
{
    noisy_leaf *leaves = d->leaves;
    d->leaves = d->chosen;
    d->chosen = leaves;
    limn_sample_swap_open(d);
    d->n_open = n;
}

void limn_sample_begin_distinct(limn_sample_search *d, const limn_sample_settings *s)
{
    d->leaves[0] = (noisy_leaf){ .token = s->start_token };
}

size_t limn_sample_step_distinct(limn_sample_search *d, const limn_sample_settings *s)
{
    const size_t n = choose(d, s, &d->image);
    const size_t n_rows = take_chosen(d, s, n);
    swap_leaves(d, n);
    return n_rows;
}
