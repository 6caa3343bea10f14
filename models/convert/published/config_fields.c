#include "models/convert/published/config_fields.h"

#include <stdlib.h>
#include <string.h>

/* Fields that every configuration may have: what transformers keeps of training and of searches,
 * and what would change the arithmetic of any model. */
static const config_field common_fields[] = {
    { "_attn_implementation_autoset", NULL },
    { "_commit_hash", NULL },
    { "_name_or_path", NULL },
    { "add_cross_attention", NULL },
    { "architectures", NULL },
    { "attn_implementation", NULL },
    { "bad_words_ids", NULL },
    { "begin_suppress_tokens", NULL },
    { "bos_token_id", NULL },
    { "chunk_size_feed_forward", NULL },
    { "decoder_start_token_id", NULL },
    { "diversity_penalty", NULL },
    { "do_sample", NULL },
    { "dtype", NULL },
    { "early_stopping", NULL },
    { "encoder_no_repeat_ngram_size", NULL },
    { "eos_token_id", NULL },
    { "exponential_decay_length_penalty", NULL },
    { "finetuning_task", NULL },
    { "forced_bos_token_id", NULL },
    { "forced_eos_token_id", NULL },
    { "gradient_checkpointing", NULL },
    { "id2label", NULL },
    { "initializer_factor", NULL },
    { "initializer_range", NULL },
    { "is_decoder", NULL },
    { "is_encoder_decoder", NULL },
    { "label2id", NULL },
    { "label_smoothing", NULL },
    { "length_penalty", NULL },
    { "max_length", NULL },
    { "min_length", NULL },
    { "model_type", NULL },
    { "no_repeat_ngram_size", NULL },
    { "num_beam_groups", NULL },
    { "num_beams", NULL },
    { "num_return_sequences", NULL },
    { "output_attentions", NULL },
    { "output_hidden_states", NULL },
    { "output_scores", NULL },
    { "pad_token_id", NULL },
    { "prefix", NULL },
    { "problem_type", NULL },
    { "pruned_heads", "{}" },
    { "remove_invalid_values", NULL },
    { "repetition_penalty", NULL },
    { "return_dict", NULL },
    { "return_dict_in_generate", NULL },
    { "sep_token_id", NULL },
    { "suppress_tokens", NULL },
    { "task_specific_params", NULL },
    { "temperature", NULL },
    { "tf_legacy_loss", NULL },
    { "tie_encoder_decoder", "false" },
    { "tie_word_embeddings", NULL },
    { "tokenizer_class", NULL },
    { "top_k", NULL },
    { "top_p", NULL },
    { "torch_dtype", NULL },
    { "torchscript", NULL },
    { "transformers_version", NULL },
    { "typical_p", NULL },
    { "use_bfloat16", NULL },
    { "use_cache", NULL },
    { NULL, NULL },
};

static const config_field *find_field(const config_field *fields, const char *key)
{
    for (; fields->key; fields++)
        if (strcmp(fields->key, key) == 0) return fields;
    return NULL;
}

static limn_status check_value(const limn_json_node *member, const char *expected, limn_error *err)
{
    json_t *wanted = json_loads(expected, JSON_DECODE_ANY, NULL);
    if (!wanted) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    const bool is_equal = json_equal(member->value, wanted);
    json_decref(wanted);
    if (is_equal) return LIMN_OK;
    char *is = json_dumps(member->value, JSON_ENCODE_ANY | JSON_COMPACT);
    const limn_status s = limn_json_fail(member, err, LIMN_E_UNSUPPORTED, "expected %s, is %.60s",
                                         expected, is ? is : "another");
    free(is); /* jansson's */
    return s;
}

limn_status config_fields_check(const limn_json_node *object, const config_field *fields,
                                limn_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object->value, key, value) /* jansson reads it only */
    {
        const limn_json_node member = { value, object, key, 0 };
        const config_field *f = find_field(fields, key);
        if (!f) f = find_field(common_fields, key);
        if (!f && !json_is_null(value) && !json_is_false(value)) /* off: no effect */
            return limn_json_fail(&member, err, LIMN_E_UNSUPPORTED,
                                  "is an unknown field, which may change what the model computes");
        if (f && f->expected && !json_is_null(value))
            LIMN_TRY(check_value(&member, f->expected, err));
    }
    return LIMN_OK;
}

limn_status config_expect(const limn_json_node *object, const config_field *fields, limn_error *err)
{
    for (; fields->key; fields++) {
        const limn_json_node member = { json_object_get(object->value, fields->key), object,
                                        fields->key, 0 };
        if (fields->expected && config_has(object, fields->key))
            LIMN_TRY(check_value(&member, fields->expected, err));
    }
    return LIMN_OK;
}

bool config_has(const limn_json_node *object, const char *key)
{
    const json_t *value = json_object_get(object->value, key);
    return value && !json_is_null(value);
}

limn_status config_object(limn_json_node *out, const limn_json_node *object, const char *key,
                          const json_t *empty, limn_error *err)
{
    if (config_has(object, key)) return limn_json_object(out, object, key, err);
    *out = (limn_json_node){ empty, object, key, 0 };
    return LIMN_OK;
}

limn_status config_count(uint32_t *out, const limn_json_node *object, const char *key,
                         uint32_t otherwise, uint32_t low, uint32_t high, limn_error *err)
{
    *out = otherwise;
    return config_has(object, key) ? limn_json_u32(out, object, key, low, high, err) : LIMN_OK;
}

limn_status config_real(float *out, const limn_json_node *object, const char *key, double otherwise,
                        double low, double high, limn_error *err)
{
    double value = otherwise;
    if (config_has(object, key)) LIMN_TRY(limn_json_number(&value, object, key, low, high, err));
    *out = (float)value;
    return LIMN_OK;
}

limn_status config_flag(bool *out, const limn_json_node *object, const char *key, bool otherwise,
                        limn_error *err)
{
    *out = otherwise;
    return config_has(object, key) ? limn_json_bool(out, object, key, err) : LIMN_OK;
}

limn_status config_activation(limn_activation *out, const limn_json_node *object, const char *key,
                              const char *otherwise, limn_error *err)
{
    static const struct {
        const char *name;
        limn_activation activation;
    } known[] = { { "gelu", LIMN_ACT_GELU },
                  { "gelu_new", LIMN_ACT_GELU_TANH },
                  { "gelu_pytorch_tanh", LIMN_ACT_GELU_TANH },
                  { "quick_gelu", LIMN_ACT_QUICK_GELU },
                  { "relu", LIMN_ACT_RELU } };
    const char *name = otherwise;
    limn_json_node node = { NULL, object, key, 0 };
    if (config_has(object, key)) {
        LIMN_TRY(limn_json_get(&node, object, key, err));
        LIMN_TRY(limn_json_as_string(&name, &node, err));
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0) {
            *out = known[i].activation;
            return LIMN_OK;
        }
    return limn_json_fail(&node, err, LIMN_E_UNSUPPORTED,
                          "expected gelu, gelu_new, gelu_pytorch_tanh, quick_gelu or relu, is "
                          "\"%.40s\"",
                          name);
}

limn_status config_heads(uint32_t *out, const limn_json_node *object, const char *key,
                         uint32_t otherwise, uint32_t dim, const char *dim_key, limn_error *err)
{
    const limn_json_node node = { NULL, object, key, 0 };
    LIMN_TRY(config_count(out, object, key, otherwise, 1, 64, err));
    if (dim % *out == 0 && dim / *out % 8 == 0) return LIMN_OK;
    return limn_json_fail(&node, err, LIMN_E_FORMAT,
                          "is %u, expected a number by which %s %u is divided into multiples of 8",
                          *out, dim_key, dim);
}
