/* How different the captions of one set are: of a corpus, or of one image's n-best list. */
#ifndef LIMN_COMMON_METRICS_DIVERSITY_H
#define LIMN_COMMON_METRICS_DIVERSITY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/metrics/cider.h"
#include "common/metrics/ngram.h"

/* Distinct n-grams of all sentences divided by the number of words, for n = 1 and 2; 0 without
 * words. LIMN_E_NOMEM. */
limn_status limn_div_n(double out[2], const limn_sentence *sentences, size_t n_sentences,
                       limn_error *err);

#define LIMN_SELF_CIDER_MAX 64 /* sentences of one set */

/* Self-CIDEr (Wang & Chan 2019) of 2 … LIMN_SELF_CIDER_MAX sentences: how evenly the square roots
 * of the eigenvalues of their matrix of plain CIDEr similarities are spread, 0 (all equal) … 1.
 * LIMN_E_NOMEM; LIMN_E_ARG for another number. */
limn_status limn_self_cider(double *out, const limn_cider_df *df,
                            const limn_ngram_counts *sentences, size_t n_sentences,
                            limn_error *err);

/* Words that no caption can end with: articles, prepositions, conjunctions, pronouns that want a
 * noun, forms of "to be"; in lower case, NULL after the last. */
extern const char *const limn_bad_endings[];
/* Whether a word is one of them. */
bool limn_is_bad_ending(const char *word, size_t size);

#endif
