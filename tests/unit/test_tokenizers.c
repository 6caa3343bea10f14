/* Tokenizers of public models against the originals' results for lines and ids
 * (tests/fixtures/make_tokenizers.py), also through a model file's JSON and back; damaged files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/base64.h"
#include "decoder/tokenizers/public_vocab.h"

typedef struct file {
    unsigned char *bytes;
    size_t size;
} file;

static file read_file(const char *name)
{
    char path[512];
    file f = { .bytes = NULL };
    const char *root = getenv("LIMN_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/tests/data/tokenizers/%s", root ? root : ".", name);
    if (limn_file_read(&f.bytes, &f.size, path, 1 << 20, NULL) != LIMN_OK) fail_msg("%s", path);
    return f;
}

static limn_status from_wordpiece(limn_vocab **v, const file *f, bool lower_case, limn_error *err)
{
    static const uint32_t never[] = { 0, 1, 2, 4 };
    const limn_specials specials = { 2, 3, 0, 1, never, 4 };
    return limn_vocab_from_wordpiece(v, (char *)f->bytes, f->size, NULL, 0, lower_case, &specials,
                                     err);
}

static limn_status from_byte_bpe(limn_vocab **v, const file *vocab, const file *merges,
                                 limn_error *err)
{
    const limn_specials specials = { 0, 0, 0, LIMN_NO_TOKEN, NULL, 0 };
    return limn_vocab_from_byte_bpe(v, (char *)vocab->bytes, vocab->size, (char *)merges->bytes,
                                    merges->size, &specials, err);
}

static limn_status from_sentencepiece(limn_vocab **v, const file *f, limn_error *err)
{
    const limn_specials specials = { 1, 2, LIMN_NO_TOKEN, 0, NULL, 0 };
    return limn_vocab_from_sentencepiece(v, f->bytes, f->size, &specials, err);
}

static limn_vocab *open_vocab(const char *kind)
{
    char name[64];
    limn_vocab *v = NULL;
    limn_error err = { 0 };
    limn_status s;
    if (strncmp(kind, "wordpiece", 9) == 0) {
        const file f = read_file("wordpiece.txt");
        s = from_wordpiece(&v, &f, strcmp(kind, "wordpiece") == 0, &err);
        limn_free(f.bytes);
    } else if (strcmp(kind, "byte_bpe") == 0) {
        const file vocab = read_file("byte_bpe-vocab.json"),
                   merges = read_file("byte_bpe-merges.txt");
        s = from_byte_bpe(&v, &vocab, &merges, &err);
        limn_free(vocab.bytes);
        limn_free(merges.bytes);
    } else {
        snprintf(name, sizeof name, "%s.model", kind);
        const file f = read_file(name);
        s = from_sentencepiece(&v, &f, &err);
        limn_free(f.bytes);
    }
    if (s != LIMN_OK) fail_msg("%s: %s", kind, err.text);
    return v;
}

static limn_status from_json(limn_vocab **out, const json_t *json, limn_error *err)
{
    const limn_json_node root = limn_json_root(json);
    return limn_vocab_from_json(out, &root, err);
}

/* Replaces the vocabulary by one read back from a model file's JSON. */
static void go_through_json(limn_vocab **v)
{
    limn_error err = { 0 };
    json_t *json = limn_vocab_to_json(*v), *again;
    limn_vocab_destroy(v);
    if (from_json(v, json, &err) != LIMN_OK) fail_msg("%s", err.text);
    again = limn_vocab_to_json(*v);
    assert_true(json_equal(json, again));
    json_decref(json);
    json_decref(again);
}

/* ---- the originals' results ----------------------------------------------------------------- */

enum { MAX_IDS = 400 };

static size_t encode(uint32_t *ids, const limn_vocab *v, const char *text, size_t size)
{
    limn_caption_tokenizer scratch = { .kind = LIMN_TOKENS_WORDS };
    const char *tokens;
    limn_error err = { 0 };
    if (limn_vocab_tokenize(&tokens, &scratch, v, text, size, &err)) fail_msg("%s", err.text);
    const size_t n = limn_vocab_encode(ids, MAX_IDS, v, tokens);
    limn_caption_tokenizer_finish(&scratch);
    assert_true(n <= MAX_IDS);
    return n;
}

static void check_case(const limn_vocab *v, const json_t *golden)
{
    uint32_t ids[MAX_IDS], wanted[MAX_IDS];
    char text[2000];
    const json_t *list = json_object_get(golden, "ids"), *line = json_object_get(golden, "line");
    const size_t n = json_array_size(list);
    for (size_t i = 0; i < n; i++)
        wanted[i] = (uint32_t)json_integer_value(json_array_get(list, i));
    if (line) {
        const size_t n_ids = encode(ids, v, json_string_value(line), json_string_length(line));
        if (n_ids != n || memcmp(ids, wanted, n * sizeof *ids) != 0)
            fail_msg("other ids of '%s'", json_string_value(line));
    }
    const size_t size = limn_vocab_join(text, sizeof text, v, wanted, n);
    assert_string_equal(text, json_string_value(json_object_get(golden, "text")));
    assert_int_equal(size, strlen(text));
    assert_true(size <= n * (limn_vocab_longest(v) + 1));
    memset(text, 'x', sizeof text);
    assert_int_equal(limn_vocab_join(text, 3, v, wanted, n), size);
    assert_true(text[size < 2 ? size : 2] == '\0' && text[3] == 'x');
}

static void test_tokens_are_those_of_the_originals(void **state)
{
    static const char *const kinds[] = {
        "wordpiece",         "wordpiece_cased",     "byte_bpe",
        "sentencepiece_bpe", "sentencepiece_bytes", "sentencepiece_unigram"
    };
    const file f = read_file("golden.json");
    json_t *golden = NULL;
    (void)state;
    assert_int_equal(limn_json_parse(&golden, f.bytes, f.size, NULL), LIMN_OK);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        limn_vocab *v = open_vocab(kinds[k]);
        size_t n = 0;
        go_through_json(&v);
        for (size_t i = 0; i < json_array_size(golden); i++) {
            const json_t *one = json_array_get(golden, i);
            if (strcmp(json_string_value(json_object_get(one, "kind")), kinds[k]) != 0) continue;
            check_case(v, one);
            n++;
        }
        assert_true(n >= 40);
        limn_vocab_destroy(&v);
    }
    json_decref(golden);
    limn_free(f.bytes);
}

/* The longest word that is cut into tokens has 100 characters, as in BERT's own tokenizer. */
static void test_wordpiece_leaves_longer_words_unknown(void **state)
{
    char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\né\n##é\n", word[2 * 101 + 1] = "";
    const file f = { (unsigned char *)vocab, sizeof vocab - 1 };
    uint32_t ids[MAX_IDS];
    limn_vocab *v = NULL;
    (void)state;
    assert_int_equal(from_wordpiece(&v, &f, false, NULL), LIMN_OK);
    for (size_t i = 0; i < 100; i++) memcpy(word + 2 * i, "é", 3);
    assert_int_equal(encode(ids, v, word, 200), 100);
    assert_int_equal(ids[0], 5);
    assert_int_equal(ids[99], 6);
    memcpy(word + 200, "é", 3);
    assert_int_equal(encode(ids, v, word, 202), 1);
    assert_int_equal(ids[0], 1);
    limn_vocab_destroy(&v);
}

/* ---- words ---------------------------------------------------------------------------------- */

static void test_tokens_know_their_words(void **state)
{
    static const struct {
        const char *kind, *token;
        limn_token_class class;
    } cases[] = {
        { "wordpiece", "##dar", LIMN_TOKEN_CONTINUES },
        { "wordpiece", "dog", LIMN_TOKEN_BEGINS },
        { "byte_bpe", "Ġred", LIMN_TOKEN_OPENS },
        { "byte_bpe", "d", LIMN_TOKEN_LETTER },
        { "byte_bpe", "Ġ", LIMN_TOKEN_SPACE },
        { "byte_bpe", "!", LIMN_TOKEN_BEGINS },
        { "byte_bpe", "Ã", LIMN_TOKEN_LETTER },
        { "byte_bpe", "©", LIMN_TOKEN_CONTINUES },
        { "sentencepiece_bpe", "▁a", LIMN_TOKEN_OPENS },
        { "sentencepiece_bpe", "▁", LIMN_TOKEN_SPACE },
        { "sentencepiece_bpe", "n", LIMN_TOKEN_LETTER },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_vocab *v = open_vocab(cases[i].kind);
        const uint32_t id = limn_vocab_lookup(v, cases[i].token, strlen(cases[i].token));
        if (id == LIMN_NO_TOKEN) fail_msg("no %s in %s", cases[i].token, cases[i].kind);
        if (limn_vocab_classes(v)[id] != cases[i].class)
            fail_msg("%s is of class %d", cases[i].token, limn_vocab_classes(v)[id]);
        limn_vocab_destroy(&v);
    }
}

static void test_twins_differ_by_a_space(void **state)
{
    limn_vocab *v = open_vocab("byte_bpe");
    const uint32_t plain = limn_vocab_lookup(v, "a", 1), spaced = limn_vocab_lookup(v, "Ġa", 3);
    (void)state;
    assert_true(plain != LIMN_NO_TOKEN && spaced != LIMN_NO_TOKEN);
    assert_int_equal(limn_vocab_twins(v)[plain], spaced);
    assert_int_equal(limn_vocab_twins(v)[spaced], plain);
    limn_vocab_destroy(&v);
    v = open_vocab("wordpiece");
    assert_null(limn_vocab_twins(v));
    limn_vocab_destroy(&v);
}

/* ---- damage --------------------------------------------------------------------------------- */

static void check_refused(limn_status s, const limn_error *err, limn_status wanted,
                          const char *says)
{
    if (s != wanted || !strstr(err->text, says))
        fail_msg("status %d, \"%s\" lacks \"%s\"", (int)s, err->text, says);
}

static void test_public_files_that_do_not_fit_are_refused(void **state)
{
    static const struct {
        const char *vocab, *merges, *says;
    } cases[] = {
        { "[]", "", "vocab.json: expected an object" },
        { "{\"a\": 0, \"b\": 0}", "", "have the same id, 0" },
        { "{\"a\": 0, \"b\": 2}", "", "vocab.json: \"b\" has no id in 0 … 1" },
        { "{\"a\": 0, \"b\": 1}", "a b", "merges.txt: merges[0]: \"a b\" and what it makes" },
        { "{\"a\": 0, \"aa\": 1}", "a a\na a", "merges[1]: is the same as merge 0" },
        { "{\"a\": 0, \"aa\": 1}", "#version: 0.2\naa", "merges[0]: expected two tokens" },
        { "{\"a\": 0, \"aa\": 1}", "a a a", "expected two tokens" },
    };
    limn_vocab *v;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const file vocab = { (unsigned char *)cases[i].vocab, strlen(cases[i].vocab) };
        const file merges = { (unsigned char *)cases[i].merges, strlen(cases[i].merges) };
        limn_error err = { 0 };
        check_refused(from_byte_bpe(&v, &vocab, &merges, &err), &err, LIMN_E_FORMAT, cases[i].says);
        assert_null(v);
    }
    const file twice = { (unsigned char *)"a\nb\nc\nd\ne\na\n", 12 };
    limn_error err = { 0 };
    check_refused(from_wordpiece(&v, &twice, true, &err), &err, LIMN_E_FORMAT,
                  "tokens 0 and 5 are both");
}

/* Changing any byte of a model file, or cutting it anywhere, gives at most an error. */
static void test_damaged_models_do_no_harm(void **state)
{
    file f = read_file("sentencepiece_bpe.model");
    size_t n_refused = 0;
    (void)state;
    for (size_t i = 0; i < 2 * f.size; i++) {
        limn_vocab *v = NULL;
        uint32_t ids[MAX_IDS];
        char text[400];
        const file part = { f.bytes, i < f.size ? i : f.size };
        if (i >= f.size) f.bytes[i - f.size] ^= 0x41;
        if (from_sentencepiece(&v, &part, NULL) == LIMN_OK) {
            limn_caption_tokenizer scratch = { .kind = LIMN_TOKENS_WORDS };
            const char *tokens;
            if (limn_vocab_tokenize(&tokens, &scratch, v, "A Man ﬁsh", 11, NULL) == LIMN_OK)
                limn_vocab_join(text, sizeof text, v, ids,
                                limn_vocab_encode(ids, MAX_IDS, v, tokens));
            limn_caption_tokenizer_finish(&scratch);
        } else {
            n_refused++;
        }
        limn_vocab_destroy(&v);
        if (i >= f.size) f.bytes[i - f.size] ^= 0x41;
    }
    assert_true(n_refused > 100);
    limn_free(f.bytes);
}

static void test_settings_that_do_not_fit_are_refused(void **state)
{
    static const struct {
        const char *kind, *key, *value, *says;
    } cases[] = {
        { "wordpiece", "lower_case", "1", "lower_case: expected" },
        { "byte_bpe", "merges", "{}", "merges: expected an array" },
        { "byte_bpe", "merges", "[\"a\"]", "merges[0]: expected two tokens" },
        { "sentencepiece_bpe", "types", "[1]", "types: 1 of " },
        { "sentencepiece_bpe", "scores", "[]", "scores: 0 of " },
        { "sentencepiece_bpe", "model", "\"word\"", "model \"word\" is neither bpe nor unigram" },
        { "sentencepiece_bpe", "charsmap", "\"AAA\"", "charsmap: base64 of 3 characters" },
        { "sentencepiece_bpe", "charsmap", "\"AAA!\"", "charsmap: character 3 is not base64" },
        { "sentencepiece_bpe", "charsmap", "\"/////wAA\"", "charsmap: charsmap: an index of" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_vocab *v = open_vocab(cases[i].kind);
        json_t *json = limn_vocab_to_json(v);
        limn_error err = { 0 };
        json_object_set_new(json, cases[i].key, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
        limn_vocab_destroy(&v);
        check_refused(from_json(&v, json, &err), &err, LIMN_E_FORMAT, cases[i].says);
        json_object_del(json, cases[i].key);
        err = (limn_error){ 0 };
        check_refused(from_json(&v, json, &err), &err, LIMN_E_FORMAT, cases[i].key);
        json_decref(json);
    }
}

static void test_a_unigram_model_cuts_no_text(void **state)
{
    limn_vocab *v = open_vocab("sentencepiece_unigram");
    limn_caption_tokenizer scratch = { .kind = LIMN_TOKENS_WORDS };
    const char *tokens;
    (void)state;
    assert_int_equal(limn_vocab_tokenize(&tokens, &scratch, v, "a", 1, NULL), LIMN_E_UNSUPPORTED);
    limn_caption_tokenizer_finish(&scratch);
    limn_vocab_destroy(&v);
}

static void test_base64_comes_back(void **state)
{
    unsigned char bytes[40];
    (void)state;
    for (size_t n = 0; n < sizeof bytes; n++) {
        limn_buffer text = { 0 }, back = { 0 };
        for (size_t i = 0; i < n; i++) bytes[i] = (unsigned char)(i * 37 + n * 101);
        limn_base64_append(&text, bytes, n);
        assert_int_equal(text.size, (n + 2) / 3 * 4);
        assert_int_equal(limn_base64_read(&back, text.bytes, text.size, NULL), LIMN_OK);
        assert_int_equal(back.size, n);
        if (n > 0) assert_memory_equal(back.bytes, bytes, n);
        limn_buffer_finish(&text);
        limn_buffer_finish(&back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_are_those_of_the_originals),
        cmocka_unit_test(test_wordpiece_leaves_longer_words_unknown),
        cmocka_unit_test(test_tokens_know_their_words),
        cmocka_unit_test(test_twins_differ_by_a_space),
        cmocka_unit_test(test_public_files_that_do_not_fit_are_refused),
        cmocka_unit_test(test_damaged_models_do_no_harm),
        cmocka_unit_test(test_settings_that_do_not_fit_are_refused),
        cmocka_unit_test(test_a_unigram_model_cuts_no_text),
        cmocka_unit_test(test_base64_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
