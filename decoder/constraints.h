/* What may not follow: rules over the tokens that a hypothesis has so far. Every way of decoding
 * applies them to the log-probabilities before it chooses. */
#ifndef LIMN_DECODER_CONSTRAINTS_H
#define LIMN_DECODER_CONSTRAINTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "decoder/phrase_trie.h"

typedef struct limn_constraints {
    size_t min_words;       /* no end token before that many words */
    size_t max_words;       /* nothing but the end token after that many words; 0 = no bound */
    size_t no_repeat_ngram; /* no n-gram of this size twice; 0 = off */
    const uint32_t *banned; /* [n_banned] tokens that are never written; borrowed */
    size_t n_banned;
    const limn_phrase_trie *banned_phrases; /* never written; borrowed; NULL = none */
    const uint32_t *start; /* [n_start] the first words; no other rule holds for them; borrowed */
    size_t n_start;
    const unsigned char *cannot_end; /* [n_tokens], 1: no caption ends after this word; borrowed;
                                      * NULL = off */
} limn_constraints;

/* LIMN_E_ARG when no caption of at most max_steps tokens, end token included, can meet them, or
 * when a banned or starting token is not below n_tokens. */
limn_status limn_constraints_check(const limn_constraints *c, size_t n_tokens, size_t max_steps,
                                   limn_error *err);

/* Words of the longest caption they allow within max_steps tokens, end token included. */
size_t limn_constraints_max_words(const limn_constraints *c, size_t max_steps);

/* Puts -INFINITY on each token of log_probs [n_tokens] that may not follow words [n_words]. */
void limn_constraints_apply(const limn_constraints *c, float *log_probs, size_t n_tokens,
                            size_t max_steps, uint32_t end_token, const uint32_t *words,
                            size_t n_words);

#endif
