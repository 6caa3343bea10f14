/* Which of the counted words become tokens, and what that leaves out. */
#ifndef LIMN_TOOLS_VOCABULARY_WORD_CHOICE_H
#define LIMN_TOOLS_VOCABULARY_WORD_CHOICE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/text/word_counts.h"

typedef struct limn_word_choice {
    limn_word_count *words; /* [n_words], the most frequent first; owned */
    size_t n_words;         /* that can be tokens (decoder/vocab.h) */
    size_t n_chosen;        /* of them from the first on: those with at least min_count uses */
    size_t n_unfit;         /* words that can't be tokens: white space in them, too long */
    uint64_t total;         /* uses of all words, unfit ones too */
} limn_word_choice;

/* `counts` must outlive the choice. LIMN_E_LIMIT when that is more than a vocabulary may have,
 * LIMN_E_NOMEM. */
limn_status limn_word_choice_make(limn_word_choice *out, const limn_word_counts *counts,
                                  uint64_t min_count, limn_error *err);
void limn_word_choice_finish(limn_word_choice *c); /* accepts a zeroed one */

/* vocab.txt: the four special tokens, then the chosen words, one a line. */
void limn_word_choice_append_file(limn_buffer *out, const limn_word_choice *c);
/* Counts, coverage, and what other minimum counts would give. */
void limn_word_choice_print(FILE *out, const limn_word_choice *c, uint64_t min_count);

#endif
