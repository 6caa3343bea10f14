/* Beam search over made-up language models: a model's log-probabilities are a function of the words
 * so far, drawn from a hash of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "tests/unit/toy_language.h"

typedef struct search {
    limn_arena arena;
    limn_beam *beam;
    toy_tracker tracker;
    const limn_hypothesis *best;
    size_t n_best;
} search;

static limn_status run(search *s, const limn_beam_settings *settings, toy_next_fn *next,
                       const void *lm, limn_error *err)
{
    limn_beam_settings plan = *settings;
    plan.max_steps = MAX_STEPS;
    plan.n_tokens = MAX_TOKENS;
    limn_arena_init_counting(&s->arena);
    assert_null(limn_beam_plan(&s->arena, &plan));
    assert_true(limn_arena_init(&s->arena, s->arena.high));
    s->beam = limn_beam_plan(&s->arena, &plan);
    assert_non_null(s->beam);
    uint32_t(*history)[MAX_KEPT_ROWS][MAX_STEPS] = s->tracker.history;
    s->tracker = toy_tracker_of(next, lm, settings->n_tokens);
    s->tracker.history = history;
    return drive_beam(s->beam, settings, toy_track, &s->tracker, &s->best, &s->n_best, err);
}

static void finish(search *s)
{
    limn_arena_finish(&s->arena);
    toy_tracker_finish(&s->tracker);
}

static limn_beam_settings settings_of(size_t beam_size, size_t max_steps, size_t n_tokens, float a)
{
    return (limn_beam_settings){ .beam_size = beam_size,
                                 .n_best = beam_size,
                                 .max_steps = max_steps,
                                 .length_penalty = a,
                                 .n_tokens = n_tokens,
                                 .start_token = START,
                                 .end_token = END };
}

/* ---- an independent search ---------------------------------------------------------------- */

static void keep_best(toy_caption *finished, size_t *n, size_t k, toy_caption h)
{
    finished[(*n)++] = h;
    toy_sort(finished, *n, toy_by_score);
    if (*n > k) *n = k;
}

/* The reference's search, written to follow its description. */
static size_t naive_search(toy_caption *finished, const toy *lm, const limn_beam_settings *s)
{
    const size_t k = s->beam_size;
    static toy_caption open[64], candidates[64 * MAX_TOKENS];
    size_t n_open = 1, n_finished = 0;
    open[0] = (toy_caption){ .n_tokens = 0 };
    for (size_t step = 1; step <= s->max_steps; step++) {
        size_t n_candidates = 0;
        for (size_t row = 0; row < n_open; row++) {
            float log_probs[MAX_TOKENS];
            toy_next(lm, open[row].tokens, open[row].n_tokens, log_probs);
            for (uint32_t t = 0; t < lm->n_tokens; t++)
                if (t != START)
                    candidates[n_candidates++] = toy_extend(&open[row], t, log_probs[t]);
        }
        toy_sort(candidates, n_candidates, toy_by_logprob);
        n_open = 0;
        for (size_t i = 0; i < n_candidates && i < 2 * k && n_open < k; i++) {
            toy_caption *c = &candidates[i];
            if (c->tokens[step - 1] != END) {
                open[n_open++] = *c;
                continue;
            }
            c->score = toy_score(c->logprob, step, s->length_penalty);
            c->is_finished = true;
            keep_best(finished, &n_finished, k, *c);
        }
        if (n_open == 0 ||
            (n_finished == k &&
             toy_score(open[0].logprob, s->max_steps, s->length_penalty) <= finished[k - 1].score))
            return n_finished;
    }
    const size_t n_ended = n_finished;
    for (size_t i = 0; i < n_open && n_ended < k; i++) {
        open[i].score = toy_score(open[i].logprob, s->max_steps, s->length_penalty);
        keep_best(finished, &n_finished, k, open[i]);
    }
    return n_finished;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_a_wide_beam_finds_the_best_of_all(void **state)
{
    static toy_caption all[8000];
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        const toy lm = { seed, 4 + seed % 3, 0 };
        const size_t max_steps = lm.n_tokens == 6 ? 5 : 6, k = 1300;
        limn_beam_settings s = settings_of(k, max_steps, lm.n_tokens, (float)(seed % 4) * 0.4f);
        search run_of = { 0 };
        size_t n_all = 0;
        s.n_best = 40;
        toy_enumerate(all, &n_all, &(toy_caption){ .n_tokens = 0 }, &lm, max_steps,
                      s.length_penalty);
        qsort(all, n_all, sizeof *all, toy_by_score);
        assert_int_equal(run(&run_of, &s, toy_next, &lm, NULL), LIMN_OK);
        assert_int_equal(run_of.n_best, s.n_best);
        for (size_t i = 0; i < s.n_best; i++) toy_check_same(&run_of.best[i], &all[i]);
        finish(&run_of);
    }
}

static void test_the_n_best_are_those_of_the_reference_search(void **state)
{
    static toy_caption expected[128];
    size_t n_steps_saved = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        limn_rng rng = limn_rng_stream(seed, "case", 4);
        const toy lm = { seed, 3 + limn_rng_below(&rng, MAX_TOKENS - 2),
                         limn_rng_below(&rng, 3) ? 0 : 2 };
        limn_beam_settings s =
            settings_of(1 + limn_rng_below(&rng, 7), 1 + limn_rng_below(&rng, MAX_STEPS),
                        lm.n_tokens, (float)limn_rng_below(&rng, 4) * 0.35f);
        search run_of = { 0 };
        s.n_best = 1 + limn_rng_below(&rng, s.beam_size);
        const size_t n = naive_search(expected, &lm, &s);
        assert_int_equal(run(&run_of, &s, toy_next, &lm, NULL), LIMN_OK);
        assert_int_equal(run_of.n_best, n < s.n_best ? n : s.n_best);
        for (size_t i = 0; i < run_of.n_best; i++) toy_check_same(&run_of.best[i], &expected[i]);
        n_steps_saved += s.max_steps - run_of.tracker.n_calls;
        finish(&run_of);
    }
    assert_true(n_steps_saved > 4000);
}

/* A hypothesis knows which row it used at each step. */
static void test_rows_are_those_that_gave_the_tokens(void **state)
{
    static uint32_t history[MAX_STEPS][MAX_KEPT_ROWS][MAX_STEPS];
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        const toy lm = { seed, 6, seed % 2 ? 0 : 2 };
        const limn_beam_settings s =
            settings_of(1 + seed % MAX_KEPT_ROWS, MAX_STEPS, lm.n_tokens, 0.7f);
        search run_of = { .tracker = { .history = history } };
        assert_int_equal(run(&run_of, &s, toy_next, &lm, NULL), LIMN_OK);
        for (size_t i = 0; i < run_of.n_best; i++)
            for (size_t step = 1; step < run_of.best[i].n_tokens; step++)
                assert_memory_equal(history[step][run_of.best[i].rows[step]], run_of.best[i].tokens,
                                    step * sizeof(uint32_t));
        finish(&run_of);
    }
}

/* Without a length penalty, no continuation can beat a finished caption. */
static void test_beam_one_without_length_penalty_is_greedy(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        const toy lm = { seed, 8, 0 };
        const limn_beam_settings s = settings_of(1, MAX_STEPS, lm.n_tokens, 0);
        toy_caption greedy = { .n_tokens = 0 };
        search run_of = { 0 };
        while (!greedy.is_finished && greedy.n_tokens < MAX_STEPS) {
            float log_probs[MAX_TOKENS];
            uint32_t best = END;
            toy_next(&lm, greedy.tokens, greedy.n_tokens, log_probs);
            for (uint32_t t = 0; t < lm.n_tokens; t++)
                if (log_probs[t] > log_probs[best]) best = t;
            greedy = toy_extend(&greedy, best, log_probs[best]);
            greedy.is_finished = best == END;
        }
        greedy.score = greedy.logprob;
        assert_int_equal(run(&run_of, &s, toy_next, &lm, NULL), LIMN_OK);
        toy_check_same(&run_of.best[0], &greedy);
        assert_int_equal(run_of.tracker.n_calls, greedy.n_tokens);
        finish(&run_of);
    }
}

static size_t n_words(const limn_hypothesis *h)
{
    return h->n_tokens - h->is_finished;
}

static void test_word_limits_hold(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        const toy lm = { seed, 6, 0 };
        limn_beam_settings s = settings_of(1 + seed % 4, MAX_STEPS, lm.n_tokens, 0.7f);
        search run_of = { 0 };
        s.constraints.min_words = seed % 7;
        s.constraints.max_words = s.constraints.min_words + seed % 3;
        assert_int_equal(run(&run_of, &s, toy_next, &lm, NULL), LIMN_OK);
        for (size_t i = 0; i < run_of.n_best; i++) {
            assert_true(n_words(&run_of.best[i]) >= s.constraints.min_words);
            assert_true(s.constraints.max_words == 0 ||
                        n_words(&run_of.best[i]) <= s.constraints.max_words);
            assert_true(run_of.best[i].is_finished || s.constraints.max_words == 0);
        }
        finish(&run_of);
    }
}

static bool repeats(const limn_hypothesis *h, size_t n)
{
    for (size_t i = 0; i + n <= n_words(h); i++)
        for (size_t j = i + 1; j + n <= n_words(h); j++)
            if (memcmp(h->tokens + i, h->tokens + j, n * sizeof *h->tokens) == 0) return true;
    return false;
}

static void test_ngrams_are_not_repeated_and_banned_words_not_written(void **state)
{
    static const uint32_t banned[] = { 3, 5 };
    limn_phrase_trie *trie = toy_tokens(banned, 2);
    size_t n_repeating = 0, n_banned = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        const toy lm = { seed, 7, 0 };
        const size_t ngram = 1 + seed % 3;
        limn_beam_settings s = settings_of(3, MAX_STEPS, lm.n_tokens, 0.7f);
        search free_run = { 0 }, run_of = { 0 };
        s.constraints.min_words = ngram == 1 ? 0 : 5;
        assert_int_equal(run(&free_run, &s, toy_next, &lm, NULL), LIMN_OK);
        s.constraints.no_repeat_ngram = ngram;
        s.constraints.banned_phrases = trie;
        assert_int_equal(run(&run_of, &s, toy_next, &lm, NULL), LIMN_OK);
        for (size_t i = 0; i < run_of.n_best; i++) {
            assert_false(repeats(&run_of.best[i], ngram));
            for (size_t t = 0; t < run_of.best[i].n_tokens; t++)
                assert_true(run_of.best[i].tokens[t] != 3 && run_of.best[i].tokens[t] != 5);
        }
        n_repeating += repeats(&free_run.best[0], ngram);
        for (size_t t = 0; t < free_run.best[0].n_tokens; t++)
            n_banned += free_run.best[0].tokens[t] == 3;
        finish(&free_run);
        finish(&run_of);
    }
    assert_true(n_repeating > 20 && n_banned > 20);
    limn_phrase_trie_destroy(&trie);
}

/* All tokens are equally likely, and there is no end before two words. */
static void even_next(const void *ctx, const uint32_t *words, size_t n, float *log_probs)
{
    (void)ctx, (void)words;
    log_probs[START] = -INFINITY;
    for (size_t t = 1; t < 5; t++) log_probs[t] = n < 2 && t == END ? -INFINITY : -1.0f;
}

static void test_ties_go_to_the_lower_row_and_token(void **state)
{
    const limn_beam_settings s = settings_of(4, 3, 5, 0);
    static const uint32_t expected[4][3] = {
        { 2, 2, END },
        { 2, 3, END },
        { 2, 2, 2 },
        { 2, 2, 3 },
    };
    search run_of = { 0 };
    (void)state;
    assert_int_equal(run(&run_of, &s, even_next, NULL, NULL), LIMN_OK);
    assert_int_equal(run_of.n_best, 4);
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(run_of.best[i].tokens, expected[i], sizeof expected[i]);
    finish(&run_of);
}

/* Ends are unlikely, but likelier the longer the caption: fewer than K come before the limit. */
static void endless_next(const void *ctx, const uint32_t *words, size_t n, float *log_probs)
{
    (void)words;
    log_probs[START] = -INFINITY;
    log_probs[END] = *(const float *)ctx;
    log_probs[2] = -0.1f;
    log_probs[3] = -3.0f;
    (void)n;
}

static void test_unfinished_ones_count_where_too_few_have_finished(void **state)
{
    const float end = -5.0f;
    limn_beam_settings s = settings_of(2, 4, 4, 1.0f);
    search run_of = { 0 };
    (void)state;
    assert_int_equal(run(&run_of, &s, endless_next, &end, NULL), LIMN_OK);
    assert_int_equal(run_of.n_best, 2);
    assert_false(run_of.best[0].is_finished);
    assert_int_equal(run_of.best[0].n_tokens, 4);
    assert_true(fabs(run_of.best[0].score + 0.4 / 4) < 1e-6);
    finish(&run_of);
}

static void test_what_cannot_be_met_is_an_error(void **state)
{
    static const uint32_t words[] = { 2, 3 }, end[] = { END };
    limn_phrase_trie *no_words = toy_tokens(words, 2), *no_end = toy_tokens(end, 1);
    const float end_logprob = -1.0f;
    const limn_beam_settings good = settings_of(2, 4, 4, 0.7f);
    static const struct {
        size_t offset, value;
        const char *says;
    } cases[] = {
        { offsetof(limn_beam_settings, beam_size), 0, "beam size 0 is not in 1 … 2" },
        { offsetof(limn_beam_settings, beam_size), 3, "beam size 3 is not in 1 … 2" },
        { offsetof(limn_beam_settings, n_best), 3, "3 best hypotheses are not in 1 … 2" },
        { offsetof(limn_beam_settings, n_best), 0, "0 best hypotheses are not in 1 … 2" },
        { offsetof(limn_beam_settings, max_steps), 0, "0 steps are not in 1 … 12" },
        { offsetof(limn_beam_settings, max_steps), 13, "13 steps are not in 1 … 12" },
        { offsetof(limn_beam_settings, n_tokens), 13, "13 tokens are more than 12" },
        { offsetof(limn_beam_settings, n_tokens), END, "lack end token 1" },
        { offsetof(limn_beam_settings, constraints.min_words), 4,
          "at least 4 words and an end do "
          "not fit into 4 tokens" },
    };
    (void)state;
    search planned = { 0 };
    assert_int_equal(run(&planned, &good, endless_next, &end_logprob, NULL), LIMN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_beam_settings s = good;
        limn_error err = { 0 };
        memcpy((char *)&s + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        assert_int_equal(drive_beam(planned.beam, &s, toy_track, &planned.tracker, &planned.best,
                                    &planned.n_best, &err),
                         LIMN_E_ARG);
        if (!strstr(err.text, cases[i].says))
            fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].says);
    }
    const struct {
        limn_constraints constraints;
        const char *says;
    } constraint_cases[] = {
        { { .min_words = 3, .max_words = 2 }, "at least 3 and at most 2 words" },
        { { .banned_phrases = no_words, .min_words = 1 }, "everything that could follow" },
        { { .banned_phrases = no_end, .max_words = 1 }, "everything that could follow" },
    };
    for (size_t i = 0; i < sizeof constraint_cases / sizeof *constraint_cases; i++) {
        limn_beam_settings s = good;
        limn_error err = { 0 };
        s.constraints = constraint_cases[i].constraints;
        planned.tracker.n_calls = 0;
        assert_int_equal(drive_beam(planned.beam, &s, toy_track, &planned.tracker, &planned.best,
                                    &planned.n_best, &err),
                         LIMN_E_ARG);
        if (!strstr(err.text, constraint_cases[i].says))
            fail_msg("\"%s\" lacks \"%s\"", err.text, constraint_cases[i].says);
    }
    finish(&planned);
    limn_phrase_trie_destroy(&no_words);
    limn_phrase_trie_destroy(&no_end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wide_beam_finds_the_best_of_all),
        cmocka_unit_test(test_the_n_best_are_those_of_the_reference_search),
        cmocka_unit_test(test_rows_are_those_that_gave_the_tokens),
        cmocka_unit_test(test_beam_one_without_length_penalty_is_greedy),
        cmocka_unit_test(test_word_limits_hold),
        cmocka_unit_test(test_ngrams_are_not_repeated_and_banned_words_not_written),
        cmocka_unit_test(test_ties_go_to_the_lower_row_and_token),
        cmocka_unit_test(test_unfinished_ones_count_where_too_few_have_finished),
        cmocka_unit_test(test_what_cannot_be_met_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
