/* Diverse groups, patience, and the penalties that change the search score, on toy languages. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "tests/unit/toy_language.h"

enum { MAX_GROUPS = 4, MAX_WIDTH = 4 };

typedef struct search {
    limn_arena arena;
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
    limn_beam *beam = limn_beam_plan(&s->arena, settings);
    s->tracker = toy_tracker_of(toy_next, lm, settings->n_tokens);
    return drive_beam(beam, settings, toy_track, &s->tracker, &s->best, &s->n_best, err);
}

static void finish(search *s)
{
    limn_arena_finish(&s->arena);
    toy_tracker_finish(&s->tracker);
}

static limn_beam_settings settings_of(size_t beam_size, size_t n_tokens)
{
    return (limn_beam_settings){ .beam_size = beam_size,
                                 .n_best = beam_size,
                                 .max_steps = MAX_STEPS,
                                 .length_penalty = 0.7f,
                                 .n_tokens = n_tokens,
                                 .start_token = START,
                                 .end_token = END };
}

static void check_equal(const search *a, const search *b)
{
    assert_int_equal(a->n_best, b->n_best);
    for (size_t i = 0; i < a->n_best; i++) {
        assert_true(limn_hypothesis_same_tokens(&a->best[i], &b->best[i]));
        assert_true(a->best[i].score == b->best[i].score);
        assert_true(a->best[i].logprob == b->best[i].logprob);
    }
}

static void check_sorted_distinct(const search *s)
{
    for (size_t i = 0; i < s->n_best; i++) {
        assert_true(i == 0 || s->best[i].score <= s->best[i - 1].score);
        for (size_t k = 0; k < i; k++)
            assert_false(limn_hypothesis_same_tokens(&s->best[i], &s->best[k]));
    }
}

/* ---- diverse beam search, by its description ---------------------------------------------- */

typedef struct naive_hypothesis {
    toy_caption c;
    double value, rank; /* less the diversity penalty */
} naive_hypothesis;

typedef struct naive_group {
    naive_hypothesis open[MAX_WIDTH], finished[MAX_WIDTH + 1];
    size_t n_open, n_finished;
} naive_group;

static double cost_of(const naive_group *groups, size_t g, uint32_t token, float diversity)
{
    size_t n = 0;
    for (size_t k = 0; k < g; k++)
        for (size_t i = 0; i < groups[k].n_open; i++)
            n += groups[k].open[i].c.tokens[groups[k].open[i].c.n_tokens - 1] == token;
    return (double)(diversity * (float)n);
}

static void insert(naive_hypothesis *list, size_t *n, size_t max, naive_hypothesis h, bool by_rank)
{
    size_t at = (*n)++;
    for (; at > 0 && (by_rank ? h.rank > list[at - 1].rank : h.value > list[at - 1].value); at--)
        list[at] = list[at - 1];
    list[at] = h;
    *n = *n > max ? max : *n;
}

static void step_group(naive_group *groups, size_t g, size_t width, const toy *lm, float diversity,
                       float length_penalty)
{
    static naive_hypothesis candidates[2 * MAX_WIDTH + 1];
    naive_group *group = &groups[g];
    size_t n_candidates = 0, n_open = 0;
    for (size_t i = 0; i < group->n_open; i++) {
        const naive_hypothesis *h = &group->open[i];
        float log_probs[MAX_TOKENS];
        toy_next(lm, h->c.tokens, h->c.n_tokens, log_probs);
        for (uint32_t t = 1; t < lm->n_tokens; t++) {
            const float value = log_probs[t] - (float)cost_of(groups, g, t, diversity);
            insert(candidates, &n_candidates, 2 * width,
                   (naive_hypothesis){ .c = toy_extend(&h->c, t, log_probs[t]),
                                       .value = h->value + (double)value },
                   false);
        }
    }
    for (size_t i = 0; i < n_candidates && n_open < width; i++) {
        naive_hypothesis *c = &candidates[i];
        if (c->c.tokens[c->c.n_tokens - 1] != END) {
            group->open[n_open++] = *c;
            continue;
        }
        c->c.is_finished = true;
        c->c.score = toy_score(c->c.logprob, c->c.n_tokens, length_penalty);
        c->rank = toy_score(c->value, c->c.n_tokens, length_penalty);
        insert(group->finished, &group->n_finished, width, *c, true);
    }
    group->n_open = n_open;
}

static void drop_hopeless(naive_group *g, size_t width, float length_penalty)
{
    while (g->n_finished == width && g->n_open > 0 &&
           toy_score(g->open[g->n_open - 1].value, MAX_STEPS, length_penalty) <=
               g->finished[width - 1].rank)
        g->n_open--;
}

static size_t naive_diverse(toy_caption *out, const toy *lm, const limn_beam_settings *s)
{
    static naive_group groups[MAX_GROUPS];
    const size_t width = s->beam_size / s->n_groups;
    size_t n = 0;
    memset(groups, 0, sizeof groups);
    for (size_t g = 0; g < s->n_groups; g++) groups[g].n_open = 1;
    for (size_t step = 0; step < s->max_steps; step++) {
        for (size_t g = 0; g < s->n_groups; g++)
            step_group(groups, g, width, lm, s->diversity, s->length_penalty);
        for (size_t g = 0; g < s->n_groups; g++)
            drop_hopeless(&groups[g], width, s->length_penalty);
    }
    for (size_t g = 0; g < s->n_groups; g++) {
        const size_t n_ended = groups[g].n_finished;
        for (size_t i = 0; i < groups[g].n_open && n_ended < width; i++) {
            naive_hypothesis *h = &groups[g].open[i];
            h->c.score = toy_score(h->c.logprob, s->max_steps, s->length_penalty);
            h->rank = toy_score(h->value, s->max_steps, s->length_penalty);
            insert(groups[g].finished, &groups[g].n_finished, width, *h, true);
        }
        for (size_t i = 0; i < groups[g].n_finished; i++) out[n++] = groups[g].finished[i].c;
    }
    return n;
}

static bool is_among(const limn_hypothesis *list, size_t n, const toy_caption *c)
{
    for (size_t i = 0; i < n; i++)
        if (toy_same_tokens(&list[i], c))
            return fabs(list[i].score - c->score) < 1e-9 &&
                   fabs(list[i].logprob - c->logprob) < 1e-9;
    return false;
}

static void test_groups_are_those_of_the_description(void **state)
{
    size_t n_different = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 600; seed++) {
        static toy_caption expected[MAX_GROUPS * MAX_WIDTH];
        const toy lm = { seed, 4 + seed % 8, 0 };
        const size_t n_groups = 2 + seed % 3, width = 1 + seed / 3 % 3;
        limn_beam_settings s = settings_of(n_groups * width, lm.n_tokens);
        search run_of = { 0 }, plain = { 0 };
        assert_int_equal(run(&plain, &s, &lm, NULL), LIMN_OK);
        s.n_groups = n_groups;
        s.diversity = 0.3f * (float)(1 + seed % 4);
        const size_t n = naive_diverse(expected, &lm, &s);
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        assert_true(run_of.n_best <= n);
        for (size_t i = 0; i < n; i++)
            assert_true(is_among(run_of.best, run_of.n_best, &expected[i]));
        check_sorted_distinct(&run_of);
        n_different += run_of.n_best != plain.n_best ||
                       !limn_hypothesis_same_tokens(&run_of.best[run_of.n_best - 1],
                                                    &plain.best[plain.n_best - 1]);
        finish(&run_of);
        finish(&plain);
    }
    assert_true(n_different > 300);
}

static void test_one_group_is_plain_beam_search(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        const toy lm = { seed, 3 + seed % 9, seed % 3 ? 0 : 2 };
        limn_beam_settings s = settings_of(1 + seed % 7, lm.n_tokens);
        search plain = { 0 }, run_of = { 0 };
        s.n_best = 1 + seed % s.beam_size;
        assert_int_equal(run(&plain, &s, &lm, NULL), LIMN_OK);
        s.n_groups = 1;
        s.diversity = 5;
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        check_equal(&plain, &run_of);
        finish(&plain);
        finish(&run_of);
    }
}

/* Groups that don't see each other find the same captions; these are reported once. */
static void test_groups_without_diversity_are_copies(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const toy lm = { seed, 9, 0 };
        const size_t n_groups = 2 + seed % 3, width = 1 + seed % 3;
        limn_beam_settings s = settings_of(width, lm.n_tokens);
        search plain = { 0 }, run_of = { 0 };
        assert_int_equal(run(&plain, &s, &lm, NULL), LIMN_OK);
        s.beam_size *= n_groups;
        s.n_best *= n_groups;
        s.n_groups = n_groups;
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        check_equal(&plain, &run_of);
        finish(&plain);
        finish(&run_of);
    }
}

/* With fewer captions wanted than found, the groups take turns. */
static void test_every_group_is_among_the_best(void **state)
{
    size_t n_apart = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const toy lm = { seed, 10, 0 };
        limn_beam_settings s = settings_of(9, lm.n_tokens);
        search run_of = { 0 };
        s.n_groups = 3;
        s.diversity = 100;
        s.n_best = 3;
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        assert_int_equal(run_of.n_best, 3);
        check_sorted_distinct(&run_of);
        n_apart += run_of.best[0].tokens[0] != run_of.best[1].tokens[0] &&
                   run_of.best[0].tokens[0] != run_of.best[2].tokens[0] &&
                   run_of.best[1].tokens[0] != run_of.best[2].tokens[0];
        finish(&run_of);
    }
    assert_true(n_apart > 100);
}

static void test_what_groups_can_not_do_is_an_error(void **state)
{
    const toy lm = { 1, 6, 0 };
    limn_beam_settings s = settings_of(6, lm.n_tokens);
    search run_of = { 0 };
    limn_error err = { 0 };
    (void)state;
    s.n_groups = 4;
    assert_int_equal(run(&run_of, &s, &lm, &err), LIMN_E_ARG);
    assert_non_null(strstr(err.text, "4 groups don't divide a beam of 6"));
    finish(&run_of);
}

/* ---- patience ----------------------------------------------------------------------------- */

static void test_patience_is_how_many_may_finish(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const toy lm = { seed, 8, 0 };
        limn_beam_settings s = settings_of(4, lm.n_tokens);
        search plain = { 0 }, patient = { 0 };
        assert_int_equal(run(&plain, &s, &lm, NULL), LIMN_OK);
        s.patience = 2.5f;
        s.n_best = limn_beam_max_finished(&s);
        assert_int_equal(s.n_best, 10);
        assert_int_equal(run(&patient, &s, &lm, NULL), LIMN_OK);
        assert_true(patient.n_best > plain.n_best);
        assert_true(patient.best[0].score >= plain.best[0].score);
        assert_true(patient.tracker.n_calls >= plain.tracker.n_calls);
        check_sorted_distinct(&patient);
        finish(&plain);
        finish(&patient);
    }
}

/* ---- the search score --------------------------------------------------------------------- */

static size_t n_repeated(const limn_hypothesis *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n_tokens; i++)
        for (size_t k = 0; k < i; k++) n += h->tokens[i] == h->tokens[k];
    return n;
}

static void check_model_logprobs(const limn_hypothesis *h, const toy *lm)
{
    for (size_t i = 0; i < h->n_tokens; i++) {
        float log_probs[MAX_TOKENS];
        toy_next(lm, h->tokens, i, log_probs);
        assert_true(h->token_logprobs[i] == log_probs[h->tokens[i]]);
    }
}

static void test_repetition_is_punished_but_not_reported(void **state)
{
    size_t n_before = 0, n_after = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const toy lm = { seed, 7, 0 };
        limn_beam_settings s = settings_of(3, lm.n_tokens);
        search plain = { 0 }, run_of = { 0 };
        s.constraints.min_words = 7;
        assert_int_equal(run(&plain, &s, &lm, NULL), LIMN_OK);
        s.values.repetition = 4;
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        n_before += n_repeated(&plain.best[0]);
        n_after += n_repeated(&run_of.best[0]);
        check_model_logprobs(&run_of.best[0], &lm);
        assert_true(toy_score(run_of.best[0].logprob, run_of.best[0].n_tokens, 0.7f) >=
                    run_of.best[0].score);
        finish(&plain);
        finish(&run_of);
    }
    assert_true(2 * n_after < n_before);
}

static void test_a_longer_caption_may_be_rewarded(void **state)
{
    size_t n_short = 0, n_long = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        const toy lm = { seed, 7, 0 };
        for (int sign = -1; sign <= 1; sign += 2) {
            limn_beam_settings s = settings_of(3, lm.n_tokens);
            search run_of = { 0 };
            s.length_reward = (float)sign;
            assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
            const limn_hypothesis *h = &run_of.best[0];
            const double length = h->is_finished ? (double)h->n_tokens : MAX_STEPS;
            assert_true(fabs(h->score - toy_score(h->logprob, (size_t)length, 0.7f) -
                             sign * length) < 1e-9);
            *(sign < 0 ? &n_short : &n_long) += h->n_tokens;
            finish(&run_of);
        }
    }
    assert_true(n_short * 3 < n_long);
}

/* Coverage that falls with the row makes the search prefer low rows. */
static double row_coverage(void *ctx, size_t row)
{
    (void)ctx;
    return -(double)row;
}

static void test_coverage_counts_when_a_caption_ends(void **state)
{
    size_t n_changed = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        const toy lm = { seed, 9, 0 };
        limn_beam_settings s = settings_of(4, lm.n_tokens);
        search plain = { 0 }, run_of = { 0 };
        assert_int_equal(run(&plain, &s, &lm, NULL), LIMN_OK);
        s.coverage = 0.5f;
        s.coverage_of = row_coverage;
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        for (size_t i = 0; i < run_of.n_best; i++) {
            const limn_hypothesis *h = &run_of.best[i];
            const size_t length = h->is_finished ? h->n_tokens : (size_t)MAX_STEPS;
            assert_true(fabs(h->score - toy_score(h->logprob, length, 0.7f) +
                             0.5 * h->rows[h->n_tokens - 1]) < 1e-9);
        }
        n_changed += !limn_hypothesis_same_tokens(&plain.best[0], &run_of.best[0]);
        finish(&plain);
        finish(&run_of);
    }
    assert_true(n_changed > 5);
}

/* Allows only even tokens and the end, and favours 4; checks the words it gets. */
static void even_filter(void *ctx, const uint32_t *words, size_t n_words, float *values,
                        size_t n_tokens)
{
    size_t *n_calls = ctx;
    for (size_t t = 0; t < n_tokens; t++)
        if (t % 2 && t != END) values[t] = NAN;
    values[4] = 3;
    for (size_t i = 0; i < n_words; i++) assert_true(words[i] % 2 == 0);
    ++*n_calls;
}

static void test_a_filter_decides_but_is_not_reported(void **state)
{
    static const uint32_t banned[] = { 6 };
    limn_phrase_trie *trie = toy_tokens(banned, 1);
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        const toy lm = { seed, 9, 0 };
        limn_beam_settings s = settings_of(3, lm.n_tokens);
        search run_of = { 0 };
        size_t n_calls = 0;
        s.values = (limn_token_values){ .filter = even_filter, .filter_ctx = &n_calls };
        s.constraints = (limn_constraints){ .banned_phrases = trie, .max_words = 5 };
        assert_int_equal(run(&run_of, &s, &lm, NULL), LIMN_OK);
        assert_true(n_calls > 0);
        check_model_logprobs(&run_of.best[0], &lm);
        for (size_t i = 0; i < run_of.n_best; i++)
            for (size_t t = 0; t < run_of.best[i].n_tokens; t++)
                assert_true(run_of.best[i].tokens[t] == END ||
                            (run_of.best[i].tokens[t] % 2 == 0 && run_of.best[i].tokens[t] != 6));
        finish(&run_of);
    }
    limn_phrase_trie_destroy(&trie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_are_those_of_the_description),
        cmocka_unit_test(test_one_group_is_plain_beam_search),
        cmocka_unit_test(test_groups_without_diversity_are_copies),
        cmocka_unit_test(test_every_group_is_among_the_best),
        cmocka_unit_test(test_what_groups_can_not_do_is_an_error),
        cmocka_unit_test(test_patience_is_how_many_may_finish),
        cmocka_unit_test(test_repetition_is_punished_but_not_reported),
        cmocka_unit_test(test_a_longer_caption_may_be_rewarded),
        cmocka_unit_test(test_coverage_counts_when_a_caption_ends),
        cmocka_unit_test(test_a_filter_decides_but_is_not_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
