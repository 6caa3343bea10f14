/* What a vocabulary covers of the captions that it came from, as text for a reader. */
#ifndef LIMN_TOOLS_VOCABULARY_VOCAB_SUMMARY_H
#define LIMN_TOOLS_VOCABULARY_VOCAB_SUMMARY_H

#include <stddef.h>
#include <stdio.h>

#include "decoder/vocab.h"
#include "decoder/vocab_build.h"

typedef struct limn_vocab_summary {
    const limn_vocab_builder *builder;
    const limn_vocab *vocab;
    size_t n_old; /* tokens of the vocabulary that was extended; 0: none was */
} limn_vocab_summary;

/* Tokens, coverage, and what other minimum counts would give, of each source. */
void limn_vocab_summary_print(FILE *out, const limn_vocab_summary *s);

#endif
