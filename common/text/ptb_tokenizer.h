/* Penn Treebank tokens of a caption, equal to Stanford PTBTokenizer 3.4.1 with `-preserveLines
 * -lowerCase`, and to what coco-caption's scorers see after its punctuation filter: the rules are
 * those of its PTBLexer.flex. tests/ptb/compare_ptb.py runs the original beside this; of 200,000
 * hard lines (seeds 1 to 10) none differs.
 *
 * Deliberate differences:
 * - A line separator inside a caption (CR, LF, VT, FF, U+0085, U+2028, U+2029) is a space here;
 *   there it splits the caption in two and shifts all captions after it.
 * - A caption's tokens depend on that caption alone. The original reads on into the next one: an
 *   open tag can take both, and whether a last abbreviation ends a sentence depends on the first
 *   word there. 10 of 80,000 hard lines, none of Flickr8k's 35,455 captions.
 * - U+0000 in an address or a tag is left out: a token is a C string.
 *
 * Known differences that could not be removed; none occurs in those lines:
 * - U+0130, U+0131, U+017F and U+212A are letters here; there also an i, s or k of the words that
 *   rules spell ("'t\u0131s", "co.\u017F"). With 40 % of all i, s and k replaced by them, 1,279 of
 *   20,000 lines.
 * - In lower case, a capital sigma before a cased letter beyond the basic plane, or beside a letter
 *   that Unicode got after version 13 (which Java 17 knows), both only in addresses: 7 of 60,000
 *   lines made of little else. */
#ifndef LIMN_COMMON_TEXT_PTB_TOKENIZER_H
#define LIMN_COMMON_TEXT_PTB_TOKENIZER_H

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
    unsigned char *classes; /* [n_units + 2], see ptb_lexer.h */
    uint32_t *offsets;      /* [n_units + 1], byte offset of the character of each */
    size_t capacity;        /* of both, in units */
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
