#include "tools/convert/convert_tensors.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/pack.h"
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
    if (!*out)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", name);
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
    } parts[] = { { "weight", &b->gamma }, { "bias", &b->beta }, { "running_mean", &b->mean },
                  { "running_var", &b->var } };
    char name[MAX_ENCODER_NAME + 16];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(name, sizeof name, "%s.%s", norm, parts[i].end);
        LIMN_TRY(read_values(parts[i].values, source, name, 1, &n_outputs, err));
    }
    for (size_t i = 0; i < n_outputs; i++)
        if (b->var[i] < 0)
            return limn_fail(err, LIMN_E_FORMAT, "tensor %s.running_var: value %zu is %g, expected "
                             "0 or more", norm, i, (double)b->var[i]);
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
    for (size_t i = 0; i < spec->n_dims; i++)
        n *= spec->shape[i];
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

/* Narrows values [n] to f16 in their own memory. */
static limn_status to_f16(float *values, size_t n, const char *name, limn_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const uint16_t half = limn_f32_to_f16(values[i]);
        if ((half & 0x7c00) == 0x7c00)
            return limn_fail(err, LIMN_E_LIMIT, "tensor %s: value %zu is %g, F16 ends at 65504: "
                             "use --dtype f32", name, i, (double)values[i]);
        memcpy((unsigned char *)values + i * sizeof half, &half, sizeof half);
    }
    return LIMN_OK;
}

static limn_status make_tensor(limn_tensor *t, const limn_tensor_spec *spec, convert_source *source,
                               limn_tensor_dtype dtype, limn_error *err)
{
    encoder_layer_names names;
    float *values = NULL;
    const size_t n = n_values_of(spec);
    const bool is_folded = source->kind != CONVERT_MODEL &&
                           encoder_layer_names_find(&names, spec->name, source->prefix);
    limn_status s = is_folded ? fold(&values, source, spec, &names, err)
                              : read_values(&values, source, spec->name, spec->n_dims, spec->shape,
                                            err);
    *t = (limn_tensor){ .name = spec->name, .n_dims = spec->n_dims, .data = values,
                        .dtype = spec->may_be_half ? dtype : LIMN_TENSOR_F32 };
    memcpy(t->shape, spec->shape, spec->n_dims * sizeof *spec->shape);
    t->size = n * limn_tensor_dtype_size(t->dtype);
    if (s == LIMN_OK && t->dtype == LIMN_TENSOR_F16)
        s = to_f16(values, n, spec->name, err);
    return s;
}

/* What is left over must be known to be of no use, or the file is not what it seems to be. */
static limn_status check_unused(const convert_source *source, bool is_encoder_only, limn_error *err)
{
    const size_t prefix_size = strlen(source->prefix);
    for (size_t i = 0; i < source->n_items; i++) {
        const char *name = source->items[i].tensor->name;
        if (source->items[i].is_used || (is_encoder_only && strncmp(name, "decoder.", 8) == 0))
            continue;
        if (source->kind != CONVERT_MODEL && strncmp(name, source->prefix, prefix_size) == 0 &&
            encoder_name_is_unneeded(name + prefix_size))
            continue;
        return limn_fail(err, LIMN_E_FORMAT, "tensor %s belongs to no part of %s", name,
                         source->config.encoder.family);
    }
    return LIMN_OK;
}

static limn_status make_all(convert_result *out, convert_source *source,
                            const convert_settings *settings, limn_error *err)
{
    LIMN_TRY(limn_model_tensor_specs(&out->specs, &out->n_tensors, &out->config, err));
    out->tensors = limn_calloc(out->n_tensors, sizeof *out->tensors);
    if (!out->tensors)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", out->n_tensors);
    for (size_t i = 0; i < out->n_tensors; i++) {
        LIMN_TRY(make_tensor(&out->tensors[i], &out->specs[i], source, settings->dtype, err));
        out->n_bytes += out->tensors[i].size;
    }
    return check_unused(source, settings->is_encoder_only, err);
}

limn_status convert_tensors(convert_result *out, convert_source *source,
                            const convert_settings *settings, limn_error *err)
{
    *out = (convert_result){ .config = source->config, .vocab = source->vocab };
    if (!source->config.has_decoder && !settings->is_encoder_only)
        return limn_fail(err, LIMN_E_ARG, "has an encoder alone: convert it with --encoder-only");
    if (settings->is_encoder_only) {
        out->config.has_decoder = false;
        out->vocab = NULL;
    }
    limn_status s = make_all(out, source, settings, err);
    if (s != LIMN_OK)
        convert_result_finish(out);
    return s;
}

void convert_result_finish(convert_result *r)
{
    for (size_t i = 0; r->tensors && i < r->n_tensors; i++)
        limn_free((void *)r->tensors[i].data);
    limn_free(r->tensors);
    limn_free(r->specs);
    *r = (convert_result){ .n_tensors = 0 };
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Whether the writer sets a metadata item itself. */
static bool is_written_anyway(const char *key)
{
    return strcmp(key, "format") == 0 || strcmp(key, "limn.version") == 0 ||
           strcmp(key, "limn.config") == 0 || strcmp(key, "limn.vocabulary") == 0;
}

limn_status convert_result_write(const char *path, const convert_result *r,
                                 const convert_source *source, limn_error *err)
{
    const bool is_model = source->kind == CONVERT_MODEL;
    const size_t n_all = is_model ? limn_safetensors_list_metadata(NULL, 0, source->file) : 0;
    limn_metadata_item *notes = limn_alloc(n_all, sizeof *notes);
    size_t n_notes = 0;
    if (!notes)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (is_model)
        limn_safetensors_list_metadata(notes, n_all, source->file);
    for (size_t i = 0; i < n_all; i++)
        if (!is_written_anyway(notes[i].key))
            notes[n_notes++] = notes[i];
    limn_status s = limn_model_file_write(path, &r->config, r->vocab, r->tensors, r->n_tensors,
                                          notes, n_notes, err);
    limn_free(notes);
    return s;
}
