#include "decoder/tokenizers/tokenizer.h"

#include <stdio.h>
#include <string.h>

static const limn_tokenizer *const tokenizers[] = {
    &limn_tokenizer_words,    &limn_tokenizer_characters,    &limn_tokenizer_wordpiece,
    &limn_tokenizer_byte_bpe, &limn_tokenizer_sentencepiece,
};

limn_status limn_tokenizer_find(const limn_tokenizer **out, const char *name, limn_error *err)
{
    char known[120] = "";
    for (size_t i = 0; i < sizeof tokenizers / sizeof *tokenizers; i++) {
        const size_t used = strlen(known);
        if (strcmp(tokenizers[i]->name, name) == 0) {
            *out = tokenizers[i];
            return LIMN_OK;
        }
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", tokenizers[i]->name);
    }
    return limn_fail(err, LIMN_E_UNSUPPORTED, "tokenizer \"%.40s\" is not known: %s are", name,
                     known);
}

static bool is_first_token(const limn_tokenizer *t, const char *token)
{
    return t->own && t->own->first_token && strcmp(t->own->first_token, token) == 0;
}

const limn_tokenizer *limn_tokenizer_of_kind(limn_token_kind kind)
{
    for (size_t i = 0; i < sizeof tokenizers / sizeof *tokenizers; i++)
        if (tokenizers[i]->own && tokenizers[i]->own->kind == kind) return tokenizers[i];
    return NULL;
}

const limn_tokenizer *limn_tokenizer_of_own(const char *const *tokens, size_t n_tokens)
{
    const char *first = n_tokens > LIMN_N_SPECIAL ? tokens[LIMN_N_SPECIAL] : "";
    for (size_t i = 0; i < sizeof tokenizers / sizeof *tokenizers; i++)
        if (is_first_token(tokenizers[i], first)) return tokenizers[i];
    return &limn_tokenizer_words;
}

bool limn_tokenizer_is_mark_of_another(const limn_tokenizer *t, const char *token)
{
    for (size_t i = 0; i < sizeof tokenizers / sizeof *tokenizers; i++)
        if (tokenizers[i] != t && is_first_token(tokenizers[i], token)) return true;
    return false;
}

void limn_joined_append(limn_joined *j, const char *text, size_t size)
{
    if (j->length < j->capacity)
        memcpy(j->out + j->length, text,
               size < j->capacity - j->length ? size : j->capacity - j->length);
    j->length += size;
}

size_t limn_joined_end(limn_joined *j)
{
    if (j->capacity > 0) j->out[j->length < j->capacity ? j->length : j->capacity - 1] = '\0';
    return j->length;
}
