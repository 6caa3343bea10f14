#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decoder/vocab_build.h"
#include "tests/fixtures/own_tokens.h"

#define SPECIAL "<pad>\n<s>\n</s>\n<unk>\n"

static limn_vocab *vocab_of(const char *text)
{
    limn_vocab *v;
    assert_int_equal(limn_vocab_from_text(&v, text, strlen(text), NULL), LIMN_OK);
    return v;
}

static limn_vocab_builder *builder_of(limn_token_kind kind)
{
    limn_vocab_builder *b;
    assert_int_equal(limn_vocab_builder_create(&b, kind, NULL), LIMN_OK);
    return b;
}

static void add(limn_vocab_builder *b, const char *caption, uint64_t min_count)
{
    assert_int_equal(limn_vocab_builder_add(b, caption, strlen(caption), min_count, NULL), LIMN_OK);
}

/* Builds a vocabulary, compares it with `expected` (after the special tokens), and destroys all. */
static void check_built(limn_vocab_builder *b, limn_vocab *old, const char *expected)
{
    limn_vocab *v;
    limn_buffer text = { 0 };
    assert_int_equal(limn_vocab_builder_build(&v, b, old, NULL), LIMN_OK);
    limn_vocab_append_text(&text, v);
    assert_memory_equal(text.bytes, SPECIAL, strlen(SPECIAL));
    assert_string_equal(text.bytes + strlen(SPECIAL), expected);
    limn_buffer_finish(&text);
    limn_vocab_destroy(&v);
    limn_vocab_destroy(&old);
    limn_vocab_builder_destroy(&b);
    assert_null(b);
}

static void test_by_count_then_bytes(void **state)
{
    limn_vocab_builder *b = builder_of(LIMN_TOKENS_WORDS);
    (void)state;
    add(b, "The cat. The dog.", 1);
    add(b, "an ant, a cat!", 1);
    check_built(b, NULL, "cat\nthe\na\nan\nant\ndog\n");
}

static void test_each_source_has_its_own_minimum(void **state)
{
    limn_vocab_builder *b = builder_of(LIMN_TOKENS_WORDS);
    (void)state;
    add(b, "x x y y z", 2);
    add(b, "w w w y y y y z z v", 3); /* y already exists; z stays too rare in either */
    add(b, "z", 2);                   /* no longer too rare: this adds to the first source */
    check_built(b, NULL, "x\ny\nz\nw\n");
}

static void test_old_tokens_keep_their_ids(void **state)
{
    limn_vocab_builder *b = builder_of(LIMN_TOKENS_WORDS);
    (void)state;
    add(b, "zorgle zorgle zorgle dog dog quokka", 2);
    check_built(b, vocab_of(SPECIAL "dog\nrarely\ncat\n"), "dog\nrarely\ncat\nzorgle\n");
}

static void test_sources_are_counted(void **state)
{
    limn_vocab_builder *b = builder_of(LIMN_TOKENS_WORDS);
    limn_vocab *old = vocab_of(SPECIAL "dog\n"), *v;
    (void)state;
    add(b, "a a dog 2 1/2", 2);
    add(b, "a b b b", 3);
    assert_int_equal(limn_vocab_builder_build(&v, b, old, NULL), LIMN_OK);
    assert_int_equal(limn_vocab_builder_n_sources(b), 2);
    const limn_vocab_source *s = limn_vocab_builder_source(b, 0);
    assert_int_equal(s->min_count, 2);
    assert_int_equal(s->n_captions, 1);
    assert_int_equal(s->n_uses, 4);
    assert_int_equal(s->n_tokens, 2); /* "2 1/2" is a token with a space in it */
    assert_int_equal(s->n_unfit, 1);
    assert_int_equal(s->n_added, 1);
    assert_int_equal(limn_vocab_source_n_frequent(s, 1), 2);
    assert_int_equal(limn_vocab_source_n_frequent(s, 2), 1);
    assert_float_equal(limn_vocab_source_coverage(s, v), 0.75, 1e-12);
    assert_float_equal(limn_vocab_source_coverage(limn_vocab_builder_source(b, 1), v), 1, 1e-12);
    limn_vocab_destroy(&v);
    limn_vocab_destroy(&old);
    limn_vocab_builder_destroy(&b);
}

/* A caption can't add a special token, nor turn words into characters. */
static void test_hostile_words(void **state)
{
    limn_vocab_builder *b = builder_of(LIMN_TOKENS_WORDS);
    (void)state;
    add(b, "<unk> <unk> <s> " LIMN_SPACE_TOKEN " " LIMN_SPACE_TOKEN " fine", 1);
    check_built(b, NULL, "fine\n");
}

static void test_characters(void **state)
{
    limn_vocab_builder *b = builder_of(LIMN_TOKENS_CHARACTERS);
    (void)state;
    add(b, "狗 在 跑 跑", 1);
    check_built(b, NULL, LIMN_SPACE_TOKEN "\n跑\n在\n狗\n");
    b = builder_of(LIMN_TOKENS_CHARACTERS);
    add(b, "狗跑 猫", 1);
    check_built(b, vocab_of(SPECIAL LIMN_SPACE_TOKEN "\n跑\n"), LIMN_SPACE_TOKEN "\n跑\n狗\n猫\n");
}

static void test_kinds_do_not_mix(void **state)
{
    limn_vocab_builder *b = builder_of(LIMN_TOKENS_CHARACTERS);
    limn_vocab *old = vocab_of(SPECIAL "dog\n"), *v;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_vocab_builder_build(&v, b, old, &err), LIMN_E_ARG);
    assert_string_equal(err.text, "a vocabulary of words can't be extended by characters");
    assert_null(v);
    limn_vocab_destroy(&old);
    limn_vocab_builder_destroy(&b);
}

static void test_too_many(void **state)
{
    limn_vocab_builder *b = builder_of(LIMN_TOKENS_WORDS);
    limn_vocab *v;
    limn_error err = { 0 };
    (void)state;
    for (size_t i = 0; i <= LIMN_VOCAB_MAX_TOKENS - LIMN_N_SPECIAL; i++) {
        char word[16];
        snprintf(word, sizeof word, "w%zu", i);
        add(b, word, 1);
    }
    assert_int_equal(limn_vocab_builder_build(&v, b, NULL, &err), LIMN_E_LIMIT);
    assert_string_equal(err.text, "a vocabulary of 65537 tokens exceeds the limit of 65536; raise "
                                  "the minimum count");
    limn_vocab_builder_destroy(&b);
}

/* Captions are encoded by a vocabulary and joined again. */
static void test_encode(void **state)
{
    limn_vocab *words = vocab_of(SPECIAL "a\ndog\n"),
               *characters = vocab_of(SPECIAL LIMN_SPACE_TOKEN "\n狗\n跑\n");
    static const uint32_t expected[] = { 4, TOKEN_UNKNOWN, 5, TOKEN_UNKNOWN };
    static const uint32_t spaces[] = { 1, 4, 5, 4, 4, 6, 4, 2 };
    uint32_t ids[5] = { 0, 0, 0, 0, 99 };
    char text[32];
    (void)state;
    assert_int_equal(limn_vocab_encode(ids, 4, words, "a big dog </s>"), 4);
    assert_memory_equal(ids, expected, sizeof expected);
    assert_int_equal(limn_vocab_encode(ids, 4, words, "a a a a a a"), 6);
    assert_int_equal(ids[4], 99);
    assert_int_equal(limn_vocab_encode(ids, 4, words, ""), 0);
    assert_int_equal(limn_vocab_kind(words), LIMN_TOKENS_WORDS);
    assert_int_equal(limn_vocab_kind(characters), LIMN_TOKENS_CHARACTERS);
    assert_int_equal(limn_vocab_join(text, sizeof text, characters, spaces, 8), strlen("狗 跑"));
    assert_string_equal(text, "狗 跑");
    assert_int_equal(limn_vocab_encode(ids, 4, characters, "狗 跑"), 2);
    assert_int_equal(limn_vocab_join(text, 4, characters, ids, 2), strlen("狗跑"));
    assert_string_equal(text, "狗");
    limn_vocab_destroy(&words);
    limn_vocab_destroy(&characters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_count_then_bytes),
        cmocka_unit_test(test_each_source_has_its_own_minimum),
        cmocka_unit_test(test_old_tokens_keep_their_ids),
        cmocka_unit_test(test_sources_are_counted),
        cmocka_unit_test(test_hostile_words),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_kinds_do_not_mix),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
