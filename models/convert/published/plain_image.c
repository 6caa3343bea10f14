#include "models/convert/published/plain_image.h"

#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "models/model_file.h"

#define GREY 128

/* The features of a grey image. Encoder and decoder are not open at the same time. */
static limn_status encode(float *features, const limn_model_file *file, const limn_kernels *kernels,
                          limn_error *err)
{
    const size_t n_bytes = limn_input_bytes(&file->config.encoder.input);
    limn_encoder *encoder = NULL;
    limn_encoder_state *state = NULL;
    uint8_t *pixels = limn_alloc(n_bytes, 1);
    limn_status s =
        pixels ? limn_encoder_open(&encoder, file->tensors, &file->config.encoder, kernels, err)
               : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK) s = limn_encoder_state_create(&state, encoder, err);
    if (s == LIMN_OK) {
        memset(pixels, GREY, n_bytes);
        limn_encoder_run(encoder, state, NULL, pixels, features);
    }
    limn_encoder_state_destroy(&state);
    limn_encoder_close(&encoder);
    limn_free(pixels);
    return s;
}

static uint32_t best_token(const float *logits, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    return (uint32_t)best;
}

/* The mean log-probability of a greedy caption; logits [n_tokens] is scratch. */
static double caption(const limn_decoder *d, limn_decoder_state *state, const float *features,
                      float *logits, uint32_t max_steps)
{
    const limn_decoder_config *c = limn_decoder_get_config(d);
    const uint32_t parent = 0;
    uint32_t token = c->specials.start, n = 0;
    double sum = 0;
    limn_decoder_begin(state, NULL, features, NULL);
    do {
        limn_decoder_step(state, NULL, 1, &parent, &token, logits);
        token = best_token(logits, c->n_tokens);
        sum += (double)(logits[token] - limn_decoder_log_sum_exp(d, logits));
    } while (++n < max_steps && token != c->specials.end);
    return sum / n;
}

static limn_status decode(double *mean, const limn_model_file *file, const float *features,
                          const limn_kernels *kernels, limn_error *err)
{
    const limn_decoder_config *c = &file->config.decoder;
    limn_decoder *decoder = NULL;
    limn_decoder_state *state = NULL;
    float *logits = limn_alloc(c->n_tokens, sizeof *logits);
    limn_status s = logits ? limn_decoder_open(&decoder, file->tensors, c, kernels, err)
                           : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK)
        s = limn_decoder_state_create(&state, decoder, 1, file->config.max_steps, err);
    if (s == LIMN_OK) *mean = caption(decoder, state, features, logits, file->config.max_steps);
    limn_decoder_state_destroy(&state);
    limn_decoder_close(&decoder);
    limn_free(logits);
    return s;
}

limn_status plain_image_logprob(double *mean, const char *model_path, limn_error *err)
{
    limn_model_file file;
    limn_kernels kernels;
    LIMN_TRY(limn_model_file_open(&file, model_path, err));
    limn_kernels_init(&kernels, limn_cpu_best());
    limn_safetensors_read_once(file.tensors); /* packed weights take the place of the file's */
    const limn_decoder_config *c = &file.config.decoder;
    float *features = limn_alloc((size_t)c->n_memory_positions * c->memory_dim, sizeof *features);
    limn_status s = features ? encode(features, &file, &kernels, err)
                             : limn_fail(err, LIMN_E_NOMEM, "out of memory for features");
    if (s == LIMN_OK) s = decode(mean, &file, features, &kernels, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", model_path);
    limn_free(features);
    limn_model_file_close(&file);
    return s;
}
