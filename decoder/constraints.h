/* Constraints on the next token, given the words of a hypothesis. Every decoding method applies
 * them to the log-probabilities before it chooses.
 *
 * Rules are about words, hypotheses consist of tokens: `classes` says which tokens form a word
 * (limn_token_begins_word). A word is banned at its last token, so longer words that begin with all
 * tokens of a banned word are banned too. */
#ifndef LIMN_DECODER_CONSTRAINTS_H
#define LIMN_DECODER_CONSTRAINTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "decoder/phrase_trie.h"

typedef struct limn_constraints {
    size_t min_words;       /* no end token before this many words */
    size_t max_words;       /* no new word after this many; 0 = no bound */
    size_t no_repeat_ngram; /* no n words twice in the same order; 0 = off */
    const limn_phrase_trie
        *banned_phrases;   /* phrases that are never written; borrowed; NULL = none */
    const uint32_t *start; /* [n_start] the first tokens, whole words; no other rule holds for them;
                            * borrowed */
    size_t n_start;
    const limn_phrase_trie *bad_endings; /* no caption ends after one of these words; borrowed; NULL
                                          * = off */
    const uint32_t *twins;        /* limn_vocab_twins [n_tokens], which begin the same words for
                                   * no_repeat_ngram; borrowed; NULL = there are none */
    const unsigned char *classes; /* limn_token_class [n_tokens]; borrowed; NULL = each token is a
                                   * word */
} limn_constraints;

/* LIMN_E_ARG when no caption of at most max_steps tokens, end token included, can meet them, or
 * when a starting token is not below n_tokens. */
limn_status limn_constraints_check(const limn_constraints *c, size_t n_tokens, size_t max_steps,
                                   limn_error *err);

/* Tokens of the longest caption they allow within max_steps tokens, end token included. */
size_t limn_constraints_max_tokens(const limn_constraints *c, size_t max_steps);

/* Puts -INFINITY on each token of log_probs [n_tokens] that may not follow `tokens` [n]. */
void limn_constraints_apply(const limn_constraints *c, float *log_probs, size_t n_tokens,
                            size_t max_steps, uint32_t end_token, const uint32_t *tokens, size_t n);

#endif
