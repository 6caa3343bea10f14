#include "models/model_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/json.h"
#include "models/tag_heads.h"

#define VERSION_KEY "limn.version"
#define CONFIG_KEY "limn.config"
#define VOCABULARY_KEY "limn.vocabulary"
#define VERSION "1"
#define SLOTS_VERSION "2" /* of models with tag slots, which readers of 1 would pass over */

static const char *const filter_names[] = {
    [LIMN_RESIZE_BILINEAR] = "bilinear",
    [LIMN_RESIZE_BICUBIC] = "bicubic",
};

/* ---- reading the configuration ------------------------------------------------------------ */

static limn_status read_float(float *out, const limn_json_node *object, const char *key, double low,
                              double high, limn_error *err)
{
    double value;
    LIMN_TRY(limn_json_number(&value, object, key, low, high, err));
    *out = (float)value;
    return LIMN_OK;
}

static limn_status read_filter(limn_resize_filter *out, const limn_json_node *encoder,
                               limn_error *err)
{
    limn_json_node node;
    const char *name;
    LIMN_TRY(limn_json_get(&node, encoder, "resize", err));
    LIMN_TRY(limn_json_as_string(&name, &node, err));
    for (size_t i = 0; i < sizeof filter_names / sizeof *filter_names; i++)
        if (strcmp(name, filter_names[i]) == 0) {
            *out = (limn_resize_filter)i;
            return LIMN_OK;
        }
    return limn_json_fail(&node, err, LIMN_E_FORMAT,
                          "expected \"bicubic\" or \"bilinear\", is \"%.40s\"", name);
}

static limn_status read_family(limn_encoder_config *c, const limn_json_node *encoder,
                               limn_error *err)
{
    limn_json_node node;
    const char *family;
    LIMN_TRY(limn_json_get(&node, encoder, "family", err));
    LIMN_TRY(limn_json_as_string(&family, &node, err));
    if (!family[0] || strlen(family) >= sizeof c->family)
        return limn_json_fail(&node, err, LIMN_E_FORMAT, "expected 1 to %zu bytes, is \"%.40s\"",
                              sizeof c->family - 1, family);
    snprintf(c->family, sizeof c->family, "%s", family);
    return LIMN_OK;
}

static limn_status read_encoder(limn_model_config *c, const limn_json_node *root, limn_error *err)
{
    limn_json_node encoder;
    LIMN_TRY(limn_json_object(&encoder, root, "encoder", err));
    LIMN_TRY(read_family(&c->encoder, &encoder, err));
    LIMN_TRY(limn_json_u32(&c->encoder.input_size, &encoder, "input_size", 32, 1024, err));
    LIMN_TRY(read_filter(&c->resize, &encoder, err));
    LIMN_TRY(read_float(&c->encoder.mean, &encoder, "mean", -1000, 1000, err));
    return read_float(&c->encoder.scale, &encoder, "scale", 1e-6, 1000, err);
}

static limn_status read_tag_slots(limn_decoder_config *d, const limn_json_node *decoder,
                                  limn_error *err)
{
    if (!limn_json_has(decoder, "tag_slots")) return LIMN_OK;
    LIMN_TRY(limn_json_u32(&d->n_tag_slots, decoder, "tag_slots", 1, LIMN_MAX_TAG_SLOTS, err));
    return limn_json_u32(&d->n_tags, decoder, "tags", d->n_tag_slots, LIMN_TAGS_MAX_NAMES, err);
}

/* n_tokens comes from the vocabulary. */
static limn_status read_decoder(limn_decoder_config *d, const limn_json_node *root, limn_error *err)
{
    limn_json_node decoder, dim;
    LIMN_TRY(limn_json_object(&decoder, root, "decoder", err));
    LIMN_TRY(limn_json_u32(&d->n_layers, &decoder, "layers", 1, 64, err));
    LIMN_TRY(limn_json_u32(&d->dim, &decoder, "dim", 16, 4096, err));
    LIMN_TRY(limn_json_u32(&d->n_heads, &decoder, "heads", 1, 64, err));
    LIMN_TRY(limn_json_u32(&d->feed_forward_dim, &decoder, "feed_forward", 16, 16384, err));
    LIMN_TRY(limn_json_u32(&d->max_positions, &decoder, "max_positions", 2, 512, err));
    LIMN_TRY(limn_json_u32(&d->n_memory_positions, &decoder, "memory_positions", 1, 4096, err));
    LIMN_TRY(limn_json_u32(&d->memory_dim, &decoder, "memory_dim", 1, 16384, err));
    LIMN_TRY(read_tag_slots(d, &decoder, err));
    LIMN_TRY(limn_json_get(&dim, &decoder, "dim", err));
    if (d->dim % 16 != 0 || d->dim % d->n_heads != 0 || d->dim / d->n_heads % 8 != 0)
        return limn_json_fail(&dim, err, LIMN_E_FORMAT,
                              "%u is not a multiple of 16 and of 8 times "
                              "the %u heads",
                              d->dim, d->n_heads);
    if (d->feed_forward_dim % 16 != 0)
        return limn_json_fail(&decoder, err, LIMN_E_FORMAT,
                              "feed_forward %u is not a multiple of "
                              "16",
                              d->feed_forward_dim);
    return LIMN_OK;
}

static limn_status read_search(limn_model_config *c, const limn_json_node *root, limn_error *err)
{
    limn_json_node search;
    LIMN_TRY(limn_json_object(&search, root, "search", err));
    LIMN_TRY(read_float(&c->length_penalty, &search, "length_penalty", -10, 10, err));
    /* each step takes a position, and the start token has the first */
    return limn_json_u32(&c->max_steps, &search, "max_steps", 1, c->decoder.max_positions, err);
}

static limn_status read_config(limn_model_config *c, const limn_json_node *root, limn_error *err)
{
    LIMN_TRY(limn_json_as_object(root, err));
    LIMN_TRY(read_encoder(c, root, err));
    c->has_decoder = limn_json_has(root, "decoder");
    if (!c->has_decoder) return LIMN_OK;
    LIMN_TRY(read_decoder(&c->decoder, root, err));
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

static limn_status check_version(const limn_safetensors *tensors, limn_error *err)
{
    const char *version = limn_safetensors_metadata(tensors, VERSION_KEY);
    if (!version)
        return limn_fail(err, LIMN_E_FORMAT,
                         "is a safetensors file, but no limn model (no " VERSION_KEY
                         " in its __metadata__): limn-convert makes one of the "
                         "reference captioner or of EfficientNet-Lite weights");
    if (strcmp(version, VERSION) != 0 && strcmp(version, SLOTS_VERSION) != 0)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         VERSION_KEY " is \"%.40s\", this program reads " VERSION
                                     " and " SLOTS_VERSION,
                         version);
    return LIMN_OK;
}

static const char *version_of(const limn_model_config *c)
{
    return c->has_decoder && c->decoder.n_tag_slots > 0 ? SLOTS_VERSION : VERSION;
}

/* A reader of version 1 would not know of the slots and caption without. */
static limn_status check_slots_version(const limn_model_file *f, limn_error *err)
{
    const char *version = limn_safetensors_metadata(f->tensors, VERSION_KEY);
    if (strcmp(version, VERSION) == 0 && strcmp(version_of(&f->config), VERSION) != 0)
        return limn_fail(err, LIMN_E_FORMAT,
                         CONFIG_KEY ": decoder.tag_slots: is %u, which " VERSION_KEY " \"" VERSION
                                    "\" does not have",
                         f->config.decoder.n_tag_slots);
    return LIMN_OK;
}

static limn_status read_metadata(limn_model_file *f, limn_error *err)
{
    LIMN_TRY(check_version(f->tensors, err));
    LIMN_TRY(with_metadata(f, CONFIG_KEY, take_config, err));
    LIMN_TRY(check_slots_version(f, err));
    if (!f->config.has_decoder) return LIMN_OK;
    LIMN_TRY(with_metadata(f, VOCABULARY_KEY, take_vocabulary, err));
    f->config.decoder.n_tokens = (uint32_t)limn_vocab_n_tokens(f->vocab);
    if (f->config.decoder.n_tokens < 5)
        return limn_fail(err, LIMN_E_FORMAT,
                         VOCABULARY_KEY ": has no word beside the four special "
                                        "tokens");
    return LIMN_OK;
}

limn_status limn_model_file_open(limn_model_file *out, const char *path, limn_error *err)
{
    *out = (limn_model_file){ 0 };
    LIMN_TRY(limn_safetensors_open(&out->tensors, path, err));
    limn_status s = read_metadata(out, err);
    if (s != LIMN_OK) {
        limn_error_prefix(err, "%s", path);
        limn_model_file_close(out);
    }
    return s;
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

/* The shortest decimal number that is read back as this float: 0.7, not 0.69999998807907104. */
static json_t *float_number(float value)
{
    char text[32];
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    return json_real(strtod(text, NULL));
}

static char *config_text(const limn_model_config *c)
{
    const limn_encoder_config *e = &c->encoder;
    const limn_decoder_config *d = &c->decoder;
    json_t *root = json_pack("{s:{s:s, s:i, s:s, s:o, s:o}}", "encoder", "family", e->family,
                             "input_size", (int)e->input_size, "resize", filter_names[c->resize],
                             "mean", float_number(e->mean), "scale", float_number(e->scale));
    if (c->has_decoder) {
        json_object_set_new(root, "decoder",
                            json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "layers",
                                      (int)d->n_layers, "dim", (int)d->dim, "heads",
                                      (int)d->n_heads, "feed_forward", (int)d->feed_forward_dim,
                                      "max_positions", (int)d->max_positions, "memory_positions",
                                      (int)d->n_memory_positions, "memory_dim",
                                      (int)d->memory_dim));
        if (d->n_tag_slots > 0)
            json_object_update_new(
                json_object_get(root, "decoder"),
                json_pack("{s:i, s:i}", "tag_slots", (int)d->n_tag_slots, "tags", (int)d->n_tags));
        json_object_set_new(root, "search",
                            json_pack("{s:o, s:i}", "length_penalty",
                                      float_number(c->length_penalty), "max_steps",
                                      (int)c->max_steps));
    }
    char *text = json_dumps(root, JSON_REAL_PRECISION(9));
    json_decref(root);
    return text;
}

static char *vocabulary_text(const limn_vocab *vocab)
{
    json_t *tokens = json_array();
    for (size_t i = 0; i < limn_vocab_n_tokens(vocab); i++)
        json_array_append_new(tokens, json_string(limn_vocab_text(vocab, (uint32_t)i)));
    char *text = json_dumps(tokens, 0);
    json_decref(tokens);
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

limn_status limn_model_file_write(const char *path, const limn_model_config *config,
                                  const limn_vocab *vocab, const limn_tensor *tensors,
                                  size_t n_tensors, const limn_metadata_item *extra, size_t n_extra,
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
        s = limn_fail(err, LIMN_E_ARG, "%s: decoder and vocabulary go together", path);
        goto done;
    }
    s = check_config(config, config_json, err);
    if (s != LIMN_OK) {
        limn_error_prefix(err, "%s: " CONFIG_KEY, path);
        goto done;
    }
    items[n_items++] = (limn_metadata_item){ "format", "pt" };
    items[n_items++] = (limn_metadata_item){ VERSION_KEY, version_of(config) };
    items[n_items++] = (limn_metadata_item){ CONFIG_KEY, config_json };
    if (vocab) items[n_items++] = (limn_metadata_item){ VOCABULARY_KEY, vocabulary_json };
    for (size_t i = 0; i < n_extra; i++) items[n_items++] = extra[i];
    s = limn_safetensors_write(path, tensors, n_tensors, items, n_items, err);
done:
    limn_free(items);
    free(config_json); /* jansson's */
    free(vocabulary_json);
    return s;
}
