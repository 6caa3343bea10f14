/* A SentencePiece model file (.model): a protocol buffer message, of which this reads what
 * tokenizing needs. */
#ifndef LIMN_DECODER_TOKENIZERS_SENTENCEPIECE_MODEL_H
#define LIMN_DECODER_TOKENIZERS_SENTENCEPIECE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

typedef enum limn_piece_type {
    LIMN_PIECE_NORMAL = 1,
    LIMN_PIECE_UNKNOWN,
    LIMN_PIECE_CONTROL,
    LIMN_PIECE_USER, /* is always one piece, wherever it stands */
    LIMN_PIECE_UNUSED,
    LIMN_PIECE_BYTE, /* "<0x41>" */
} limn_piece_type;

typedef struct limn_sentencepiece {
    const char *text; /* [size]; borrowed from the file */
    size_t size;
    float score;
    limn_piece_type type;
} limn_sentencepiece;

typedef struct limn_sentencepiece_model {
    limn_sentencepiece *pieces; /* [n_pieces] in id order */
    size_t n_pieces, capacity;
    bool is_bpe;          /* else unigram */
    const void *charsmap; /* [charsmap_size] of charsmap.h; borrowed */
    size_t charsmap_size;
    bool adds_dummy_prefix, removes_extra_whitespaces;
    const char *unknown_text; /* [unknown_text_size] what an unknown token is in a caption */
    size_t unknown_text_size;
} limn_sentencepiece_model;

/* Reads file [size bytes], which must outlive the model. LIMN_E_FORMAT says where and what is
 * wrong; LIMN_E_UNSUPPORTED names a kind of model that limn does not run; LIMN_E_NOMEM. */
limn_status limn_sentencepiece_model_read(limn_sentencepiece_model *out, const unsigned char *file,
                                          size_t size, limn_error *err);
void limn_sentencepiece_model_finish(limn_sentencepiece_model *m); /* accepts a zeroed one */

#endif
