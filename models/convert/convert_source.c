#include "models/convert/convert_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/convert/reference_config.h"

const char *convert_source_kind(const convert_source *s)
{
    switch (s->kind) {
    case CONVERT_MODEL: return "model file";
    case CONVERT_REFERENCE: return "reference captioner";
    case CONVERT_ENCODER: return s->original ? s->original->kind : "weights of an encoder";
    }
    return "file";
}

/* ---- tensors ------------------------------------------------------------------------------ */

static const limn_tensor *tensor_at(const convert_source *s, size_t index)
{
    return s->pth ? limn_pth_at(s->pth, index) : limn_safetensors_at(s->file, index);
}

static limn_status list_tensors(convert_source *s, limn_error *err)
{
    const size_t n = s->pth ? limn_pth_n_tensors(s->pth) : limn_safetensors_n_tensors(s->file);
    for (size_t i = 0; i < n; i++)
        LIMN_TRY(tensor_list_add(&s->tensors, tensor_at(s, i), NULL, err));
    return tensor_list_sort(&s->tensors, err);
}

const limn_tensor *convert_source_use(convert_source *s, const char *name)
{
    return tensor_list_use(&s->tensors, name);
}

/* ---- weights of an encoder ------------------------------------------------------------------ */

/* Whether a tensor's name ends with the sign of an encoder, at the beginning or after a point. */
static bool has_sign(const char *name, const char *sign)
{
    const size_t size = strlen(name), n = strlen(sign);
    return size >= n && strcmp(name + size - n, sign) == 0 &&
           (size == n || name[size - n - 1] == '.');
}

/* If a tensor has the sign of `of`, records that and the prefix before the sign. */
static limn_status take_sign(convert_source *s, const original_encoder *of, const char *name,
                             const char **found, limn_error *err)
{
    const size_t n = strlen(name) - strlen(of->sign);
    if (*found)
        return limn_fail(err, LIMN_E_FORMAT, "%s and %s: weights of two different encoders", *found,
                         name);
    if (n >= sizeof s->prefix)
        return limn_fail(err, LIMN_E_LIMIT, "%s: its prefix is too long", name);
    snprintf(s->prefix, sizeof s->prefix, "%.*s", (int)n, name);
    s->original = of;
    *found = name;
    return LIMN_OK;
}

static limn_status fail_without_sign(limn_error *err)
{
    limn_buffer signs = { 0 };
    for (const original_encoder *of = original_encoders; of->kind; of++)
        limn_buffer_printf(&signs, "%s%s (%s)", signs.size > 0 ? " or " : "", of->sign, of->kind);
    const limn_status status =
        limn_fail(err, LIMN_E_FORMAT,
                  "has no tensor %s, so it is neither a model, nor the reference captioner, nor "
                  "weights of a known encoder; for other captioners give their folder, for "
                  "checkpoints of BLIP and VirTex add --vocab",
                  signs.has_failed ? "of one" : signs.bytes);
    limn_buffer_finish(&signs);
    return status;
}

/* Sets `original` and `prefix` by the one tensor that has a sign. */
static limn_status find_original(convert_source *s, limn_error *err)
{
    const char *found = NULL;
    for (size_t i = 0; i < s->tensors.n_items; i++)
        for (const original_encoder *of = original_encoders; of->kind; of++)
            if (has_sign(s->tensors.items[i].tensor->name, of->sign))
                LIMN_TRY(take_sign(s, of, s->tensors.items[i].tensor->name, &found, err));
    return found ? LIMN_OK : fail_without_sign(err);
}

static bool is_there(const convert_source *s, const limn_tensor_spec *spec)
{
    encoder_layer_names names;
    size_t shape[4];
    if (!s->original->find(&names, spec->name, s->prefix)) return false;
    const limn_tensor *t = tensor_list_find(&s->tensors, names.convolution);
    encoder_original_shape(shape, spec);
    return t && t->n_dims == 4 && memcmp(t->shape, shape, sizeof shape) == 0;
}

/* How well a network fits, in thousandths: convolutions that are there with their shapes, among all
 * that it has and that are there. */
static limn_status score_network(size_t *score, const convert_source *s, const char *network,
                                 limn_error *err)
{
    limn_encoder_config config = { .input = s->original->input(network) };
    limn_tensor_table table = { 0 };
    size_t n_found = 0, n_there = 0;
    snprintf(config.family, sizeof config.family, "%s", network);
    limn_encoder_tensors(&table, &config);
    const limn_status status = limn_tensor_table_check(&table, err);
    for (size_t i = 0; status == LIMN_OK && i < table.n_rows; i++) {
        limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
        limn_tensor_row_specs(specs, &table.rows[i]);
        n_found += is_there(s, &specs[0]);
    }
    for (size_t i = 0; i < s->tensors.n_items; i++)
        n_there += s->tensors.items[i].tensor->n_dims == 4;
    *score = 2000 * n_found / (table.n_rows + n_there);
    limn_tensor_table_finish(&table);
    return status;
}

/* The file does not say which network it is: the one that its shapes fit best. Mismatches are
 * reported later, tensor by tensor. */
static limn_status guess_config(convert_source *s, limn_error *err)
{
    const char *const *networks = s->original->networks, *best = networks[0];
    size_t best_score = 0, score;
    for (; *networks; networks++) {
        LIMN_TRY(score_network(&score, s, *networks, err));
        if (score > best_score) {
            best = *networks;
            best_score = score;
        }
    }
    s->config.encoder.input = s->original->input(best);
    snprintf(s->config.encoder.family, sizeof s->config.encoder.family, "%s", best);
    return LIMN_OK;
}

static limn_status open_encoder(convert_source *s, limn_error *err)
{
    s->kind = CONVERT_ENCODER;
    LIMN_TRY(find_original(s, err));
    s->batch_norm_eps = s->original->batch_norm_eps;
    return guess_config(s, err);
}

/* ---- by kind ------------------------------------------------------------------------------ */

static limn_status open_reference(convert_source *s, limn_error *err)
{
    s->kind = CONVERT_REFERENCE;
    LIMN_TRY(reference_config_read(&s->config, &s->vocab, &s->batch_norm_eps, s->file, err));
    LIMN_TRY(find_original(s, err));
    for (const char *const *known = s->original->networks; *known; known++)
        if (strcmp(*known, s->config.encoder.family) == 0) return LIMN_OK;
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "encoder.kind is \"%s\", but the tensors are %s, of %s and the like",
                     s->config.encoder.family, s->original->kind, s->original->networks[0]);
}

/* `s` takes over what the model file holds. */
static limn_status open_model(convert_source *s, const char *path, limn_error *err)
{
    limn_model_file model;
    LIMN_TRY(limn_model_file_open(&model, path, err));
    limn_safetensors_close(&s->file);
    s->kind = CONVERT_MODEL;
    s->config = model.config;
    s->vocab = model.vocab;
    s->file = model.tensors;
    return LIMN_OK;
}

static limn_status open_by_metadata(convert_source *s, const char *path, limn_error *err)
{
    if (limn_safetensors_metadata(s->file, "limn.version")) {
        LIMN_TRY(open_model(s, path, err));
        return list_tensors(s, err);
    }
    limn_status status = list_tensors(s, err);
    if (status == LIMN_OK)
        status = limn_safetensors_metadata(s->file, "config") ? open_reference(s, err)
                                                              : open_encoder(s, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    return status;
}

static limn_status open_pth(convert_source *s, const char *path, limn_error *err)
{
    LIMN_TRY(limn_pth_open(&s->pth, path, err));
    limn_status status = list_tensors(s, err);
    if (status == LIMN_OK) status = open_encoder(s, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    return status;
}

limn_status convert_source_open(convert_source *out, const char *path, limn_error *err)
{
    bool is_pth;
    *out = (convert_source){ 0 };
    LIMN_TRY(limn_pth_probe(&is_pth, path, err));
    limn_status status =
        is_pth ? open_pth(out, path, err) : limn_safetensors_open(&out->file, path, err);
    if (status == LIMN_OK && !is_pth) status = open_by_metadata(out, path, err);
    if (status != LIMN_OK) convert_source_close(out);
    return status;
}

void convert_source_close(convert_source *s)
{
    limn_safetensors_close(&s->file);
    limn_pth_close(&s->pth);
    limn_vocab_destroy(&s->vocab);
    tensor_list_finish(&s->tensors);
    *s = (convert_source){ 0 };
}
