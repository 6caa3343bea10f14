/* Minimum Bayes risk: of several captions of an image, the one that is most like the others.
 *
 * The consensus of a caption is the mean of its CIDEr-D with each of the others, which stand in for
 * the missing references (Devlin et al. 2015). They are weighted: samples by how often each was
 * drawn, those of a beam by the square root of their probability (with the probability itself, the
 * few best would dominate). */
#ifndef LIMN_MODELS_CONSENSUS_H
#define LIMN_MODELS_CONSENSUS_H

#include <stdbool.h>

#include "decoder/hypothesis.h"
#include "decoder/vocab.h"
#include "models/document_frequencies.h"

typedef struct limn_consensus limn_consensus; /* scratch of one worker */

/* For up to max_captions of up to max_tokens tokens; all memory is allocated here.
 * `frequencies` and `vocab` must outlive it. LIMN_E_NOMEM. */
limn_status limn_consensus_create(limn_consensus **out, size_t max_captions, size_t max_tokens,
                                  const limn_document_frequencies *frequencies,
                                  const limn_vocab *vocab, limn_error *err);
void limn_consensus_destroy(limn_consensus **c); /* accepts NULL and *c == NULL; nulls it */

/* Sorts captions [n], whose `score` becomes the consensus, 0 … 10, best first; of equals, those
 * that came first stay before. A single caption stays as it is. LIMN_E_NOMEM. */
limn_status limn_consensus_rank(limn_consensus *c, limn_hypothesis *captions, size_t n,
                                bool are_samples, limn_error *err);

#endif
