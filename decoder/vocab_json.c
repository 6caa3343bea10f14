/* Vocabularies in model files: an array of tokens, or, for those not of limn's own kind, an object
 * that describes them. */
#include <string.h>

#include "common/base/mem.h"
#include "decoder/vocab.h"

/* The texts of an array, in id order; borrowed from the document. The caller frees *out. */
static limn_status read_tokens(const char ***out, size_t *n, const limn_json_node *array,
                               limn_error *err)
{
    LIMN_TRY(limn_json_as_array(n, array, err));
    const char **tokens = *out = limn_calloc(*n, sizeof *tokens);
    if (!tokens) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tokens", *n);
    for (size_t i = 0; i < *n; i++) {
        const limn_json_node item = limn_json_at(array, i);
        LIMN_TRY(limn_json_as_string(&tokens[i], &item, err));
    }
    return LIMN_OK;
}

/* A token, or null for none. */
static limn_status read_id(uint32_t *out, const limn_json_node *object, const char *key,
                           limn_error *err)
{
    limn_json_node node;
    int64_t id;
    LIMN_TRY(limn_json_get(&node, object, key, err));
    *out = LIMN_NO_TOKEN;
    if (json_is_null(node.value)) return LIMN_OK;
    LIMN_TRY(limn_json_as_integer(&id, &node, 0, LIMN_VOCAB_MAX_TOKENS - 1, err));
    *out = (uint32_t)id;
    return LIMN_OK;
}

static limn_status read_never_written(uint32_t **out, limn_specials *s,
                                      const limn_json_node *object, limn_error *err)
{
    limn_json_node array;
    LIMN_TRY(limn_json_array(&array, &s->n_never_written, object, "never_written", err));
    uint32_t *ids = *out = limn_calloc(s->n_never_written, sizeof *ids);
    if (!ids)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tokens", s->n_never_written);
    for (size_t i = 0; i < s->n_never_written; i++) {
        const limn_json_node item = limn_json_at(&array, i);
        int64_t id;
        LIMN_TRY(limn_json_as_integer(&id, &item, 0, LIMN_VOCAB_MAX_TOKENS - 1, err));
        ids[i] = (uint32_t)id;
    }
    s->never_written = ids;
    return LIMN_OK;
}

static limn_status read_object(limn_vocab **out, const char ***tokens, uint32_t **never_written,
                               const limn_json_node *object, limn_error *err)
{
    limn_specials specials;
    limn_json_node array;
    const limn_tokenizer *tokenizer;
    const char *name;
    size_t n;
    LIMN_TRY(limn_json_string(&name, object, "tokenizer", err));
    LIMN_TRY(limn_tokenizer_find(&tokenizer, name, err));
    LIMN_TRY(read_id(&specials.start, object, "start", err));
    LIMN_TRY(read_id(&specials.end, object, "end", err));
    LIMN_TRY(read_id(&specials.pad, object, "pad", err));
    LIMN_TRY(read_id(&specials.unknown, object, "unknown", err));
    LIMN_TRY(read_never_written(never_written, &specials, object, err));
    LIMN_TRY(limn_json_array(&array, &n, object, "tokens", err));
    LIMN_TRY(read_tokens(tokens, &n, &array, err));
    return limn_vocab_create_with(out, *tokens, n, tokenizer, &specials, object, err);
}

limn_status limn_vocab_from_json(limn_vocab **out, const limn_json_node *node, limn_error *err)
{
    const char **tokens = NULL;
    uint32_t *never_written = NULL;
    size_t n = 0;
    limn_status s;
    *out = NULL;
    if (json_is_object(node->value)) {
        s = read_object(out, &tokens, &never_written, node, err);
    } else {
        s = read_tokens(&tokens, &n, node, err);
        if (s == LIMN_OK) s = limn_vocab_create(out, tokens, n, err);
    }
    limn_free(tokens);
    limn_free(never_written);
    return s;
}

/* ---- writing ------------------------------------------------------------------------------ */

bool limn_vocab_is_own(const limn_vocab *v)
{
    const limn_specials own = LIMN_SPECIALS_OWN;
    const size_t n = limn_vocab_n_tokens(v);
    if (!limn_specials_equal(limn_vocab_specials(v), &own)) return false;
    const char *first[LIMN_N_SPECIAL + 1];
    for (uint32_t i = 0; i < n && i <= LIMN_N_SPECIAL; i++) first[i] = limn_vocab_text(v, i);
    for (uint32_t i = 0; i < LIMN_N_SPECIAL; i++)
        if (i >= n || strcmp(first[i], limn_special_tokens[i]) != 0) return false;
    return limn_vocab_tokenizer(v) == limn_tokenizer_of_own(first, n);
}

static json_t *write_id(uint32_t id)
{
    return id == LIMN_NO_TOKEN ? json_null() : json_integer(id);
}

json_t *limn_vocab_to_json(const limn_vocab *v)
{
    const limn_specials *s = limn_vocab_specials(v);
    json_t *tokens = json_array(), *never_written = json_array();
    for (size_t i = 0; i < limn_vocab_n_tokens(v); i++)
        json_array_append_new(tokens, json_string(limn_vocab_text(v, (uint32_t)i)));
    for (size_t i = 0; i < s->n_never_written; i++)
        json_array_append_new(never_written, json_integer(s->never_written[i]));
    if (limn_vocab_is_own(v)) {
        json_decref(never_written);
        return tokens;
    }
    const limn_tokenizer *t = limn_vocab_tokenizer(v);
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "tokenizer", t->name, "start",
                  write_id(s->start), "end", write_id(s->end), "pad", write_id(s->pad), "unknown",
                  write_id(s->unknown), "never_written", never_written, "tokens", tokens);
    if (object && t->write && !t->write(object, v)) {
        json_decref(object);
        return NULL;
    }
    return object;
}
