/* Drawing captions and their rewards, on a decoder of nine tokens: draws have the decoder's
 * probabilities, rewards are CIDEr-D with end tokens, advantages leave out their own sample,
 * training with them raises the reward; the results are the same for any number of threads and
 * other images. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/params_tensors.h"
#include "decoder/vocab.h"
#include "models/train/adamw.h"
#include "models/train/ended_captions.h"
#include "models/train/optimizer_kinds.h"
#include "models/train/reward.h"
#include "models/train/sampler.h"
#include "tests/fixtures/kernels_of.h"
#include "tests/fixtures/own_tokens.h"

enum { N_TOKENS = 9, N_IMAGES = 3, N_SAMPLES = 5, MAX_STEPS = 6, FEATURES = 3 * 5 };

static const limn_decoder_config config = {
    .n_layers = 2,
    .dim = 16,
    .n_heads = 2,
    .feed_forward_dim = 32,
    .max_positions = 8,
    .n_tokens = N_TOKENS,
    .n_memory_positions = 3,
    .memory_dim = 5,
    .layout = LIMN_LAYOUT_LIMN,
    .specials = LIMN_SPECIALS_OWN,
};
/* Two references for the first image, one for the others. */
static const uint32_t reference_tokens[] = { 4, 5, 6, 4, 5, 7, 8, 8, 7, 5, 4, 6 };
static const size_t reference_offsets[] = { 0, 3, 6, 8, 12 }, first_references[] = { 0, 2, 3, 4 };
static const limn_references references = { reference_tokens, reference_offsets, first_references,
                                            N_IMAGES, TOKEN_END };
static const limn_reward_settings settings = {
    .n_samples = N_SAMPLES, .max_steps = MAX_STEPS, .max_images = N_IMAGES, .seed = 7
};
static const limn_reward_image images[] = { { "a.jpg", 0 }, { "b.jpg", 1 }, { "c.jpg", 2 } };

struct fixture {
    limn_params params;
    limn_pool *pool;
    float features[N_IMAGES * FEATURES];
    limn_reward *reward;
};

static void open_fixture_of(struct fixture *f, const limn_decoder_config *c, size_t n_threads)
{
    limn_rng rng = limn_rng_stream(1, "features", 8);
    memset(f, 0, sizeof *f);
    assert_int_equal(limn_decoder_params_add(&f->params, c, NULL), LIMN_OK);
    assert_int_equal(limn_params_allocate(&f->params, NULL), LIMN_OK);
    limn_decoder_params_init(&f->params, 3);
    for (size_t i = 0; i < N_IMAGES * FEATURES; i++) f->features[i] = (float)limn_rng_normal(&rng);
    assert_int_equal(limn_pool_create(&f->pool, n_threads, NULL), LIMN_OK);
    assert_int_equal(limn_reward_create(&f->reward, c, &f->params, &references, &settings, f->pool,
                                        limn_cpu_best(), NULL),
                     LIMN_OK);
}

static void open_fixture(struct fixture *f, size_t n_threads)
{
    open_fixture_of(f, &config, n_threads);
}

static void close_fixture(struct fixture *f)
{
    limn_reward_destroy(&f->reward);
    limn_pool_destroy(&f->pool);
    limn_params_finish(&f->params);
}

static const limn_reward_batch *draw(struct fixture *f, uint64_t step)
{
    const limn_reward_batch *batch;
    assert_int_equal(
        limn_reward_draw(f->reward, &batch, step, images, f->features, NULL, N_IMAGES, NULL),
        LIMN_OK);
    return batch;
}

/* ---- drawing ------------------------------------------------------------------------------- */

/* Probabilities of the token after <s> and path [n], without tokens that are never drawn. */
static void next_probabilities(const limn_decoder *d, const float *features, const uint32_t *path,
                               size_t n, double *probs)
{
    const uint32_t start = TOKEN_START, parent = 0;
    float logits[N_TOKENS];
    limn_decoder_state *s;
    double sum = 0;
    assert_int_equal(limn_decoder_state_create(&s, d, 1, n + 1, NULL), LIMN_OK);
    limn_decoder_begin(s, NULL, features, NULL);
    for (size_t i = 0; i <= n; i++)
        limn_decoder_step(s, NULL, 1, &parent, i == 0 ? &start : &path[i - 1], logits);
    for (size_t i = 0; i < N_TOKENS; i++) {
        const bool is_left_out = i == TOKEN_PAD || i == TOKEN_START || i == TOKEN_UNKNOWN;
        probs[i] = is_left_out ? 0 : exp((double)logits[i]);
        sum += probs[i];
    }
    for (size_t i = 0; i < N_TOKENS; i++) probs[i] /= sum;
    limn_decoder_state_destroy(&s);
}

enum { N_CALLS = 300, N_DRAWS = 200, DEPTH = 3, N_CELLS = N_TOKENS * N_TOKENS * N_TOKENS };

/* How often each path of up to DEPTH tokens is drawn; a path is a number of DEPTH digits, 0 after
 * the end. */
static void count_paths(const limn_decoder *d, const float *features, size_t *counts)
{
    uint32_t tokens[N_DRAWS * DEPTH];
    size_t lengths[N_DRAWS];
    limn_sampler *s;
    limn_rng rng = limn_rng_stream(11, "draws", 5);
    assert_int_equal(limn_sampler_create(&s, d, N_DRAWS, DEPTH, limn_cpu_best(), NULL), LIMN_OK);
    memset(counts, 0, N_CELLS * sizeof *counts);
    for (size_t call = 0; call < N_CALLS; call++) {
        limn_sampler_draw(s, tokens, lengths, features, NULL, &rng);
        for (size_t i = 0; i < N_DRAWS; i++) {
            size_t cell = 0;
            for (size_t j = 0; j < DEPTH; j++)
                cell = cell * N_TOKENS + (j < lengths[i] ? tokens[i * DEPTH + j] : 0);
            assert_true(lengths[i] == DEPTH || tokens[i * DEPTH + lengths[i] - 1] == TOKEN_END);
            counts[cell]++;
        }
    }
    limn_sampler_destroy(&s);
}

/* Compares the counts of all paths that continue path [n], of probability p. */
static void check_paths(const limn_decoder *d, const float *features, const size_t *counts,
                        const uint32_t *path, size_t n, double p)
{
    const double mean = p * N_CALLS * N_DRAWS;
    double probs[N_TOKENS];
    if (n == DEPTH || (n > 0 && path[n - 1] == TOKEN_END)) {
        size_t cell = 0;
        for (size_t j = 0; j < DEPTH; j++) cell = cell * N_TOKENS + (j < n ? path[j] : 0);
        if (!(fabs((double)counts[cell] - mean) <= 4.5 * sqrt(mean) + 2))
            fail_msg("path %zu: %zu draws, expected %g", cell, counts[cell], mean);
        return;
    }
    next_probabilities(d, features, path, n, probs);
    for (uint32_t t = 0; t < N_TOKENS; t++) {
        uint32_t longer[DEPTH] = { 0 };
        memcpy(longer, path, n * sizeof *path);
        longer[n] = t;
        check_paths(d, features, counts, longer, n + 1, p * probs[t]);
    }
}

static void test_draws_have_the_decoders_probabilities(void **state)
{
    const uint32_t start[DEPTH] = { 0 };
    struct fixture f;
    limn_safetensors *source;
    limn_decoder *d;
    size_t counts[N_CELLS];
    (void)state;
    open_fixture(&f, 1);
    assert_int_equal(limn_params_open(&source, &f.params, f.params.values, NULL), LIMN_OK);
    assert_int_equal(limn_decoder_open(&d, source, &config, kernels_of(limn_cpu_best()), NULL),
                     LIMN_OK);
    count_paths(d, f.features, counts);
    check_paths(d, f.features, counts, start, 0, 1);
    limn_decoder_close(&d);
    limn_safetensors_close(&source);
    close_fixture(&f);
}

/* ---- rewards ------------------------------------------------------------------------------- */

static void test_frequencies_count_end_tokens(void **state)
{
    const limn_ngram end = { { TOKEN_END, LIMN_NO_WORD, LIMN_NO_WORD, LIMN_NO_WORD } };
    const limn_ngram ending = { { 6, TOKEN_END, LIMN_NO_WORD, LIMN_NO_WORD } };
    const limn_ngram inside = { { 4, 5, LIMN_NO_WORD, LIMN_NO_WORD } };
    limn_cider_df *df;
    (void)state;
    assert_int_equal(limn_ended_captions_count(&df, &references, NULL, NULL), LIMN_OK);
    const limn_ngram_table *table = limn_cider_df_ngrams(df);
    assert_int_equal(limn_cider_df_n_images(df), 3);
    assert_int_equal(limn_ngram_table_find(table, &end)->count, 3);
    assert_int_equal(limn_ngram_table_find(table, &ending)->count, 2);
    assert_int_equal(limn_ngram_table_find(table, &inside)->count, 1);
    limn_cider_df_destroy(&df);
}

static double expected_reward(const limn_cider_df *df, const uint32_t *sample, size_t n,
                              size_t image)
{
    uint32_t words[2][8];
    limn_sentence sentences[2];
    limn_ngram_counts hypothesis = { .n_words = 0 };
    limn_ngram_counts_list list = { .n_items = 0 };
    limn_cider_scorer scorer = { .hyp = { .length = 0 } };
    const size_t first = first_references[image], n_refs = first_references[image + 1] - first;
    double reward;
    for (size_t i = 0; i < n_refs; i++) {
        const size_t begin = reference_offsets[first + i];
        const size_t n_words = reference_offsets[first + i + 1] - begin;
        memcpy(words[i], reference_tokens + begin, n_words * sizeof **words);
        words[i][n_words] = TOKEN_END;
        sentences[i] = (limn_sentence){ words[i], n_words + 1 };
    }
    limn_ngram_counts_list_fill(&list, sentences, n_refs, NULL);
    limn_ngram_counts_fill(&hypothesis, (limn_sentence){ sample, n }, NULL);
    limn_cider_score(&reward, &scorer, df, LIMN_CIDER_D, &hypothesis, list.items, n_refs, NULL);
    limn_ngram_counts_finish(&hypothesis);
    limn_ngram_counts_list_finish(&list);
    limn_cider_scorer_finish(&scorer);
    return reward;
}

static void check_rows(const limn_decoder_batch *b, size_t sample, double advantage)
{
    const uint32_t first = b->offsets[sample], end = b->offsets[sample + 1];
    assert_in_range(end - first, 1, MAX_STEPS);
    assert_int_equal(b->inputs[first], TOKEN_START);
    for (uint32_t r = first; r < end; r++) {
        const bool is_last = r + 1 == end;
        assert_true(b->targets[r] >= 4 || (b->targets[r] == TOKEN_END && is_last));
        assert_true(is_last || b->inputs[r + 1] == b->targets[r]);
        assert_true(b->targets[r] == TOKEN_END || !is_last || end - first == MAX_STEPS);
        assert_float_equal(b->weights[r], advantage, 1e-6);
    }
}

static void test_rewards_are_cider_and_advantages_leave_out_their_sample(void **state)
{
    struct fixture f;
    limn_cider_df *df;
    size_t n_rewarded = 0, n_ended = 0;
    double sum = 0;
    (void)state;
    open_fixture(&f, 2);
    assert_int_equal(limn_ended_captions_count(&df, &references, NULL, NULL), LIMN_OK);
    for (uint64_t step = 0; step < 20; step++) {
        const limn_reward_batch *batch = draw(&f, step);
        const limn_decoder_batch *b = &batch->decoder;
        assert_int_equal(b->n_captions, N_IMAGES * N_SAMPLES);
        assert_true(b->is_drawn);
        for (size_t i = 0; i < b->n_captions; i++) {
            const size_t image = i / N_SAMPLES;
            const double *rewards = batch->rewards + image * N_SAMPLES;
            const uint32_t *sample = b->targets + b->offsets[i];
            const size_t n = b->offsets[i + 1] - b->offsets[i];
            double all = 0;
            for (size_t j = 0; j < N_SAMPLES; j++) all += rewards[j];
            assert_true(batch->rewards[i] == expected_reward(df, sample, n, image));
            assert_int_equal(b->images[i], image);
            check_rows(b, i, batch->rewards[i] - (all - batch->rewards[i]) / (N_SAMPLES - 1));
            n_rewarded += batch->rewards[i] > 0;
            n_ended += sample[n - 1] == TOKEN_END;
            sum += batch->rewards[i];
        }
        sum -= batch->mean_reward * (double)b->n_captions;
        assert_true(fabs(sum) < 1e-9);
        assert_float_equal(batch->share_ended * (double)b->n_captions, n_ended, 1e-9);
        n_ended = 0;
    }
    assert_true(n_rewarded > 50);
    limn_cider_df_destroy(&df);
    close_fixture(&f);
}

static double mean_reward(struct fixture *f, uint64_t first_step)
{
    double sum = 0;
    for (uint64_t i = 0; i < 20; i++) sum += draw(f, first_step + i)->mean_reward;
    return sum / 20;
}

static void train_step(struct fixture *f, limn_decoder_trainer *t, limn_optimizer *adamw,
                       uint64_t step)
{
    const limn_optimizer_settings optimizer = limn_optimizer_settings_default();
    const limn_decoder_batch *b = &draw(f, step)->decoder;
    const limn_decoder_grad_settings scale = { .scale = 1.0f / (float)b->offsets[b->n_captions] };
    double loss;
    limn_params_clear_gradients(&f->params);
    assert_int_equal(limn_decoder_trainer_run(t, b, &scale, NULL, &loss, NULL), LIMN_OK);
    limn_optimizer_step(adamw, &f->params, &optimizer, 0.01f, limn_gradient_norm(&f->params, NULL),
                        NULL);
}

static void test_training_by_rewards_raises_them(void **state)
{
    const limn_decoder_limits limits = limn_reward_limits(&settings);
    struct fixture f;
    limn_decoder_trainer *t;
    limn_optimizer adamw;
    (void)state;
    open_fixture(&f, 1);
    assert_int_equal(
        limn_decoder_trainer_create(&t, &config, &f.params, &limits, NULL, limn_cpu_best(), NULL),
        LIMN_OK);
    assert_int_equal(limn_optimizer_init(&adamw, &limn_adamw, &f.params, NULL), LIMN_OK);
    const double before = mean_reward(&f, 1000);
    for (uint64_t step = 0; step < 60; step++) train_step(&f, t, &adamw, step);
    const double after = mean_reward(&f, 1000);
    if (!(before < 1.5 && after > before + 2)) fail_msg("mean reward %g, then %g", before, after);
    limn_optimizer_finish(&adamw);
    limn_decoder_trainer_destroy(&t);
    close_fixture(&f);
}

/* ---- contract ------------------------------------------------------------------------------ */

static void test_threads_and_company_change_nothing(void **state)
{
    struct fixture one, other;
    (void)state;
    open_fixture(&one, 1);
    const limn_reward_batch *expected = draw(&one, 5), *got;
    for (size_t n_threads = 2; n_threads <= 3; n_threads++) {
        open_fixture(&other, n_threads);
        got = draw(&other, 5);
        const size_t n = expected->decoder.offsets[N_IMAGES * N_SAMPLES];
        assert_memory_equal(got->decoder.targets, expected->decoder.targets, n * sizeof(uint32_t));
        assert_memory_equal(got->decoder.weights, expected->decoder.weights, n * sizeof(float));
        assert_int_equal(limn_reward_draw(other.reward, &got, 5, images + 2,
                                          other.features + 2 * FEATURES, NULL, 1, NULL),
                         LIMN_OK);
        const size_t first = expected->decoder.offsets[2 * N_SAMPLES];
        assert_int_equal(got->decoder.offsets[N_SAMPLES], n - first);
        assert_memory_equal(got->decoder.targets, expected->decoder.targets + first,
                            (n - first) * sizeof(uint32_t));
        close_fixture(&other);
    }
    open_fixture(&other, 1);
    got = draw(&other, 6);
    assert_true(got->decoder.offsets[15] != expected->decoder.offsets[15] ||
                memcmp(got->decoder.targets, expected->decoder.targets,
                       got->decoder.offsets[15] * sizeof(uint32_t)) != 0);
    close_fixture(&other);
    close_fixture(&one);
}

static void create_weighted(struct fixture *f, const limn_vocab *vocab, limn_pool *pool)
{
    limn_reward_settings weighted = settings;
    weighted.weights = (limn_reward_weights){ .object_cost = 0.5F,
                                              .object_f1 = 1,
                                              .person_f1 = 0.5F,
                                              .retrieval = 0.25F,
                                              .repeat_cost = 0.5F,
                                              .unsupported_cost = 0.5F };
    weighted.text = &references;
    weighted.vocab = vocab;
    limn_reward_destroy(&f->reward);
    assert_int_equal(limn_reward_create(&f->reward, &config, &f->params, &references, &weighted,
                                        pool, limn_cpu_best(), NULL),
                     LIMN_OK);
}

/* With every part of the reward on, threads change nothing; another batch changes the rewards, but
 * not what is drawn. */
static void test_rewards_are_about_the_batch_and_no_thread(void **state)
{
    static const char *const tokens[N_TOKENS] = { "<pad>", "<s>", "</s>", "<unk>", "a",
                                                  "book",  "man", "dog",  "on" };
    const limn_reward_batch *expected, *got, *alone;
    limn_vocab *vocab;
    struct fixture one, other;
    (void)state;
    assert_int_equal(limn_vocab_create(&vocab, tokens, N_TOKENS, NULL), LIMN_OK);
    open_fixture(&one, 1);
    create_weighted(&one, vocab, one.pool);
    expected = draw(&one, 5);
    const size_t n = expected->decoder.offsets[N_IMAGES * N_SAMPLES];
    for (size_t n_threads = 2; n_threads <= 3; n_threads++) {
        open_fixture(&other, n_threads);
        create_weighted(&other, vocab, other.pool);
        got = draw(&other, 5);
        assert_memory_equal(got->decoder.targets, expected->decoder.targets, n * sizeof(uint32_t));
        assert_memory_equal(got->decoder.weights, expected->decoder.weights, n * sizeof(float));
        assert_int_equal(
            limn_reward_draw(other.reward, &alone, 5, images, other.features, NULL, 1, NULL),
            LIMN_OK);
        assert_memory_equal(alone->decoder.targets, expected->decoder.targets,
                            alone->decoder.offsets[N_SAMPLES] * sizeof(uint32_t));
        assert_memory_not_equal(alone->rewards, expected->rewards, N_SAMPLES * sizeof(double));
        close_fixture(&other);
    }
    close_fixture(&one);
    limn_vocab_destroy(&vocab);
}

/* Each image's captions are drawn with its own tags: they are the same when it is alone. */
static void test_each_image_has_its_own_slots(void **state)
{
    enum { N_SLOTS = 2 };
    static const limn_tag_slot slots[N_IMAGES * N_SLOTS] = {
        { 0, 0.9F }, { 1, 0.1F }, { 2, 0.8F }, { 3, 0.7F }, { 1, 1.0F }, { 0, 0.2F }
    };
    limn_decoder_config slotted = config;
    struct fixture f;
    const limn_reward_batch *b;
    uint32_t targets[N_IMAGES * N_SAMPLES * MAX_STEPS], offsets[N_IMAGES * N_SAMPLES + 1];
    (void)state;
    slotted.n_tag_slots = N_SLOTS;
    slotted.n_tags = 4;
    open_fixture_of(&f, &slotted, 1);
    for (size_t i = 0; i < f.params.n_items; i++) /* makes tags change what is drawn */
        for (size_t k = 0; strstr(f.params.items[i].name, "tag_") && k < f.params.items[i].n; k++)
            f.params.values[f.params.items[i].offset + k] *= 50;
    assert_int_equal(limn_reward_draw(f.reward, &b, 5, images, f.features, slots, N_IMAGES, NULL),
                     LIMN_OK);
    memcpy(offsets, b->decoder.offsets, sizeof offsets);
    memcpy(targets, b->decoder.targets, offsets[N_IMAGES * N_SAMPLES] * sizeof *targets);
    for (size_t p = 0; p < N_IMAGES; p++) {
        const uint32_t first = offsets[p * N_SAMPLES], n = offsets[(p + 1) * N_SAMPLES] - first;
        assert_int_equal(limn_reward_draw(f.reward, &b, 5, images + p, f.features + p * FEATURES,
                                          slots + p * N_SLOTS, 1, NULL),
                         LIMN_OK);
        assert_int_equal(b->decoder.offsets[N_SAMPLES], n);
        assert_memory_equal(b->decoder.targets, targets + first, n * sizeof *targets);
    }
    close_fixture(&f);
}

/* "book" (a class beyond the 64th), "man" and "dog" are false only for the second image. */
static void test_false_objects_cost(void **state)
{
    static const char *const tokens[N_TOKENS] = { "<pad>", "<s>", "</s>", "<unk>", "a",
                                                  "book",  "man", "dog",  "on" };
    limn_reward_settings costly = settings;
    const limn_reward_batch *plain, *less;
    limn_vocab *vocab;
    size_t n_false = 0;
    struct fixture f, g;
    (void)state;
    assert_int_equal(limn_vocab_create(&vocab, tokens, N_TOKENS, NULL), LIMN_OK);
    open_fixture(&f, 1);
    open_fixture(&g, 1);
    costly.weights.object_cost = 0.5f;
    costly.vocab = vocab;
    limn_reward_destroy(&g.reward);
    assert_int_equal(limn_reward_create(&g.reward, &config, &g.params, &references, &costly, NULL,
                                        limn_cpu_best(), NULL),
                     LIMN_OK);
    plain = draw(&f, 3);
    less = draw(&g, 3);
    for (size_t i = 0; i < plain->decoder.n_captions; i++) {
        /* The images' references name: a book, a man and a dog; nothing; a dog, a book and a
         * man. */
        bool has[N_TOKENS] = { false };
        for (uint32_t r = plain->decoder.offsets[i]; r < plain->decoder.offsets[i + 1]; r++)
            has[plain->decoder.targets[r]] = true;
        const size_t expected = i / N_SAMPLES == 1 ? has[5] + has[6] + has[7] : 0;
        assert_float_equal(less->rewards[i], plain->rewards[i] - 0.5 * (double)expected, 1e-12);
        n_false += expected;
    }
    assert_in_range(n_false, 1, 3 * N_SAMPLES);
    close_fixture(&f);
    close_fixture(&g);
    limn_vocab_destroy(&vocab);
}

static void test_what_cannot_be_drawn_is_an_error(void **state)
{
    static const struct {
        limn_reward_settings settings;
        const char *says;
    } cases[] = {
        { { .n_samples = 1, .max_steps = 4, .max_images = 1 },
          "1 samples of an image are not in 2 … 256" },
        { { .n_samples = 2, .max_steps = 9, .max_images = 1 }, "9 steps are not in 1 … 8" },
        { { .n_samples = 2, .max_steps = 4, .max_images = 0 }, "0 images" },
        { { .n_samples = 2, .max_steps = 4, .max_images = SIZE_MAX / 2 }, "images are not" },
    };
    const limn_reward_image far = { "far.jpg", N_IMAGES };
    const limn_reward_batch *batch;
    struct fixture f;
    limn_error err = { 0 };
    (void)state;
    open_fixture(&f, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_reward *r;
        err = (limn_error){ 0 };
        assert_int_equal(limn_reward_create(&r, &config, &f.params, &references, &cases[i].settings,
                                            NULL, LIMN_CPU_C, &err),
                         LIMN_E_ARG);
        assert_null(r);
        if (!strstr(err.text, cases[i].says))
            fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].says);
    }
    err = (limn_error){ 0 };
    assert_int_equal(limn_reward_draw(f.reward, &batch, 0, &far, f.features, NULL, 1, &err),
                     LIMN_E_ARG);
    assert_string_equal(err.text, "'far.jpg' has the references of image 3 of 3");
    assert_int_equal(limn_reward_draw(f.reward, &batch, 0, images, f.features, NULL, 4, NULL),
                     LIMN_E_ARG);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws_have_the_decoders_probabilities),
        cmocka_unit_test(test_frequencies_count_end_tokens),
        cmocka_unit_test(test_rewards_are_cider_and_advantages_leave_out_their_sample),
        cmocka_unit_test(test_training_by_rewards_raises_them),
        cmocka_unit_test(test_threads_and_company_change_nothing),
        cmocka_unit_test(test_rewards_are_about_the_batch_and_no_thread),
        cmocka_unit_test(test_each_image_has_its_own_slots),
        cmocka_unit_test(test_false_objects_cost),
        cmocka_unit_test(test_what_cannot_be_drawn_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
