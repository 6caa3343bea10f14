/* The tokenizers used for BLEU in machine translation, as in sacreBLEU 2.6. */
#ifndef LIMN_COMMON_TEXT_MTEVAL_H
#define LIMN_COMMON_TEXT_MTEVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/text/code_points.h"
#include "common/text/text_buffer.h"

typedef enum limn_mteval_tokenizer {
    LIMN_MTEVAL_13A = 0, /* ASCII punctuation and symbols; "." and "," not inside numbers */
    LIMN_MTEVAL_INTL,    /* punctuation and symbols of all scripts, by Unicode category */
    LIMN_MTEVAL_CHAR,    /* each character */
    LIMN_MTEVAL_NONE,    /* white space only */
} limn_mteval_tokenizer;

/* Scratch memory of one thread. Zero-initialise; limn_mteval_finish frees. */
typedef struct limn_mteval {
    limn_code_points in, out;
    limn_text text, tokens;
} limn_mteval;

void limn_mteval_finish(limn_mteval *m); /* accepts a zeroed one */

/* The tokens of `caption` [size bytes, UTF-8], one space between two of them, "" when there are
 * none. `*tokens` belongs to `m` and is valid until its next use. LIMN_E_FORMAT for invalid UTF-8
 * (with its offset), LIMN_E_NOMEM. */
limn_status limn_mteval_tokenize(const char **tokens, limn_mteval *m,
                                 limn_mteval_tokenizer tokenizer, bool is_lower_case,
                                 const char *caption, size_t size, limn_error *err);

#endif
