/* The model file: one .safetensors with tensors, configuration, vocabulary and preprocessing
 * recipe inside (models/FORMAT.md). Opened once, immutable. */
#ifndef LIMN_MODELS_MODEL_FILE_H
#define LIMN_MODELS_MODEL_FILE_H

#include <stdbool.h>

#include "common/image/resize.h"
#include "common/io/safetensors.h"
#include "decoder/decoder.h"
#include "decoder/vocab.h"
#include "encoder/encoder.h"

#define LIMN_MAX_LENGTH_PENALTY 10 /* and its negative is the least */
#define LIMN_MAX_NO_REPEAT_NGRAM 1023
#define LIMN_MAX_GUIDANCE 10

typedef struct limn_model_config {
    limn_encoder_config encoder;
    bool has_decoder; /* false for an encoder-only file */
    limn_decoder_config decoder;
    float length_penalty;     /* default search of this model: logprob / length^A */
    uint32_t max_steps;       /* default search: maximum number of tokens, end token included */
    uint32_t no_repeat_ngram; /* default search: no n-gram of that many words twice; 0: off */
    float guidance; /* default search: guidance, 1 … LIMN_MAX_GUIDANCE; 0: as 1, which is off */
} limn_model_config;

/* The default guidance; 1 without. */
float limn_model_config_guidance(const limn_model_config *config);

typedef struct limn_model_file {
    limn_safetensors *tensors;
    limn_model_config config;
    limn_vocab *vocab; /* NULL in an encoder-only file */
} limn_model_file;

/* Opens and checks everything but the tensors' presence and shapes, which encoder and decoder
 * check when they are built. Errors begin with the path. LIMN_E_FORMAT with a hint when the file is
 * a safetensors file of another program (limn-convert), or a Git LFS pointer. */
limn_status limn_model_file_open(limn_model_file *out, const char *path, limn_error *err);
/* The same without the data of tensors (limn_safetensors_open_header): encoder and decoder can be
 * opened from it to be checked and measured, and not be run. */
limn_status limn_model_file_open_header(limn_model_file *out, const char *path, limn_error *err);
/* The same over bytes in memory, which must outlive the result (tests, fuzzing). */
limn_status limn_model_file_open_memory(limn_model_file *out, const void *bytes, size_t size,
                                        limn_error *err);
void limn_model_file_close(limn_model_file *f); /* accepts a zeroed struct */

/* Writes a model file atomically: `tensors` exactly as given, `vocab` NULL for encoder-only. Extra
 * metadata (training record …) may be given. */
limn_status limn_model_file_write(const char *path, const limn_model_config *config,
                                  const limn_vocab *vocab, const limn_tensor *tensors,
                                  size_t n_tensors, const limn_metadata_item *extra, size_t n_extra,
                                  limn_error *err);
/* The same where tensors without data are made while they are written (common/io/safetensors.h). */
limn_status limn_model_file_write_made(const char *path, const limn_model_config *config,
                                       const limn_vocab *vocab, const limn_tensor *tensors,
                                       size_t n_tensors, const limn_metadata_item *extra,
                                       size_t n_extra, limn_tensor_maker *make, void *ctx,
                                       limn_error *err);

#endif
