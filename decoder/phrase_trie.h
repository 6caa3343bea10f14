/* Phrases as a tree of their tokens, to keep them out of captions. */
#ifndef LIMN_DECODER_PHRASE_TRIE_H
#define LIMN_DECODER_PHRASE_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

typedef struct limn_phrase {
    const uint32_t *tokens; /* [n_tokens], one or more */
    size_t n_tokens;
} limn_phrase;

typedef struct limn_phrase_trie limn_phrase_trie; /* immutable; shared by threads */

/* Of phrases [n_phrases], which may repeat and contain each other. LIMN_E_ARG for one without
 * tokens, LIMN_E_NOMEM. */
limn_status limn_phrase_trie_create(limn_phrase_trie **out, const limn_phrase *phrases,
                                    size_t n_phrases, limn_error *err);
void limn_phrase_trie_destroy(limn_phrase_trie **t); /* accepts NULL and *t == NULL; nulls it */

/* Puts -INFINITY on each of log_probs that would complete a phrase after words [n_words]; tokens of
 * the phrases must be there. */
void limn_phrase_trie_ban(const limn_phrase_trie *t, float *log_probs, const uint32_t *words,
                          size_t n_words);

/* Whether a phrase is among words [n_words]. */
bool limn_phrase_trie_finds(const limn_phrase_trie *t, const uint32_t *words, size_t n_words);

#endif
