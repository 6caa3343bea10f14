/* Self-critical training (Rennie 2017, with the baseline of Luo 2020): captions are sampled from
 * the current decoder, and their log-probability is raised in proportion to how far their CIDEr-D
 * exceeds that of the image's other samples.
 *
 *     reward     r_i = s(i, I) + object_f1 F_o + person_f1 F_p - object_cost f - retrieval R
 *                - repeat_cost n - unsupported_cost u, with the weights of
 *                limn_reward_weights, which may be 0:
 *       s(i, I)  CIDEr-D (0 … 10, as cider.h) of sample i against the references of its image I,
 *                with the document frequencies of all training references, and of `text`, so that
 *                rarity is measured beyond the few training images. The end token counts as a word;
 *                a sample that did not end lacks it, and so learns to end.
 *       F_o, F_p how well it names the objects, and people, that references name; f: how many it
 *                names that no reference does (object_match.h)
 *       R        max(0, 1 + max over K of s(i, K) - s(i, I)), K the batch's images with other
 *                references: a caption should distinguish its image from the others, by a margin of
 *                1. The contrastive loss of Luo et al. 2018 ("Discriminability objective for
 *                training descriptive captions"), which takes the hardest other image too, but only
 *                from captions to images, and with CIDEr-D in place of a learned similarity. 0
 *                where no image of the batch has other references.
 *       n        words that repeat: how many of the caption's words are beyond the most that any
 *                one reference has of that word, the first of each not counted. CIDEr-D hardly
 *                punishes "a bed with a bed and a bed".
 *       u        how many different words of the caption, other than function words
 *                (function_words.h), none of its image's references has; times n / 5 where there
 *                are n < 5 references. Colours, numbers and things in the background that are made
 *                up make captions partly wrong; CIDEr-D, which adds up what fits, hardly punishes
 *                them.
 *     advantage  a_i = r_i - mean of r_j, j ≠ i. The baseline does not depend on sample i, so the
 *                gradient is unbiased; the advantages of an image sum to 0.
 *     loss       sum over samples and their tokens of a_i * -log p(token), p among what can be
 *                drawn (is_drawn of limn_decoder_batch)
 *
 * That is limn_decoder_trainer_run on the batch made here, whose weights are the advantages,
 * without label smoothing or dropout (captions are drawn without), with scale = 1 / rows for a mean
 * over tokens. Gradients add up, so cross-entropy is mixed in by a second run before the
 * optimizer's step:
 *
 *     limn_params_clear_gradients(params);
 *     run(reward batch, scale = (1 - share) / rows of it);
 *     run(batch of the references, scale = share / rows of it, label smoothing, dropout);
 *
 * Captions depend on parameters, seed, step, and each image's name and features, not on the other
 * images or the number of threads; so do rewards, except for R, which depends on the other
 * images. */
#ifndef LIMN_MODELS_TRAIN_REWARD_H
#define LIMN_MODELS_TRAIN_REWARD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/params.h"
#include "common/base/pool.h"
#include "decoder/decoder_grad.h"
#include "decoder/vocab.h"
#include "models/train/references.h"
#include "models/train/stage.h"

typedef struct limn_reward_settings {
    size_t n_samples;  /* captions drawn for an image, 2 … 256 */
    size_t max_steps;  /* tokens of one at most, the end included, 1 … max_positions */
    size_t max_images; /* of a batch, >= 1 */
    uint64_t seed;
    limn_reward_weights weights;
    const limn_references *text; /* more documents for CIDEr-D; NULL: none; read at creation */
    const limn_vocab *vocab;     /* borrowed; not used when no weight is about objects or words */
} limn_reward_settings;

/* Rows and images of the largest batch, for limn_decoder_trainer_create. */
limn_decoder_limits limn_reward_limits(const limn_reward_settings *settings);

typedef struct limn_reward limn_reward; /* one thread at a time */

/* `params` (of the decoder, with memory), `references` and `pool` (may be NULL) are borrowed.
 * LIMN_E_ARG (settings out of range), LIMN_E_NOMEM, errors of limn_decoder_open. */
limn_status limn_reward_create(limn_reward **out, const limn_decoder_config *config,
                               const limn_params *params, const limn_references *references,
                               const limn_reward_settings *settings, limn_pool *pool,
                               limn_cpu_level level, limn_error *err);
void limn_reward_destroy(limn_reward **r); /* accepts NULL and *r == NULL; nulls it */

typedef struct limn_reward_image {
    const char *name;   /* of its random numbers */
    uint32_t reference; /* number of the image in the references */
} limn_reward_image;

/* Belongs to the limn_reward, valid until its next call. */
typedef struct limn_reward_batch {
    limn_decoder_batch decoder; /* caption i is sample i % n_samples of image i / n_samples */
    const double *rewards;      /* [n_captions] */
    double mean_reward;         /* for CIDEr-D alone, 1 is what papers report as 100 */
    double share_ended;         /* of the samples */
} limn_reward_batch;

/* Draws and scores captions with the current values of the parameters. features [n_images,
 * n_memory_positions, memory_dim] and slots (limn_decoder_batch) become those of the batch; 1 <=
 * n_images <= max_images. LIMN_E_ARG, LIMN_E_NOMEM. */
limn_status limn_reward_draw(limn_reward *r, const limn_reward_batch **out, uint64_t step,
                             const limn_reward_image *images, const float *features,
                             const limn_tag_slot *slots, size_t n_images, limn_error *err);

#endif
