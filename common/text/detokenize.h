/* A raw caption as a sentence for reading. Scores need the raw one: their tokens are its words.
 * Pure and thread-safe. */
#ifndef LIMN_COMMON_TEXT_DETOKENIZE_H
#define LIMN_COMMON_TEXT_DETOKENIZE_H

#include <stddef.h>

/* A sentence is longer than its tokens by at most this many bytes. */
#define LIMN_DETOKENIZE_MAX_GROWTH 4

/* Writes the tokens of `text`, UTF-8 in lower case with single spaces between, as a sentence to out
 * [capacity], always NUL-terminated (capacity >= 1); returns the bytes it needs without the NUL, as
 * snprintf. The inverse, as far as there is one, of the Penn Treebank's tokens:
 *
 *   - joined to what is before: . , ! ? : ; % ... and closing brackets and quotes, the clitics
 *     's 're 've 'll 'd 'm n't, a lone ' ("the boys ' dog"), and the halves of cannot, gonna, gotta
 *   - joined to what follows: opening brackets and quotes, y' and 't; $ and # before a digit
 *   - -lrb- and the like are brackets, `` and '' are ", ` is '; of ", each second one closes
 *   - the word i is I; the first letter is upper case
 *   - , : ; at the end are left out; a full stop ends it unless . ! ? does, also within " ' ) ]
 *
 * No words, no sentence. */
size_t limn_detokenize(char *out, size_t capacity, const char *text);

#endif
