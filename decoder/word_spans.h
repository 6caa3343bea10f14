/* The words of a hypothesis: runs of tokens, split by limn_token_begins_word. */
#ifndef LIMN_DECODER_WORD_SPANS_H
#define LIMN_DECODER_WORD_SPANS_H

#include "decoder/tokenizers/tokenizer.h"

typedef struct limn_word_span {
    uint32_t begin, end; /* tokens[begin] … tokens[end - 1] */
} limn_word_span;

/* Writes up to `capacity` words of tokens [n] (without start and end), first to last, without the
 * spaces between them; returns how many were written. */
size_t limn_word_spans(limn_word_span *words, size_t capacity, const unsigned char *classes,
                       const uint32_t *tokens, size_t n);

#endif
