/* Captions as CIDEr counts them in training: with their end tokens, as n-grams of token numbers. */
#ifndef LIMN_MODELS_TRAIN_ENDED_CAPTIONS_H
#define LIMN_MODELS_TRAIN_ENDED_CAPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "common/metrics/cider.h"
#include "models/train/references.h"

/* An image's references with their end tokens; scratch memory of one thread. Zero-initialise. */
typedef struct limn_ended_captions {
    uint32_t *words;
    size_t words_capacity;
    limn_sentence *sentences; /* [n], into words */
    size_t n, capacity;
    limn_ngram_counts_list counts; /* [n] */
} limn_ended_captions;

/* image < n_images. LIMN_E_NOMEM. */
limn_status limn_ended_captions_fill(limn_ended_captions *e, const limn_references *references,
                                     size_t image, limn_error *err);
void limn_ended_captions_finish(limn_ended_captions *e);

/* Document frequencies of all references; each image of `text` (NULL: none) is one more document.
 * LIMN_E_NOMEM, LIMN_E_LIMIT. */
limn_status limn_ended_captions_count(limn_cider_df **out, const limn_references *references,
                                      const limn_references *text, limn_error *err);

#endif
