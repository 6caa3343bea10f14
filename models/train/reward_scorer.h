/* The rewards of captions drawn for the images of a batch (reward.h has the formula).
 *
 * First each image's references and samples are read, one image per thread; once all are read,
 * rewards can be computed, again in parallel. The second part allocates nothing. Results don't
 * depend on the division of work. */
#ifndef LIMN_MODELS_TRAIN_REWARD_SCORER_H
#define LIMN_MODELS_TRAIN_REWARD_SCORER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "decoder/vocab.h"
#include "models/train/references.h"
#include "models/train/stage.h"

typedef struct limn_reward_scorer_settings {
    const limn_references *references; /* borrowed */
    const limn_references *text;       /* more documents; NULL: none; read at creation alone */
    const limn_vocab *vocab;           /* borrowed; not used when no weight is about objects or
                                        * unsupported words */
    limn_reward_weights weights;
    size_t max_images; /* of a batch */
    size_t n_samples;  /* of each image */
    size_t max_steps;  /* between the samples in `tokens` below */
} limn_reward_scorer_settings;

typedef struct limn_reward_scorer limn_reward_scorer;

/* LIMN_E_NOMEM, LIMN_E_LIMIT. */
limn_status limn_reward_scorer_create(limn_reward_scorer **out,
                                      const limn_reward_scorer_settings *settings, limn_error *err);
void limn_reward_scorer_destroy(limn_reward_scorer **s); /* accepts NULL and *s == NULL; nulls it */

/* Image `image` of the batch has the references of number `reference` and n_samples samples:
 * tokens [n_samples, max_steps], which must stay until the scores are there, of which lengths
 * [n_samples] are in use. LIMN_E_NOMEM. */
limn_status limn_reward_scorer_read(limn_reward_scorer *s, size_t image, uint32_t reference,
                                    const uint32_t *tokens, const size_t *lengths);
/* The rewards [n_samples] of an image's samples, of a batch of n_images that have all been read. */
void limn_reward_scorer_score(const limn_reward_scorer *s, double *rewards, size_t image,
                              size_t n_images);

#endif
