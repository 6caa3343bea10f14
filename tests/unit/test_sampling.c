/* Distributions against their definitions, and samples of toy languages against their
 * probabilities, by chi-square. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "decoder/sample_search.h"
#include "tests/unit/toy_language.h"

enum { MAX_N = 40 };

static limn_softmax_fn *softmax(void)
{
    limn_kernels kernels;
    limn_kernels_init(&kernels, LIMN_CPU_C);
    return kernels.softmax;
}

/* ---- the filters, as they are defined ------------------------------------------------------ */

typedef struct token {
    double p, key;
    size_t id;
} token;

static int larger_first(const void *a, const void *b)
{
    const token *x = a, *y = b;
    return x->key != y->key ? (x->key < y->key) - (x->key > y->key)
                            : (x->id > y->id) - (x->id < y->id);
}

static int smaller_first(const void *a, const void *b)
{
    const token *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
                            : (x->id > y->id) - (x->id < y->id);
}

/* Divides the probabilities [n] by their sum. */
static void normalise(double *p, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += p[i];
    for (size_t i = 0; i < n; i++) p[i] /= sum;
}

static void naive_top_k(double *p, size_t n, size_t k)
{
    for (size_t i = 0; i < n; i++) {
        size_t n_above = 0;
        for (size_t j = 0; j < n; j++) n_above += p[j] > p[i];
        if (n_above >= k) p[i] = -1; /* set to 0 below; never counts as above another */
    }
    for (size_t i = 0; i < n; i++) p[i] = p[i] < 0 ? 0 : p[i];
    normalise(p, n);
}

/* Keeps the first tokens in `order` until their sum reaches `mass`, and any whose key equals the
 * last one's. */
static void keep_until(double *p, size_t n, double mass, bool keeps_equal,
                       double (*key_of)(double p, double entropy),
                       int (*order)(const void *, const void *))
{
    token tokens[MAX_N];
    double entropy = 0, sum = 0;
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) entropy -= p[i] > 0 ? p[i] * log(p[i]) : 0;
    for (size_t i = 0; i < n; i++)
        tokens[i] = (token){ p[i], p[i] > 0 ? key_of(p[i], entropy) : 1e9, i };
    if (order == larger_first)
        for (size_t i = 0; i < n; i++) tokens[i].key = p[i];
    qsort(tokens, n, sizeof *tokens, order);
    while (n_kept < n && sum < mass - 1e-9) sum += tokens[n_kept++].p;
    while (keeps_equal && n_kept < n && fabs(tokens[n_kept].key - tokens[n_kept - 1].key) < 1e-9)
        n_kept++;
    for (size_t i = n_kept; i < n; i++) p[tokens[i].id] = 0;
    normalise(p, n);
}

static double key_of_p(double p, double entropy)
{
    (void)entropy;
    return p;
}

static double atypicality(double p, double entropy)
{
    return fabs(-log(p) - entropy);
}

static void naive_distribution(double *p, const limn_sampling *s, const float *values, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) p[i] = exp((double)values[i] / (double)s->temperature);
    normalise(p, n);
    if (s->top_k > 0) naive_top_k(p, n, s->top_k);
    if (s->top_p < 1) keep_until(p, n, (double)s->top_p, false, key_of_p, larger_first);
    for (size_t i = 0; i < n; i++) most = p[i] > most ? p[i] : most;
    for (size_t i = 0; i < n; i++) p[i] = p[i] < (double)s->min_p * most * (1 - 1e-6) ? 0 : p[i];
    normalise(p, n);
    if (s->typical < 1) keep_until(p, n, (double)s->typical, true, atypicality, smaller_first);
}

static void test_distributions_are_those_of_their_definitions(void **state)
{
    limn_sampling_item items[MAX_N];
    size_t n_dropped = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        limn_rng rng = limn_rng_stream(seed, "filters", 7);
        const size_t n = 1 + limn_rng_below(&rng, MAX_N);
        const float some_p[] = { 0.1f, 0.35f, 0.6f, 0.9f, 1 };
        limn_sampling s = { .temperature = 0.5f + 0.25f * (float)limn_rng_below(&rng, 5),
                            .top_k = limn_rng_below(&rng, 2) * limn_rng_below(&rng, 12),
                            .top_p = some_p[limn_rng_below(&rng, 5)],
                            .min_p = limn_rng_below(&rng, 3) ? 0 : 0.07f,
                            .typical = limn_rng_below(&rng, 2) ? 1 : 0.7f };
        float values[MAX_N];
        double expected[MAX_N];
        for (size_t i = 0; i < n; i++) /* levels make ties; some tokens are impossible */
            values[i] = i && limn_rng_below(&rng, 6) == 0
                            ? -INFINITY
                            : (float)(limn_rng_below(&rng, 24) * 0.37 - 9);
        naive_distribution(expected, &s, values, n);
        const double sum = limn_sampling_apply(&s, softmax(), items, values, n);
        for (size_t i = 0; i < n; i++) {
            if (fabs((double)values[i] / sum - expected[i]) > 1e-5)
                fail_msg("seed %d, %zu of %zu: %g, expected %g", (int)seed, i, n,
                         (double)values[i] / sum, expected[i]);
            n_dropped += !(values[i] > 0);
        }
    }
    assert_true(n_dropped > 20000);
}

static void apply(float *values, size_t n, limn_sampling s)
{
    limn_sampling_item items[MAX_N];
    limn_sampling_apply(&s, softmax(), items, values, n);
}

static void test_edges(void **state)
{
    const float logs[] = { logf(0.4f), logf(0.3f), logf(0.2f), logf(0.1f) };
    float v[4];
    (void)state;
    memcpy(v, logs, sizeof v); /* the token that crosses p stays */
    apply(v, 4, (limn_sampling){ .temperature = 1, .top_p = 0.5f });
    assert_true(v[0] > 0 && v[1] > 0 && v[2] == 0 && v[3] == 0);
    memcpy(v, logs, sizeof v); /* one token always stays */
    apply(v, 4, (limn_sampling){ .temperature = 1, .top_p = 1e-6f, .min_p = 1, .typical = 1e-6f });
    assert_true((v[0] > 0) + (v[1] > 0) + (v[2] > 0) + (v[3] > 0) == 1);
    const float ties[] = { -1, -2, -2, -3 }; /* all that are as probable as the k-th */
    memcpy(v, ties, sizeof v);
    apply(v, 4, (limn_sampling){ .temperature = 1, .top_k = 2 });
    assert_true(v[0] > 0 && v[1] > 0 && v[2] > 0 && v[3] == 0);
    memcpy(v, ties, sizeof v);
    apply(v, 4, (limn_sampling){ .temperature = 0 });
    assert_true(v[0] == 1 && v[1] == 0 && v[2] == 0 && v[3] == 0);
    memcpy(v, ties, sizeof v); /* a temperature that takes everything beyond the range of floats */
    apply(v, 4, (limn_sampling){ .temperature = FLT_MIN });
    assert_true(v[0] == 1 && v[1] == 0 && v[2] == 0 && v[3] == 0);
    const float none[] = { -INFINITY, -INFINITY };
    memcpy(v, none, sizeof none);
    limn_sampling_item items[2];
    assert_true(limn_sampling_apply(&(limn_sampling){ .temperature = 1 }, softmax(), items, v, 2) ==
                0);
}

static void test_drawing_inverts_the_sums(void **state)
{
    const float p[] = { 0, 0.25f, 0, 0.5f, 0.25f, 0 };
    const struct {
        double u;
        uint32_t token;
    } cases[] = { { 0, 1 },    { 0.2499, 1 }, { 0.25, 3 },       { 0.5, 3 },
                  { 0.75, 4 }, { 0.9999, 4 }, { 1 - 0x1p-53, 4 } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(limn_sampling_draw(p, 6, 1, cases[i].u), cases[i].token);
        assert_int_equal(limn_sampling_draw(p, 6, 1.0000001, cases[i].u), cases[i].token);
    }
}

/* ---- searches ----------------------------------------------------------------------------- */

typedef struct draw {
    limn_arena arena;
    limn_sample_search *samples;
    limn_sample_settings settings;
    toy lm;
    toy_tracker tracker;
} draw;

static draw draw_of(uint64_t seed, size_t n_tokens, size_t max_steps, size_t n_samples,
                    bool is_distinct)
{
    draw d = { .lm = { seed, n_tokens, 0 },
               .tracker = toy_tracker_of(toy_next, NULL, n_tokens),
               .settings = { .n_samples = n_samples,
                             .is_distinct = is_distinct,
                             .max_steps = max_steps,
                             .n_tokens = n_tokens,
                             .start_token = START,
                             .end_token = END,
                             .sampling = { .temperature = 1 },
                             .scoring = { .length_penalty = 0.7f },
                             .softmax = softmax() } };
    limn_arena_init_counting(&d.arena);
    assert_null(limn_sample_plan(&d.arena, &d.settings));
    assert_true(limn_arena_init(&d.arena, d.arena.high));
    d.samples = limn_sample_plan(&d.arena, &d.settings);
    assert_non_null(d.samples);
    return d;
}

static void finish(draw *d)
{
    toy_tracker_finish(&d->tracker);
    limn_arena_finish(&d->arena);
}

static const limn_hypothesis *run(draw *d, const char *name, size_t *n)
{
    const limn_hypothesis *out;
    d->tracker.lm = &d->lm;
    d->tracker.n_calls = 0;
    assert_int_equal(drive_sample(d->samples, &d->settings, 7, name, strlen(name), toy_track,
                                  &d->tracker, &out, n, NULL),
                     LIMN_OK);
    for (size_t i = 0; i < *n; i++) {
        assert_true(i == 0 || out[i].score <= out[i - 1].score);
        assert_true(fabs(out[i].score - toy_score(out[i].logprob, out[i].n_tokens, 0.7f)) < 1e-9);
        for (size_t k = 0; k < i; k++) assert_false(limn_hypothesis_same_tokens(&out[i], &out[k]));
    }
    return out;
}

static size_t number_of(const toy_caption *all, size_t n, const limn_hypothesis *h)
{
    for (size_t i = 0; i < n; i++)
        if (toy_same_tokens(h, &all[i])) return i;
    fail_msg("a caption that can't be said");
    return n;
}

/* Pearson's statistic of counts against expectations; those below 5 are pooled in one cell.
 * *n_cells: the number of cells. */
static double chi_square(const size_t *counts, const double *expected, size_t n, size_t *n_cells)
{
    double sum = 0, rest_count = 0, rest_expected = 0;
    *n_cells = 0;
    for (size_t i = 0; i < n; i++) {
        if (expected[i] < 5) {
            rest_count += (double)counts[i];
            rest_expected += expected[i];
            continue;
        }
        sum += pow((double)counts[i] - expected[i], 2) / expected[i];
        ++*n_cells;
    }
    if (rest_expected > 0) {
        sum += pow(rest_count - rest_expected, 2) / rest_expected;
        ++*n_cells;
    }
    return sum;
}

/* Checks that the statistic is within 4 standard deviations of its expectation. */
static void check_chi_square(const size_t *counts, const double *expected, size_t n)
{
    size_t n_cells;
    const double x = chi_square(counts, expected, n, &n_cells), df = (double)n_cells - 1;
    if (!(x < df + 4 * sqrt(2 * df))) fail_msg("chi-square %g of %g degrees of freedom", x, df);
    assert_true(df >= 3);
}

static void test_independent_samples_have_the_probabilities(void **state)
{
    static toy_caption all[600];
    static size_t counts[600];
    static double expected[600];
    const size_t n_images = 400, n_samples = 50;
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        draw d = draw_of(seed, 6, 4, n_samples, false);
        size_t n_all = 0;
        toy_enumerate(all, &n_all, &(toy_caption){ .n_tokens = 0 }, &d.lm, 4, 0.7f);
        memset(counts, 0, sizeof counts);
        for (size_t i = 0; i < n_images; i++) {
            char name[16];
            size_t n, n_drawn = 0;
            snprintf(name, sizeof name, "%zu.jpg", i);
            const limn_hypothesis *out = run(&d, name, &n);
            for (size_t k = 0; k < n; k++) {
                counts[number_of(all, n_all, &out[k])] += out[k].n_drawn;
                n_drawn += out[k].n_drawn;
            }
            assert_int_equal(n_drawn, n_samples);
        }
        for (size_t i = 0; i < n_all; i++)
            expected[i] = exp(all[i].logprob) * (double)(n_images * n_samples);
        check_chi_square(counts, expected, n_all);
        finish(&d);
    }
}

/* The same with a temperature and filters, token by token. */
static void test_filtered_samples_have_the_probabilities(void **state)
{
    static toy_caption all[600];
    static size_t counts[600];
    static double expected[600];
    (void)state;
    draw d = draw_of(11, 6, 4, 64, false);
    d.settings.sampling = (limn_sampling){ .temperature = 1.7f, .top_k = 4, .top_p = 0.95f };
    size_t n_all = 0, n_none = 0;
    toy_enumerate(all, &n_all, &(toy_caption){ .n_tokens = 0 }, &d.lm, 4, 0.7f);
    for (size_t i = 0; i < 300; i++) {
        char name[16];
        size_t n;
        snprintf(name, sizeof name, "%zu.jpg", i);
        const limn_hypothesis *out = run(&d, name, &n);
        for (size_t k = 0; k < n; k++) counts[number_of(all, n_all, &out[k])] += out[k].n_drawn;
    }
    for (size_t i = 0; i < n_all; i++) {
        expected[i] = 300 * 64;
        for (size_t t = 0; t < all[i].n_tokens; t++) {
            float values[MAX_TOKENS];
            limn_sampling_item items[MAX_TOKENS];
            toy_next(&d.lm, all[i].tokens, t, values);
            const double sum =
                limn_sampling_apply(&d.settings.sampling, softmax(), items, values, 6);
            expected[i] *= (double)values[all[i].tokens[t]] / sum;
        }
        n_none += expected[i] == 0;
        assert_true(expected[i] > 0 || counts[i] == 0);
    }
    assert_true(n_none > 50);
    check_chi_square(counts, expected, n_all);
    finish(&d);
}

/* Pairs without replacement: p(a) p(b) / (1 - p(a)) and the other way round. */
static void test_distinct_samples_are_drawn_without_replacement(void **state)
{
    static toy_caption all[64];
    static size_t counts[64 * 64];
    static double expected[64 * 64];
    const size_t n_images = 20000;
    (void)state;
    draw d = draw_of(5, 5, 3, 2, true);
    size_t n_all = 0;
    toy_enumerate(all, &n_all, &(toy_caption){ .n_tokens = 0 }, &d.lm, 3, 0.7f);
    for (size_t i = 0; i < n_images; i++) {
        char name[16];
        size_t n;
        snprintf(name, sizeof name, "%zu.jpg", i);
        const limn_hypothesis *out = run(&d, name, &n);
        assert_int_equal(n, 2);
        const size_t a = number_of(all, n_all, &out[0]), b = number_of(all, n_all, &out[1]);
        counts[a < b ? a * n_all + b : b * n_all + a]++;
    }
    for (size_t a = 0; a < n_all; a++)
        for (size_t b = a + 1; b < n_all; b++) {
            const double p = exp(all[a].logprob), q = exp(all[b].logprob);
            expected[a * n_all + b] = (p * q / (1 - p) + q * p / (1 - q)) * (double)n_images;
        }
    check_chi_square(counts, expected, n_all * n_all);
    finish(&d);
}

/* Asking for as many samples as there are captions gives all of them, whatever the noise. */
static void test_distinct_samples_exhaust_a_language(void **state)
{
    static toy_caption all[64];
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        draw d = draw_of(seed, 5, 3, 60, true);
        size_t n_all = 0, n;
        toy_enumerate(all, &n_all, &(toy_caption){ .n_tokens = 0 }, &d.lm, 3, 0.7f);
        const limn_hypothesis *out = run(&d, "a.jpg", &n);
        assert_int_equal(n, n_all);
        for (size_t i = 0; i < n; i++)
            assert_true(fabs(out[i].logprob - all[number_of(all, n_all, &out[i])].logprob) < 1e-9);
        finish(&d);
    }
}

static void test_a_sample_is_the_same_among_few_and_many(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        draw one = draw_of(seed, 8, 8, 1, false), many = draw_of(seed, 8, 8, 20, false);
        size_t n_one, n_many;
        bool is_there = false;
        const limn_hypothesis *a = run(&one, "photo.jpg", &n_one);
        const limn_hypothesis *b = run(&many, "photo.jpg", &n_many);
        for (size_t i = 0; i < n_many; i++) is_there |= limn_hypothesis_same_tokens(&a[0], &b[i]);
        assert_true(n_one == 1 && is_there);
        finish(&one);
        finish(&many);
    }
}

static void test_names_have_their_own_numbers(void **state)
{
    draw d = draw_of(3, 10, 10, 1, false);
    size_t n, n_different = 0;
    uint32_t first[10];
    (void)state;
    const limn_hypothesis *h = run(&d, "a.jpg", &n);
    const size_t n_first = h->n_tokens;
    memcpy(first, h->tokens, n_first * sizeof *first);
    for (size_t i = 0; i < 20; i++) {
        const char name[] = { (char)('b' + i), '\0' };
        h = run(&d, name, &n);
        n_different += h->n_tokens != n_first || memcmp(h->tokens, first, n_first * sizeof *first);
    }
    assert_true(n_different > 15);
    h = run(&d, "a.jpg", &n);
    assert_int_equal(h->n_tokens, n_first);
    assert_memory_equal(h->tokens, first, n_first * sizeof *first);
    finish(&d);
}

static void test_no_temperature_is_greedy(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        draw d = draw_of(seed, 8, MAX_STEPS, 3, seed % 2);
        size_t n;
        d.settings.sampling.temperature = seed % 4 < 2 ? 0 : 1e-4f;
        const limn_hypothesis *h = run(&d, "a", &n);
        for (size_t i = 0; i < h->n_tokens; i++) {
            float log_probs[MAX_TOKENS];
            toy_next(&d.lm, h->tokens, i, log_probs);
            for (size_t t = 0; t < 8; t++) assert_true(log_probs[t] <= log_probs[h->tokens[i]]);
            assert_true(h->token_logprobs[i] == log_probs[h->tokens[i]]);
        }
        assert_true(n == 1);
        finish(&d);
    }
}

static void test_constraints_hold_for_samples(void **state)
{
    static const uint32_t start[] = { 3, 4 }, banned[] = { 5, 2 };
    limn_phrase_trie *trie = toy_tokens(banned, 2);
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        draw d = draw_of(seed, 9, MAX_STEPS, 8, seed % 2);
        size_t n;
        d.settings.constraints = (limn_constraints){ .start = start,
                                                     .n_start = 2,
                                                     .banned_phrases = trie,
                                                     .min_words = 4,
                                                     .max_words = 6,
                                                     .no_repeat_ngram = 1 };
        const limn_hypothesis *out = run(&d, "a", &n);
        for (size_t i = 0; i < n; i++) {
            assert_memory_equal(out[i].tokens, start, sizeof start);
            assert_true(out[i].is_finished && out[i].n_tokens >= 5 && out[i].n_tokens <= 7);
            assert_false(toy_says(out[i].tokens, out[i].n_tokens, banned, 1));
            assert_false(toy_says(out[i].tokens, out[i].n_tokens, banned + 1, 1));
        }
        finish(&d);
    }
    limn_phrase_trie_destroy(&trie);
}

static void test_what_cannot_be_drawn_is_an_error(void **state)
{
    static const uint32_t all[] = { END, 2, 3, 4 };
    limn_phrase_trie *trie = toy_tokens(all, 4);
    (void)state;
    for (int is_distinct = 0; is_distinct < 2; is_distinct++) {
        draw d = draw_of(1, 5, 4, 3, is_distinct);
        d.tracker.lm = &d.lm;
        const limn_hypothesis *out;
        size_t n;
        limn_error err = { 0 }, err_size = { 0 };
        d.settings.constraints = (limn_constraints){ .banned_phrases = trie };
        assert_int_equal(
            drive_sample(d.samples, &d.settings, 0, "", 0, toy_track, &d.tracker, &out, &n, &err),
            LIMN_E_ARG);
        assert_non_null(strstr(err.text, "everything that could follow is banned"));
        d.tracker.n_calls = 0;
        d.settings.n_samples = 4;
        assert_int_equal(drive_sample(d.samples, &d.settings, 0, "", 0, toy_track, &d.tracker, &out,
                                      &n, &err_size),
                         LIMN_E_ARG);
        assert_non_null(strstr(err_size.text, "4 samples are not in 1 … 3"));
        finish(&d);
    }
    limn_phrase_trie_destroy(&trie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distributions_are_those_of_their_definitions),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_drawing_inverts_the_sums),
        cmocka_unit_test(test_independent_samples_have_the_probabilities),
        cmocka_unit_test(test_filtered_samples_have_the_probabilities),
        cmocka_unit_test(test_distinct_samples_are_drawn_without_replacement),
        cmocka_unit_test(test_distinct_samples_exhaust_a_language),
        cmocka_unit_test(test_a_sample_is_the_same_among_few_and_many),
        cmocka_unit_test(test_names_have_their_own_numbers),
        cmocka_unit_test(test_no_temperature_is_greedy),
        cmocka_unit_test(test_constraints_hold_for_samples),
        cmocka_unit_test(test_what_cannot_be_drawn_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
