/* Phrases as a trie of their tokens, to keep them out of captions. */
#ifndef LIMN_DECODER_PHRASE_TRIE_H
#define LIMN_DECODER_PHRASE_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "decoder/tokenizers/tokenizer.h"

typedef struct limn_phrase {
    const uint32_t *tokens; /* [n_tokens], one or more */
    size_t n_tokens;
} limn_phrase;

typedef struct limn_phrase_trie limn_phrase_trie; /* immutable; shared by threads */

/* Builds it from phrases [n_phrases], which may repeat and contain each other. LIMN_E_ARG for one
 * without tokens, LIMN_E_NOMEM. */
limn_status limn_phrase_trie_create(limn_phrase_trie **out, const limn_phrase *phrases,
                                    size_t n_phrases, limn_error *err);
void limn_phrase_trie_destroy(limn_phrase_trie **t); /* accepts NULL and *t == NULL; nulls it */

/* Puts -INFINITY on each of log_probs that would complete a phrase after `tokens` [n]; tokens of
 * the phrases must be there. Phrases begin where a word does: limn_token_begins_word of `classes`.
 */
void limn_phrase_trie_ban(const limn_phrase_trie *t, float *log_probs, const unsigned char *classes,
                          const uint32_t *tokens, size_t n);

/* Whether a phrase is among `tokens` [n], beginning where a word does. */
bool limn_phrase_trie_finds(const limn_phrase_trie *t, const unsigned char *classes,
                            const uint32_t *tokens, size_t n);
/* Whether `tokens` [n] are a phrase, from its first to its last token. */
bool limn_phrase_trie_has(const limn_phrase_trie *t, const uint32_t *tokens, size_t n);

#endif
