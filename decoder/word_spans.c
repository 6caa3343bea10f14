#include "decoder/word_spans.h"

static bool is_space(const unsigned char *classes, uint32_t token)
{
    return classes && classes[token] == LIMN_TOKEN_SPACE;
}

size_t limn_word_spans(limn_word_span *words, size_t capacity, const unsigned char *classes,
                       const uint32_t *tokens, size_t n)
{
    size_t n_words = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (is_space(classes, tokens[i])) continue;
        if (limn_token_begins_word(classes, i > 0 ? tokens[i - 1] : LIMN_NO_TOKEN, tokens[i])) {
            if (n_words == capacity) break;
            words[n_words++] = (limn_word_span){ i, i };
        }
        if (n_words > 0) words[n_words - 1].end = i + 1;
    }
    return n_words;
}
