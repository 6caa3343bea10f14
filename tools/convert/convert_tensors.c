#include "tools/convert/convert_tensors.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/pack.h"
#include "models/confidence.h"
#include "tools/convert/encoder_names.h"

/* ---- reading source tensors --------------------------------------------------------------- */

/* The values of a source tensor that must have this shape, as f32; the caller frees them. */
static limn_status read_values(float **out, convert_source *source, const char *name, size_t n_dims,
                               const size_t *shape, limn_error *err)
{
    char is[160], expected[160];
    const limn_tensor *t = convert_source_use(source, name);
    limn_tensor_describe(expected, sizeof expected, LIMN_TENSOR_F32, n_dims, shape);
    if (!t)
        return limn_fail(err, LIMN_E_FORMAT, "tensor %s is missing, expected %s", name, expected);
    limn_tensor_describe(is, sizeof is, t->dtype, t->n_dims, t->shape);
    if (t->n_dims != n_dims || memcmp(t->shape, shape, n_dims * sizeof *shape) != 0 ||
        (t->dtype != LIMN_TENSOR_F32 && t->dtype != LIMN_TENSOR_F16))
        return limn_fail(err, LIMN_E_FORMAT, "tensor %s is %s, expected %s or F16", name, is,
                         expected);
    const size_t n = t->size / limn_tensor_dtype_size(t->dtype);
    *out = limn_alloc(n, sizeof **out);
    if (!*out) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", name);
    limn_tensor_to_f32(*out, t);
    for (size_t i = 0; i < n; i++)
        if (!isfinite((*out)[i])) {
            limn_free(*out);
            *out = NULL;
            return limn_fail(err, LIMN_E_FORMAT, "tensor %s: value %zu is not finite", name, i);
        }
    return LIMN_OK;
}

/* ---- folding batch norm ------------------------------------------------------------------- */

/* y = (conv(x) - mean) / sqrt(var + eps) * gamma + beta, per output channel. */
typedef struct batch_norm {
    float *gamma, *beta, *mean, *var; /* [n_outputs] each */
} batch_norm;

static void batch_norm_finish(batch_norm *b)
{
    limn_free(b->gamma);
    limn_free(b->beta);
    limn_free(b->mean);
    limn_free(b->var);
}

static limn_status read_batch_norm(batch_norm *b, convert_source *source, const char *norm,
                                   size_t n_outputs, limn_error *err)
{
    const struct {
        const char *end;
        float **values;
    } parts[] = { { "weight", &b->gamma },
                  { "bias", &b->beta },
                  { "running_mean", &b->mean },
                  { "running_var", &b->var } };
    char name[MAX_ENCODER_NAME + 16];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(name, sizeof name, "%s.%s", norm, parts[i].end);
        LIMN_TRY(read_values(parts[i].values, source, name, 1, &n_outputs, err));
    }
    for (size_t i = 0; i < n_outputs; i++)
        if (b->var[i] < 0)
            return limn_fail(err, LIMN_E_FORMAT,
                             "tensor %s.running_var: value %zu is %g, expected "
                             "0 or more",
                             norm, i, (double)b->var[i]);
    return LIMN_OK;
}

static double channel_scale(const batch_norm *b, size_t channel, double eps)
{
    return b->gamma[channel] / sqrt(b->var[channel] + eps);
}

/* values [n_outputs, …] of the convolution, in place: w * gamma / sqrt(var + eps). */
static void fold_weight(float *values, size_t n_values, size_t n_outputs, const batch_norm *b,
                        double eps)
{
    const size_t n_each = n_values / n_outputs;
    for (size_t o = 0; o < n_outputs; o++) {
        const double scale = channel_scale(b, o, eps);
        for (size_t i = 0; i < n_each; i++)
            values[o * n_each + i] = (float)(values[o * n_each + i] * scale);
    }
}

/* bias [n_outputs] = beta - mean * gamma / sqrt(var + eps) */
static void fold_bias(float *bias, size_t n_outputs, const batch_norm *b, double eps)
{
    for (size_t o = 0; o < n_outputs; o++)
        bias[o] = (float)(b->beta[o] - b->mean[o] * channel_scale(b, o, eps));
}

static size_t n_values_of(const limn_tensor_spec *spec)
{
    size_t n = 1;
    for (size_t i = 0; i < spec->n_dims; i++) n *= spec->shape[i];
    return n;
}

/* Weight or bias of one layer of the encoder; the caller frees `*out`, also after a failure. */
static limn_status fold(float **out, convert_source *source, const limn_tensor_spec *spec,
                        const encoder_layer_names *names, limn_error *err)
{
    batch_norm norm = { NULL, NULL, NULL, NULL };
    const size_t n_outputs = spec->shape[0];
    size_t shape[4];
    limn_status s = read_batch_norm(&norm, source, names->norm, n_outputs, err);
    if (s == LIMN_OK && spec->n_dims > 1) {
        encoder_original_shape(shape, spec);
        s = read_values(out, source, names->convolution, 4, shape, err);
        if (s == LIMN_OK)
            fold_weight(*out, n_values_of(spec), n_outputs, &norm, source->batch_norm_eps);
    } else if (s == LIMN_OK) {
        *out = limn_alloc(n_outputs, sizeof **out);
        if (*out)
            fold_bias(*out, n_outputs, &norm, source->batch_norm_eps);
        else
            s = limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", spec->name);
    }
    batch_norm_finish(&norm);
    return s;
}

/* ---- making tensors ----------------------------------------------------------------------- */

static limn_status make_tensor(limn_tensor *t, const limn_tensor_spec *spec, convert_source *source,
                               limn_error *err)
{
    encoder_layer_names names;
    float *values = NULL;
    const bool is_folded =
        source->kind != CONVERT_MODEL && source->original->find(&names, spec->name, source->prefix);
    limn_status s = is_folded
                        ? fold(&values, source, spec, &names, err)
                        : read_values(&values, source, spec->name, spec->n_dims, spec->shape, err);
    *t = (limn_tensor){ .name = spec->name,
                        .n_dims = spec->n_dims,
                        .data = values,
                        .dtype = LIMN_TENSOR_F32,
                        .size = n_values_of(spec) * sizeof *values };
    memcpy(t->shape, spec->shape, spec->n_dims * sizeof *spec->shape);
    return s;
}

static bool begins_with(const char *name, const char *beginning)
{
    return strncmp(name, beginning, strlen(beginning)) == 0;
}

/* What is left over must be known to be of no use, or the file is not what it seems to be. */
static limn_status check_unused(const convert_source *source, bool is_encoder_only, limn_error *err)
{
    for (size_t i = 0; i < source->n_items; i++) {
        const char *name = source->items[i].tensor->name;
        if (source->items[i].is_used || (is_encoder_only && begins_with(name, "decoder.")))
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

static limn_status make_all(convert_result *out, convert_source *source, bool is_encoder_only,
                            limn_error *err)
{
    LIMN_TRY(limn_model_tensor_specs(&out->specs, &out->n_tensors, &out->config, err));
    out->tensors = limn_calloc(out->n_tensors, sizeof *out->tensors);
    if (!out->tensors)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", out->n_tensors);
    for (size_t i = 0; i < out->n_tensors; i++)
        LIMN_TRY(make_tensor(&out->tensors[i], &out->specs[i], source, err));
    LIMN_TRY(check_unused(source, is_encoder_only, err));
    if (source->kind != CONVERT_MODEL || is_encoder_only) return LIMN_OK;
    return limn_document_frequencies_read(&out->frequencies, source->file, err);
}

limn_status convert_tensors(convert_result *out, convert_source *source, bool is_encoder_only,
                            limn_error *err)
{
    *out = (convert_result){ .config = source->config, .vocab = source->vocab };
    if (!source->config.has_decoder && !is_encoder_only)
        return limn_fail(err, LIMN_E_ARG, "has an encoder alone: convert it with --encoder-only");
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
    limn_free(r->tensors);
    limn_free(r->specs);
    limn_document_frequencies_destroy(&r->frequencies);
    limn_tag_heads_finish(&r->tags);
    limn_free(r->confidence);
    *r = (convert_result){ .n_tensors = 0 };
}

/* ---- narrowing ---------------------------------------------------------------------------- */

/* Narrows values [n] to f16 in their own memory. */
static limn_status to_f16(float *values, size_t n, const char *name, limn_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const uint16_t half = limn_f32_to_f16(values[i]);
        if ((half & 0x7c00) == 0x7c00)
            return limn_fail(err, LIMN_E_LIMIT,
                             "tensor %s: value %zu is %g, F16 ends at 65504: "
                             "use --dtype f32",
                             name, i, (double)values[i]);
        memcpy((unsigned char *)values + i * sizeof half, &half, sizeof half);
    }
    return LIMN_OK;
}

limn_status convert_result_narrow(convert_result *r, limn_error *err)
{
    for (size_t i = 0; i < r->n_tensors; i++) {
        limn_tensor *t = &r->tensors[i];
        const size_t n = t->size / sizeof(float);
        if (!r->specs[i].may_be_half || t->dtype == LIMN_TENSOR_F16) continue;
        LIMN_TRY(to_f16((float *)(uintptr_t)t->data, n, t->name, err));
        t->dtype = LIMN_TENSOR_F16;
        t->size = n * sizeof(uint16_t);
    }
    return limn_tag_heads_narrow(&r->tags, err);
}

limn_tensor_dtype convert_source_dtype(const convert_result *r, const convert_source *source)
{
    for (size_t i = 0; source->kind == CONVERT_MODEL && i < r->n_tensors; i++) {
        const limn_tensor *t = limn_safetensors_find(source->file, r->specs[i].name);
        if (r->specs[i].may_be_half) return t->dtype;
    }
    return LIMN_TENSOR_F32;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Whether a metadata item is written anew. */
static bool is_written_anyway(const char *key)
{
    static const char *const keys[] = { "format",
                                        "limn.version",
                                        "limn.config",
                                        "limn.vocabulary",
                                        LIMN_DOCUMENT_FREQUENCIES_KEY,
                                        LIMN_TAGS_KEY,
                                        LIMN_CONFIDENCE_KEY };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0) return true;
    return false;
}

/* The notes of a source that was a model, and the items of confidence, document frequencies and
 * tags. The caller frees `*out`. */
static limn_status list_notes(limn_metadata_item **out, size_t *n_out, convert_result *r,
                              const convert_source *source, limn_error *err)
{
    const bool is_model = source->kind == CONVERT_MODEL;
    const size_t n_all = is_model ? limn_safetensors_list_metadata(NULL, 0, source->file) : 0;
    limn_metadata_item *notes = limn_alloc(n_all + 3, sizeof *notes);
    size_t n = 0;
    if (!notes) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (is_model) limn_safetensors_list_metadata(notes, n_all, source->file);
    for (size_t i = 0; i < n_all; i++)
        if (!is_written_anyway(notes[i].key)) notes[n++] = notes[i];
    if (r->confidence) notes[n++] = (limn_metadata_item){ LIMN_CONFIDENCE_KEY, r->confidence };
    if (r->frequencies) notes[n++] = limn_document_frequencies_metadata(r->frequencies);
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

limn_status convert_result_write(const char *path, convert_result *r, const convert_source *source,
                                 limn_error *err)
{
    limn_metadata_item *notes = NULL;
    size_t n_notes = 0, n = r->n_tensors;
    limn_tensor *tensors = limn_alloc(n + LIMN_DOCUMENT_FREQUENCIES_N_TENSORS +
                                          (size_t)LIMN_TAGS_MAX_HEADS * LIMN_TAGS_MAX_TENSORS,
                                      sizeof *tensors);
    limn_status s = tensors ? list_notes(&notes, &n_notes, r, source, err)
                            : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK) {
        memcpy(tensors, r->tensors, n * sizeof *tensors);
        if (r->frequencies) n += limn_document_frequencies_tensors(r->frequencies, tensors + n);
        n += limn_tag_heads_tensors(&r->tags, tensors + n);
        s = limn_model_file_write(path, &r->config, r->vocab, tensors, n, notes, n_notes, err);
    }
    limn_free(tensors);
    limn_free(notes);
    return s;
}
