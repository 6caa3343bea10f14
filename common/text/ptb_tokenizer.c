#include "common/text/ptb_tokenizer.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/text/java_lower.h"
#include "common/text/ptb_lexer.h"
#include "common/text/utf8.h"

void limn_ptb_finish(limn_ptb *ptb)
{
    limn_free(ptb->classes);
    limn_free(ptb->offsets);
    limn_text_finish(&ptb->token);
    limn_text_finish(&ptb->out);
    *ptb = (limn_ptb){ 0 };
}

/* Room for as many units as the caption has bytes. */
static limn_status reserve(limn_ptb *ptb, size_t size, limn_error *err)
{
    const size_t capacity = size < 512 ? 512 : size;
    if (size >= UINT32_MAX - 2)
        return limn_fail(err, LIMN_E_LIMIT, "a caption of %zu bytes is larger than 4 GB", size);
    if (ptb->classes && ptb->capacity >= size) return LIMN_OK;
    limn_free(ptb->classes);
    limn_free(ptb->offsets);
    ptb->capacity = 0;
    ptb->classes = limn_alloc(capacity + 2, sizeof *ptb->classes);
    ptb->offsets = limn_alloc(capacity + 2, sizeof *ptb->offsets);
    if (!ptb->classes || !ptb->offsets)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for a caption of %zu bytes", size);
    ptb->capacity = capacity;
    return LIMN_OK;
}

/* Fills classes and offsets; a line end and PTB_END follow the caption. */
static limn_status classify(limn_ptb *ptb, const char *caption, size_t size, limn_error *err)
{
    size_t n_units = 0;
    LIMN_TRY(reserve(ptb, size, err));
    for (size_t at = 0, n; at < size; at += n) {
        uint32_t c;
        n = limn_utf8_decode(&c, caption + at, size - at);
        if (n == 0)
            return limn_fail(err, LIMN_E_FORMAT, "invalid UTF-8 at byte %zu of the caption", at);
        for (size_t i = 0; i < (c > 0xFFFF ? 2 : 1); i++) {
            ptb->offsets[n_units] = (uint32_t)at;
            ptb->classes[n_units++] = limn_ptb_class_of(c);
        }
    }
    ptb->offsets[n_units] = (uint32_t)size;
    ptb->classes[n_units] = '\n';
    ptb->classes[n_units + 1] = PTB_END;
    return LIMN_OK;
}

/* One character of a token, as its kind has it. */
typedef const char *replacement_fn(uint32_t c);

static const char *replace_word(uint32_t c)
{
    return c == 0xAD ? "" : NULL;
}

static const char *replace_in_tag(uint32_t c)
{
    return c == ' ' || limn_utf8_is_line_end(c) ? "\u00A0" : NULL;
}

static const char *replace_spaced(uint32_t c)
{
    return c == '(' ? "-lrb-" : c == ')' ? "-rrb-" : replace_in_tag(c);
}

static const char *replace_right_quote(uint32_t c)
{
    switch (c) {
    case '"':
    case 0x94:
    case 0x201D:
    case 0xBB: return "''";
    case 0x93:
    case 0x201C:
    case 0xAB: return "``";
    case 0x91:
    case 0x2018:
    case 0x201B:
    case 0x2039: return "`";
    case 0x92:
    case 0x2019:
    case 0x203A: return "'";
    default: return NULL;
    }
}

static const char *replace_left_quote(uint32_t c)
{
    switch (c) {
    case '\'': return "`";
    case '"': return "``";
    default: return replace_right_quote(c);
    }
}

static const char *replace_fraction(uint32_t c)
{
    switch (c) {
    case 0xBC: return "1/4";
    case 0xBD: return "1/2";
    case 0xBE: return "3/4";
    case 0x2153: return "1/3";
    case 0x2154: return "2/3";
    default: return NULL;
    }
}

static const char *replace_currency(uint32_t c)
{
    switch (c) {
    case 0xA2: return "cents";
    case 0xA3: return "#"; /* the pound, in the Penn Treebank */
    case 0x80:
    case 0xA4:
    case 0x20A0:
    case 0x20AC: return "$";
    default: return NULL;
    }
}

/* What stands for the whole token, or for characters of it; neither: the token as it is. */
static const struct {
    const char *whole;
    replacement_fn *character;
} kinds[] = {
    [PTB_KIND_WORD] = { NULL, replace_word },
    [PTB_KIND_TAG] = { NULL, replace_in_tag },
    [PTB_KIND_SPACED] = { NULL, replace_spaced },
    [PTB_KIND_LEFT_QUOTE] = { NULL, replace_left_quote },
    [PTB_KIND_RIGHT_QUOTE] = { NULL, replace_right_quote },
    [PTB_KIND_DASH] = { "--", NULL },
    [PTB_KIND_ELLIPSIS] = { "...", NULL },
    [PTB_KIND_FRACTION] = { NULL, replace_fraction },
    [PTB_KIND_CURRENCY] = { NULL, replace_currency },
    [PTB_KIND_LESS] = { "<", NULL },
    [PTB_KIND_GREATER] = { ">", NULL },
    [PTB_KIND_OPEN_BRACE] = { "-lcb-", NULL },
    [PTB_KIND_CLOSE_BRACE] = { "-rcb-", NULL },
    [PTB_KIND_OPEN_SQUARE] = { "-lsb-", NULL },
    [PTB_KIND_CLOSE_SQUARE] = { "-rsb-", NULL },
};

/* The character entities that a kind of token spells out, and what they stand for. */
static size_t entity_at(uint32_t *c, limn_ptb_kind kind, const char *text, size_t size)
{
    static const struct {
        limn_ptb_kind kind;
        const char *name;
        int (*compare)(const char *a, const char *b, size_t n);
        uint32_t c;
    } entities[] = {
        { PTB_KIND_AMPERSAND, "&amp;", strncasecmp, '&' },
        { PTB_KIND_LEFT_QUOTE, "&apos;", strncmp, '\'' },
        { PTB_KIND_RIGHT_QUOTE, "&apos;", strncmp, '\'' },
        { PTB_KIND_LEFT_QUOTE, "&quot;", strncmp, '"' },
        { PTB_KIND_RIGHT_QUOTE, "&quot;", strncmp, '"' },
    };
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        const size_t n = strlen(entities[i].name);
        if (entities[i].kind == kind && size >= n &&
            !entities[i].compare(text, entities[i].name, n)) {
            *c = entities[i].c;
            return n;
        }
    }
    return 0;
}

/* ptb->token = the text of a token of `kind` from text [size bytes]; the caller lower-cases it. */
static limn_status spell(limn_ptb *ptb, limn_ptb_kind kind, const char *text, size_t size,
                         limn_error *err)
{
    limn_text_clear(&ptb->token);
    if (kinds[kind].whole) return limn_text_append_string(&ptb->token, kinds[kind].whole, err);
    size_t unchanged = 0; /* where the bytes begin that are not copied yet */
    for (size_t at = 0, n; at < size; at += n) {
        uint32_t c = 0;
        char character[4];
        const size_t entity_size = text[at] == '&' ? entity_at(&c, kind, text + at, size - at) : 0;
        n = entity_size ? entity_size : limn_utf8_decode(&c, text + at, size - at);
        assert(n > 0);
        const char *replacement = !c                      ? "" /* it would end the tokens */
                                  : kinds[kind].character ? kinds[kind].character(c)
                                                          : NULL;
        if (!replacement && !entity_size) continue;
        LIMN_TRY(limn_text_append(&ptb->token, text + unchanged, at - unchanged, err));
        unchanged = at + n;
        if (replacement)
            LIMN_TRY(limn_text_append_string(&ptb->token, replacement, err));
        else
            LIMN_TRY(limn_text_append(&ptb->token, character, limn_utf8_encode(character, c), err));
    }
    LIMN_TRY(limn_text_append(&ptb->token, text + unchanged, size - unchanged, err));
    if (ptb->token.size == 0) /* nothing but soft hyphens */
        return limn_text_append_string(&ptb->token, "-", err);
    return LIMN_OK;
}

/* coco-caption's list has -LRB- and the like in capitals, which lower-case tokens never equal. */
static bool is_punctuation(const limn_text *token)
{
    static const char *const list[] = { "''", "'", "``", "`",  ".",   "?", "!",
                                        ",",  ":", "-",  "--", "...", ";" };
    for (size_t i = 0; token->size <= 3 && i < sizeof list / sizeof *list; i++) {
        if (strcmp(token->bytes, list[i]) == 0) return true;
    }
    return false;
}

/* As coco-caption's rstrip() of a line of tokens: an address can end in white space. */
static void strip_end(limn_text *out)
{
    while (out->size > 0) {
        uint32_t c;
        size_t at = out->size - 1;
        while (at > 0 && ((unsigned char)out->bytes[at] & 0xC0) == 0x80) at--;
        if (!limn_utf8_decode(&c, out->bytes + at, out->size - at) || !limn_utf8_is_space(c)) break;
        out->bytes[out->size = at] = '\0';
    }
}

limn_status limn_ptb_tokenize(const char **tokens, limn_ptb *ptb, const char *caption, size_t size,
                              limn_ptb_filter filter, limn_error *err)
{
    const unsigned char *start, *end, *cursor;
    limn_ptb_kind kind;
    bool is_dropped = false;
    LIMN_TRY(classify(ptb, caption, size, err));
    limn_text_clear(&ptb->out);
    LIMN_TRY(limn_text_reserve(&ptb->out, size, err));
    cursor = ptb->classes;
    while ((kind = limn_ptb_next(&start, &end, &cursor)) != PTB_KIND_END) {
        const uint32_t first = ptb->offsets[start - ptb->classes];
        LIMN_TRY(spell(ptb, kind, caption + first, ptb->offsets[end - ptb->classes] - first, err));
        is_dropped = filter == LIMN_PTB_DROP_PUNCTUATION && is_punctuation(&ptb->token);
        if (is_dropped) continue;
        if (ptb->out.size > 0) LIMN_TRY(limn_text_append(&ptb->out, " ", 1, err));
        LIMN_TRY(limn_java_append_lower(&ptb->out, ptb->token.bytes, ptb->token.size, err));
    }
    if (filter == LIMN_PTB_DROP_PUNCTUATION && !is_dropped) strip_end(&ptb->out);
    *tokens = ptb->out.bytes;
    return LIMN_OK;
}
