/* A model for another vocabulary: what it learned of the words that stay is kept.
 *
 * The vocabulary may have the old tokens and more (fine-tuning with new words), or be another one
 * (replaced); tokens are the same when their texts are. */
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

/* Writes the old model with that vocabulary, atomically: the token embedding as above in F32, all
 * else that its configuration asks for as it is stored, and no metadata of its own. What it writes
 * of old words does not change by a bit when the new tokens are left out. Errors as above and
 * as limn_model_file_write; LIMN_E_FORMAT names a tensor that is missing. */
limn_status limn_vocab_extend_model(const char *path, size_t *n_kept, const limn_model_file *old,
                                    const limn_vocab *vocab, uint64_t seed, limn_error *err);

#endif
