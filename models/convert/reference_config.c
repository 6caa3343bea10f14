#include "models/convert/reference_config.h"

#include <stdio.h>
#include <string.h>

#include "common/io/json.h"

/* The reference captioner's default, which is not in the file. */
#define LENGTH_PENALTY 0.7f
#define MAX_STEPS 30

/* A member that must have this value: no other is supported. */
static limn_status require_text(const limn_json_node *object, const char *key, const char *expected,
                                limn_error *err)
{
    limn_json_node node;
    const char *text;
    LIMN_TRY(limn_json_get(&node, object, key, err));
    LIMN_TRY(limn_json_as_string(&text, &node, err));
    if (strcmp(text, expected) != 0)
        return limn_json_fail(&node, err, LIMN_E_UNSUPPORTED, "expected \"%s\", is \"%.60s\"",
                              expected, text);
    return LIMN_OK;
}

/* A number, or a fraction as a text: "1/128". */
static limn_status read_scale(float *out, const limn_json_node *encoder, limn_error *err)
{
    limn_json_node node;
    double above = 0, below = 1;
    LIMN_TRY(limn_json_get(&node, encoder, "scale", err));
    if (!json_is_string(node.value)) {
        LIMN_TRY(limn_json_as_number(&above, &node, 1e-6, 1000, err));
    } else if (sscanf(json_string_value(node.value), "%lf/%lf", &above, &below) != 2 ||
               !(above > 0 && below > 0)) {
        return limn_json_fail(&node, err, LIMN_E_FORMAT, "expected a fraction, is \"%.40s\"",
                              json_string_value(node.value));
    }
    *out = (float)(above / below);
    return LIMN_OK;
}

static limn_status read_encoder(limn_model_config *c, double *eps, const limn_json_node *root,
                                limn_error *err)
{
    limn_json_node encoder, kind, resize;
    const char *text;
    uint32_t side;
    double mean = 0;
    float scale = 1;
    LIMN_TRY(limn_json_object(&encoder, root, "encoder", err));
    LIMN_TRY(limn_json_get(&kind, &encoder, "kind", err));
    LIMN_TRY(limn_json_as_string(&text, &kind, err));
    if (strlen(text) >= sizeof c->encoder.family)
        return limn_json_fail(&kind, err, LIMN_E_UNSUPPORTED, "\"%.60s\" is not known", text);
    snprintf(c->encoder.family, sizeof c->encoder.family, "%s", text);
    LIMN_TRY(limn_json_u32(&side, &encoder, "input_size", 32, 1024, err));
    LIMN_TRY(limn_json_get(&resize, &encoder, "resize", err));
    LIMN_TRY(limn_json_as_string(&text, &resize, err));
    if (strncmp(text, "bicubic", 7) != 0)
        return limn_json_fail(&resize, err, LIMN_E_UNSUPPORTED, "expected bicubic, is \"%.60s\"",
                              text);
    LIMN_TRY(limn_json_number(&mean, &encoder, "mean", -1000, 1000, err));
    LIMN_TRY(read_scale(&scale, &encoder, err));
    c->encoder.input = limn_input_square(side, LIMN_RESIZE_BICUBIC, (float)mean, scale);
    LIMN_TRY(require_text(&encoder, "padding", "TensorFlow SAME", err));
    return limn_json_number(eps, &encoder, "batch_norm_eps", 1e-12, 1, err);
}

static limn_status read_decoder(limn_model_config *c, const limn_json_node *root, limn_error *err)
{
    limn_decoder_config *d = &c->decoder;
    limn_json_node decoder;
    LIMN_TRY(limn_json_object(&decoder, root, "decoder", err));
    LIMN_TRY(limn_json_u32(&d->n_layers, &decoder, "layers", 1, 64, err));
    LIMN_TRY(limn_json_u32(&d->dim, &decoder, "dim", 16, 4096, err));
    LIMN_TRY(limn_json_u32(&d->n_heads, &decoder, "heads", 1, 64, err));
    LIMN_TRY(limn_json_u32(&d->feed_forward_dim, &decoder, "feed_forward", 16, 16384, err));
    LIMN_TRY(limn_json_u32(&d->max_positions, &decoder, "max_positions", MAX_STEPS, 512, err));
    LIMN_TRY(require_text(&decoder, "norm", "pre, eps 1e-5", err));
    LIMN_TRY(require_text(&decoder, "activation", "gelu (erf)", err));
    LIMN_TRY(require_text(&decoder, "embedding_scale", "sqrt(dim)", err));
    c->has_decoder = true;
    d->layout = (limn_decoder_layout)LIMN_LAYOUT_LIMN;
    d->specials = (limn_specials)LIMN_SPECIALS_OWN;
    c->length_penalty = LENGTH_PENALTY;
    c->max_steps = MAX_STEPS;
    return LIMN_OK;
}

/* The size of dimension `dim` of a matrix; what else it must be is checked when it is converted. */
static limn_status read_dim(uint32_t *out, const limn_safetensors *file, const char *name,
                            size_t dim, uint32_t limit, limn_error *err)
{
    const limn_tensor *t = limn_safetensors_find(file, name);
    if (!t || t->n_dims != 2 || t->shape[dim] < 1 || t->shape[dim] > limit)
        return limn_fail(err, LIMN_E_FORMAT,
                         "tensor %s: expected a matrix with dimension %zu in "
                         "1 … %u",
                         name, dim, limit);
    *out = (uint32_t)t->shape[dim];
    return LIMN_OK;
}

static limn_status read_config(limn_model_config *c, double *eps, const limn_safetensors *file,
                               const limn_json_node *root, limn_error *err)
{
    limn_decoder_config *d = &c->decoder;
    LIMN_TRY(limn_json_as_object(root, err));
    LIMN_TRY(read_encoder(c, eps, root, err));
    LIMN_TRY(read_decoder(c, root, err));
    LIMN_TRY(
        read_dim(&d->n_memory_positions, file, "decoder.memory.position_embedding", 0, 4096, err));
    return read_dim(&d->memory_dim, file, "decoder.memory.project.weight", 1, 16384, err);
}

/* The JSON document in a metadata item. */
static limn_status parse_metadata(json_t **out, const limn_safetensors *file, const char *key,
                                  limn_error *err)
{
    const char *text = limn_safetensors_metadata(file, key);
    if (!text) return limn_fail(err, LIMN_E_FORMAT, "__metadata__ has no %s", key);
    return limn_json_parse(out, text, strlen(text), err);
}

limn_status reference_config_read(limn_model_config *out, limn_vocab **vocab,
                                  double *batch_norm_eps, const limn_safetensors *file,
                                  limn_error *err)
{
    json_t *config = NULL, *tokens = NULL;
    limn_status s = parse_metadata(&config, file, "config", err);
    if (s == LIMN_OK) {
        const limn_json_node root = limn_json_root(config);
        s = read_config(out, batch_norm_eps, file, &root, err);
    }
    if (s == LIMN_OK) s = parse_metadata(&tokens, file, "vocabulary", err);
    if (s == LIMN_OK) {
        const limn_json_node root = limn_json_root(tokens);
        s = limn_vocab_from_json(vocab, &root, err);
    }
    if (s == LIMN_OK) out->decoder.n_tokens = (uint32_t)limn_vocab_n_tokens(*vocab);
    json_decref(tokens);
    json_decref(config);
    return s;
}
