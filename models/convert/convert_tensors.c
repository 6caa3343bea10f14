#include "models/convert/convert_tensors.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/int8.h"
#include "common/weights/weights.h"
#include "models/confidence.h"
#include "models/convert/fold_batch_norm.h"
#include "models/convert/int8_source.h"
#include "models/convert/narrow.h"

/* ---- making tensors ----------------------------------------------------------------------- */

static bool is_int8(const convert_source *source)
{
    return source->kind == CONVERT_MODEL && limn_safetensors_metadata(source->file, LIMN_INT8_KEY);
}

/* A tensor's values; `scales` where the source has it as I8. */
static limn_status read_values(float **values, float **scales, const limn_tensor_spec *spec,
                               convert_source *source, limn_error *err)
{
    encoder_layer_names names;
    if (is_int8(source) && int8_source_has(&source->tensors, spec))
        return int8_source_read(values, scales, &source->tensors, spec, err);
    if (source->kind != CONVERT_MODEL && source->original->find(&names, spec->name, source->prefix))
        return fold_batch_norm(values, &source->tensors, spec, &names, source->batch_norm_eps, err);
    return tensor_list_read(values, &source->tensors, spec->name, spec->n_dims, spec->shape, err);
}

static limn_status make_tensor(limn_tensor *t, float **scales, const limn_tensor_spec *spec,
                               convert_source *source, limn_error *err)
{
    float *values = NULL;
    const limn_status s = read_values(&values, scales, spec, source, err);
    *t = (limn_tensor){ .name = spec->name,
                        .n_dims = spec->n_dims,
                        .data = values,
                        .dtype = LIMN_TENSOR_F32,
                        .size = tensor_values(spec->n_dims, spec->shape) * sizeof *values };
    memcpy(t->shape, spec->shape, spec->n_dims * sizeof *spec->shape);
    return s;
}

static bool begins_with(const char *name, const char *beginning)
{
    return strncmp(name, beginning, strlen(beginning)) == 0;
}

/* Unused tensors must be known to be irrelevant, or the file is not what it seems to be. */
static limn_status check_unused(const convert_source *source, bool is_encoder_only, limn_error *err)
{
    for (size_t i = 0; i < source->tensors.n_items; i++) {
        const char *name = source->tensors.items[i].tensor->name;
        if (source->tensors.items[i].is_used || (is_encoder_only && begins_with(name, "decoder.")))
            continue;
        if (source->kind == CONVERT_MODEL && (begins_with(name, LIMN_DOCUMENT_FREQUENCIES_PREFIX) ||
                                              begins_with(name, LIMN_TAGS_PREFIX)))
            continue;
        if (source->kind != CONVERT_MODEL && begins_with(name, source->prefix) &&
            encoder_name_is_unneeded(source->original, name + strlen(source->prefix)))
            continue;
        return limn_fail(err, LIMN_E_FORMAT, "tensor %s belongs to no part of %s", name,
                         source->config.encoder.family);
    }
    return LIMN_OK;
}

/* Of a source in int8: matrices that it has in another type stay what they are, where they may. */
static void keep_types(convert_result *out, const convert_source *source)
{
    for (size_t i = 0; is_int8(source) && i < out->n_tensors; i++)
        if (!out->source_scales[i] && !out->specs[i].needs_int8) out->specs[i].may_be_int8 = false;
}

/* What a model says of how it was quantised. */
static limn_status take_notes(convert_result *out, const convert_source *source,
                              bool is_encoder_only, limn_error *err)
{
    if (source->kind != CONVERT_MODEL) return LIMN_OK;
    const char *text = limn_safetensors_metadata(source->file, CONVERT_CALIBRATION_KEY);
    if (text && strlen(text) < sizeof out->calibration) /* as what limn writes */
        snprintf(out->calibration, sizeof out->calibration, "%s", text);
    LIMN_TRY(limn_folded_channels_read(&out->folded, source->file, err));
    if (is_encoder_only) out->folded.n_decoder = 0;
    return LIMN_OK;
}

static limn_status make_all(convert_result *out, convert_source *source, bool is_encoder_only,
                            limn_error *err)
{
    LIMN_TRY(limn_model_tensor_specs(&out->specs, &out->n_tensors, &out->config, err));
    out->tensors = limn_calloc(out->n_tensors, sizeof *out->tensors);
    out->source_scales = limn_calloc(out->n_tensors, sizeof *out->source_scales);
    if (!out->tensors || !out->source_scales)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", out->n_tensors);
    for (size_t i = 0; i < out->n_tensors; i++)
        LIMN_TRY(
            make_tensor(&out->tensors[i], &out->source_scales[i], &out->specs[i], source, err));
    LIMN_TRY(check_unused(source, is_encoder_only, err));
    keep_types(out, source);
    LIMN_TRY(take_notes(out, source, is_encoder_only, err));
    if (source->kind != CONVERT_MODEL || is_encoder_only) return LIMN_OK;
    return limn_document_frequencies_read(&out->frequencies, source->file, err);
}

limn_status convert_tensors(convert_result *out, convert_source *source, bool is_encoder_only,
                            limn_error *err)
{
    *out = (convert_result){ .config = source->config, .vocab = source->vocab };
    if (!source->config.has_decoder && !is_encoder_only)
        return limn_fail(
            err, LIMN_E_ARG,
            "is an encoder without a decoder; use --encoder-only, or, for VirTex, --vocab");
    if (is_encoder_only) {
        out->config.has_decoder = false;
        out->vocab = NULL;
    }
    limn_status s = make_all(out, source, is_encoder_only, err);
    if (s != LIMN_OK) convert_result_finish(out);
    return s;
}

void convert_result_finish(convert_result *r)
{
    for (size_t i = 0; r->tensors && i < r->n_tensors; i++) limn_free((void *)r->tensors[i].data);
    for (size_t i = 0; r->scales && i < r->n_tensors; i++) limn_free(r->scales[i].values);
    convert_result_forget_int8(r);
    limn_free(r->scales);
    limn_free(r->source_scales);
    limn_free(r->tensors);
    limn_free(r->specs);
    limn_document_frequencies_destroy(&r->frequencies);
    limn_tag_heads_finish(&r->tags);
    limn_free(r->confidence);
    *r = (convert_result){ .n_tensors = 0 };
}

/* ---- narrowing ---------------------------------------------------------------------------- */

limn_status convert_result_narrow(convert_result *r, limn_error *err)
{
    for (size_t i = 0; i < r->n_tensors; i++) {
        limn_tensor *t = &r->tensors[i];
        const size_t n = t->size / sizeof(float);
        if (!r->specs[i].may_be_half || t->dtype != LIMN_TENSOR_F32) continue;
        LIMN_TRY(narrow_to_f16((float *)(uintptr_t)t->data, n, t->name, err));
        t->dtype = LIMN_TENSOR_F16;
        t->size = n * sizeof(uint16_t);
    }
    return limn_tag_heads_narrow(&r->tags, err);
}

/* ---- quantising --------------------------------------------------------------------------- */

/* Quantises a matrix of F32 to I8 in place, with the scales that it was made from, if any; a part
 * of it when that is to stop. */
static float *quantize(limn_tensor *t, const float *source_scales, const limn_feedback *feedback)
{
    const size_t n_outputs = t->shape[0], n_inputs = t->shape[1];
    float *scales = limn_alloc(n_outputs, sizeof *scales);
    int8_t row[LIMN_INT8_MAX_INPUTS];
    for (size_t o = 0; scales && o < n_outputs; o++) {
        const float *weights = (const float *)t->data + o * n_inputs;
        if (feedback && limn_feedback_is_stopping(feedback)) break;
        scales[o] =
            source_scales ? source_scales[o] : limn_int8_quantize_weights(row, weights, n_inputs);
        if (source_scales) int8_source_codes(row, weights, n_inputs, scales[o]);
        if (feedback) limn_feedback_round(feedback, row, weights, scales[o]);
        memcpy((int8_t *)(uintptr_t)t->data + o * n_inputs, row, n_inputs);
    }
    t->dtype = LIMN_TENSOR_I8;
    t->size = n_outputs * n_inputs;
    return scales;
}

limn_status convert_result_begin_int8(convert_result *r, limn_error *err)
{
    if (!r->scales) r->scales = limn_calloc(r->n_tensors, sizeof *r->scales);
    return r->scales ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

limn_status convert_result_quantize_one(convert_result *r, size_t index,
                                        const limn_feedback *feedback, limn_error *err)
{
    convert_scales *scales = &r->scales[index];
    scales->values = quantize(&r->tensors[index], r->source_scales[index], feedback);
    snprintf(scales->name, sizeof scales->name, "%s" LIMN_TENSOR_SCALES, r->tensors[index].name);
    if (feedback && limn_feedback_is_stopping(feedback))
        return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    return scales->values ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

limn_status convert_result_quantize(convert_result *r, limn_error *err)
{
    LIMN_TRY(convert_result_begin_int8(r, err));
    for (size_t i = 0; i < r->n_tensors; i++)
        if (r->specs[i].may_be_int8 && !r->scales[i].values)
            LIMN_TRY(convert_result_quantize_one(r, i, NULL, err));
    return convert_result_narrow(r, err);
}

void convert_result_forget_int8(convert_result *r)
{
    for (size_t i = 0; r->source_scales && i < r->n_tensors; i++) {
        limn_free(r->source_scales[i]);
        r->source_scales[i] = NULL;
    }
    r->calibration[0] = '\0';
}

limn_tensor_dtype convert_source_dtype(const convert_result *r, const convert_source *source)
{
    if (is_int8(source)) return LIMN_TENSOR_I8;
    for (size_t i = 0; source->kind == CONVERT_MODEL && i < r->n_tensors; i++) {
        const limn_tensor *t = limn_safetensors_find(source->file, r->specs[i].name);
        if (r->specs[i].may_be_half) return t->dtype;
    }
    return LIMN_TENSOR_F32;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Whether a metadata item is generated and so not copied. */
static bool is_written_anyway(const char *key)
{
    static const char *const keys[] = { "format",
                                        "limn.version",
                                        "limn.config",
                                        "limn.vocabulary",
                                        LIMN_DOCUMENT_FREQUENCIES_KEY,
                                        LIMN_TAGS_KEY,
                                        LIMN_CONFIDENCE_KEY,
                                        LIMN_INT8_KEY,
                                        CONVERT_CALIBRATION_KEY,
                                        LIMN_FOLDED_KEY };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0) return true;
    return false;
}

/* The notes of a source that was a model, and the items of confidence, document frequencies, int8
 * and tags. The caller frees `*out`; one of them is in `folded`. */
static limn_status list_notes(limn_metadata_item **out, size_t *n_out,
                              char folded[LIMN_FOLDED_TEXT_SIZE], convert_result *r,
                              const convert_source *source, limn_error *err)
{
    const bool is_model = source->kind == CONVERT_MODEL;
    const size_t n_all = is_model ? limn_safetensors_list_metadata(NULL, 0, source->file) : 0;
    limn_metadata_item *notes = limn_alloc(n_all + 6, sizeof *notes);
    size_t n = 0;
    if (!notes) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (is_model) limn_safetensors_list_metadata(notes, n_all, source->file);
    for (size_t i = 0; i < n_all; i++)
        if (!is_written_anyway(notes[i].key)) notes[n++] = notes[i];
    if (r->confidence) notes[n++] = (limn_metadata_item){ LIMN_CONFIDENCE_KEY, r->confidence };
    if (r->frequencies) notes[n++] = limn_document_frequencies_metadata(r->frequencies);
    if (r->scales) notes[n++] = (limn_metadata_item){ LIMN_INT8_KEY, LIMN_INT8_RULE_NAME };
    if (r->scales && r->calibration[0])
        notes[n++] = (limn_metadata_item){ CONVERT_CALIBRATION_KEY, r->calibration };
    n += limn_folded_channels_metadata(&notes[n], folded, &r->folded);
    if (r->tags.n_items) {
        const limn_status s = limn_tag_heads_metadata(&r->tags, &notes[n++], err);
        if (s != LIMN_OK) {
            limn_free(notes);
            return s;
        }
    }
    *out = notes;
    *n_out = n;
    return LIMN_OK;
}

/* The tensors of scales; returns how many. */
static size_t list_scales(limn_tensor *out, const convert_result *r)
{
    size_t n = 0;
    for (size_t i = 0; r->scales && i < r->n_tensors; i++) {
        const limn_tensor *t = &r->tensors[i];
        if (!r->scales[i].values) continue;
        out[n] = (limn_tensor){ .dtype = LIMN_TENSOR_F32, .n_dims = 1, .shape = { t->shape[0] } };
        out[n].name = r->scales[i].name;
        out[n].data = r->scales[i].values;
        out[n++].size = t->shape[0] * sizeof(float);
    }
    return n;
}

limn_status convert_result_write(const char *path, convert_result *r, const convert_source *source,
                                 limn_error *err)
{
    limn_metadata_item *notes = NULL;
    char folded[LIMN_FOLDED_TEXT_SIZE];
    size_t n_notes = 0, n = r->n_tensors;
    limn_tensor *tensors = limn_alloc(2 * n + LIMN_DOCUMENT_FREQUENCIES_N_TENSORS +
                                          (size_t)LIMN_TAGS_MAX_HEADS * LIMN_TAGS_MAX_TENSORS,
                                      sizeof *tensors);
    limn_status s = tensors ? list_notes(&notes, &n_notes, folded, r, source, err)
                            : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK) {
        memcpy(tensors, r->tensors, n * sizeof *tensors);
        n += list_scales(tensors + n, r);
        if (r->frequencies) n += limn_document_frequencies_tensors(r->frequencies, tensors + n);
        n += limn_tag_heads_tensors(&r->tags, tensors + n);
        s = limn_model_file_write(path, &r->config, r->vocab, tensors, n, notes, n_notes, err);
    }
    limn_free(tensors);
    limn_free(notes);
    return s;
}
