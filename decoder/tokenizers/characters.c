/* A token is a character, and LIMN_SPACE_TOKEN stands for a space. Words are runs of letters and
 * digits; in scripts without spaces each character is a word, since nothing marks where words
 * end. */
#include <string.h>
#include <utf8proc.h>

#include "decoder/vocab.h"

/* Han, kana, Thai, Lao, Tibetan, Burmese, Khmer. */
static bool is_written_without_spaces(utf8proc_int32_t c)
{
    static const utf8proc_int32_t ranges[][2] = {
        { 0x0e00, 0x109f }, { 0x1780, 0x17ff }, { 0x3005, 0x3007 },
        { 0x3040, 0x30ff }, { 0x31f0, 0x31ff }, { 0x3400, 0x4dbf },
        { 0x4e00, 0x9fff }, { 0xf900, 0xfaff }, { 0x20000, 0x323af },
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
    return false;
}

static limn_token_class class_of(const char *text, size_t size)
{
    utf8proc_int32_t c;
    if (size == sizeof LIMN_SPACE_TOKEN - 1 && memcmp(text, LIMN_SPACE_TOKEN, size) == 0)
        return LIMN_TOKEN_SPACE;
    if (utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size, &c) < 1)
        return LIMN_TOKEN_BEGINS;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return LIMN_TOKEN_CONTINUES;
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return is_written_without_spaces(c) ? LIMN_TOKEN_BEGINS : LIMN_TOKEN_LETTER;
    default: return LIMN_TOKEN_BEGINS;
    }
}

static limn_status encode(const char **tokens, limn_caption_tokenizer *scratch,
                          const limn_vocab *vocab, const char *caption, size_t size,
                          limn_error *err)
{
    (void)vocab;
    scratch->kind = LIMN_TOKENS_CHARACTERS;
    return limn_caption_tokenize(tokens, scratch, caption, size, err);
}

static size_t decode(char *out, size_t capacity, const limn_vocab *vocab, const uint32_t *ids,
                     size_t n)
{
    limn_joined j = { out, capacity, 0 };
    bool is_spaced = false; /* before the next text */
    for (size_t i = 0; i < n; i++) {
        if (limn_specials_is_silent(limn_vocab_specials(vocab), ids[i])) continue;
        const char *text = limn_vocab_text(vocab, ids[i]);
        if (strcmp(text, LIMN_SPACE_TOKEN) == 0) {
            is_spaced = true;
            continue;
        }
        if (is_spaced && j.length > 0) limn_joined_append(&j, " ", 1);
        limn_joined_append(&j, text, strlen(text));
        is_spaced = false;
    }
    return limn_joined_end(&j);
}

static const limn_own_tokenizer own = { LIMN_TOKENS_CHARACTERS, LIMN_SPACE_TOKEN };

const limn_tokenizer limn_tokenizer_characters = {
    .name = "characters",
    .own = &own,
    .class_of = class_of,
    .encode = encode,
    .decode = decode,
};
