#include "models/convert/average.h"

#include <stdint.h>
#include <string.h>

#include "models/convert/convert_tags.h"
#include "common/base/mem.h"
#include "common/text/plural.h"

static size_t n_values_of(const limn_tensor *t)
{
    return t->size / sizeof(float);
}

static size_t total_values(const convert_result *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_tensors; i++) n += n_values_of(&r->tensors[i]);
    return n;
}

/* sums [total_values] += the values of all tensors, in their order */
static void add(double *sums, const convert_result *r)
{
    for (size_t i = 0; i < r->n_tensors; i++) {
        const float *values = r->tensors[i].data;
        const size_t n = n_values_of(&r->tensors[i]);
        for (size_t k = 0; k < n; k++) sums[k] += (double)values[k];
        sums += n;
    }
}

static void take_means(convert_result *r, const double *sums, size_t n_models)
{
    for (size_t i = 0; i < r->n_tensors; i++) {
        float *values = (float *)(uintptr_t)r->tensors[i].data;
        const size_t n = n_values_of(&r->tensors[i]);
        for (size_t k = 0; k < n; k++) values[k] = (float)(sums[k] / (double)n_models);
        sums += n;
    }
}

/* The first token whose text differs; n_tokens when none does. */
static size_t first_difference(const limn_vocab *a, const limn_vocab *b, size_t n_tokens)
{
    size_t i = 0;
    while (i < n_tokens &&
           strcmp(limn_vocab_text(a, (uint32_t)i), limn_vocab_text(b, (uint32_t)i)) == 0)
        i++;
    return i;
}

static limn_status check_vocabulary(const convert_result *a, const convert_result *b,
                                    limn_error *err)
{
    if (!a->vocab) return LIMN_OK;
    const size_t n = limn_vocab_n_tokens(a->vocab);
    if (limn_vocab_n_tokens(b->vocab) != n)
        return limn_fail(err, LIMN_E_ARG, "has %zu tokens, the first model %zu",
                         limn_vocab_n_tokens(b->vocab), n);
    const size_t i = first_difference(a->vocab, b->vocab, n);
    if (i < n)
        return limn_fail(err, LIMN_E_ARG, "token %zu is '%s', that of the first model '%s'", i,
                         limn_vocab_text(b->vocab, (uint32_t)i),
                         limn_vocab_text(a->vocab, (uint32_t)i));
    return LIMN_OK;
}

/* Factors of one model's channels are not those of another's. */
static limn_status check_folded(const convert_result *r, limn_error *err)
{
    const size_t n = r->folded.n_encoder + r->folded.n_decoder;
    if (n == 0) return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG,
                     "has %zu %s scaled for int8; average the models from before --dtype int8", n,
                     limn_plural(n, "channel", "channels"));
}

/* Models can be averaged when corresponding weights play the same role in them. */
static limn_status check_same(const convert_result *a, const convert_result *b, limn_error *err)
{
    const limn_model_config *x = &a->config, *y = &b->config;
    if (x->has_decoder != y->has_decoder)
        return limn_fail(err, LIMN_E_ARG, "is %s, unlike the first model",
                         y->has_decoder ? "a captioner" : "an encoder alone");
    if (strcmp(x->encoder.family, y->encoder.family) != 0 ||
        !limn_vit_configs_equal(&x->encoder.vit, &y->encoder.vit) ||
        !limn_input_is_alike(&x->encoder.input, &y->encoder.input) ||
        memcmp(x->encoder.input.mean, y->encoder.input.mean, sizeof x->encoder.input.mean) != 0 ||
        memcmp(x->encoder.input.scale, y->encoder.input.scale, sizeof x->encoder.input.scale) != 0)
        return limn_fail(err, LIMN_E_ARG, "has another encoder or input than the first model");
    if (x->has_decoder && !limn_decoder_configs_equal(&x->decoder, &y->decoder))
        return limn_fail(err, LIMN_E_ARG, "has another decoder than the first model");
    LIMN_TRY(check_folded(b, err));
    return check_vocabulary(a, b, err);
}

static limn_status add_file(double *sums, const convert_result *first, const char *path,
                            bool is_encoder_only, limn_error *err)
{
    convert_source source;
    convert_result result = { .n_tensors = 0 };
    LIMN_TRY(convert_source_open(&source, path, err));
    limn_status status = convert_tensors(&result, &source, is_encoder_only, err);
    if (status == LIMN_OK) status = convert_tags_take(&result, &source, err);
    if (status == LIMN_OK) status = check_same(first, &result, err);
    if (status == LIMN_OK)
        add(sums, &result);
    else
        limn_error_prefix(err, "%s", path);
    convert_result_finish(&result);
    convert_source_close(&source);
    return status;
}

limn_status convert_average(convert_result *result, char *const *paths, size_t n_paths,
                            bool is_encoder_only, limn_error *err)
{
    limn_status status = check_folded(result, err);
    if (status != LIMN_OK) {
        limn_error_prefix(err, "%s", paths[0]);
        return status;
    }
    double *sums = limn_calloc(total_values(result), sizeof *sums);
    status = sums ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory for the sums of weights");
    if (sums) add(sums, result);
    for (size_t i = 1; i < n_paths && status == LIMN_OK; i++)
        status = add_file(sums, result, paths[i], is_encoder_only, err);
    if (status == LIMN_OK) take_means(result, sums, n_paths);
    convert_result_forget_int8(result);
    limn_free(sums);
    return status;
}
