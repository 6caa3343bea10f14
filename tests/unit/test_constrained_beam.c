/* Required words, starts, banned phrases and endings: automata against a plain search for the
 * phrases, and beam searches against a list of everything that a toy language can say. */
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

enum { MAX_REQUIREMENTS = 3, MAX_ALTERNATIVES = 3, MAX_PHRASE = 3 };

/* Random requirements over the words 2 … n_tokens - 1. */
typedef struct wishes {
    uint32_t tokens[MAX_REQUIREMENTS][MAX_ALTERNATIVES][MAX_PHRASE];
    limn_phrase phrases[MAX_REQUIREMENTS][MAX_ALTERNATIVES];
    limn_requirement requirements[MAX_REQUIREMENTS];
    size_t n;
} wishes;

static void draw_wishes(wishes *w, limn_rng *rng, size_t n_tokens)
{
    w->n = 1 + limn_rng_below(rng, MAX_REQUIREMENTS);
    for (size_t r = 0; r < w->n; r++) {
        const size_t n_alternatives = 1 + limn_rng_below(rng, MAX_ALTERNATIVES);
        w->requirements[r] = (limn_requirement){ w->phrases[r], n_alternatives };
        for (size_t a = 0; a < n_alternatives; a++) {
            const size_t size = 1 + limn_rng_below(rng, MAX_PHRASE);
            w->phrases[r][a] = (limn_phrase){ w->tokens[r][a], size };
            for (size_t i = 0; i < size; i++)
                w->tokens[r][a][i] = (uint32_t)(2 + limn_rng_below(rng, n_tokens - 2));
        }
    }
}

static bool grants(const wishes *w, const uint32_t *words, size_t n_words)
{
    for (size_t r = 0; r < w->n; r++) {
        bool is_met = false;
        for (size_t a = 0; a < w->requirements[r].n_alternatives; a++)
            is_met |= toy_says(words, n_words, w->phrases[r][a].tokens, w->phrases[r][a].n_tokens);
        if (!is_met) return false;
    }
    return true;
}

static void test_an_automaton_accepts_what_has_the_phrases(void **state)
{
    size_t n_accepted = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        limn_rng rng = limn_rng_stream(seed, "automaton", 9);
        const size_t n_tokens = 4 + limn_rng_below(&rng, 3);
        limn_required_words *a;
        wishes w;
        draw_wishes(&w, &rng, n_tokens);
        assert_int_equal(
            limn_required_words_create(&a, w.requirements, w.n, NULL, n_tokens, 5000, NULL),
            LIMN_OK);
        for (size_t i = 0; i < 40; i++) {
            uint32_t words[MAX_STEPS];
            size_t at = 0;
            for (size_t n = 0; n < MAX_STEPS; n++) {
                assert_int_equal(limn_required_words_accepts(a, at), grants(&w, words, n));
                words[n] = (uint32_t)(2 + limn_rng_below(&rng, n_tokens - 2));
                at = limn_required_words_next(a, at)[words[n]];
                assert_true(at < limn_required_words_n_states(a));
            }
            n_accepted += limn_required_words_accepts(a, at);
        }
        limn_required_words_destroy(&a);
    }
    assert_true(n_accepted > 1000 && n_accepted < 15000);
}

/* The least number of words, by trying all sentences of growing length. */
static size_t count_needed(const wishes *w, size_t n_tokens, uint32_t *words, size_t n, size_t max)
{
    if (grants(w, words, n)) return 0;
    size_t best = max + 1;
    for (uint32_t t = 2; t < n_tokens && max > 0; t++) {
        words[n] = t;
        const size_t needed = 1 + count_needed(w, n_tokens, words, n + 1, max - 1);
        best = needed < best ? needed : best;
    }
    return best;
}

static void test_the_least_number_of_words_is_known(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        limn_rng rng = limn_rng_stream(seed, "needed", 6);
        limn_required_words *a;
        wishes w;
        uint32_t words[MAX_STEPS];
        draw_wishes(&w, &rng, 5);
        assert_int_equal(limn_required_words_create(&a, w.requirements, w.n, NULL, 5, 5000, NULL),
                         LIMN_OK);
        const size_t needed = count_needed(&w, 5, words, 0, 7);
        if (needed <= 7)
            assert_int_equal(limn_required_words_n_needed(a, 0), needed);
        else
            assert_true(limn_required_words_n_needed(a, 0) > 7);
        limn_required_words_destroy(&a);
    }
}

static void test_automata_that_cannot_be_made(void **state)
{
    static const uint32_t words[] = { 2, 3, 9 };
    const limn_phrase phrase = { words, 2 }, unknown = { words, 3 }, empty = { words, 0 };
    const limn_requirement many[LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS + 1] = { { &phrase, 1 } };
    const struct {
        limn_requirement requirement;
        size_t max_states;
        limn_status status;
    } cases[] = {
        { { &phrase, 1 }, 2, LIMN_E_LIMIT },
        { { &phrase, 1 }, 3, LIMN_OK },
        { { &unknown, 1 }, 9, LIMN_E_ARG },
        { { &empty, 1 }, 9, LIMN_E_ARG },
    };
    limn_required_words *a;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(limn_required_words_create(&a, &cases[i].requirement, 1, NULL, 5,
                                                    cases[i].max_states, NULL),
                         cases[i].status);
        assert_true((a != NULL) == (cases[i].status == LIMN_OK));
        limn_required_words_destroy(&a);
    }
    assert_int_equal(limn_required_words_create(&a, many, LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS + 1,
                                                NULL, 5, 9, NULL),
                     LIMN_E_LIMIT);
}

/* ---- searches ----------------------------------------------------------------------------- */

typedef struct search {
    limn_arena arena;
    limn_beam *beam;
    toy_tracker tracker;
    const limn_hypothesis *best;
    size_t n_best;
} search;

static limn_status run(search *s, const limn_beam_settings *settings, const toy *lm,
                       limn_error *err)
{
    limn_arena_init_counting(&s->arena);
    limn_beam_plan(&s->arena, settings);
    assert_true(limn_arena_init(&s->arena, s->arena.high));
    s->beam = limn_beam_plan(&s->arena, settings);
    s->tracker = toy_tracker_of(toy_next, lm, settings->n_tokens);
    return drive_beam(s->beam, settings, toy_track, &s->tracker, &s->best, &s->n_best, err);
}

static void finish(search *s)
{
    limn_arena_finish(&s->arena);
    toy_tracker_finish(&s->tracker);
}

static limn_beam_settings settings_of(size_t beam_size, size_t max_steps, size_t n_tokens)
{
    return (limn_beam_settings){ .beam_size = beam_size,
                                 .n_best = beam_size,
                                 .max_steps = max_steps,
                                 .length_penalty = 0.7f,
                                 .n_tokens = n_tokens,
                                 .start_token = START,
                                 .end_token = END };
}

static size_t n_words_of(const toy_caption *c)
{
    return c->n_tokens - c->is_finished;
}

/* Of all possible captions, those that grant the wishes, best first; returns how many there are. */
static size_t list_granting(toy_caption *all, const wishes *w, const toy *lm, size_t max_steps)
{
    size_t n_all = 0, n = 0;
    toy_enumerate(all, &n_all, &(toy_caption){ .n_tokens = 0 }, lm, max_steps, 0.7f);
    for (size_t i = 0; i < n_all; i++)
        if (grants(w, all[i].tokens, n_words_of(&all[i]))) all[n++] = all[i];
    qsort(all, n, sizeof *all, toy_by_score);
    return n;
}

/* Each state's beam is as wide as there are beginnings, so nothing is dropped on the way. */
static void test_a_wide_beam_finds_the_best_that_has_the_words(void **state)
{
    static toy_caption all[4000];
    size_t n_compared = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 120; seed++) {
        limn_rng rng = limn_rng_stream(seed, "constrained", 11);
        const toy lm = { seed, 5, 0 };
        const size_t max_steps = 5;
        limn_beam_settings s = settings_of(250, max_steps, lm.n_tokens);
        limn_required_words *required;
        search run_of = { 0 };
        wishes w;
        draw_wishes(&w, &rng, lm.n_tokens);
        assert_int_equal(limn_required_words_create(&required, w.requirements, w.n, NULL,
                                                    lm.n_tokens, 5000, NULL),
                         LIMN_OK);
        if (limn_required_words_n_states(required) * s.beam_size > MAX_ROWS) {
            limn_required_words_destroy(&required);
            continue;
        }
        s.required = required;
        s.n_best = 10;
        const size_t n = list_granting(all, &w, &lm, max_steps);
        assert_int_equal(run(&run_of, &s, &lm, NULL), n > 0 ? LIMN_OK : LIMN_E_ARG);
        for (size_t i = 0; n > 0 && i < 10 && i < n; i++) {
            toy_check_same(&run_of.best[i], &all[i]);
            n_compared++;
        }
        finish(&run_of);
        limn_required_words_destroy(&required);
    }
    assert_true(n_compared > 300);
}

/* The rows that the search asked for were those of its hypotheses, even after some were dropped. */
static void check_model_logprobs(const limn_hypothesis *h, const toy *lm)
{
    for (size_t i = 0; i < h->n_tokens; i++) {
        float log_probs[MAX_TOKENS];
        toy_next(lm, h->tokens, i, log_probs);
        assert_true(h->token_logprobs[i] == log_probs[h->tokens[i]]);
    }
}

/* A narrow beam may miss the best caption, but never the required words. */
static void test_required_words_are_there_in_every_caption(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        limn_rng rng = limn_rng_stream(seed, "narrow", 6);
        const toy lm = { seed, 8, 0 };
        limn_beam_settings s = settings_of(1 + seed % 3, MAX_STEPS, lm.n_tokens);
        limn_required_words *required;
        search run_of = { 0 };
        wishes w;
        draw_wishes(&w, &rng, lm.n_tokens);
        assert_int_equal(limn_required_words_create(&required, w.requirements, w.n, NULL,
                                                    lm.n_tokens, 800, NULL),
                         LIMN_OK);
        s.required = required;
        s.constraints.max_words = 11;
        s.n_best = 1 + seed % s.beam_size;
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        for (size_t i = 0; i < run_of.n_best; i++) {
            const limn_hypothesis *h = &run_of.best[i];
            assert_true(h->is_finished && grants(&w, h->tokens, h->n_tokens - 1));
            assert_true(i == 0 || h->score <= run_of.best[i - 1].score);
            check_model_logprobs(h, &lm);
        }
        assert_true(run_of.tracker.most_rows <=
                    s.beam_size * limn_required_words_n_states(required));
        finish(&run_of);
        limn_required_words_destroy(&required);
    }
}

static void test_words_that_do_not_fit_are_an_error(void **state)
{
    static const uint32_t words[] = { 2, 3, 4 };
    const limn_phrase phrase = { words, 3 };
    const limn_requirement requirement = { &phrase, 1 };
    const toy lm = { 1, 6, 0 };
    limn_beam_settings s = settings_of(3, MAX_STEPS, lm.n_tokens);
    limn_required_words *required;
    search short_run = { 0 }, run_of = { 0 };
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_required_words_create(&required, &requirement, 1, NULL, 6, 9, NULL),
                     LIMN_OK);
    s.required = required;
    s.constraints.max_words = 2;
    assert_int_equal(run(&short_run, &s, &lm, &err), LIMN_E_ARG);
    assert_non_null(strstr(err.text, "none that has the required words is left"));
    s.constraints.max_words = 3;
    assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
    assert_memory_equal(run_of.best[0].tokens, words, sizeof words);
    finish(&short_run);
    finish(&run_of);
    limn_required_words_destroy(&required);
}

/* Requiring what the best caption already says changes nothing. */
static void test_a_wish_that_is_granted_anyway_costs_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        const toy lm = { seed, 7, 0 };
        limn_beam_settings s = settings_of(2, MAX_STEPS, lm.n_tokens);
        search free_run = { 0 }, run_of = { 0 };
        limn_required_words *required;
        s.n_best = 1;
        s.length_penalty = 0;
        assert_int_equal(run(&free_run, &s, &lm, NULL), LIMN_OK);
        const limn_hypothesis *h = &free_run.best[0];
        if (h->is_finished && h->n_tokens > 1) {
            const limn_phrase all_words = { h->tokens, h->n_tokens - 1 };
            const limn_requirement r = { &all_words, 1 };
            assert_int_equal(
                limn_required_words_create(&required, &r, 1, NULL, lm.n_tokens, MAX_STEPS, NULL),
                LIMN_OK);
            s.required = required;
            assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
            assert_true(run_of.best[0].score >= h->score);
            limn_required_words_destroy(&required);
            finish(&run_of);
        }
        finish(&free_run);
    }
}

/* ---- starts ------------------------------------------------------------------------------- */

static void test_a_forced_greedy_beginning_is_continued_greedily(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        const toy lm = { seed, 8, 0 };
        limn_beam_settings s = settings_of(1, MAX_STEPS, lm.n_tokens);
        search greedy = { 0 };
        s.length_penalty = 0;
        assert_int_equal(run(&greedy, &s, &lm, NULL), LIMN_OK);
        const limn_hypothesis *h = &greedy.best[0];
        for (size_t n = 1; n < h->n_tokens; n++) {
            search forced = { 0 };
            s.constraints.start = h->tokens;
            s.constraints.n_start = n;
            assert_int_equal(run(&forced, &s, &lm, NULL), LIMN_OK);
            assert_true(limn_hypothesis_same_tokens(&forced.best[0], h));
            assert_true(forced.best[0].logprob == h->logprob);
            finish(&forced);
        }
        finish(&greedy);
    }
}

static void test_a_start_is_kept_and_other_rules_hold_after_it(void **state)
{
    static const uint32_t start[] = { 4, 3, 3, 3 }, banned[] = { 3 };
    limn_phrase_trie *trie = toy_tokens(banned, 1);
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        const toy lm = { seed, 6, 0 };
        limn_beam_settings s = settings_of(3, MAX_STEPS, lm.n_tokens);
        search run_of = { 0 };
        s.constraints = (limn_constraints){ .start = start,
                                            .n_start = 4,
                                            .banned_phrases = trie,
                                            .no_repeat_ngram = 1,
                                            .min_words = 5,
                                            .max_words = 6 };
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        for (size_t i = 0; i < run_of.n_best; i++) {
            const limn_hypothesis *h = &run_of.best[i];
            assert_true(h->n_tokens == 6 || h->n_tokens == 7);
            assert_memory_equal(h->tokens, start, sizeof start);
            assert_false(toy_says(h->tokens + 4, h->n_tokens - 4, banned, 1));
        }
        finish(&run_of);
    }
    limn_phrase_trie_destroy(&trie);
}

/* ---- banned phrases, endings -------------------------------------------------------------- */

static void test_banned_phrases_are_not_said(void **state)
{
    static const uint32_t ab[] = { 2, 3 }, aab[] = { 2, 2, 3 }, cdc[] = { 4, 5, 4 }, e[] = { 6 };
    const limn_phrase phrases[] = { { ab, 2 }, { aab, 3 }, { cdc, 3 }, { e, 1 }, { ab, 2 } };
    limn_phrase_trie *trie;
    size_t n_said = 0;
    (void)state;
    assert_int_equal(limn_phrase_trie_create(&trie, phrases, 5, NULL), LIMN_OK);
    for (uint64_t seed = 0; seed < 200; seed++) {
        const toy lm = { seed, 8, 0 };
        limn_beam_settings s = settings_of(3, MAX_STEPS, lm.n_tokens);
        search free_run = { 0 }, run_of = { 0 };
        s.constraints.min_words = 8;
        assert_int_equal(run(&free_run, &s, &lm, NULL), LIMN_OK);
        s.constraints.banned_phrases = trie;
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        for (size_t p = 0; p < 4; p++) {
            n_said += toy_says(free_run.best[0].tokens, free_run.best[0].n_tokens,
                               phrases[p].tokens, phrases[p].n_tokens);
            for (size_t i = 0; i < run_of.n_best; i++)
                assert_false(toy_says(run_of.best[i].tokens, run_of.best[i].n_tokens,
                                      phrases[p].tokens, phrases[p].n_tokens));
        }
        finish(&free_run);
        finish(&run_of);
    }
    assert_true(n_said > 50);
    const uint32_t clean[] = { 3, 2, 2, 4, 5, 5, 4 }, said[] = { 5, 4, 5, 4 };
    assert_false(limn_phrase_trie_finds(trie, NULL, clean, 7));
    assert_true(limn_phrase_trie_finds(trie, NULL, said, 4));
    limn_phrase_trie_destroy(&trie);
    assert_int_equal(limn_phrase_trie_create(&trie, &(limn_phrase){ ab, 0 }, 1, NULL), LIMN_E_ARG);
}

static void test_no_caption_ends_on_what_can_not_be_last(void **state)
{
    static const unsigned char cannot_end[8] = { 0, 0, 1, 0, 1, 0, 1, 0 };
    static const uint32_t bad[] = { 2, 4, 6 };
    limn_phrase_trie *trie = toy_tokens(bad, 3);
    size_t n_bad = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const toy lm = { seed, 8, 0 };
        limn_beam_settings s = settings_of(3, MAX_STEPS, lm.n_tokens);
        search free_run = { 0 }, run_of = { 0 };
        s.constraints.max_words = seed % 3 ? 1 + seed % 6 : 0;
        s.constraints.min_words = s.constraints.max_words;
        assert_int_equal(run(&free_run, &s, &lm, NULL), LIMN_OK);
        s.constraints.bad_endings = trie;
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        const limn_hypothesis *h = &free_run.best[0];
        n_bad += h->n_tokens > 1 && cannot_end[h->tokens[h->n_tokens - 1 - h->is_finished]];
        for (size_t i = 0; i < run_of.n_best; i++) {
            h = &run_of.best[i];
            const size_t n_words = h->n_tokens - h->is_finished;
            assert_true(n_words == 0 || !cannot_end[h->tokens[n_words - 1]]);
        }
        finish(&free_run);
        finish(&run_of);
    }
    assert_true(n_bad > 30);
    limn_phrase_trie_destroy(&trie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_automaton_accepts_what_has_the_phrases),
        cmocka_unit_test(test_the_least_number_of_words_is_known),
        cmocka_unit_test(test_automata_that_cannot_be_made),
        cmocka_unit_test(test_a_wide_beam_finds_the_best_that_has_the_words),
        cmocka_unit_test(test_required_words_are_there_in_every_caption),
        cmocka_unit_test(test_words_that_do_not_fit_are_an_error),
        cmocka_unit_test(test_a_wish_that_is_granted_anyway_costs_nothing),
        cmocka_unit_test(test_a_forced_greedy_beginning_is_continued_greedily),
        cmocka_unit_test(test_a_start_is_kept_and_other_rules_hold_after_it),
        cmocka_unit_test(test_banned_phrases_are_not_said),
        cmocka_unit_test(test_no_caption_ends_on_what_can_not_be_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
