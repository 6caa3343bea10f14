/* Required words (limn_options.required, --must) as a finite-state automaton (Anderson et al.
 * 2017): each state records which requirements are met, and how much of the others' phrases the
 * last words match.
 *
 * A requirement is met by any one of its alternatives, each a phrase of whole words, given as
 * consecutive tokens: it begins where a word does (limn_token_begins_word), and ends where its last
 * word ends. State 0 is the start; transitions are looked up in a table [n_states, n_tokens]. */
#ifndef LIMN_DECODER_REQUIRED_WORDS_H
#define LIMN_DECODER_REQUIRED_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "decoder/phrase_trie.h"

#define LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS 16

typedef struct limn_requirement {
    const limn_phrase *alternatives; /* [n_alternatives], one or more */
    size_t n_alternatives;
} limn_requirement;

typedef struct limn_required_words limn_required_words; /* immutable; shared by threads */

/* Builds it from requirements [n_requirements] over n_tokens tokens with `classes`
 * (limn_token_class [n_tokens]; NULL: each is a word). LIMN_E_LIMIT when it takes more than
 * max_states (1 … 65535) states or there are too many requirements; LIMN_E_ARG for a phrase without
 * tokens or with one that is not below n_tokens; LIMN_E_NOMEM. */
limn_status limn_required_words_create(limn_required_words **out,
                                       const limn_requirement *requirements, size_t n_requirements,
                                       const unsigned char *classes, size_t n_tokens,
                                       size_t max_states, limn_error *err);
void limn_required_words_destroy(
    limn_required_words **a); /* accepts NULL and *a == NULL; nulls it */

size_t limn_required_words_n_states(const limn_required_words *a);
/* The next state for each token [n_tokens], from `state`. */
const uint16_t *limn_required_words_next(const limn_required_words *a, size_t state);
/* Whether all requirements are met. */
bool limn_required_words_accepts(const limn_required_words *a, size_t state);
/* The least number of tokens after `state` until all requirements are met. */
size_t limn_required_words_n_needed(const limn_required_words *a, size_t state);

#endif
