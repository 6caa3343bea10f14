/* The predictions that captions were chosen from: against teacher-forced passes of the decoder, the
 * same captions with and without predictions, the same bits for any number of threads and CPU
 * level, no allocation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/captioner_model.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/toy_captioner.h"
#include "tests/unit/wrapped_allocations.h"
#include "tests/fixtures/own_tokens.h"

enum { SIDE = 224, N_TOKENS = 24, N_BEAMS = 5, MAX_STEPS = 20 };

static limn_options all_options(void)
{
    limn_options options = limn_options_default();
    options.beam_size = options.n_best = N_BEAMS;
    options.keeps_attention = true;
    options.n_alternatives = 4;
    return options;
}

/* Made-up pixels [SIDE, SIDE, 3]. */
static const uint8_t *some_pixels(unsigned seed)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * seed / 64);
    return pixels;
}

static const limn_captions *caption(limn_state *state, unsigned seed)
{
    const limn_captions *captions;
    limn_error err = { 0 };
    if (limn_state_caption_input(state, NULL, some_pixels(seed), &captions, &err))
        fail_msg("%s", err.text);
    return captions;
}

/* ---- a teacher-forced pass ------------------------------------------------------------------ */

typedef struct forced {
    limn_decoder_state *decoder;
    float *features, *attention; /* [max_steps, 1, attention_dim] */
    float log_probs[MAX_STEPS][N_TOKENS];
} forced;

static forced *force(const limn_model *m, const uint8_t *pixels, const uint32_t *tokens, size_t n)
{
    forced *f = calloc(1, sizeof *f);
    limn_encoder_state *encoder;
    const uint32_t parent = 0;
    f->features = malloc(limn_encoder_n_positions(m->encoder) * limn_encoder_dim(m->encoder) *
                         sizeof *f->features);
    f->attention =
        malloc(MAX_STEPS * limn_decoder_attention_dim(m->decoder) * sizeof *f->attention);
    assert_int_equal(limn_encoder_state_create(&encoder, m->encoder, NULL), LIMN_OK);
    assert_int_equal(limn_decoder_state_create(&f->decoder, m->decoder, 1, MAX_STEPS, NULL),
                     LIMN_OK);
    limn_encoder_run(m->encoder, encoder, NULL, pixels, f->features);
    limn_decoder_keep_attention(f->decoder, f->attention);
    limn_decoder_begin(f->decoder, NULL, f->features, NULL);
    for (size_t i = 0; i < n; i++) {
        const uint32_t token = i > 0 ? tokens[i - 1] : TOKEN_START;
        double sum = 0;
        limn_decoder_step(f->decoder, NULL, 1, &parent, &token, f->log_probs[i]);
        for (size_t t = 0; t < N_TOKENS; t++)
            sum += t == TOKEN_PAD || t == TOKEN_START || t == TOKEN_UNKNOWN
                       ? 0
                       : exp((double)f->log_probs[i][t]);
        for (size_t t = 0; t < N_TOKENS; t++) f->log_probs[i][t] -= (float)log(sum);
    }
    limn_encoder_state_destroy(&encoder);
    return f;
}

static void free_forced(forced *f)
{
    limn_decoder_state_destroy(&f->decoder);
    free(f->features);
    free(f->attention);
    free(f);
}

static bool is_written(uint32_t token)
{
    return token == TOKEN_END || token > TOKEN_UNKNOWN;
}

/* The alternatives are the best of the tokens that can be written, best first. */
static void check_alternatives(const limn_prediction *p, const float *log_probs)
{
    size_t n_better = 0;
    const limn_alternative *last = &p->alternatives[p->n_alternatives - 1];
    for (size_t i = 0; i < p->n_alternatives; i++) {
        const limn_alternative *a = &p->alternatives[i];
        assert_true(is_written(a->token));
        assert_true(fabsf(a->logprob - log_probs[a->token]) <= 1e-5f);
        assert_true(i == 0 || a->logprob <= p->alternatives[i - 1].logprob);
    }
    for (uint32_t t = 0; t < N_TOKENS; t++)
        n_better += is_written(t) && log_probs[t] > last->logprob + 1e-5f;
    assert_true(n_better <= p->n_alternatives - 1);
}

static void check_entropy(const limn_prediction *p, const float *log_probs)
{
    double entropy = 0;
    for (uint32_t t = 0; t < N_TOKENS; t++)
        entropy -= is_written(t) ? exp((double)log_probs[t]) * (double)log_probs[t] : 0;
    assert_true(fabs(entropy - (double)p->entropy) <= 1e-5);
}

/* Log-probabilities to 1e-5, attention bit for bit. */
static void check_against_forced(const limn_model *model, const uint8_t *pixels,
                                 const limn_caption *c)
{
    const size_t size = limn_decoder_attention_dim(model->decoder) * sizeof(float);
    forced *f = force(model, pixels, c->tokens, c->n_tokens);
    for (size_t i = 0; i < c->n_tokens; i++) {
        const limn_prediction *p = c->predictions[i];
        assert_true(fabsf(c->token_logprobs[i] - f->log_probs[i][c->tokens[i]]) <= 1e-5f);
        assert_memory_equal(p->attention, limn_decoder_attention(f->decoder, i, 0), size);
        check_alternatives(p, f->log_probs[i]);
        check_entropy(p, f->log_probs[i]);
    }
    free_forced(f);
}

static void test_predictions_are_those_of_a_teacher_forced_pass(void **state)
{
    limn_model *model = open_toy_model(NULL);
    const limn_options options = all_options();
    limn_state *s = make_state(model, &options, 2);
    (void)state;
    for (unsigned seed = 1; seed < 4; seed++) {
        const limn_captions *captions = caption(s, seed);
        assert_int_equal(captions->n_items, N_BEAMS);
        for (size_t i = 0; i < captions->n_items; i++)
            check_against_forced(model, some_pixels(seed), &captions->items[i]);
    }
    limn_state_destroy(&s);
    limn_model_close(&model);
}

static void test_attention_sums_to_one(void **state)
{
    limn_model *model = open_toy_model(NULL);
    const limn_options options = all_options();
    limn_state *s = make_state(model, &options, 1);
    const limn_caption *c = &caption(s, 5)->items[0];
    limn_model_info info;
    (void)state;
    limn_model_get_info(model, &info);
    const size_t n = info.grid_width * info.grid_height;
    assert_int_equal(n, 49);
    assert_int_equal(n * info.n_layers * info.n_heads, limn_decoder_attention_dim(model->decoder));
    for (size_t i = 0; i < c->n_tokens; i++)
        for (size_t head = 0; head < info.n_layers * info.n_heads; head++) {
            double sum = 0;
            for (size_t p = 0; p < n; p++)
                sum += (double)c->predictions[i]->attention[head * n + p];
            assert_true(fabs(sum - 1) <= 1e-6);
        }
    limn_state_destroy(&s);
    limn_model_close(&model);
}

/* Everything in the search as one string; the caller frees. */
static char *print_search(const limn_search *search, size_t attention_dim)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < search->n_steps; i++)
        for (size_t r = 0; r < search->steps[i].n_rows; r++) {
            const limn_prediction *p = &search->steps[i].rows[r];
            fprintf(out, "\n%zu %zu %u %u %a %a", i, r, p->parent, p->token,
                    (double)p->token_logprob, (double)p->entropy);
            for (size_t a = 0; a < p->n_alternatives; a++)
                fprintf(out, " %u:%a", p->alternatives[a].token,
                        (double)p->alternatives[a].logprob);
            for (size_t a = 0; p->attention && a < attention_dim; a++)
                fprintf(out, " %a", (double)p->attention[a]);
        }
    fclose(out);
    return text;
}

static void test_bits_do_not_depend_on_level_threads_or_order(void **state)
{
    const limn_options options = all_options();
    char *expected[2] = { NULL, NULL };
    (void)state;
    for (size_t l = 0; limn_cpu_levels()[l]; l++) {
        limn_model *model = open_toy_model(limn_cpu_levels()[l]);
        const size_t dim = limn_decoder_attention_dim(model->decoder);
        for (uint32_t n_threads = 1; n_threads <= 2; n_threads++) {
            limn_state *s = make_state(model, &options, n_threads);
            for (unsigned i = 0; i < 2; i++) {
                const unsigned which = n_threads == 2 ? 1 - i : i;
                char *text = print_search(caption(s, 7 + which)->search, dim);
                if (!expected[which]) expected[which] = strdup(text);
                assert_string_equal(text, expected[which]);
                free(text);
            }
            limn_state_destroy(&s);
        }
        limn_model_close(&model);
    }
    assert_string_not_equal(expected[0], expected[1]);
    free(expected[0]);
    free(expected[1]);
}

/* The words of each caption are a path in the tree, whose log-probabilities add up. */
static void test_captions_are_paths_of_the_tree(void **state)
{
    limn_model *model = open_toy_model(NULL);
    limn_options options = limn_options_default();
    options.beam_size = options.n_best = N_BEAMS;
    options.keeps_search = true;
    limn_state *s = make_state(model, &options, 1);
    const limn_captions *captions = caption(s, 9);
    (void)state;
    for (size_t i = 0; i < captions->n_items; i++) {
        const limn_caption *c = &captions->items[i];
        assert_ptr_equal(c->predictions[0], captions->search->steps[0].rows);
        for (size_t t = 1; t < c->n_tokens; t++) {
            const limn_prediction *p = c->predictions[t];
            assert_ptr_equal(&captions->search->steps[t - 1].rows[p->parent],
                             c->predictions[t - 1]);
            assert_int_equal(p->token, c->tokens[t - 1]);
            assert_true(p->token_logprob == c->token_logprobs[t - 1]);
        }
    }
    assert_int_equal(captions->search->steps[0].rows[0].token, TOKEN_START);
    assert_null(captions->search->steps[0].rows[0].attention);
    assert_int_equal(captions->search->steps[0].rows[0].n_alternatives, 0);
    for (size_t i = 0; i < captions->search->n_steps; i++)
        assert_true(captions->search->steps[i].n_rows <= N_BEAMS);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

/* The predictions still include a word that the options forbid. */
static void test_captions_are_the_same_with_and_without(void **state)
{
    limn_model *model = open_toy_model(NULL);
    limn_options with = all_options(), without = limn_options_default();
    with.no_repeat_ngram = without.no_repeat_ngram = 1;
    without.beam_size = without.n_best = N_BEAMS;
    limn_state *a = make_state(model, &with, 1), *b = make_state(model, &without, 1);
    (void)state;
    for (unsigned seed = 1; seed < 5; seed++) {
        const limn_captions *x = caption(a, seed), *y = caption(b, seed);
        assert_int_equal(x->n_items, y->n_items);
        assert_null(y->search);
        for (size_t i = 0; i < x->n_items; i++) {
            assert_null(y->items[i].predictions);
            assert_string_equal(x->items[i].text, y->items[i].text);
            assert_true(x->items[i].logprob == y->items[i].logprob);
            assert_memory_equal(x->items[i].token_logprobs, y->items[i].token_logprobs,
                                x->items[i].n_tokens * sizeof(float));
            check_against_forced(model, some_pixels(seed), &x->items[i]);
        }
    }
    limn_state_destroy(&a);
    limn_state_destroy(&b);
    limn_model_close(&model);
}

static void test_nothing_is_allocated_after_the_first_image(void **state)
{
    limn_model *model = open_toy_model(NULL);
    const limn_options options = all_options();
    limn_state *s = make_state(model, &options, 1);
    (void)state;
    caption(s, 1);
    const size_t n_before = n_allocations;
    caption(s, 2);
    assert_int_equal(n_allocations, n_before);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

static void test_more_alternatives_than_words_are_all_words(void **state)
{
    limn_model *model = open_toy_model(NULL);
    limn_options options = limn_options_default();
    limn_state *s;
    limn_error err = { 0 };
    options.n_alternatives = 100;
    s = make_state(model, &options, 1);
    const limn_prediction *p = caption(s, 1)->items[0].predictions[0];
    double sum = 0;
    (void)state;
    assert_int_equal(p->n_alternatives, N_TOKENS - 3);
    for (size_t i = 0; i < p->n_alternatives; i++) sum += exp((double)p->alternatives[i].logprob);
    assert_true(fabs(sum - 1) <= 1e-5);
    limn_state_destroy(&s);
    options.n_alternatives = 101;
    assert_int_equal(limn_state_create(&s, model, &options, 1, &err), LIMN_E_ARG);
    assert_string_equal(err.text, "alternatives: 101 is not in 1 … 100");
    limn_model_close(&model);
}

static void test_sentences(void **state)
{
    limn_model *model = open_toy_model(NULL);
    limn_options options = limn_options_default();
    limn_state *raw = make_state(model, &options, 1);
    options.style = LIMN_STYLE_SENTENCE;
    limn_state *sentence = make_state(model, &options, 1);
    const char *a = caption(raw, 1)->items[0].text, *b = caption(sentence, 1)->items[0].text;
    (void)state;
    assert_true(a[0] >= 'a' && a[0] <= 'z');
    assert_int_equal(b[0], a[0] - 'a' + 'A');
    assert_memory_equal(a + 1, b + 1, strlen(a) - 1);
    assert_string_equal(b + strlen(a), ".");
    limn_state_destroy(&raw);
    limn_state_destroy(&sentence);
    limn_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predictions_are_those_of_a_teacher_forced_pass),
        cmocka_unit_test(test_attention_sums_to_one),
        cmocka_unit_test(test_bits_do_not_depend_on_level_threads_or_order),
        cmocka_unit_test(test_captions_are_paths_of_the_tree),
        cmocka_unit_test(test_captions_are_the_same_with_and_without),
        cmocka_unit_test(test_nothing_is_allocated_after_the_first_image),
        cmocka_unit_test(test_more_alternatives_than_words_are_all_words),
        cmocka_unit_test(test_sentences),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
