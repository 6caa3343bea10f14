/* Converts a model to another vocabulary, keeping what it learned of the words that stay.
 *
 * The vocabulary may have the old tokens and more (fine-tuning with new words), or be a different
 * one; tokens are the same when their texts are. */
#ifndef LIMN_MODELS_TRAIN_VOCAB_EXTEND_H
#define LIMN_MODELS_TRAIN_VOCAB_EXTEND_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "decoder/vocab.h"
#include "models/model_file.h"

/* The token embedding for `vocab`: rows [n_tokens, dim]. A token of the old model has the row that
 * it had there (`*n_kept` of them, the four special ones included), a new one its initial values
 * as limn_decoder_params_init gives them. LIMN_E_ARG for an encoder-only model; LIMN_E_FORMAT for
 * one without a fitting token embedding; LIMN_E_NOMEM. */
limn_status limn_vocab_extend_rows(float *rows, size_t *n_kept, const limn_model_file *old,
                                   const limn_vocab *vocab, uint64_t seed, limn_error *err);

/* Writes the old model with that vocabulary, atomically: the token embedding as above in F32,
 * everything else that the configuration needs as it is stored, and of the old model's metadata
 * only the tags. With the new tokens excluded, its outputs for old words do not change by a bit.
 * Errors as above and as limn_model_file_write; LIMN_E_FORMAT names a tensor that is missing. */
limn_status limn_vocab_extend_model(const char *path, size_t *n_kept, const limn_model_file *old,
                                    const limn_vocab *vocab, uint64_t seed, limn_error *err);

#endif
