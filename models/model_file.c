#include "models/model_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/weights/weights.h"
#include "common/io/json.h"
#include "models/decoder_config.h"
#include "models/encoder_config.h"
#include "models/model_version.h"

#define VOCABULARY_KEY "limn.vocabulary"

float limn_model_config_guidance(const limn_model_config *c)
{
    return c->guidance == 0 ? 1 : c->guidance;
}

/* ---- reading the configuration ------------------------------------------------------------ */

static limn_status read_float(float *out, const limn_json_node *object, const char *key, double low,
                              double high, limn_error *err)
{
    double value;
    LIMN_TRY(limn_json_number(&value, object, key, low, high, err));
    *out = (float)value;
    return LIMN_OK;
}

static limn_status read_search(limn_model_config *c, const limn_json_node *root, limn_error *err)
{
    limn_json_node search;
    LIMN_TRY(limn_json_object(&search, root, "search", err));
    LIMN_TRY(read_float(&c->length_penalty, &search, "length_penalty", -LIMN_MAX_LENGTH_PENALTY,
                        LIMN_MAX_LENGTH_PENALTY, err));
    if (limn_json_has(&search, "no_repeat_ngram"))
        LIMN_TRY(limn_json_u32(&c->no_repeat_ngram, &search, "no_repeat_ngram", 0,
                               LIMN_MAX_NO_REPEAT_NGRAM, err));
    if (limn_json_has(&search, "guidance"))
        LIMN_TRY(read_float(&c->guidance, &search, "guidance", 1, LIMN_MAX_GUIDANCE, err));
    /* each step takes a position, and the start token has the first */
    return limn_json_u32(&c->max_steps, &search, "max_steps", 1, c->decoder.max_positions, err);
}

static limn_status read_config(limn_model_config *c, const limn_json_node *root, limn_error *err)
{
    limn_json_node encoder, decoder;
    LIMN_TRY(limn_json_as_object(root, err));
    LIMN_TRY(limn_json_object(&encoder, root, "encoder", err));
    LIMN_TRY(limn_encoder_config_read(&c->encoder, &encoder, err));
    c->has_decoder = limn_json_has(root, "decoder");
    if (!c->has_decoder) return LIMN_OK;
    LIMN_TRY(limn_json_object(&decoder, root, "decoder", err));
    LIMN_TRY(limn_decoder_config_read(&c->decoder, &decoder, err));
    return read_search(c, root, err);
}

/* ---- opening ------------------------------------------------------------------------------ */

typedef limn_status metadata_fn(limn_model_file *f, const limn_json_node *root, limn_error *err);

/* Parses the JSON text of a metadata item and gives it to `read`. */
static limn_status with_metadata(limn_model_file *f, const char *key, metadata_fn *read,
                                 limn_error *err)
{
    const char *text = limn_safetensors_metadata(f->tensors, key);
    json_t *document = NULL;
    if (!text) return limn_fail(err, LIMN_E_FORMAT, "__metadata__ has no %s", key);
    limn_status s = limn_json_parse(&document, text, strlen(text), err);
    if (s == LIMN_OK) {
        const limn_json_node root = limn_json_root(document);
        s = read(f, &root, err);
    }
    json_decref(document);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", key);
    return s;
}

static limn_status take_config(limn_model_file *f, const limn_json_node *root, limn_error *err)
{
    return read_config(&f->config, root, err);
}

static limn_status take_vocabulary(limn_model_file *f, const limn_json_node *root, limn_error *err)
{
    return limn_vocab_from_json(&f->vocab, root, err);
}

static limn_status read_metadata(limn_model_file *f, limn_error *err)
{
    LIMN_TRY(limn_model_version_check(f->tensors, err));
    LIMN_TRY(with_metadata(f, LIMN_CONFIG_KEY, take_config, err));
    if (!f->config.has_decoder) return limn_model_version_check_uses(f, err);
    LIMN_TRY(with_metadata(f, VOCABULARY_KEY, take_vocabulary, err));
    LIMN_TRY(limn_model_version_check_uses(f, err));
    f->config.decoder.n_tokens = (uint32_t)limn_vocab_n_tokens(f->vocab);
    f->config.decoder.specials = *limn_vocab_specials(f->vocab);
    if (f->config.decoder.n_tokens < 5)
        return limn_fail(err, LIMN_E_FORMAT,
                         VOCABULARY_KEY ": has no words beyond the four special tokens");
    return LIMN_OK;
}

static limn_status open_path(limn_model_file *out, const char *path, bool is_header,
                             limn_error *err)
{
    *out = (limn_model_file){ 0 };
    LIMN_TRY(is_header ? limn_safetensors_open_header(&out->tensors, path, err)
                       : limn_safetensors_open(&out->tensors, path, err));
    limn_status s = read_metadata(out, err);
    if (s != LIMN_OK) {
        limn_error_prefix(err, "%s", path);
        limn_model_file_close(out);
    }
    return s;
}

limn_status limn_model_file_open(limn_model_file *out, const char *path, limn_error *err)
{
    return open_path(out, path, false, err);
}

limn_status limn_model_file_open_header(limn_model_file *out, const char *path, limn_error *err)
{
    return open_path(out, path, true, err);
}

limn_status limn_model_file_open_memory(limn_model_file *out, const void *bytes, size_t size,
                                        limn_error *err)
{
    *out = (limn_model_file){ 0 };
    LIMN_TRY(limn_safetensors_open_memory(&out->tensors, bytes, size, err));
    limn_status s = read_metadata(out, err);
    if (s != LIMN_OK) limn_model_file_close(out);
    return s;
}

void limn_model_file_close(limn_model_file *f)
{
    limn_safetensors_close(&f->tensors);
    limn_vocab_destroy(&f->vocab);
    *f = (limn_model_file){ 0 };
}

/* ---- writing ------------------------------------------------------------------------------ */

static json_t *search_object(const limn_model_config *c)
{
    json_t *search = json_pack("{s:o, s:i}", "length_penalty", limn_json_float(c->length_penalty),
                               "max_steps", (int)c->max_steps);
    if (c->no_repeat_ngram > 0)
        json_object_set_new(search, "no_repeat_ngram", json_integer(c->no_repeat_ngram));
    if (limn_model_config_guidance(c) != 1)
        json_object_set_new(search, "guidance", limn_json_float(c->guidance));
    return search;
}

static char *config_text(const limn_model_config *c)
{
    json_t *root = json_pack("{s:o}", "encoder", limn_encoder_config_write(&c->encoder));
    if (c->has_decoder) {
        json_object_set_new(root, "decoder", limn_decoder_config_write(&c->decoder));
        json_object_set_new(root, "search", search_object(c));
    }
    char *text = json_dumps(root, JSON_REAL_PRECISION(9));
    json_decref(root);
    return text;
}

static char *vocabulary_text(const limn_vocab *vocab)
{
    json_t *document = limn_vocab_to_json(vocab);
    char *text = json_dumps(document, 0);
    json_decref(document);
    return text;
}

/* What limn_model_file_open would refuse must not be written. */
static limn_status check_config(const limn_model_config *config, const char *text, limn_error *err)
{
    limn_model_config again = { 0 };
    json_t *document = NULL;
    limn_status s = limn_json_parse(&document, text, strlen(text), err);
    if (s == LIMN_OK) {
        const limn_json_node root = limn_json_root(document);
        s = read_config(&again, &root, err);
    }
    json_decref(document);
    return s;
}

limn_status limn_model_file_write_made(const char *path, const limn_model_config *config,
                                       const limn_vocab *vocab, const limn_tensor *tensors,
                                       size_t n_tensors, const limn_metadata_item *extra,
                                       size_t n_extra, limn_tensor_maker *make, void *ctx,
                                       limn_error *err)
{
    limn_status s;
    limn_metadata_item *items = limn_alloc(n_extra + 4, sizeof *items);
    char *config_json = config_text(config);
    char *vocabulary_json = vocab ? vocabulary_text(vocab) : NULL;
    size_t n_items = 0;
    if (!items || !config_json || (vocab && !vocabulary_json)) {
        s = limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", path);
        goto done;
    }
    if (config->has_decoder != (vocab != NULL)) {
        s = limn_fail(err, LIMN_E_ARG, "%s: decoder and vocabulary must be given together", path);
        goto done;
    }
    s = check_config(config, config_json, err);
    if (s != LIMN_OK) {
        limn_error_prefix(err, "%s: " LIMN_CONFIG_KEY, path);
        goto done;
    }
    items[n_items++] = (limn_metadata_item){ "format", "pt" };
    items[n_items++] =
        (limn_metadata_item){ LIMN_VERSION_KEY, limn_model_version_of(config, vocab) };
    items[n_items++] = (limn_metadata_item){ LIMN_CONFIG_KEY, config_json };
    if (vocab) items[n_items++] = (limn_metadata_item){ VOCABULARY_KEY, vocabulary_json };
    for (size_t i = 0; i < n_extra; i++) items[n_items++] = extra[i];
    s = limn_safetensors_write_made(path, tensors, n_tensors, items, n_items, make, ctx, err);
done:
    limn_free(items);
    free(config_json); /* jansson's */
    free(vocabulary_json);
    return s;
}

limn_status limn_model_file_write(const char *path, const limn_model_config *config,
                                  const limn_vocab *vocab, const limn_tensor *tensors,
                                  size_t n_tensors, const limn_metadata_item *extra, size_t n_extra,
                                  limn_error *err)
{
    return limn_model_file_write_made(path, config, vocab, tensors, n_tensors, extra, n_extra, NULL,
                                      NULL, err);
}
