/* In how many images' training captions each n-gram occurs, for the model file, so that consensus
 * reranking and CIDEr of its captions need no caption file. */
#ifndef LIMN_MODELS_TRAIN_TRAINING_FREQUENCIES_H
#define LIMN_MODELS_TRAIN_TRAINING_FREQUENCIES_H

#include "models/document_frequencies.h"
#include "models/train/training_set.h"

/* Counts the captions' own words, including those outside the vocabulary. LIMN_E_NOMEM. */
limn_status limn_training_frequencies_create(limn_document_frequencies **out,
                                             const limn_training_set *set, limn_error *err);

#endif
