/* GPT-2's: words as split by gpt2_words.h, as bytes, each byte written as a visible character (a
 * space is "Ġ"), merged in the order of the list of merges. */
#include <string.h>

#include "common/base/mem.h"
#include "common/text/utf8.h"
#include "decoder/tokenizers/gpt2_words.h"
#include "decoder/tokenizers/merge.h"
#include "decoder/vocab.h"

/* ---- bytes as characters -------------------------------------------------------------------- */

static bool is_seen(uint32_t byte)
{
    return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/* A visible byte is the character of its number; the others, in order, are U+0100 …: 0x00 … 0x20,
 * 0x7f … 0xa0 and 0xad. */
enum { SECOND = 0x121, THIRD = 0x143 };

static uint32_t character_of(uint32_t byte)
{
    if (is_seen(byte)) return byte;
    return byte <= 0x20 ? 0x100 + byte : byte <= 0xa0 ? SECOND + byte - 0x7f : THIRD;
}

/* The byte of a character; false for any other character. */
static bool byte_of(unsigned char *byte, uint32_t character)
{
    uint32_t b = character;
    if (character >= 0x100)
        b = character < SECOND  ? character - 0x100
            : character < THIRD ? character - SECOND + 0x7f
                                : 0xad;
    *byte = (unsigned char)b;
    return b < 0x100 && character_of(b) == character;
}

/* The bytes of a token's text [size] into out [size]; a text with other characters is its own
 * bytes. Returns how many there are. */
static size_t bytes_of(unsigned char *out, const char *text, size_t size)
{
    size_t n = 0;
    for (size_t at = 0; at < size; n++) {
        uint32_t c;
        const size_t n_read = limn_utf8_decode(&c, text + at, size - at);
        if (n_read == 0 || !byte_of(&out[n], c)) {
            memcpy(out, text, size);
            return size;
        }
        at += n_read;
    }
    return n;
}

/* ---- words ---------------------------------------------------------------------------------- */

static bool ends_by_letter(const char *text, size_t size)
{
    uint32_t c;
    size_t at = size;
    while (at > 0 && ((unsigned char)text[--at] & 0xc0) == 0x80) {
    }
    return limn_utf8_decode(&c, text + at, size - at) > 0 ? limn_utf8_is_word_character(c) : true;
}

/* By its bytes. A partial character counts as a letter; its remainder continues the word. */
static limn_token_class class_of(const char *text, size_t size)
{
    unsigned char bytes[LIMN_VOCAB_MAX_TOKEN_SIZE];
    const size_t n = bytes_of(bytes, text, size);
    const char *word = (const char *)bytes;
    size_t at = 0, n_read = 0;
    uint32_t c = 0;
    while (at < n && (n_read = limn_utf8_decode(&c, word + at, n - at)) > 0 &&
           limn_utf8_is_space(c))
        at += n_read;
    if (at == n) return LIMN_TOKEN_SPACE;
    if (at == 0 && n_read == 0)
        return (bytes[0] & 0xc0) == 0x80 ? LIMN_TOKEN_CONTINUES : LIMN_TOKEN_LETTER;
    if (at == 0 && limn_utf8_is_word_character(c)) return LIMN_TOKEN_LETTER;
    return ends_by_letter(word, n) ? LIMN_TOKEN_OPENS : LIMN_TOKEN_BEGINS;
}

/* ---- merges ------------------------------------------------------------------------------- */

typedef struct merge {
    uint32_t left, right, token; /* what is merged into what */
} merge;

typedef struct byte_bpe {
    merge *merges; /* [n_merges] the first to be done first */
    size_t n_merges;
    uint32_t *slots; /* [n_slots] open addressing by left and right: index + 1, 0 = free */
    size_t n_slots;  /* a power of two, at least twice n_merges */
} byte_bpe;

static uint32_t *slot_of(const byte_bpe *d, uint32_t left, uint32_t right)
{
    const uint64_t key = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15u;
    for (size_t at = (size_t)(key >> 32);; at++) {
        uint32_t *slot = &d->slots[at & (d->n_slots - 1)];
        if (*slot == 0) return slot;
        const merge *m = &d->merges[*slot - 1];
        if (m->left == left && m->right == right) return slot;
    }
}

static bool may_merge(const void *ctx, const limn_symbol *left, const limn_symbol *right,
                      uint32_t *token, double *order)
{
    const byte_bpe *d = ctx;
    if (left->token == LIMN_NO_TOKEN || right->token == LIMN_NO_TOKEN) return false;
    const uint32_t slot = *slot_of(d, left->token, right->token);
    if (slot == 0) return false;
    *token = d->merges[slot - 1].token;
    *order = slot;
    return true;
}

/* ---- captions to tokens ------------------------------------------------------------------- */

/* A word as characters: text [size] becomes `text` and symbols [*n], a character each. */
static limn_status spell(limn_text *spelt, limn_symbol *symbols, const limn_vocab *v,
                         const char *word, size_t size, limn_error *err)
{
    limn_text_clear(spelt);
    LIMN_TRY(limn_text_reserve(spelt, 2 * size, err)); /* so that it does not move */
    for (size_t i = 0; i < size; i++) {
        char bytes[4];
        const size_t n = limn_utf8_encode(bytes, character_of((unsigned char)word[i]));
        symbols[i] = (limn_symbol){ .text = spelt->bytes + spelt->size,
                                    .size = n,
                                    .token = limn_vocab_lookup(v, bytes, n) };
        LIMN_TRY(limn_text_append(spelt, bytes, n, err));
    }
    return LIMN_OK;
}

static limn_status put_word(limn_text *out, limn_text *spelt, const limn_vocab *v, const char *word,
                            size_t size, limn_error *err)
{
    limn_symbol *symbols = limn_alloc(size, sizeof *symbols);
    size_t n = size;
    if (!symbols) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_status s = spell(spelt, symbols, v, word, size, err);
    if (s == LIMN_OK) s = limn_merge(symbols, &n, may_merge, limn_vocab_tokenizer_data(v), err);
    for (size_t i = 0; s == LIMN_OK && i < n; i++) {
        if (out->size > 0) s = limn_text_append(out, " ", 1, err);
        if (s == LIMN_OK) s = limn_text_append(out, symbols[i].text, symbols[i].size, err);
    }
    limn_free(symbols);
    return s;
}

static limn_status encode(const char **tokens, limn_caption_tokenizer *scratch, const limn_vocab *v,
                          const char *caption, size_t size, limn_error *err)
{
    limn_text spelt = { 0 }, *out = &scratch->tokens;
    limn_status s = LIMN_OK;
    const size_t n_valid = limn_utf8_valid_size(caption, size);
    if (n_valid < size) return limn_fail(err, LIMN_E_FORMAT, "invalid UTF-8 at byte %zu", n_valid);
    limn_text_clear(out);
    LIMN_TRY(limn_text_reserve(out, 1, err));
    out->bytes[0] = '\0';
    for (size_t at = 0, n; s == LIMN_OK && at < size; at += n) {
        n = limn_gpt2_word_size(caption + at, size - at);
        s = put_word(out, &spelt, v, caption + at, n, err);
    }
    limn_text_finish(&spelt);
    *tokens = out->bytes;
    return s;
}

static limn_status encode_spaced(const char **tokens, limn_caption_tokenizer *scratch,
                                 const limn_vocab *v, const char *caption, size_t size,
                                 limn_error *err)
{
    limn_text spaced = { 0 };
    limn_status s = limn_text_append(&spaced, " ", 1, err);
    if (s == LIMN_OK) s = limn_text_append(&spaced, caption, size, err);
    if (s == LIMN_OK) s = encode(tokens, scratch, v, spaced.bytes, spaced.size, err);
    limn_text_finish(&spaced);
    return s;
}

static uint32_t twin_of(const limn_vocab *v, const char *text, size_t size)
{
    static const char space[] = "\xC4\xA0"; /* "Ġ" */
    char spaced[LIMN_VOCAB_MAX_TOKEN_SIZE + sizeof space];
    if (size > 2 && memcmp(text, space, 2) == 0) return limn_vocab_lookup(v, text + 2, size - 2);
    memcpy(spaced, space, 2);
    memcpy(spaced + 2, text, size);
    return limn_vocab_lookup(v, spaced, size + 2);
}

/* ---- tokens to captions ------------------------------------------------------------------- */

/* The caption's bytes as they come, without white space at its ends: the first `skip` bytes are
 * left out, and those after `end`. */
typedef struct speller {
    limn_joined *out; /* NULL: it is only measured */
    size_t at, skip, end;
    bool has_text;
    char pending[4]; /* [n_pending] the beginning of a character */
    size_t n_pending;
} speller;

static void put_character(speller *s, const char *bytes, size_t n, uint32_t c)
{
    if (c == 0) return; /* which a C string can't hold */
    if (s->out && s->at >= s->skip && s->at < s->end) limn_joined_append(s->out, bytes, n);
    s->at += n;
    if (s->out || limn_utf8_is_space(c)) {
        if (!s->has_text) s->skip = s->at;
        return;
    }
    s->has_text = true;
    s->end = s->at;
}

static void put_broken(speller *s)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    put_character(s, replacement, 3, 0xfffd);
    s->n_pending = 0;
}

/* Whether the pending bytes may be the beginning of a character. */
static bool may_go_on(const char *pending, size_t n)
{
    static const char tails[][4] = { "\x80\x80\x80", "\x90\x80\x80", "\xA0\x80\x80",
                                     "\xBF\xBF\xBF" };
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        for (size_t size = n + 1; size <= 4; size++) {
            char whole[4];
            uint32_t c;
            memcpy(whole, pending, n);
            memcpy(whole + n, tails[i], size - n);
            if (limn_utf8_decode(&c, whole, size) == size) return true;
        }
    return false;
}

/* Invalid bytes become U+FFFD, as Rust and Python replace them. */
static void put_byte(speller *s, unsigned char byte)
{
    uint32_t c;
    s->pending[s->n_pending++] = (char)byte;
    const size_t n = limn_utf8_decode(&c, s->pending, s->n_pending);
    if (n == s->n_pending) {
        put_character(s, s->pending, n, c);
        s->n_pending = 0;
        return;
    }
    if (s->n_pending < 4 && may_go_on(s->pending, s->n_pending)) return;
    const bool is_alone = s->n_pending == 1;
    put_broken(s);
    if (!is_alone) put_byte(s, byte);
}

static void spell_caption(speller *s, const limn_vocab *vocab, const uint32_t *ids, size_t n)
{
    unsigned char bytes[LIMN_VOCAB_MAX_TOKEN_SIZE];
    for (size_t i = 0; i < n; i++) {
        if (limn_specials_is_silent(limn_vocab_specials(vocab), ids[i])) continue;
        const char *text = limn_vocab_text(vocab, ids[i]);
        const size_t n_bytes = bytes_of(bytes, text, strlen(text));
        for (size_t b = 0; b < n_bytes; b++) put_byte(s, bytes[b]);
    }
    if (s->n_pending > 0) put_broken(s);
}

static size_t decode(char *out, size_t capacity, const limn_vocab *vocab, const uint32_t *ids,
                     size_t n)
{
    limn_joined j = { out, capacity, 0 };
    speller measured = { 0 };
    spell_caption(&measured, vocab, ids, n);
    speller written = { .out = &j, .skip = measured.skip, .end = measured.end, .has_text = true };
    spell_caption(&written, vocab, ids, n);
    return limn_joined_end(&j);
}

/* ---- in model files ------------------------------------------------------------------------- */

/* "Ġ t": two tokens that are there, and so is what they make. */
static limn_status read_merge(merge *out, const limn_vocab *v, const limn_json_node *item,
                              limn_error *err)
{
    const char *text;
    char merged[LIMN_VOCAB_MAX_TOKEN_SIZE + 1];
    LIMN_TRY(limn_json_as_string(&text, item, err));
    const size_t n_left = strcspn(text, " "), size = strlen(text);
    if (n_left == 0 || n_left + 1 >= size || strchr(text + n_left + 1, ' '))
        return limn_json_fail(item, err, LIMN_E_FORMAT, "expected two tokens, is \"%.40s\"", text);
    if (size - 1 > LIMN_VOCAB_MAX_TOKEN_SIZE)
        return limn_json_fail(item, err, LIMN_E_FORMAT,
                              "makes a token of %zu bytes, the limit is %d", size - 1,
                              LIMN_VOCAB_MAX_TOKEN_SIZE);
    memcpy(merged, text, n_left);
    memcpy(merged + n_left, text + n_left + 1, size - n_left - 1);
    out->left = limn_vocab_lookup(v, text, n_left);
    out->right = limn_vocab_lookup(v, text + n_left + 1, size - n_left - 1);
    out->token = limn_vocab_lookup(v, merged, size - 1);
    if (out->left == LIMN_NO_TOKEN || out->right == LIMN_NO_TOKEN || out->token == LIMN_NO_TOKEN)
        return limn_json_fail(item, err, LIMN_E_FORMAT,
                              "\"%.40s\" and what it makes are not all in the vocabulary", text);
    return LIMN_OK;
}

static limn_status read_merges(byte_bpe *d, const limn_vocab *v, const limn_json_node *array,
                               limn_error *err)
{
    d->n_slots = 16;
    while (d->n_slots < 2 * d->n_merges) d->n_slots *= 2;
    d->merges = limn_calloc(d->n_merges, sizeof *d->merges);
    d->slots = limn_calloc(d->n_slots, sizeof *d->slots);
    if (!d->merges || !d->slots)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu merges", d->n_merges);
    for (size_t i = 0; i < d->n_merges; i++) {
        const limn_json_node item = limn_json_at(array, i);
        LIMN_TRY(read_merge(&d->merges[i], v, &item, err));
        uint32_t *slot = slot_of(d, d->merges[i].left, d->merges[i].right);
        if (*slot != 0)
            return limn_json_fail(&item, err, LIMN_E_FORMAT, "is the same as merge %u", *slot - 1);
        *slot = (uint32_t)i + 1;
    }
    return LIMN_OK;
}

static void close_data(void *data)
{
    byte_bpe *d = data;
    if (!d) return;
    limn_free(d->merges);
    limn_free(d->slots);
    limn_free(d);
}

static limn_status read_settings(void **data, const limn_vocab *v, const limn_json_node *object,
                                 limn_error *err)
{
    limn_json_node array;
    byte_bpe *d = *data = limn_calloc(1, sizeof *d);
    if (!d) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    LIMN_TRY(limn_json_array(&array, &d->n_merges, object, "merges", err));
    if (d->n_merges > LIMN_VOCAB_MAX_TOKENS)
        return limn_json_fail(&array, err, LIMN_E_LIMIT, "%zu merges, the limit is %d", d->n_merges,
                              LIMN_VOCAB_MAX_TOKENS);
    return read_merges(d, v, &array, err);
}

static bool write_settings(json_t *object, const limn_vocab *v)
{
    const byte_bpe *d = limn_vocab_tokenizer_data(v);
    json_t *merges = json_array();
    for (size_t i = 0; i < d->n_merges; i++)
        json_array_append_new(merges, json_sprintf("%s %s", limn_vocab_text(v, d->merges[i].left),
                                                   limn_vocab_text(v, d->merges[i].right)));
    return json_object_set_new(object, "merges", merges) == 0 &&
           json_array_size(merges) == d->n_merges;
}

const limn_tokenizer limn_tokenizer_byte_bpe = {
    .name = "byte_bpe",
    .class_of = class_of,
    .encode = encode,
    .encode_spaced = encode_spaced,
    .twin_of = twin_of,
    .decode = decode,
    .open = read_settings,
    .write = write_settings,
    .close = close_data,
};
