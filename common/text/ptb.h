/* Penn Treebank tokens of a caption, equal to Stanford PTBTokenizer 3.4.1 with `-preserveLines
 * -lowerCase`, and to what coco-caption's scorers see after its punctuation filter.
 *
 * One difference is meant: a line separator inside a caption (CR, LF, VT, FF, U+0085, U+2028,
 * U+2029) is a space here; there it splits the caption in two and shifts all that follow. */
#ifndef LIMN_COMMON_TEXT_PTB_H
#define LIMN_COMMON_TEXT_PTB_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/text/text_buffer.h"

typedef enum limn_ptb_filter {
    LIMN_PTB_ALL_TOKENS = 0,   /* what the tokenizer gives */
    LIMN_PTB_DROP_PUNCTUATION, /* as coco-caption: '' ' `` ` . ? ! , : - -- ... ; are left out */
} limn_ptb_filter;

/* Scratch memory of one thread. Zero-initialise; limn_ptb_finish frees. */
typedef struct limn_ptb {
    unsigned char *classes; /* [n_characters + 2], see ptb_lexer.h */
    uint32_t *offsets;      /* [n_characters + 1], byte offset of each character */
    size_t capacity;        /* of both, in characters */
    limn_text token, out;
} limn_ptb;

void limn_ptb_finish(limn_ptb *ptb); /* accepts a zeroed one */

/* The lower-case tokens of `caption` [size bytes, valid UTF-8], one space between two of them, ""
 * when there are none. A token can hold a no-break space ("2 1/2"): BLEU and CIDEr split there,
 * ROUGE doesn't. `*tokens` belongs to `ptb` and is valid until its next use.
 * LIMN_E_FORMAT for invalid UTF-8 (with its offset), LIMN_E_LIMIT above 4 GB, LIMN_E_NOMEM. */
limn_status limn_ptb_tokenize(const char **tokens, limn_ptb *ptb, const char *caption, size_t size,
                              limn_ptb_filter filter, limn_error *err);

#endif
