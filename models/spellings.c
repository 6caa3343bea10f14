#include "models/spellings.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/text/text_buffer.h"

enum { MAX_TRIED = 64 * LIMN_MAX_SPELLINGS }; /* tokens: some branches are dead ends */

/* The words as a text, and the spelling that is being made of it. */
typedef struct speller {
    const limn_vocab *vocab;
    const uint32_t *tokens; /* [n_tokens] the one that is known */
    size_t n_tokens;
    limn_text text; /* of all tokens, without marks of going on */
    bool *begins;   /* [text.size + 1] whether a word begins there, or the text ends */
    uint32_t made[LIMN_MAX_SPELLING];
    size_t n_made, n_found, n_tried;
    limn_spelling_fn *take;
    void *ctx;
} speller;

static const char *mark_of(const speller *s)
{
    const char *mark = limn_vocab_tokenizer(s->vocab)->mark;
    return mark ? mark : "";
}

static limn_status append_token(speller *s, size_t i, limn_error *err)
{
    const char *text = limn_vocab_text(s->vocab, s->tokens[i]), *mark = mark_of(s);
    const unsigned char *classes = limn_vocab_classes(s->vocab);
    const uint32_t previous = i > 0 ? s->tokens[i - 1] : LIMN_NO_TOKEN;
    s->begins[s->text.size] = /* a space may be in the word's first token */
        i == 0 || (classes[previous] != LIMN_TOKEN_SPACE &&
                   limn_token_begins_word(classes, previous, s->tokens[i]));
    if (!s->begins[s->text.size] && strncmp(text, mark, strlen(mark)) == 0) text += strlen(mark);
    return limn_text_append_string(&s->text, text, err);
}

static limn_status read_text(speller *s, limn_error *err)
{
    size_t size = 1;
    for (size_t i = 0; i < s->n_tokens; i++)
        size += strlen(limn_vocab_text(s->vocab, s->tokens[i]));
    s->begins = limn_calloc(size, sizeof *s->begins);
    if (!s->begins) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < s->n_tokens; i++) LIMN_TRY(append_token(s, i, err));
    s->begins[s->text.size] = true;
    return LIMN_OK;
}

/* The token of text [begin … end); LIMN_NO_TOKEN where there is none. */
static uint32_t find(const speller *s, size_t begin, size_t end)
{
    char piece[LIMN_VOCAB_MAX_TOKEN_SIZE];
    const char *mark = s->begins[begin] ? "" : mark_of(s);
    const size_t n_mark = strlen(mark), size = n_mark + end - begin;
    if (size > sizeof piece) return LIMN_NO_TOKEN;
    memcpy(piece, mark, n_mark);
    memcpy(piece + n_mark, s->text.bytes + begin, end - begin);
    return limn_vocab_lookup(s->vocab, piece, size);
}

static limn_status give(speller *s, limn_error *err)
{
    if (s->n_made == s->n_tokens && memcmp(s->made, s->tokens, s->n_made * sizeof *s->made) == 0)
        return LIMN_OK;
    s->n_found++;
    return s->take(s->ctx, s->made, s->n_made, err);
}

/* Enumerates all spellings that continue what is made so far, up to `begin`. */
static limn_status spell_on(speller *s, size_t begin, limn_error *err)
{
    size_t end = begin + 1;
    if (begin == s->text.size) return give(s, err);
    while (!s->begins[end]) end++;
    for (; end > begin && s->n_found < LIMN_MAX_SPELLINGS && s->n_made < LIMN_MAX_SPELLING; end--) {
        if (s->n_tried++ > MAX_TRIED) return LIMN_OK;
        s->made[s->n_made] = find(s, begin, end);
        if (s->made[s->n_made] == LIMN_NO_TOKEN) continue;
        s->n_made++;
        LIMN_TRY(spell_on(s, end, err));
        s->n_made--;
    }
    return LIMN_OK;
}

limn_status limn_spellings(const limn_vocab *vocab, const uint32_t *tokens, size_t n,
                           limn_spelling_fn *take, void *ctx, limn_error *err)
{
    speller s = { .vocab = vocab, .tokens = tokens, .n_tokens = n, .take = take, .ctx = ctx };
    if (!limn_vocab_classes(vocab)) return LIMN_OK; /* each word is a token */
    limn_status status = read_text(&s, err);
    if (status == LIMN_OK) status = spell_on(&s, 0, err);
    limn_text_finish(&s.text);
    limn_free(s.begins);
    return status;
}
