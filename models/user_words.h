/* Words and phrases given by a user, converted to tokens of a vocabulary. */
#ifndef LIMN_MODELS_USER_WORDS_H
#define LIMN_MODELS_USER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "decoder/vocab.h"

/* Zero-initialise; limn_user_words_finish frees. */
typedef struct limn_user_words {
    uint32_t *tokens; /* [n_tokens] */
    size_t n_tokens, capacity;
} limn_user_words;

void limn_user_words_finish(limn_user_words *words);

/* Appends the tokens of text [size bytes]: its words at white space, as they are, or, when one of
 * them is not in the vocabulary, its Penn Treebank tokens in lower case ("Dog's": dog 's). Where a
 * word may have several tokens, those that the vocabulary's tokenizer makes of the text. `kind` is
 * what errors call them, e.g. "required". LIMN_E_ARG for no word, or one that is not in the
 * vocabulary, with the nearest ones; LIMN_E_NOMEM. */
limn_status limn_user_words_add(limn_user_words *words, const limn_vocab *vocab, const char *kind,
                                const char *text, size_t size, limn_error *err);

/* Whether the words have other tokens after a space than limn_user_words_add gives; then these are
 * appended. Errors as there. */
limn_status limn_user_words_add_spaced(bool *has_others, limn_user_words *words,
                                       const limn_vocab *vocab, const char *kind, const char *text,
                                       size_t size, limn_error *err);
/* Appends a token; and the tokens that the vocabulary's tokenizer makes of a text, which may be
 * none. LIMN_E_ARG for a text with something that the vocabulary lacks; LIMN_E_NOMEM. */
limn_status limn_user_words_add_token(limn_user_words *words, uint32_t token, limn_error *err);
limn_status limn_user_words_add_prompt(limn_user_words *words, const limn_vocab *vocab,
                                       const char *text, limn_error *err);

#endif
