/* The vocabulary in a file of either kind. */
#ifndef LIMN_MODELS_VOCAB_FILE_H
#define LIMN_MODELS_VOCAB_FILE_H

#include "common/base/status.h"
#include "decoder/vocab.h"

/* Reads it from a vocab.txt or a model file, distinguished by content. Errors begin with the path:
 * those of limn_vocab_read and limn_model_file_open; LIMN_E_FORMAT for a model file that has
 * none. */
limn_status limn_vocab_file_read(limn_vocab **out, const char *path, limn_error *err);

#endif
