#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "decoder/decoder_grad.h"
#include "models/train/vocab_extend.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"
#include "tests/fixtures/kernels_of.h"
#include "tests/fixtures/own_tokens.h"

enum { N_OLD = 24, N_NEW = 3, DIM = 32, N_STEPS = 6, SEED = 7 };

static const toy_model_settings f32 = { .seed = 3, .dtype = LIMN_TENSOR_F32 };
static const toy_model_settings f16 = { .seed = 3, .dtype = LIMN_TENSOR_F16 };

static void open_toy(limn_model_file *f, const toy_model_settings *settings)
{
    assert_int_equal(toy_model_write(temp_path("old"), settings, NULL), LIMN_OK);
    assert_int_equal(limn_model_file_open(f, temp_path("old"), NULL), LIMN_OK);
}

/* The model's tokens and three new words. */
static limn_vocab *longer_vocab(const limn_model_file *f)
{
    const char *texts[N_OLD + N_NEW];
    limn_vocab *v;
    for (uint32_t i = 0; i < N_OLD; i++) texts[i] = limn_vocab_text(f->vocab, i);
    texts[N_OLD] = "zorgle";
    texts[N_OLD + 1] = "quokka";
    texts[N_OLD + 2] = "wug";
    assert_int_equal(limn_vocab_create(&v, texts, N_OLD + N_NEW, NULL), LIMN_OK);
    return v;
}

/* The logits [N_STEPS, n_tokens] of a caption in old words, on made-up features. */
static void run(float *logits, const limn_model_file *f)
{
    const limn_decoder_config *c = &f->config.decoder;
    const size_t n_features = (size_t)c->n_memory_positions * c->memory_dim;
    float *features = limn_alloc(n_features, sizeof *features);
    limn_decoder *d;
    limn_decoder_state *state;
    limn_rng rng = limn_rng_stream(1, "features", 8);
    uint32_t token = TOKEN_START, parent = 0;
    for (size_t i = 0; i < n_features; i++) features[i] = (float)limn_rng_uniform(&rng);
    assert_int_equal(limn_decoder_open(&d, f->tensors, c, kernels_of(LIMN_CPU_C), NULL), LIMN_OK);
    assert_int_equal(limn_decoder_state_create(&state, d, 1, N_STEPS, NULL), LIMN_OK);
    limn_decoder_begin(state, NULL, features, NULL);
    for (size_t i = 0; i < N_STEPS; i++) {
        limn_decoder_step(state, NULL, 1, &parent, &token, logits + i * c->n_tokens);
        token = (uint32_t)(4 + 3 * i);
    }
    limn_decoder_state_destroy(&state);
    limn_decoder_close(&d);
    limn_free(features);
}

static void check_logits_of_old_words(const toy_model_settings *settings)
{
    static float before[N_STEPS][N_OLD], after[N_STEPS][N_OLD + N_NEW];
    limn_model_file old, longer;
    size_t n_kept = 0;
    open_toy(&old, settings);
    limn_vocab *vocab = longer_vocab(&old);
    assert_int_equal(limn_vocab_extend_model(temp_path("new"), &n_kept, &old, vocab, SEED, NULL),
                     LIMN_OK);
    assert_int_equal(n_kept, N_OLD);
    assert_int_equal(limn_model_file_open(&longer, temp_path("new"), NULL), LIMN_OK);
    assert_int_equal(limn_vocab_find(longer.vocab, "quokka", 6), N_OLD + 1);
    run(&before[0][0], &old);
    run(&after[0][0], &longer);
    for (size_t i = 0; i < N_STEPS; i++) assert_memory_equal(before[i], after[i], sizeof before[i]);
    assert_true(before[0][5] != before[N_STEPS - 1][5]);
    limn_vocab_destroy(&vocab);
    limn_model_file_close(&old);
    limn_model_file_close(&longer);
}

static void test_logits_of_old_words_do_not_change(void **state)
{
    (void)state;
    check_logits_of_old_words(&f32);
    check_logits_of_old_words(&f16);
}

static void test_new_rows_are_those_of_a_new_decoder(void **state)
{
    static float rows[(N_OLD + N_NEW) * DIM];
    limn_model_file old;
    limn_params params = { 0 };
    size_t n_kept;
    (void)state;
    open_toy(&old, &f32);
    limn_vocab *vocab = longer_vocab(&old);
    limn_decoder_config config = old.config.decoder;
    config.n_tokens = N_OLD + N_NEW;
    assert_int_equal(limn_decoder_params_add(&params, &config, NULL), LIMN_OK);
    assert_int_equal(limn_params_allocate(&params, NULL), LIMN_OK);
    limn_decoder_params_init(&params, SEED);
    const limn_param *p = limn_params_find(&params, "decoder.token_embedding.weight");
    assert_int_equal(limn_vocab_extend_rows(rows, &n_kept, &old, vocab, SEED, NULL), LIMN_OK);
    assert_memory_equal(rows + N_OLD * DIM, params.values + p->offset + N_OLD * DIM,
                        N_NEW * DIM * sizeof *rows);
    assert_memory_not_equal(rows, params.values + p->offset, N_OLD * DIM * sizeof *rows);
    limn_params_finish(&params);
    limn_vocab_destroy(&vocab);
    limn_model_file_close(&old);
}

/* With another vocabulary, words that stay move with their rows to their new places. */
static void test_replaced(void **state)
{
    static const char *const texts[] = { "<pad>", "<s>", "</s>", "<unk>", "wug", "cat", "dog" };
    enum { N = sizeof texts / sizeof *texts };
    static float rows[N * DIM], old_rows[N_OLD * DIM];
    limn_model_file old;
    limn_vocab *vocab;
    size_t n_kept;
    (void)state;
    open_toy(&old, &f32);
    assert_int_equal(limn_vocab_create(&vocab, texts, N, NULL), LIMN_OK);
    limn_tensor_to_f32(old_rows,
                       limn_safetensors_find(old.tensors, "decoder.token_embedding.weight"));
    assert_int_equal(limn_vocab_extend_rows(rows, &n_kept, &old, vocab, SEED, NULL), LIMN_OK);
    assert_int_equal(n_kept, N - 1);
    assert_memory_equal(rows, old_rows, 4 * DIM * sizeof *rows);
    const uint32_t dog = limn_vocab_find(old.vocab, "dog", 3);
    assert_memory_equal(rows + 6 * DIM, old_rows + dog * DIM, DIM * sizeof *rows);
    limn_vocab_destroy(&vocab);
    limn_model_file_close(&old);
}

static void test_a_model_without_decoder(void **state)
{
    limn_model_file old;
    limn_vocab *vocab;
    size_t n_kept;
    float row[1];
    (void)state;
    open_toy(&old, &(toy_model_settings){ .seed = 3, .is_encoder_only = true });
    assert_int_equal(limn_vocab_create(&vocab, limn_special_tokens, LIMN_N_SPECIAL, NULL), LIMN_OK);
    assert_int_equal(limn_vocab_extend_rows(row, &n_kept, &old, vocab, SEED, NULL), LIMN_E_ARG);
    limn_vocab_destroy(&vocab);
    limn_model_file_close(&old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logits_of_old_words_do_not_change),
        cmocka_unit_test(test_new_rows_are_those_of_a_new_decoder),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_a_model_without_decoder),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
