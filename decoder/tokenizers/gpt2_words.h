/* Text as GPT-2 splits it before byte pair encoding: contractions, runs of letters, of digits and
 * of other characters, each with a space before it, and runs of white space. */
#ifndef LIMN_DECODER_TOKENIZERS_GPT2_WORDS_H
#define LIMN_DECODER_TOKENIZERS_GPT2_WORDS_H

#include <stddef.h>

/* The bytes of the first match, in text [size bytes of valid UTF-8, 1 or more], of
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * which begins at its start, since every character is in one of them. */
size_t limn_gpt2_word_size(const char *text, size_t size);

#endif
