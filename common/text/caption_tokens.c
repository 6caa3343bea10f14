#include "common/text/caption_tokens.h"

#include <utf8proc.h>

#include "common/base/mem.h"
#include "common/text/utf8.h"

enum { MAX_SIZE = 1 << 30, SPACE = 0x2581 };

void limn_caption_tokenizer_finish(limn_caption_tokenizer *t)
{
    limn_ptb_finish(&t->ptb);
    limn_code_points_finish(&t->characters);
    limn_text_finish(&t->tokens);
}

/* NFC in place: the decomposition needs room for what it makes of the characters. */
static limn_status normalize(limn_code_points *c, const char *text, size_t size, limn_error *err)
{
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
    utf8proc_ssize_t n = utf8proc_decompose(bytes, (utf8proc_ssize_t)size, NULL, 0, options);
    if (n < 0 || !limn_grow((void **)&c->items, &c->capacity, (size_t)n + 1, sizeof *c->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for a caption of %zu bytes", size);
    n = utf8proc_decompose(bytes, (utf8proc_ssize_t)size, (utf8proc_int32_t *)c->items, n, options);
    c->n_items = (size_t)utf8proc_normalize_utf32((utf8proc_int32_t *)c->items, n, options);
    return LIMN_OK;
}

/* White space and control characters. */
static bool is_space(uint32_t code_point)
{
    return code_point == SPACE || limn_utf8_is_space(code_point) ||
           utf8proc_category((utf8proc_int32_t)code_point) == UTF8PROC_CATEGORY_CC;
}

static limn_status append_token(limn_text *out, const char *token, size_t size, limn_error *err)
{
    if (out->size > 0) LIMN_TRY(limn_text_append(out, " ", 1, err));
    return limn_text_append(out, token, size, err);
}

static limn_status append_characters(limn_text *out, const limn_code_points *c, limn_error *err)
{
    bool is_after_space = false;
    for (size_t i = 0; i < c->n_items; i++) {
        char bytes[4];
        if (is_space(c->items[i])) {
            is_after_space = out->size > 0;
            continue;
        }
        if (is_after_space)
            LIMN_TRY(append_token(out, LIMN_SPACE_TOKEN, sizeof LIMN_SPACE_TOKEN - 1, err));
        is_after_space = false;
        LIMN_TRY(append_token(out, bytes, limn_utf8_encode(bytes, c->items[i]), err));
    }
    return LIMN_OK;
}

static limn_status cut_into_characters(const char **tokens, limn_caption_tokenizer *t,
                                       const char *caption, size_t size, limn_error *err)
{
    const size_t valid_size = limn_utf8_valid_size(caption, size);
    if (valid_size < size)
        return limn_fail(err, LIMN_E_FORMAT, "caption: byte %zu is not valid UTF-8", valid_size);
    if (size > MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "caption: %zu bytes, the limit is %d", size, MAX_SIZE);
    limn_text_clear(&t->tokens);
    LIMN_TRY(limn_text_reserve(&t->tokens, 1, err));
    LIMN_TRY(normalize(&t->characters, caption, size, err));
    LIMN_TRY(append_characters(&t->tokens, &t->characters, err));
    *tokens = t->tokens.bytes;
    return LIMN_OK;
}

limn_status limn_caption_tokenize(const char **tokens, limn_caption_tokenizer *t,
                                  const char *caption, size_t size, limn_error *err)
{
    if (t->kind == LIMN_TOKENS_CHARACTERS)
        return cut_into_characters(tokens, t, caption, size, err);
    return limn_ptb_tokenize(tokens, &t->ptb, caption, size, LIMN_PTB_DROP_PUNCTUATION, err);
}
