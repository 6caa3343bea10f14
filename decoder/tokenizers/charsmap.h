/* SentencePiece's normalisation, as stored in its model files: a blob of replacement rules. It is a
 * 32-bit little-endian size, a double array (Darts-clone) of that many bytes, whose values are
 * offsets into what follows: texts, each with a NUL after it. */
#ifndef LIMN_DECODER_TOKENIZERS_CHARSMAP_H
#define LIMN_DECODER_TOKENIZERS_CHARSMAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

typedef struct limn_charsmap {
    const unsigned char *units; /* [n_units, 4]; borrowed */
    size_t n_units;
    const char *texts; /* [texts_size], a NUL at the end; borrowed */
    size_t texts_size;
} limn_charsmap;

/* Opens blob [size bytes], which is borrowed; size 0: no rules. LIMN_E_FORMAT. */
limn_status limn_charsmap_open(limn_charsmap *out, const void *blob, size_t size, limn_error *err);

/* The longest prefix of text [size] that a rule replaces: its bytes, and what it becomes; 0 where
 * there is none. */
size_t limn_charsmap_match(const char **becomes, const limn_charsmap *map, const char *text,
                           size_t size);

#endif
