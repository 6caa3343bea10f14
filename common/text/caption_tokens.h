/* The tokens of a caption as models read and write them: words, or characters where writing has no
 * spaces. */
#ifndef LIMN_COMMON_TEXT_CAPTION_TOKENS_H
#define LIMN_COMMON_TEXT_CAPTION_TOKENS_H

#include <stddef.h>

#include "common/base/status.h"
#include "common/text/code_points.h"
#include "common/text/ptb_tokenizer.h"
#include "common/text/text_buffer.h"

/* Stands for a space among characters: U+2581. */
#define LIMN_SPACE_TOKEN "\xE2\x96\x81"

typedef enum limn_token_kind {
    /* as the metrics see them (common/text/ptb_tokenizer.h): lower case, without punctuation */
    LIMN_TOKENS_WORDS = 0,
    /* code points of the text in NFC, case and punctuation as they are; white space and control
     * characters, however many, are one LIMN_SPACE_TOKEN between others and none at the ends */
    LIMN_TOKENS_CHARACTERS,
} limn_token_kind;

/* Set `kind` and zero the rest; limn_caption_tokenizer_finish frees. One thread at a time. */
typedef struct limn_caption_tokenizer {
    limn_token_kind kind;
    limn_ptb ptb;
    limn_code_points characters;
    limn_text tokens;
} limn_caption_tokenizer;

void limn_caption_tokenizer_finish(limn_caption_tokenizer *t); /* accepts a zeroed one */

/* The tokens of `caption` [size bytes, UTF-8], one space between two of them, "" when there are
 * none. `*tokens` belongs to `t` and is valid until its next use. LIMN_E_FORMAT for invalid UTF-8
 * (with its offset), LIMN_E_LIMIT above 1 GB, LIMN_E_NOMEM. */
limn_status limn_caption_tokenize(const char **tokens, limn_caption_tokenizer *t,
                                  const char *caption, size_t size, limn_error *err);

#endif
