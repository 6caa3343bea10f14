/* The stages of a training, and what each of them runs with.
 *
 *   text         the decoder as a language model, without images
 *   features     the decoder, on features of a frozen encoder
 *   end-to-end   decoder and upper encoder, from activations at a cut or from pixels
 *   reward       the decoder by the CIDEr-D of captions that it samples (Rennie 2017), mixed with
 *                cross-entropy, on features */
#ifndef LIMN_MODELS_TRAIN_STAGE_H
#define LIMN_MODELS_TRAIN_STAGE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum limn_stage {
    LIMN_STAGE_TEXT = 0,
    LIMN_STAGE_FEATURES,
    LIMN_STAGE_END_TO_END,
    LIMN_STAGE_REWARD,
} limn_stage;

extern const char *const limn_stage_names[]; /* by limn_stage, NULL after the last */

/* What keeps a decoder from overfitting; each 0 … 0.9. */
typedef struct limn_regularization {
    float dropout;
    float feature_dropout;
    float image_dropout; /* share of images that are not shown */
    float label_smoothing;
} limn_regularization;

/* Of the end-to-end stage alone. */
typedef struct limn_stage_end_to_end {
    uint32_t n_parts;   /* parts of the encoder that are trained, from the head down: the head is
                         * one, each block and the stem too */
    float encoder_rate; /* learning rate of the encoder relative to the decoder's */
} limn_stage_end_to_end;

/* The terms of a reward besides CIDEr-D (reward.h); each >= 0, and 0 leaves it out. */
typedef struct limn_reward_weights {
    float object_cost;      /* of a false object, in CIDEr-D */
    float object_f1;        /* of naming the objects that references name */
    float person_f1;        /* of naming people where references do */
    float retrieval;        /* of fitting its own image better than the batch's others */
    float repeat_cost;      /* of each repetition of a word beyond the most in any reference */
    float unsupported_cost; /* of a word, other than function words, that no reference has */
} limn_reward_weights;

/* Of the reward stage alone. */
typedef struct limn_stage_reward {
    uint32_t n_samples;        /* captions drawn per image */
    float cross_entropy_share; /* of the loss, 0 … 1; the rest is the reward's */
    limn_reward_weights weights;
} limn_stage_reward;

typedef struct limn_stage_settings {
    limn_stage stage;
    uint32_t n_epochs;
    uint32_t n_images;  /* of a batch; captions, for text alone */
    uint32_t n_views;   /* of each image: whole, flipped, crops */
    float rate;         /* the highest learning rate */
    float weight_decay; /* of matrices */
    limn_regularization regularization;
    limn_stage_end_to_end end_to_end;
    limn_stage_reward reward;
} limn_stage_settings;

/* Nothing set: every count is 0, every real number NAN. */
limn_stage_settings limn_stage_settings_unset(void);
/* The defaults of a stage, overridden by the fields of `given` that are set. */
limn_stage_settings limn_stage_settings_resolve(limn_stage stage, const limn_stage_settings *given);
/* Whether `given` sets what has a default of its own for each stage. */
bool limn_stage_settings_is_of_one_stage(const limn_stage_settings *given);

#endif
