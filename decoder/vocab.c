#include "decoder/vocab.h"

#include <string.h>
#include <utf8proc.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"

/* Tokens of the largest size and their newlines. */
#define MAX_FILE_SIZE ((size_t)LIMN_VOCAB_MAX_TOKENS * (LIMN_VOCAB_MAX_TOKEN_SIZE + 1))

struct limn_vocab {
    size_t n_tokens;
    char **texts;    /* [n_tokens] into `block` */
    char *block;     /* all texts, NUL-terminated */
    uint32_t *slots; /* [n_slots] open addressing by hash: id + 1, 0 = free */
    size_t n_slots;  /* a power of two, at least twice n_tokens */
    const limn_tokenizer *tokenizer;
    void *tokenizer_data;
    limn_specials specials;
    uint32_t *never_written; /* of `specials` */
    unsigned char *classes;  /* [n_tokens]; NULL where every token is a word */
    uint32_t *twins;         /* [n_tokens]; NULL where no token has one */
};

/* ---- checks ------------------------------------------------------------------------------- */

static bool is_forbidden(utf8proc_int32_t codepoint)
{
    switch (utf8proc_category(codepoint)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return true;
    default: return false;
    }
}

/* NULL when `text` may be a token; else what is wrong with it. */
static const char *complaint(const char *text, size_t size)
{
    if (size == 0) return "is empty";
    if (size > LIMN_VOCAB_MAX_TOKEN_SIZE) return "is longer than 256 bytes";
    for (size_t at = 0; at < size;) {
        utf8proc_int32_t codepoint;
        const utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                    (utf8proc_ssize_t)(size - at), &codepoint);
        if (n < 1) return "is not valid UTF-8";
        if (is_forbidden(codepoint)) return "has white space or a control character in it";
        at += (size_t)n;
    }
    return NULL;
}

static limn_status check_token(const char *text, size_t id, limn_error *err)
{
    const char *wrong = complaint(text, strlen(text));
    if (wrong) return limn_fail(err, LIMN_E_FORMAT, "token %zu %s", id, wrong);
    return LIMN_OK;
}

/* Checks the first tokens of a vocabulary of limn's own. */
static limn_status check_own(const char *const *tokens, size_t n_tokens, limn_error *err)
{
    if (n_tokens < LIMN_N_SPECIAL)
        return limn_fail(err, LIMN_E_FORMAT, "%zu tokens, expected at least <pad> <s> </s> <unk>",
                         n_tokens);
    for (size_t id = 0; id < LIMN_N_SPECIAL; id++) {
        LIMN_TRY(check_token(tokens[id], id, err));
        if (strcmp(tokens[id], limn_special_tokens[id]) != 0)
            return limn_fail(err, LIMN_E_FORMAT, "token %zu must be %s, is \"%.40s\"", id,
                             limn_special_tokens[id], tokens[id]);
    }
    return LIMN_OK;
}

static limn_status check_special(const char *name, uint32_t id, bool may_lack, size_t n_tokens,
                                 limn_error *err)
{
    if (id < n_tokens || (may_lack && id == LIMN_NO_TOKEN)) return LIMN_OK;
    return limn_fail(err, LIMN_E_FORMAT, "the %s token, %u, is not in 0 … %zu", name, id,
                     n_tokens - 1);
}

static limn_status check_specials(const limn_specials *s, size_t n_tokens, limn_error *err)
{
    LIMN_TRY(check_special("start", s->start, false, n_tokens, err));
    LIMN_TRY(check_special("end", s->end, false, n_tokens, err));
    LIMN_TRY(check_special("pad", s->pad, true, n_tokens, err));
    LIMN_TRY(check_special("unknown", s->unknown, true, n_tokens, err));
    for (size_t i = 0; i < s->n_never_written; i++)
        LIMN_TRY(check_special("never written", s->never_written[i], false, n_tokens, err));
    if (!limn_specials_is_written(s, s->end))
        return limn_fail(err, LIMN_E_FORMAT, "the end token, %u, is never written", s->end);
    return LIMN_OK;
}

/* ---- index -------------------------------------------------------------------------------- */

/* The slot of a text: the one that holds it, or the free one where it belongs. */
static uint32_t *slot_of(const limn_vocab *v, const char *text, size_t size)
{
    size_t at = (size_t)limn_fnv1a64(LIMN_FNV1A64_INIT, text, size);
    for (;; at++) {
        uint32_t *slot = &v->slots[at & (v->n_slots - 1)];
        if (*slot == 0) return slot;
        const char *other = v->texts[*slot - 1];
        if (strlen(other) == size && memcmp(other, text, size) == 0) return slot;
    }
}

/* Copies one token to *end of the block and indexes it. */
static limn_status add_token(limn_vocab *v, char **end, const char *text, limn_error *err)
{
    const size_t size = strlen(text), id = v->n_tokens;
    LIMN_TRY(check_token(text, id, err));
    uint32_t *slot = slot_of(v, text, size);
    if (*slot != 0)
        return limn_fail(err, LIMN_E_FORMAT, "tokens %u and %zu are both \"%.40s\"", *slot - 1, id,
                         text);
    memcpy(*end, text, size + 1);
    v->texts[id] = *end;
    *end += size + 1;
    *slot = (uint32_t)++v->n_tokens;
    return LIMN_OK;
}

static limn_status fill(limn_vocab *v, const char *const *tokens, size_t n_tokens, limn_error *err)
{
    size_t block_size = 0;
    for (size_t i = 0; i < n_tokens; i++)
        block_size += strlen(tokens[i]) + 1; /* they are all in memory: no overflow */
    v->n_slots = 16;
    while (v->n_slots < 2 * n_tokens) v->n_slots *= 2;
    v->texts = limn_calloc(n_tokens, sizeof *v->texts);
    v->slots = limn_calloc(v->n_slots, sizeof *v->slots);
    v->block = limn_alloc(block_size, 1);
    if (!v->texts || !v->slots || !v->block)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tokens", n_tokens);
    char *end = v->block;
    for (size_t i = 0; i < n_tokens; i++) LIMN_TRY(add_token(v, &end, tokens[i], err));
    return LIMN_OK;
}

/* Copies the special tokens, and sets the class of each token. */
static limn_status classify(limn_vocab *v, const limn_specials *specials, limn_error *err)
{
    bool has_parts = false;
    v->never_written = limn_alloc(specials->n_never_written, sizeof *v->never_written);
    v->classes = limn_alloc(v->n_tokens, 1);
    if (!v->never_written || !v->classes)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tokens", v->n_tokens);
    v->specials = *specials;
    for (size_t i = 0; i < specials->n_never_written; i++)
        v->never_written[i] = specials->never_written[i];
    v->specials.never_written = v->never_written;
    for (uint32_t i = 0; i < v->n_tokens; i++) {
        v->classes[i] =
            limn_specials_is_silent(&v->specials, i)
                ? (unsigned char)LIMN_TOKEN_BEGINS
                : (unsigned char)v->tokenizer->class_of(v->texts[i], strlen(v->texts[i]));
        has_parts |= v->classes[i] != LIMN_TOKEN_BEGINS;
    }
    if (has_parts) return LIMN_OK;
    limn_free(v->classes);
    v->classes = NULL;
    return LIMN_OK;
}

static limn_status find_twins(limn_vocab *v, limn_error *err)
{
    if (!v->tokenizer->twin_of) return LIMN_OK;
    v->twins = limn_alloc(v->n_tokens, sizeof *v->twins);
    if (!v->twins) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tokens", v->n_tokens);
    for (uint32_t i = 0; i < v->n_tokens; i++) {
        const uint32_t twin = v->tokenizer->twin_of(v, v->texts[i], strlen(v->texts[i]));
        v->twins[i] = twin == LIMN_NO_TOKEN ? i : twin;
    }
    return LIMN_OK;
}

limn_status limn_vocab_create_with(limn_vocab **out, const char *const *tokens, size_t n_tokens,
                                   const limn_tokenizer *tokenizer, const limn_specials *specials,
                                   const limn_json_node *settings, limn_error *err)
{
    *out = NULL;
    if (n_tokens > LIMN_VOCAB_MAX_TOKENS)
        return limn_fail(err, LIMN_E_LIMIT, "%zu tokens, the limit is %d", n_tokens,
                         LIMN_VOCAB_MAX_TOKENS);
    LIMN_TRY(check_specials(specials, n_tokens, err));
    limn_vocab *v = limn_calloc(1, sizeof *v);
    if (!v) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    v->tokenizer = tokenizer;
    limn_status s = fill(v, tokens, n_tokens, err);
    if (s == LIMN_OK) s = classify(v, specials, err);
    if (s == LIMN_OK) s = find_twins(v, err);
    if (s == LIMN_OK && tokenizer->open && !settings)
        s = limn_fail(err, LIMN_E_ARG, "the tokenizer \"%s\" has no settings", tokenizer->name);
    else if (s == LIMN_OK && tokenizer->open)
        s = tokenizer->open(&v->tokenizer_data, v, settings, err);
    if (s != LIMN_OK) limn_vocab_destroy(&v);
    *out = v;
    return s;
}

limn_status limn_vocab_create(limn_vocab **out, const char *const *tokens, size_t n_tokens,
                              limn_error *err)
{
    const limn_specials specials = LIMN_SPECIALS_OWN;
    *out = NULL;
    LIMN_TRY(check_own(tokens, n_tokens, err));
    return limn_vocab_create_with(out, tokens, n_tokens, limn_tokenizer_of_own(tokens, n_tokens),
                                  &specials, NULL, err);
}

void limn_vocab_destroy(limn_vocab **v)
{
    if (!v || !*v) return;
    if ((*v)->tokenizer && (*v)->tokenizer->close) (*v)->tokenizer->close((*v)->tokenizer_data);
    limn_free((*v)->texts);
    limn_free((*v)->slots);
    limn_free((*v)->block);
    limn_free((*v)->never_written);
    limn_free((*v)->classes);
    limn_free((*v)->twins);
    limn_free(*v);
    *v = NULL;
}

/* ---- vocab.txt ---------------------------------------------------------------------------- */

/* Splits text [size] (NUL-terminated) at its newlines, in place; the last line may lack one. */
static limn_status split_lines(char ***out, size_t *n_lines, char *text, size_t size,
                               limn_error *err)
{
    size_t n = 0, i = 0;
    for (const char *p = text; p < text + size; p++) n += *p == '\n' || p + 1 == text + size;
    if (n > LIMN_VOCAB_MAX_TOKENS)
        return limn_fail(err, LIMN_E_LIMIT, "%zu lines, the limit is %d", n, LIMN_VOCAB_MAX_TOKENS);
    char **lines = limn_alloc(n, sizeof *lines);
    if (!lines) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu lines", n);
    for (char *line = text, *next; line < text + size; line = next + 1) {
        next = memchr(line, '\n', (size_t)(text + size - line));
        if (!next) next = text + size;
        *next = '\0';
        lines[i++] = line;
    }
    *out = lines;
    *n_lines = n;
    return LIMN_OK;
}

/* The tokens of a NUL-terminated text [size], which is split in place. */
static limn_status read_lines(limn_vocab **out, char *text, size_t size, limn_error *err)
{
    char **lines = NULL;
    size_t n_lines = 0;
    const char *nul = memchr(text, '\0', size);
    if (nul) return limn_fail(err, LIMN_E_FORMAT, "has a NUL byte at byte %td", nul - text);
    LIMN_TRY(split_lines(&lines, &n_lines, text, size, err));
    limn_status s = limn_vocab_create(out, (const char *const *)lines, n_lines, err);
    limn_free(lines);
    return s;
}

limn_status limn_vocab_from_text(limn_vocab **out, const char *text, size_t size, limn_error *err)
{
    char *copy = limn_strndup(text, size);
    *out = NULL;
    if (!copy) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a text of %zu bytes", size);
    limn_status s = read_lines(out, copy, size, err);
    limn_free(copy);
    return s;
}

limn_status limn_vocab_read(limn_vocab **out, const char *path, limn_error *err)
{
    unsigned char *text = NULL;
    size_t size = 0;
    *out = NULL;
    LIMN_TRY(limn_file_read(&text, &size, path, MAX_FILE_SIZE, err));
    limn_status s = read_lines(out, (char *)text, size, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_free(text);
    return s;
}

/* ---- looking up --------------------------------------------------------------------------- */

size_t limn_vocab_n_tokens(const limn_vocab *v)
{
    return v->n_tokens;
}

const char *limn_vocab_text(const limn_vocab *v, uint32_t id)
{
    return v->texts[id];
}

uint32_t limn_vocab_lookup(const limn_vocab *v, const char *text, size_t size)
{
    const uint32_t slot = *slot_of(v, text, size);
    return slot ? slot - 1 : LIMN_NO_TOKEN;
}

uint32_t limn_vocab_find(const limn_vocab *v, const char *text, size_t size)
{
    const uint32_t id = limn_vocab_lookup(v, text, size);
    return id != LIMN_NO_TOKEN ? id : v->specials.unknown;
}

const limn_specials *limn_vocab_specials(const limn_vocab *v)
{
    return &v->specials;
}

const limn_tokenizer *limn_vocab_tokenizer(const limn_vocab *v)
{
    return v->tokenizer;
}

const void *limn_vocab_tokenizer_data(const limn_vocab *v)
{
    return v->tokenizer_data;
}

const uint32_t *limn_vocab_twins(const limn_vocab *v)
{
    return v->twins;
}

const unsigned char *limn_vocab_classes(const limn_vocab *v)
{
    return v->classes;
}

limn_token_kind limn_vocab_kind(const limn_vocab *v)
{
    return v->tokenizer->own ? v->tokenizer->own->kind : LIMN_TOKENS_WORDS;
}

limn_status limn_vocab_tokenize(const char **tokens, limn_caption_tokenizer *scratch,
                                const limn_vocab *v, const char *caption, size_t size,
                                limn_error *err)
{
    return v->tokenizer->encode(tokens, scratch, v, caption, size, err);
}

bool limn_vocab_accepts(const char *text, size_t size)
{
    for (size_t i = 0; i < LIMN_N_SPECIAL; i++) {
        const char *special = limn_special_tokens[i];
        if (strlen(special) == size && memcmp(text, special, size) == 0) return false;
    }
    return !complaint(text, size);
}

void limn_vocab_append_text(limn_buffer *out, const limn_vocab *v)
{
    for (size_t i = 0; i < v->n_tokens; i++) limn_buffer_printf(out, "%s\n", v->texts[i]);
}

size_t limn_vocab_encode(uint32_t *ids, size_t capacity, const limn_vocab *v, const char *tokens)
{
    size_t n = 0;
    while (*tokens) {
        const size_t size = strcspn(tokens, " ");
        const uint32_t id = limn_vocab_find(v, tokens, size);
        if (n < capacity)
            ids[n] = limn_specials_is_silent(&v->specials, id) ? v->specials.unknown : id;
        n++;
        tokens += size + (tokens[size] != '\0');
    }
    return n;
}

/* At the ends of a caption a token may take more bytes than its text (half a character becomes
 * U+FFFD), or fewer (a space is dropped). */
size_t limn_vocab_longest(const limn_vocab *v)
{
    size_t longest = 0;
    for (uint32_t i = 0; i < v->n_tokens; i++) {
        const size_t size = strlen(v->texts[i]), joined = limn_vocab_join(NULL, 0, v, &i, 1);
        if (size > longest) longest = size;
        if (joined > longest) longest = joined;
    }
    return longest;
}

size_t limn_vocab_join(char *out, size_t capacity, const limn_vocab *v, const uint32_t *ids,
                       size_t n)
{
    return v->tokenizer->decode(out, capacity, v, ids, n);
}
