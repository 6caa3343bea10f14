#include "models/convert/fold_batch_norm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

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

static limn_status read_batch_norm(batch_norm *b, tensor_list *list, const char *norm,
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
        LIMN_TRY(tensor_list_read(parts[i].values, list, name, 1, &n_outputs, err));
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

limn_status fold_batch_norm(float **out, tensor_list *list, const limn_tensor_spec *spec,
                            const encoder_layer_names *names, double eps, limn_error *err)
{
    batch_norm norm = { NULL, NULL, NULL, NULL };
    const size_t n_outputs = spec->shape[0];
    size_t shape[4];
    limn_status s = read_batch_norm(&norm, list, names->norm, n_outputs, err);
    if (s == LIMN_OK && spec->n_dims > 1) {
        encoder_original_shape(shape, spec);
        s = tensor_list_read(out, list, names->convolution, 4, shape, err);
        if (s == LIMN_OK)
            fold_weight(*out, tensor_values(spec->n_dims, spec->shape), n_outputs, &norm, eps);
    } else if (s == LIMN_OK) {
        *out = limn_alloc(n_outputs, sizeof **out);
        if (*out)
            fold_bias(*out, n_outputs, &norm, eps);
        else
            s = limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", spec->name);
    }
    batch_norm_finish(&norm);
    return s;
}
