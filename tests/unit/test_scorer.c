/* Scores of given captions on a toy model: against the captioner itself and a decoder pass without
 * an image; in any batch and order; unknown words, errors, no allocation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "models/captioner_model.h"
#include "models/scorer.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/toy_captioner.h"
#include "tests/unit/wrapped_allocations.h"
#include "tests/fixtures/own_tokens.h"

enum { SIDE = 224, N_TOKENS = 24, MAX_WORDS = 23, N_JOBS = 19 };

static limn_scorer *make_scorer(const limn_model *model, uint32_t n_threads)
{
    limn_scorer *scorer;
    limn_error err = { 0 };
    if (limn_scorer_create(&scorer, model, 0, n_threads, &err)) fail_msg("%s", err.text);
    return scorer;
}

/* Made-up pixels [SIDE, SIDE, 3]. */
static const uint8_t *some_pixels(unsigned seed)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * seed / 64);
    return pixels;
}

/* Captions of 0 … MAX_WORDS words, one word in eight unknown. */
typedef struct captions {
    uint32_t words[N_JOBS][MAX_WORDS];
    float with[N_JOBS][MAX_WORDS + 1], without[N_JOBS][MAX_WORDS + 1];
    limn_score_job jobs[N_JOBS];
} captions;

static captions *make_captions(void)
{
    captions *c = calloc(1, sizeof *c);
    limn_rng rng = limn_rng_stream(1, "captions", 8);
    for (size_t i = 0; i < N_JOBS; i++) {
        c->jobs[i] =
            (limn_score_job){ c->words[i], i < 2 ? i * MAX_WORDS : limn_rng_below(&rng, MAX_WORDS),
                              c->with[i], c->without[i] };
        for (size_t w = 0; w < c->jobs[i].n_words; w++)
            c->words[i][w] =
                (uint32_t)(limn_rng_below(&rng, 8) == 0 ? LIMN_UNKNOWN_TOKEN
                                                        : 4 + limn_rng_below(&rng, N_TOKENS - 4));
    }
    return c;
}

static void run(limn_scorer *scorer, const limn_score_job *jobs, size_t n_jobs, unsigned seed)
{
    limn_error err = { 0 };
    if (limn_scorer_run(scorer, some_pixels(seed), jobs, n_jobs, &err)) fail_msg("%s", err.text);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_captions_of_the_captioner_have_the_scores_that_it_told(void **state)
{
    limn_model *model = open_toy_model(NULL);
    limn_options options = limn_options_default();
    limn_scorer *scorer = make_scorer(model, 2);
    limn_state *captioner;
    const limn_captions *found;
    (void)state;
    options.beam_size = options.n_best = 12;
    assert_int_equal(limn_state_create(&captioner, model, &options, 1, NULL), LIMN_OK);
    for (unsigned seed = 1; seed < 4; seed++) {
        limn_score_job jobs[12];
        float logprobs[12][MAX_WORDS + 1];
        assert_int_equal(limn_state_caption_input(captioner, NULL, some_pixels(seed), &found, NULL),
                         LIMN_OK);
        for (size_t i = 0; i < found->n_items; i++) {
            const limn_caption *c = &found->items[i];
            const bool is_ended = c->tokens[c->n_tokens - 1] == TOKEN_END;
            jobs[i] = (limn_score_job){ c->tokens, c->n_tokens - is_ended, logprobs[i], NULL };
        }
        run(scorer, jobs, found->n_items, seed);
        for (size_t i = 0; i < found->n_items; i++)
            assert_memory_equal(logprobs[i], found->items[i].token_logprobs,
                                found->items[i].n_tokens * sizeof(float));
    }
    limn_state_destroy(&captioner);
    limn_scorer_destroy(&scorer);
    limn_model_close(&model);
}

/* The decoder alone with features of zero, in double precision from its logits. */
static void check_without(const limn_model *m, const limn_score_job *job)
{
    limn_decoder_state *decoder;
    float *features = calloc(limn_encoder_n_positions(m->encoder),
                             limn_encoder_dim(m->encoder) * sizeof *features);
    const uint32_t parent = 0;
    assert_int_equal(limn_decoder_state_create(&decoder, m->decoder, 1, MAX_WORDS + 1, NULL),
                     LIMN_OK);
    limn_decoder_begin(decoder, NULL, features, NULL);
    for (size_t i = 0; i <= job->n_words; i++) {
        const uint32_t before = i > 0 ? job->words[i - 1] : TOKEN_START;
        const uint32_t token = before == LIMN_UNKNOWN_TOKEN ? TOKEN_UNKNOWN : before;
        const uint32_t next = i < job->n_words ? job->words[i] : (uint32_t)TOKEN_END;
        float logits[N_TOKENS];
        limn_decoder_step(decoder, NULL, 1, &parent, &token, logits);
        double sum = exp((double)logits[TOKEN_END]);
        for (size_t t = 4; t < N_TOKENS; t++) sum += exp((double)logits[t]);
        if (next == LIMN_UNKNOWN_TOKEN)
            assert_true(isnan(job->logprobs_without[i]));
        else
            assert_true(fabs((double)logits[next] - log(sum) - (double)job->logprobs_without[i]) <=
                        1e-5);
    }
    limn_decoder_state_destroy(&decoder);
    free(features);
}

static void test_without_an_image(void **state)
{
    limn_model *model = open_toy_model(NULL);
    limn_scorer *scorer = make_scorer(model, 1);
    captions *c = make_captions();
    size_t n_unknown = 0, n_different = 0;
    (void)state;
    run(scorer, c->jobs, N_JOBS, 5);
    for (size_t i = 0; i < N_JOBS; i++) {
        check_without(model, &c->jobs[i]);
        for (size_t w = 0; w < c->jobs[i].n_words; w++) {
            const bool is_unknown = c->words[i][w] == LIMN_UNKNOWN_TOKEN;
            assert_int_equal(isnan(c->with[i][w]), is_unknown);
            n_unknown += is_unknown;
            n_different += c->with[i][w] != c->without[i][w];
        }
    }
    assert_true(n_unknown > 5 && n_different > 100);
    free(c);
    limn_scorer_destroy(&scorer);
    limn_model_close(&model);
}

/* Alone, in any order, at any level and number of threads, after other images: the same bits. */
static void test_bits_do_not_depend_on_company(void **state)
{
    captions *expected = make_captions(), *c = make_captions();
    (void)state;
    for (size_t l = 0; limn_cpu_levels()[l]; l++) {
        limn_model *model = open_toy_model(limn_cpu_levels()[l]);
        limn_scorer *scorer = make_scorer(model, 1 + (uint32_t)l);
        if (l == 0) run(scorer, expected->jobs, N_JOBS, 7);
        memset(c->with, 1, sizeof c->with + sizeof c->without);
        if (l > 0) run(scorer, c->jobs, 3, 9);
        for (size_t i = N_JOBS; i-- > 0;)
            if (l > 0 || i > N_JOBS - 3) run(scorer, &c->jobs[i], 1, 7);
        for (size_t i = l > 0 ? 0 : N_JOBS - 2; i < N_JOBS; i++) {
            const size_t size = (c->jobs[i].n_words + 1) * sizeof(float);
            assert_memory_equal(c->with[i], expected->with[i], size);
            assert_memory_equal(c->without[i], expected->without[i], size);
        }
        limn_scorer_destroy(&scorer);
        limn_model_close(&model);
    }
    free(expected);
    free(c);
}

static void test_what_is_no_caption_is_an_error(void **state)
{
    static const struct {
        uint32_t word;
        size_t n_words;
        const char *says;
    } cases[] = {
        { 4, 24, "24 words are more than 23, the longest caption" },
        { 24, 1, "token 24 is not a word of the model" },
        { TOKEN_END, 2, "token 2 is not a word of the model" },
        { TOKEN_PAD, 1, "token 0 is not a word of the model" },
    };
    limn_model *model = open_toy_model(NULL);
    limn_scorer *scorer = make_scorer(model, 1), *none;
    (void)state;
    assert_int_equal(limn_scorer_max_words(scorer), 23);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t words[24] = { 0 };
        float logprobs[25] = { 7 };
        limn_error err = { 0 };
        for (size_t w = 0; w < 24; w++) words[w] = cases[i].word;
        const limn_score_job jobs[2] = { { words, 0, logprobs, NULL },
                                         { words, cases[i].n_words, logprobs, NULL } };
        assert_int_equal(limn_scorer_run(scorer, some_pixels(1), jobs, 2, &err), LIMN_E_ARG);
        assert_string_equal(err.text, cases[i].says);
        assert_true(logprobs[0] == 7);
    }
    assert_int_equal(limn_scorer_create(&none, model, 0, 0, NULL), LIMN_E_ARG);
    assert_null(none);
    assert_int_equal(limn_model_find(model, limn_model_token(model, 7)), 7);
    assert_int_equal(limn_model_find(model, "zebra"), LIMN_UNKNOWN_TOKEN);
    assert_int_equal(limn_model_find(model, "</s>"), LIMN_UNKNOWN_TOKEN);
    limn_scorer_destroy(&scorer);
    limn_scorer_destroy(&scorer);
    limn_model_close(&model);
}

static void test_scoring_allocates_nothing(void **state)
{
    limn_model *model = open_toy_model(NULL);
    limn_scorer *scorer = make_scorer(model, 2);
    captions *c = make_captions();
    (void)state;
    const size_t n_new = n_allocations;
    c->jobs[1].n_words = 15; /* a new scorer's capacity, though the model takes more */
    run(scorer, &c->jobs[1], 1, 1);
    assert_int_equal(n_allocations, n_new);
    c->jobs[1].n_words = MAX_WORDS;
    run(scorer, c->jobs, N_JOBS, 1);
    const size_t n_before = n_allocations;
    assert_true(n_before > n_new);
    run(scorer, c->jobs, N_JOBS, 1);
    run(scorer, c->jobs, N_JOBS, 2);
    assert_int_equal(n_allocations, n_before);
    free(c);
    limn_scorer_destroy(&scorer);
    limn_model_close(&model);
}

static void test_memory_that_ends_at_a_long_caption_is_an_error(void **state)
{
    captions *expected = make_captions(), *c = make_captions();
    limn_model *model = open_toy_model(NULL);
    limn_scorer *scorer = make_scorer(model, 2);
    limn_status status = LIMN_E_NOMEM;
    size_t n = 0;
    (void)state;
    run(scorer, expected->jobs, N_JOBS, 1);
    limn_scorer_destroy(&scorer);
    scorer = make_scorer(model, 2);
    for (; status == LIMN_E_NOMEM; n++) {
        n_until_failure = n;
        status = limn_scorer_run(scorer, some_pixels(1), c->jobs, N_JOBS, NULL);
        n_until_failure = SIZE_MAX;
        if (status != LIMN_OK) run(scorer, c->jobs, 1, 1); /* a short one still works */
    }
    assert_int_equal(status, LIMN_OK);
    assert_true(n > 2);
    for (size_t i = 0; i < N_JOBS; i++) {
        const size_t size = (c->jobs[i].n_words + 1) * sizeof(float);
        assert_memory_equal(c->with[i], expected->with[i], size);
        assert_memory_equal(c->without[i], expected->without[i], size);
    }
    limn_scorer_destroy(&scorer);
    limn_model_close(&model);
    free(expected);
    free(c);
}

static limn_status create_and_destroy(const limn_model *model)
{
    limn_scorer *scorer;
    const limn_status status = limn_scorer_create(&scorer, model, 0, 2, NULL);
    limn_scorer_destroy(&scorer);
    return status;
}

static void test_memory_that_ends_anywhere_is_an_error(void **state)
{
    limn_model *model = open_toy_model(NULL);
    (void)state;
    const size_t n_before = n_allocations;
    assert_int_equal(create_and_destroy(model), LIMN_OK);
    const size_t n_needed = n_allocations - n_before;
    for (size_t n = 0; n < n_needed; n++) {
        n_until_failure = n;
        const limn_status status = create_and_destroy(model);
        n_until_failure = SIZE_MAX;
        assert_int_equal(status, LIMN_E_NOMEM);
    }
    limn_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captions_of_the_captioner_have_the_scores_that_it_told),
        cmocka_unit_test(test_without_an_image),
        cmocka_unit_test(test_bits_do_not_depend_on_company),
        cmocka_unit_test(test_what_is_no_caption_is_an_error),
        cmocka_unit_test(test_scoring_allocates_nothing),
        cmocka_unit_test(test_memory_that_ends_at_a_long_caption_is_an_error),
        cmocka_unit_test(test_memory_that_ends_anywhere_is_an_error),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
