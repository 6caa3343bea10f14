/* The words of a text by their numbers in a string table. */
#ifndef LIMN_COMMON_TEXT_NUMBERED_WORDS_H
#define LIMN_COMMON_TEXT_NUMBERED_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "common/text/string_table.h"

/* Zero-initialise; keeps its memory from text to text. */
typedef struct limn_numbered_words {
    uint32_t *words; /* [n_words] */
    size_t n_words, capacity;
} limn_numbered_words;

/* The words of `text`, which single spaces separate; new ones are added to the table. LIMN_E_NOMEM,
 * LIMN_E_LIMIT (string_table.h). */
limn_status limn_numbered_words_fill(limn_numbered_words *out, limn_string_table *table,
                                     const char *text, limn_error *err);
void limn_numbered_words_finish(limn_numbered_words *w); /* accepts a zeroed one; zeroes it */

#endif
