/* BERT's: words as split by bert_words.h, each greedily cut into the longest token it begins with
 * and then the longest continuations, which are written with "##" in front. Captions are joined by
 * spaces and cleaned as transformers 4 does it (clean_up_tokenization_spaces). */
#include <string.h>

#include "common/base/mem.h"
#include "common/text/utf8.h"
#include "decoder/tokenizers/bert_words.h"
#include "decoder/vocab.h"

enum { MAX_WORD = 100 }; /* characters; longer ones are unknown */

typedef struct wordpiece {
    bool lower_case; /* and without accents */
} wordpiece;

static bool continues(const char *text, size_t size)
{
    return size > 2 && memcmp(text, "##", 2) == 0;
}

static limn_token_class class_of(const char *text, size_t size)
{
    return continues(text, size) ? LIMN_TOKEN_CONTINUES : LIMN_TOKEN_BEGINS;
}

/* ---- captions to tokens ------------------------------------------------------------------- */

/* The bytes of word [size] from `at` that the longest token takes; 0 where there is none. */
static size_t longest_piece(const limn_vocab *v, const char *word, size_t size, size_t at)
{
    char piece[LIMN_VOCAB_MAX_TOKEN_SIZE + 1] = "##";
    const size_t n_mark = at > 0 ? 2 : 0;
    size_t n = size - at;
    if (n > LIMN_VOCAB_MAX_TOKEN_SIZE - n_mark) n = LIMN_VOCAB_MAX_TOKEN_SIZE - n_mark;
    memcpy(piece + n_mark, word + at, n);
    while (n > 0 && limn_vocab_lookup(v, piece, n_mark + n) == LIMN_NO_TOKEN) n--;
    return n;
}

static bool is_too_long(const char *word, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) n += ((unsigned char)word[i] & 0xc0) != 0x80;
    return n > MAX_WORD;
}

static limn_status put(limn_text *out, const char *mark, const char *text, size_t size,
                       limn_error *err)
{
    if (out->size > 0) LIMN_TRY(limn_text_append(out, " ", 1, err));
    LIMN_TRY(limn_text_append_string(out, mark, err));
    return limn_text_append(out, text, size, err);
}

/* A word that tokens can't make up is unknown as a whole, and is left as it is. */
static limn_status put_word(limn_text *out, const limn_vocab *v, const char *word, size_t size,
                            limn_error *err)
{
    bool is_known = !is_too_long(word, size);
    for (size_t at = 0; is_known && at < size;) {
        const size_t n = longest_piece(v, word, size, at);
        is_known = n > 0;
        at += n;
    }
    if (!is_known) return put(out, "", word, size, err);
    for (size_t at = 0, n; at < size; at += n) {
        n = longest_piece(v, word, size, at);
        LIMN_TRY(put(out, at > 0 ? "##" : "", word + at, n, err));
    }
    return LIMN_OK;
}

static limn_status put_words(limn_text *out, const limn_vocab *v, const limn_text *words,
                             limn_error *err)
{
    LIMN_TRY(limn_text_reserve(out, 1, err)); /* "" where there are no words */
    out->bytes[0] = '\0';
    for (size_t at = 0, n; at < words->size; at += n + 1) {
        const char *word = words->bytes + at, *end = memchr(word, ' ', words->size - at);
        n = (size_t)(end - word); /* a space is after each */
        LIMN_TRY(put_word(out, v, word, n, err));
    }
    return LIMN_OK;
}

static limn_status encode(const char **tokens, limn_caption_tokenizer *scratch, const limn_vocab *v,
                          const char *caption, size_t size, limn_error *err)
{
    const wordpiece *data = limn_vocab_tokenizer_data(v);
    limn_text words = { 0 };
    limn_text_clear(&scratch->tokens);
    limn_status s = limn_bert_words_append(&words, caption, size, data->lower_case, err);
    if (s == LIMN_OK) s = put_words(&scratch->tokens, v, &words, err);
    limn_text_finish(&words);
    *tokens = scratch->tokens.bytes;
    return s;
}

/* ---- tokens to captions ------------------------------------------------------------------- */

/* What the clean-up replaces, one after another over the whole text. */
static const struct rule {
    const char *from, *to;
} rules[] = {
    { " .", "." },     { " ?", "?" },   { " !", "!" },   { " ,", "," },     { " ' ", "'" },
    { " n't", "n't" }, { " 'm", "'m" }, { " 's", "'s" }, { " 've", "'ve" }, { " 're", "'re" },
};
enum { N_RULES = sizeof rules / sizeof *rules };

/* The text runs through the rules byte by byte: each holds back what may become its `from`. `from`
 * begins with a space and has no other before its end, so on a mismatch a match can only start
 * afresh. */
typedef struct cleaner {
    size_t n_held[N_RULES];
    limn_joined *out;
} cleaner;

static void pass(cleaner *c, size_t rule, char byte);

static void pass_all(cleaner *c, size_t rule, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) pass(c, rule, text[i]);
}

static void pass(cleaner *c, size_t rule, char byte)
{
    if (rule == N_RULES) {
        limn_joined_append(c->out, &byte, 1);
        return;
    }
    const struct rule *r = &rules[rule];
    size_t *held = &c->n_held[rule];
    if (r->from[*held] != byte) {
        const size_t n = *held;
        *held = 0;
        pass_all(c, rule + 1, r->from, n);
    }
    if (r->from[*held] != byte) {
        pass(c, rule + 1, byte);
        return;
    }
    if (r->from[++*held] != '\0') return;
    *held = 0;
    pass_all(c, rule + 1, r->to, strlen(r->to));
}

/* What is held back at the end. */
static void flush(cleaner *c)
{
    for (size_t rule = 0; rule < N_RULES; rule++) {
        const size_t n = c->n_held[rule];
        c->n_held[rule] = 0;
        pass_all(c, rule + 1, rules[rule].from, n);
    }
}

static size_t decode(char *out, size_t capacity, const limn_vocab *vocab, const uint32_t *ids,
                     size_t n)
{
    limn_joined j = { out, capacity, 0 };
    cleaner c = { .out = &j };
    bool has_text = false;
    for (size_t i = 0; i < n; i++) {
        if (limn_specials_is_silent(limn_vocab_specials(vocab), ids[i])) continue;
        const char *text = limn_vocab_text(vocab, ids[i]);
        const bool is_joined = has_text && continues(text, strlen(text));
        if (has_text && !is_joined) pass(&c, 0, ' ');
        pass_all(&c, 0, text + (is_joined ? 2 : 0), strlen(text) - (is_joined ? 2 : 0));
        has_text = true;
    }
    flush(&c);
    return limn_joined_end(&j);
}

/* ---- in model files ------------------------------------------------------------------------- */

static limn_status read_settings(void **data, const limn_vocab *v, const limn_json_node *object,
                                 limn_error *err)
{
    wordpiece *w = *data = limn_calloc(1, sizeof *w);
    (void)v;
    if (!w) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return limn_json_bool(&w->lower_case, object, "lower_case", err);
}

static bool write_settings(json_t *object, const limn_vocab *v)
{
    const wordpiece *data = limn_vocab_tokenizer_data(v);
    return json_object_set_new(object, "lower_case", json_boolean(data->lower_case)) == 0;
}

const limn_tokenizer limn_tokenizer_wordpiece = {
    .name = "wordpiece",
    .mark = "##",
    .class_of = class_of,
    .encode = encode,
    .decode = decode,
    .open = read_settings,
    .write = write_settings,
    .close = limn_free,
};
