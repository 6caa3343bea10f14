/* A token is a word: captions are split as for the metrics, and joined by spaces. */
#include <string.h>

#include "decoder/vocab.h"

static limn_token_class class_of(const char *text, size_t size)
{
    (void)text;
    (void)size;
    return LIMN_TOKEN_BEGINS;
}

static limn_status encode(const char **tokens, limn_caption_tokenizer *scratch,
                          const limn_vocab *vocab, const char *caption, size_t size,
                          limn_error *err)
{
    (void)vocab;
    scratch->kind = LIMN_TOKENS_WORDS;
    return limn_caption_tokenize(tokens, scratch, caption, size, err);
}

static size_t decode(char *out, size_t capacity, const limn_vocab *vocab, const uint32_t *ids,
                     size_t n)
{
    limn_joined j = { out, capacity, 0 };
    for (size_t i = 0; i < n; i++) {
        if (limn_specials_is_silent(limn_vocab_specials(vocab), ids[i])) continue;
        if (j.length > 0) limn_joined_append(&j, " ", 1);
        const char *text = limn_vocab_text(vocab, ids[i]);
        limn_joined_append(&j, text, strlen(text));
    }
    return limn_joined_end(&j);
}

static const limn_own_tokenizer own = { .kind = LIMN_TOKENS_WORDS };

const limn_tokenizer limn_tokenizer_words = {
    .name = "words",
    .own = &own,
    .class_of = class_of,
    .encode = encode,
    .decode = decode,
};
