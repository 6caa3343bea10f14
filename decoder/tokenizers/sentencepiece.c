/* SentencePiece's: a text is rewritten by rules (charsmap.h), its spaces become "▁", and its
 * characters are merged, the pair with the best score first. Models of the other kind, unigram, can
 * decode captions but not encode them. */
#include <string.h>

#include "common/base/mem.h"
#include "common/text/base64.h"
#include "common/text/utf8.h"
#include "decoder/tokenizers/charsmap.h"
#include "decoder/tokenizers/merge.h"
#include "decoder/tokenizers/sentencepiece_model.h"
#include "decoder/vocab.h"

static const char replacement[] = "\xEF\xBF\xBD";
enum { SPACE_SIZE = sizeof LIMN_SPACE_TOKEN - 1, REPLACEMENT_SIZE = sizeof replacement - 1 };

typedef struct sentencepiece {
    bool is_bpe, adds_dummy_prefix, removes_extra_whitespaces;
    float *scores;        /* [n_tokens] */
    unsigned char *types; /* [n_tokens] limn_piece_type */
    size_t longest_user;  /* bytes of the longest piece of that type; 0 = there is none */
    bool has_bytes;       /* unknown characters are written as byte pieces */
    limn_buffer charsmap_blob;
    limn_charsmap charsmap;
    char *unknown_text;
} sentencepiece;

static bool begins_with_space(const char *text, size_t size)
{
    return size >= SPACE_SIZE && memcmp(text, LIMN_SPACE_TOKEN, SPACE_SIZE) == 0;
}

/* ---- words ---------------------------------------------------------------------------------- */

static bool is_of_letters(const char *text, size_t size)
{
    uint32_t c;
    if (limn_utf8_decode(&c, text, size) == 0) return false;
    return limn_utf8_is_word_character(c);
}

static limn_token_class class_of(const char *text, size_t size)
{
    const bool has_space = begins_with_space(text, size);
    size_t last = size;
    if (has_space && size == SPACE_SIZE) return LIMN_TOKEN_SPACE;
    if (!has_space && is_of_letters(text, size)) return LIMN_TOKEN_LETTER;
    while (last > 0 && ((unsigned char)text[--last] & 0xc0) == 0x80) {
    }
    return is_of_letters(text + last, size - last) ? LIMN_TOKEN_OPENS : LIMN_TOKEN_BEGINS;
}

/* ---- normalising ---------------------------------------------------------------------------- */

/* The bytes of the user-defined piece that text begins with; 0 where there is none. */
static size_t user_size(const limn_vocab *v, const char *text, size_t size)
{
    const sentencepiece *d = limn_vocab_tokenizer_data(v);
    for (size_t n = size < d->longest_user ? size : d->longest_user; n > 0; n--) {
        const uint32_t id = limn_vocab_lookup(v, text, n);
        if (id != LIMN_NO_TOKEN && d->types[id] == LIMN_PIECE_USER) return n;
    }
    return 0;
}

/* What the beginning of text [*size] becomes: *out [*out_size]; *size is what it took. */
static void normalize_prefix(const char **out, size_t *out_size, const limn_vocab *v,
                             const char *text, size_t *size)
{
    const sentencepiece *d = limn_vocab_tokenizer_data(v);
    uint32_t c;
    const size_t n_user = user_size(v, text, *size);
    const size_t n_rule = n_user ? 0 : limn_charsmap_match(out, &d->charsmap, text, *size);
    if (n_rule > 0) {
        *out_size = strlen(*out);
        *size = n_rule;
        return;
    }
    const size_t n = n_user ? n_user : limn_utf8_decode(&c, text, *size);
    *out = n > 0 ? text : replacement;
    *out_size = n > 0 ? n : REPLACEMENT_SIZE;
    *size = n > 0 ? n : 1;
}

/* With "▁" for each space. */
static limn_status append_spaced(limn_text *out, const char *text, size_t size, limn_error *err)
{
    for (size_t i = 0; i < size; i++)
        LIMN_TRY(text[i] == ' ' ? limn_text_append(out, LIMN_SPACE_TOKEN, SPACE_SIZE, err)
                                : limn_text_append(out, text + i, 1, err));
    return LIMN_OK;
}

static void drop_spaces_at_end(limn_text *out)
{
    while (out->size >= SPACE_SIZE &&
           begins_with_space(out->bytes + out->size - SPACE_SIZE, SPACE_SIZE))
        out->size -= SPACE_SIZE;
}

static limn_status normalize(limn_text *out, const limn_vocab *v, const char *text, size_t size,
                             limn_error *err)
{
    const sentencepiece *d = limn_vocab_tokenizer_data(v);
    bool after_space = d->removes_extra_whitespaces, has_begun = !after_space;
    for (size_t at = 0, n; at < size; at += n) {
        const char *part;
        size_t part_size;
        n = size - at;
        normalize_prefix(&part, &part_size, v, text + at, &n);
        if (!has_begun && part_size == 1 && *part == ' ') continue; /* leading ones */
        if (d->adds_dummy_prefix && out->size == 0 && (!has_begun || at == 0))
            LIMN_TRY(limn_text_append(out, LIMN_SPACE_TOKEN, SPACE_SIZE, err));
        has_begun = true;
        for (; after_space && part_size > 0 && *part == ' '; part_size--) part++;
        LIMN_TRY(append_spaced(out, part, part_size, err));
        if (part_size > 0) after_space = part[part_size - 1] == ' ';
        if (!d->removes_extra_whitespaces) after_space = false;
    }
    if (d->removes_extra_whitespaces) drop_spaces_at_end(out);
    return LIMN_OK;
}

/* ---- captions to tokens ------------------------------------------------------------------- */

/* A piece that may be used to tokenise text. */
static uint32_t find_piece(const limn_vocab *v, const char *text, size_t size)
{
    const sentencepiece *d = limn_vocab_tokenizer_data(v);
    const uint32_t id = limn_vocab_lookup(v, text, size);
    if (id == LIMN_NO_TOKEN) return id;
    return d->types[id] == LIMN_PIECE_NORMAL || d->types[id] == LIMN_PIECE_USER ? id
                                                                                : LIMN_NO_TOKEN;
}

static bool may_merge(const void *ctx, const limn_symbol *left, const limn_symbol *right,
                      uint32_t *token, double *order)
{
    const sentencepiece *d = limn_vocab_tokenizer_data(ctx);
    *token = find_piece(ctx, left->text, left->size + right->size);
    if (*token == LIMN_NO_TOKEN) return false;
    *order = -(double)d->scores[*token];
    return true;
}

/* Symbols [*n] of a normalised text: its characters and user-defined pieces. */
static void cut(limn_symbol *symbols, size_t *n, const limn_vocab *v, const limn_text *text)
{
    *n = 0;
    for (size_t at = 0; at < text->size; (*n)++) {
        const char *bytes = text->bytes + at;
        const size_t n_user = user_size(v, bytes, text->size - at);
        uint32_t c;
        const size_t size = n_user ? n_user : limn_utf8_decode(&c, bytes, text->size - at);
        symbols[*n] = (limn_symbol){ .text = bytes,
                                     .size = size ? size : 1,
                                     .token = find_piece(v, bytes, size ? size : 1),
                                     .is_fixed = n_user > 0 };
        at += symbols[*n].size;
    }
}

static limn_status put(limn_text *out, const char *text, size_t size, bool is_joined,
                       limn_error *err)
{
    if (out->size > 0 && !is_joined) LIMN_TRY(limn_text_append(out, " ", 1, err));
    return limn_text_append(out, text, size, err);
}

static limn_status put_bytes(limn_text *out, const limn_symbol *s, limn_error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s->size; i++) {
        const unsigned char byte = (unsigned char)s->text[i];
        const char piece[6] = { '<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>' };
        LIMN_TRY(put(out, piece, sizeof piece, false, err));
    }
    return LIMN_OK;
}

/* An unknown symbol becomes byte pieces, or one unknown token together with those that follow
 * it. */
static limn_status put_symbols(limn_text *out, const limn_vocab *v, const limn_symbol *symbols,
                               size_t n, limn_error *err)
{
    const sentencepiece *d = limn_vocab_tokenizer_data(v);
    bool after_unknown = false;
    for (size_t i = 0; i < n; i++) {
        const bool is_unknown = symbols[i].token == LIMN_NO_TOKEN;
        LIMN_TRY(is_unknown && d->has_bytes ? put_bytes(out, &symbols[i], err)
                                            : put(out, symbols[i].text, symbols[i].size,
                                                  is_unknown && after_unknown, err));
        after_unknown = is_unknown;
    }
    return LIMN_OK;
}

static limn_status encode_text(limn_text *out, limn_text *normal, limn_symbol **symbols,
                               const limn_vocab *v, const char *caption, size_t size,
                               limn_error *err)
{
    size_t n;
    LIMN_TRY(limn_text_reserve(out, 1, err));
    LIMN_TRY(limn_text_reserve(normal, 1, err));
    out->bytes[0] = '\0';
    LIMN_TRY(normalize(normal, v, caption, size, err));
    *symbols = limn_alloc(normal->size, sizeof **symbols);
    if (!*symbols) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    cut(*symbols, &n, v, normal);
    LIMN_TRY(limn_merge(*symbols, &n, may_merge, v, err));
    return put_symbols(out, v, *symbols, n, err);
}

static limn_status encode(const char **tokens, limn_caption_tokenizer *scratch, const limn_vocab *v,
                          const char *caption, size_t size, limn_error *err)
{
    const sentencepiece *d = limn_vocab_tokenizer_data(v);
    limn_text normal = { 0 };
    limn_symbol *symbols = NULL;
    const size_t n_valid = limn_utf8_valid_size(caption, size);
    if (!d->is_bpe)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "texts can't be cut by a SentencePiece model of the unigram kind");
    if (n_valid < size) return limn_fail(err, LIMN_E_FORMAT, "invalid UTF-8 at byte %zu", n_valid);
    limn_text_clear(&scratch->tokens);
    const limn_status s = encode_text(&scratch->tokens, &normal, &symbols, v, caption, size, err);
    limn_text_finish(&normal);
    limn_free(symbols);
    *tokens = scratch->tokens.bytes;
    return s;
}

/* ---- tokens to captions ------------------------------------------------------------------- */

/* A caption that is being written. */
typedef struct writer {
    limn_joined joined;
    const sentencepiece *data;
    char bytes[4]; /* [n_bytes] the beginning of a character that comes in pieces of bytes */
    size_t n_bytes;
    bool has_begun; /* with the space that the model added, or with what no C string holds */
} writer;

/* Writes pending byte pieces: as characters, with U+FFFD for each invalid byte. */
static void write_bytes(writer *w, bool is_last)
{
    uint32_t c;
    while (w->n_bytes > 0 && (is_last || w->n_bytes == 4)) {
        const size_t n = limn_utf8_decode(&c, w->bytes, w->n_bytes);
        w->has_begun = true;
        if (n == 0 || c != 0)
            limn_joined_append(&w->joined, n > 0 ? w->bytes : replacement,
                               n > 0 ? n : (size_t)REPLACEMENT_SIZE);
        const size_t n_taken = n > 0 ? n : 1;
        w->n_bytes -= n_taken;
        memmove(w->bytes, w->bytes + n_taken, w->n_bytes);
    }
}

static void write_piece(writer *w, const char *text)
{
    size_t size = strlen(text);
    const bool is_first = w->joined.length == 0 && !w->has_begun;
    if (is_first && (w->data->adds_dummy_prefix || w->data->removes_extra_whitespaces) &&
        begins_with_space(text, size)) {
        text += SPACE_SIZE;
        size -= SPACE_SIZE;
        w->has_begun = !w->data->removes_extra_whitespaces;
    }
    for (size_t at = 0; at < size;) {
        const bool is_space = begins_with_space(text + at, size - at);
        limn_joined_append(&w->joined, is_space ? " " : text + at, 1);
        at += is_space ? (size_t)SPACE_SIZE : 1;
    }
}

/* "<0x41>" */
static unsigned char byte_of(const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    return (unsigned char)((strchr(digits, text[3]) - digits) << 4 |
                           (strchr(digits, text[4]) - digits));
}

static void write_token(writer *w, const limn_vocab *v, uint32_t id)
{
    const unsigned char type = w->data->types[id];
    if (type == LIMN_PIECE_BYTE) {
        w->bytes[w->n_bytes++] = (char)byte_of(limn_vocab_text(v, id));
        write_bytes(w, false);
        return;
    }
    write_bytes(w, true);
    if (type == LIMN_PIECE_CONTROL || id == limn_vocab_specials(v)->end) return;
    if (type == LIMN_PIECE_UNKNOWN)
        limn_joined_append(&w->joined, w->data->unknown_text, strlen(w->data->unknown_text));
    else
        write_piece(w, limn_vocab_text(v, id));
}

static size_t decode(char *out, size_t capacity, const limn_vocab *vocab, const uint32_t *ids,
                     size_t n)
{
    writer w = { .joined = { out, capacity, 0 }, .data = limn_vocab_tokenizer_data(vocab) };
    for (size_t i = 0; i < n; i++) write_token(&w, vocab, ids[i]);
    write_bytes(&w, true);
    return limn_joined_end(&w.joined);
}

/* ---- in model files ------------------------------------------------------------------------- */

static bool is_byte(const char *text)
{
    return strlen(text) == 6 && strncmp(text, "<0x", 3) == 0 && text[5] == '>' &&
           strspn(text + 3, "0123456789ABCDEF") == 2;
}

static limn_status read_piece(sentencepiece *d, const limn_vocab *v, uint32_t id,
                              const limn_json_node *scores, const limn_json_node *types,
                              limn_error *err)
{
    const limn_json_node score = limn_json_at(scores, id), type = limn_json_at(types, id);
    const size_t size = strlen(limn_vocab_text(v, id));
    double value;
    int64_t number;
    LIMN_TRY(limn_json_as_number(&value, &score, -1e30, 1e30, err));
    LIMN_TRY(limn_json_as_integer(&number, &type, LIMN_PIECE_NORMAL, LIMN_PIECE_BYTE, err));
    d->scores[id] = (float)value;
    d->types[id] = (unsigned char)number;
    if (number == LIMN_PIECE_BYTE && !is_byte(limn_vocab_text(v, id)))
        return limn_json_fail(&type, err, LIMN_E_FORMAT, "\"%.40s\" is no byte as <0x41>",
                              limn_vocab_text(v, id));
    if (number == LIMN_PIECE_USER && size > d->longest_user) d->longest_user = size;
    d->has_bytes |= number == LIMN_PIECE_BYTE;
    return LIMN_OK;
}

static limn_status read_pieces(sentencepiece *d, const limn_vocab *v, const limn_json_node *object,
                               limn_error *err)
{
    limn_json_node scores, types;
    const size_t n = limn_vocab_n_tokens(v);
    size_t n_scores, n_types;
    LIMN_TRY(limn_json_array(&scores, &n_scores, object, "scores", err));
    LIMN_TRY(limn_json_array(&types, &n_types, object, "types", err));
    if (n_scores != n)
        return limn_json_fail(&scores, err, LIMN_E_FORMAT, "%zu of %zu tokens", n_scores, n);
    if (n_types != n)
        return limn_json_fail(&types, err, LIMN_E_FORMAT, "%zu of %zu tokens", n_types, n);
    d->scores = limn_calloc(n, sizeof *d->scores);
    d->types = limn_calloc(n, sizeof *d->types);
    if (!d->scores || !d->types) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (uint32_t id = 0; id < n; id++) LIMN_TRY(read_piece(d, v, id, &scores, &types, err));
    return LIMN_OK;
}

static limn_status read_charsmap(sentencepiece *d, const limn_json_node *object, limn_error *err)
{
    limn_json_node node;
    const char *text;
    LIMN_TRY(limn_json_get(&node, object, "charsmap", err));
    LIMN_TRY(limn_json_as_string(&text, &node, err));
    limn_error why = { 0 };
    limn_status s = limn_base64_read(&d->charsmap_blob, text, strlen(text), &why);
    if (s == LIMN_OK)
        s = limn_charsmap_open(&d->charsmap, d->charsmap_blob.bytes, d->charsmap_blob.size, &why);
    return s == LIMN_OK ? s : limn_json_fail(&node, err, s, "%s", why.text);
}

static void close_data(void *data)
{
    sentencepiece *d = data;
    if (!d) return;
    limn_free(d->scores);
    limn_free(d->types);
    limn_free(d->unknown_text);
    limn_buffer_finish(&d->charsmap_blob);
    limn_free(d);
}

static limn_status read_settings(void **data, const limn_vocab *v, const limn_json_node *object,
                                 limn_error *err)
{
    sentencepiece *d = *data = limn_calloc(1, sizeof *d);
    const char *unknown_text, *model;
    if (!d) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    LIMN_TRY(limn_json_string(&model, object, "model", err));
    d->is_bpe = strcmp(model, "bpe") == 0;
    if (!d->is_bpe && strcmp(model, "unigram") != 0)
        return limn_fail(err, LIMN_E_FORMAT, "model \"%.40s\" is neither bpe nor unigram", model);
    LIMN_TRY(limn_json_bool(&d->adds_dummy_prefix, object, "dummy_prefix", err));
    LIMN_TRY(limn_json_bool(&d->removes_extra_whitespaces, object, "removes_extra_spaces", err));
    LIMN_TRY(limn_json_string(&unknown_text, object, "unknown_text", err));
    d->unknown_text = limn_strdup(unknown_text);
    if (!d->unknown_text) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    LIMN_TRY(read_charsmap(d, object, err));
    return read_pieces(d, v, object, err);
}

static bool write_settings(json_t *object, const limn_vocab *v)
{
    const sentencepiece *d = limn_vocab_tokenizer_data(v);
    const size_t n = limn_vocab_n_tokens(v);
    json_t *scores = json_array(), *types = json_array();
    limn_buffer charsmap = { 0 };
    limn_buffer_append_text(&charsmap, "");
    limn_base64_append(&charsmap, d->charsmap_blob.bytes, d->charsmap_blob.size);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(scores, limn_json_float(d->scores[i]));
        json_array_append_new(types, json_integer(d->types[i]));
    }
    const bool is_whole =
        !charsmap.has_failed && json_array_size(scores) == n && json_array_size(types) == n;
    json_t *settings =
        json_pack("{s:s, s:b, s:b, s:s, s:s, s:o, s:o}", "model", d->is_bpe ? "bpe" : "unigram",
                  "dummy_prefix", (int)d->adds_dummy_prefix, "removes_extra_spaces",
                  (int)d->removes_extra_whitespaces, "unknown_text", d->unknown_text, "charsmap",
                  charsmap.bytes, "scores", scores, "types", types);
    const bool is_written = is_whole && settings && json_object_update(object, settings) == 0;
    json_decref(settings);
    limn_buffer_finish(&charsmap);
    return is_written;
}

const limn_tokenizer limn_tokenizer_sentencepiece = {
    .name = "sentencepiece",
    .class_of = class_of,
    .encode = encode,
    .decode = decode,
    .open = read_settings,
    .write = write_settings,
    .close = close_data,
};
