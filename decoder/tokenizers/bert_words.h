/* Text as BERT splits it before WordPiece (BertNormalizer and BertPreTokenizer of `tokenizers`):
 * without control characters, at white space, each mark of punctuation and each Chinese character a
 * word of its own; optionally in lower case and without accents. */
#ifndef LIMN_DECODER_TOKENIZERS_BERT_WORDS_H
#define LIMN_DECODER_TOKENIZERS_BERT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/text/text_buffer.h"

/* Appends the words of text [size bytes] to `words`, one space after each. LIMN_E_FORMAT for
 * invalid UTF-8 (with its offset), LIMN_E_NOMEM. */
limn_status limn_bert_words_append(limn_text *words, const char *text, size_t size, bool lower_case,
                                   limn_error *err);

#endif
