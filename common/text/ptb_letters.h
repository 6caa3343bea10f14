/* The letters and digits beyond ASCII that the original PTB tokenizer knows, in order. It drops
 * those of later Unicode versions, so libutf8proc's categories would not do. */
#ifndef LIMN_COMMON_TEXT_PTB_LETTERS_H
#define LIMN_COMMON_TEXT_PTB_LETTERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct limn_code_range {
    uint16_t first, last; /* code points of the basic plane; `last` belongs to it */
} limn_code_range;

extern const limn_code_range limn_ptb_letters[], limn_ptb_digits[];
extern const size_t limn_ptb_n_letters, limn_ptb_n_digits;

#endif
