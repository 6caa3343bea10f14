/* Folders from the hub, identified by their config.json. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "models/convert/published/config_fields.h"
#include "models/convert/published/folder_file.h"
#include "models/convert/published/published_parts.h"
#include "models/convert/published/siblings.h"

static const published_type *const types[] = { &published_blip, &published_git,
                                               &published_vit_gpt2 };
enum { N_TYPES = sizeof types / sizeof *types };

limn_status published_add_source(published *p, const char *folder, const char *name,
                                 limn_error *err)
{
    char *path = folder_file_path(folder, name, err);
    if (!path) return LIMN_E_NOMEM;
    const limn_status s = source_record_add(&p->sources, path, err);
    limn_free(path);
    return s;
}

/* The documents as they are parsed, and an object for those that are absent. */
typedef struct parsed {
    json_t *config, *processor, *tokenizer;
} parsed;

static limn_status parse(json_t **out, published *p, const char *name, folder_file_parser *parser,
                         limn_error *err)
{
    LIMN_TRY(folder_file_json(out, p->path, name, parser, err));
    if (!json_is_object(*out))
        return limn_fail(err, LIMN_E_FORMAT, "%s/%s: expected an object", p->path, name);
    return published_add_source(p, p->path, name, err);
}

/* A document that every folder of the hub has. */
static limn_status parse_needed(json_t **out, published *p, const char *name, limn_error *err)
{
    if (folder_file_is_there(p->path, name)) return parse(out, p, name, limn_json_parse, err);
    return limn_fail(err, LIMN_E_FORMAT, "%s: has no %s, expected all files of the model", p->path,
                     name);
}

/* An absent file counts as one without fields. Length limits in it are integers of 30 digits. */
static limn_status parse_tokenizer(json_t **out, published *p, limn_error *err)
{
    static const char name[] = "tokenizer_config.json";
    if (folder_file_is_there(p->path, name)) return parse(out, p, name, limn_json_parse_reals, err);
    *out = json_object();
    return *out ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

static limn_status fail_type(const limn_json_node *config, const char *key, const char *is,
                             limn_error *err)
{
    const char *what = sibling_of_name(is);
    return limn_json_fail(config, err, LIMN_E_UNSUPPORTED,
                          "%s: is \"%.60s\"%s%s; limn converts BLIP for captions "
                          "(BlipForConditionalGeneration), GIT (GitForCausalLM) and ViT with GPT-2 "
                          "(VisionEncoderDecoderModel)",
                          key, is, what ? ", " : "", what ? what : "");
}

/* One of the architectures must be among the type's; the list is absent where only a part of a
 * model was saved. */
static limn_status check_architectures(const limn_json_node *config, const published_type *type,
                                       limn_error *err)
{
    limn_json_node list;
    size_t n;
    const char *name = "";
    if (!config_has(config, "architectures")) return LIMN_OK;
    LIMN_TRY(limn_json_array(&list, &n, config, "architectures", err));
    for (size_t i = 0; i < n; i++) {
        const limn_json_node item = limn_json_at(&list, i);
        LIMN_TRY(limn_json_as_string(&name, &item, err));
        for (const char *const *a = type->architectures; *a; a++)
            if (strcmp(*a, name) == 0) return LIMN_OK;
    }
    return n == 0 ? LIMN_OK : fail_type(config, "architectures", name, err);
}

static limn_status find_type(const published_type **out, const limn_json_node *config,
                             limn_error *err)
{
    const char *name;
    LIMN_TRY(limn_json_string(&name, config, "model_type", err));
    for (size_t i = 0; i < N_TYPES; i++)
        if (strcmp(types[i]->model_type, name) == 0) {
            *out = types[i];
            return check_architectures(config, *out, err);
        }
    return fail_type(config, "model_type", name, err);
}

/* Weights as transformers would choose them. */
static limn_status open_weights(published *p, limn_error *err)
{
    static const char *const whole[] = { "model.safetensors", "pytorch_model.bin" };
    for (size_t i = 0; i < 2; i++) {
        char index[64];
        snprintf(index, sizeof index, "%s.index.json", whole[i]);
        if (folder_file_is_there(p->path, whole[i])) {
            char *path = folder_file_path(p->path, whole[i], err);
            if (!path) return LIMN_E_NOMEM;
            const limn_status s = weight_files_add(&p->weights, &p->tensors, path, err);
            limn_free(path);
            return s;
        }
        if (folder_file_is_there(p->path, index))
            return weight_files_add_parts(&p->weights, &p->tensors, p->path, index, err);
    }
    return sibling_fail_folder(p->path, err);
}

/* How images come in, from preprocessor_config.json, or from what transformers 5 has in
 * processor_config.json. */
static limn_status read_input(published *p, parsed *json, const published_type *type,
                              limn_error *err)
{
    static const char old[] = "preprocessor_config.json", new[] = "processor_config.json";
    const bool is_new = !folder_file_is_there(p->path, old) && folder_file_is_there(p->path, new);
    limn_json_node images;
    LIMN_TRY(parse_needed(&json->processor, p, is_new ? new : old, err));
    const limn_json_node root = limn_json_root(json->processor);
    limn_status s = LIMN_OK;
    if (is_new) s = limn_json_object(&images, &root, "image_processor", err);
    if (s == LIMN_OK)
        s = image_rules_read(&p->config.encoder.input, is_new ? &images : &root, type->images,
                             p->image_size, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s/%s", p->path, is_new ? new : old);
    return s;
}

/* Checks the encoder, and sets the decoder's memory from its output. */
static limn_status check_encoder(published *p, limn_error *err)
{
    limn_encoder_config *e = &p->config.encoder;
    const limn_status s = limn_encoder_check(e, err);
    if (s != LIMN_OK) {
        limn_error_prefix(err, "%s/config.json", p->path);
        return s;
    }
    const limn_feature_shape shape = limn_encoder_feature_shape(e);
    p->config.decoder.n_memory_positions = (uint32_t)limn_feature_positions(shape);
    return LIMN_OK;
}

static limn_status read_documents(published *p, parsed *json, limn_error *err)
{
    const published_type *type = NULL;
    LIMN_TRY(parse_needed(&json->config, p, "config.json", err));
    const limn_json_node config = limn_json_root(json->config);
    limn_status s = find_type(&type, &config, err);
    if (s == LIMN_OK) s = type->read_config(p, &config, err);
    if (s != LIMN_OK) {
        limn_error_prefix(err, "%s/config.json", p->path);
        return s;
    }
    LIMN_TRY(read_input(p, json, type, err));
    LIMN_TRY(check_encoder(p, err));
    LIMN_TRY(parse_tokenizer(&json->tokenizer, p, err));
    const limn_json_node tokenizer = limn_json_root(json->tokenizer);
    return type->read_vocabulary(p, &tokenizer, err);
}

limn_status published_open_folder(published *p, limn_error *err)
{
    parsed json = { NULL, NULL, NULL };
    limn_status s = read_documents(p, &json, err);
    json_decref(json.config);
    json_decref(json.processor);
    json_decref(json.tokenizer);
    if (s == LIMN_OK) s = open_weights(p, err);
    return s;
}
