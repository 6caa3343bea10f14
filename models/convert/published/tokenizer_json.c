#include "models/convert/published/tokenizer_json.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* The model, which must be of this type. */
static limn_status find_model(limn_json_node *out, const limn_json_node *root, const char *type,
                              limn_error *err)
{
    const char *is = NULL;
    LIMN_TRY(limn_json_as_object(root, err));
    LIMN_TRY(limn_json_object(out, root, "model", err));
    if (!limn_json_has(out, "type")) return LIMN_OK;
    LIMN_TRY(limn_json_string(&is, out, "type", err));
    if (strcmp(is, type) == 0) return LIMN_OK;
    return limn_json_fail(out, err, LIMN_E_UNSUPPORTED, "type: expected \"%s\", is \"%.40s\"", type,
                          is);
}

/* tokens [n] by their ids, each of which is there once. */
static limn_status order_tokens(const char **tokens, const limn_json_node *vocab, size_t n,
                                limn_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)vocab->value, key, value) /* jansson reads it only */
    {
        const limn_json_node member = { value, vocab, key, 0 };
        int64_t id;
        LIMN_TRY(limn_json_as_integer(&id, &member, 0, (int64_t)n - 1, err));
        if (tokens[id])
            return limn_json_fail(&member, err, LIMN_E_FORMAT, "%.40s has the same id %u",
                                  tokens[id], (unsigned)id);
        if (strchr(key, '\n'))
            return limn_json_fail(&member, err, LIMN_E_UNSUPPORTED, "has a newline");
        tokens[id] = key;
    }
    return LIMN_OK;
}

limn_status tokenizer_json_vocab_txt(limn_buffer *out, const limn_json_node *root, limn_error *err)
{
    limn_json_node model, vocab;
    LIMN_TRY(find_model(&model, root, "WordPiece", err));
    LIMN_TRY(limn_json_object(&vocab, &model, "vocab", err));
    const size_t n = json_object_size(vocab.value);
    const char **tokens = limn_calloc(n, sizeof *tokens);
    if (!tokens) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tokens", n);
    limn_status s = order_tokens(tokens, &vocab, n, err);
    for (size_t i = 0; s == LIMN_OK && i < n; i++) limn_buffer_printf(out, "%s\n", tokens[i]);
    limn_free(tokens);
    return s;
}

/* "a b", or ["a", "b"]. */
static limn_status append_merge(limn_buffer *merges, const limn_json_node *item, limn_error *err)
{
    const char *text, *second;
    if (!json_is_array(item->value)) {
        LIMN_TRY(limn_json_as_string(&text, item, err));
        limn_buffer_printf(merges, "%s\n", text);
        return LIMN_OK;
    }
    if (json_array_size(item->value) != 2)
        return limn_json_fail(item, err, LIMN_E_FORMAT, "expected two texts");
    const limn_json_node first_item = limn_json_at(item, 0), second_item = limn_json_at(item, 1);
    LIMN_TRY(limn_json_as_string(&text, &first_item, err));
    LIMN_TRY(limn_json_as_string(&second, &second_item, err));
    limn_buffer_printf(merges, "%s %s\n", text, second);
    return LIMN_OK;
}

limn_status tokenizer_json_byte_bpe(limn_buffer *vocab, limn_buffer *merges,
                                    const limn_json_node *root, limn_error *err)
{
    limn_json_node model, tokens, pairs;
    size_t n;
    LIMN_TRY(find_model(&model, root, "BPE", err));
    LIMN_TRY(limn_json_object(&tokens, &model, "vocab", err));
    LIMN_TRY(limn_json_array(&pairs, &n, &model, "merges", err));
    char *text = json_dumps(tokens.value, JSON_COMPACT);
    if (!text) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_buffer_append_text(vocab, text);
    free(text); /* jansson's */
    for (size_t i = 0; i < n; i++) {
        const limn_json_node item = limn_json_at(&pairs, i);
        LIMN_TRY(append_merge(merges, &item, err));
    }
    return LIMN_OK;
}
