/* One stage of training: parameters, optimizer, and one step on a batch (stage.h lists the stages).
 *
 * A trainer belongs to one thread; its pool splits the work. Results don't depend on the number of
 * threads. */
#ifndef LIMN_MODELS_TRAIN_TRAINER_H
#define LIMN_MODELS_TRAIN_TRAINER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/params.h"
#include "common/base/pool.h"
#include "decoder/decoder_grad.h"
#include "encoder/encoder_training.h"
#include "models/model_file.h"
#include "models/tagger.h"
#include "models/train/optimizer.h"
#include "models/train/batches.h"
#include "models/train/reward.h"
#include "models/train/learning_rate.h"
#include "models/train/stage.h"

/* Of the end-to-end stage alone. */
typedef struct limn_trainer_end_to_end {
    size_t first_stage; /* trained from this one on (encoder_training.h); 0: from pixels */
    float encoder_rate; /* learning rate of the encoder relative to the decoder's */
} limn_trainer_end_to_end;

/* Of the reward stage alone (reward.h); what it points to is borrowed. */
typedef struct limn_trainer_reward {
    limn_references references;                      /* of the images of all sources */
    size_t first_references[LIMN_BATCH_MAX_SOURCES]; /* numbers of each source's first image */
    const char *const *names;                        /* [references.n_images] of the images */
    const limn_references *text;                     /* more documents of CIDEr-D; NULL: none */
    const limn_vocab *vocab;                         /* not used when no weight is about objects */
    limn_reward_weights weights;
    size_t n_samples, max_steps; /* captions drawn per image; maximum tokens of each */
    float cross_entropy_share;   /* of the loss, 0 … 1; the rest is the reward's */
} limn_trainer_reward;

typedef struct limn_trainer_settings {
    limn_stage stage;
    limn_learning_rate learning_rate;
    limn_optimizer_settings optimizer;
    limn_regularization regularization;
    uint64_t seed;             /* of dropout */
    const limn_tagger *tagger; /* fills the tag slots of a decoder that has them; borrowed */
    limn_trainer_end_to_end end_to_end;
    limn_trainer_reward reward;
} limn_trainer_settings;

typedef struct limn_trainer limn_trainer;

/* A trainer for the model of `config`, encoder and decoder. `limits` are the batches' and `pool`
 * (may be NULL) is borrowed. All values are zero: limn_trainer_load or a checkpoint sets them.
 * LIMN_E_NOMEM, LIMN_E_UNSUPPORTED (encoder family), LIMN_E_ARG, LIMN_E_FORMAT (no tagger
 * for the decoder's slots). */
limn_status limn_trainer_create(limn_trainer **out, const limn_model_config *config,
                                const limn_trainer_settings *settings,
                                const limn_decoder_limits *limits, limn_pool *pool,
                                limn_cpu_level level, limn_error *err);
void limn_trainer_destroy(limn_trainer **t); /* accepts NULL and *t == NULL; nulls it */
/* Memory that a trainer takes, activations, parameters and optimizer. 0 for an unknown family. */
size_t limn_trainer_bytes(const limn_model_config *config, const limn_trainer_settings *settings,
                          const limn_decoder_limits *limits, size_t n_threads);

/* Values from a model file, and a fresh optimizer. Tensors of the decoder whose names begin with
 * `new_prefix` (NULL: none) get their initial values from `seed` instead: "decoder." for a new
 * decoder, "decoder.tag_" for new tag slots. LIMN_E_FORMAT names the tensor that is missing or of
 * another shape. */
limn_status limn_trainer_load(limn_trainer *t, const limn_safetensors *file, const char *new_prefix,
                              uint64_t seed, limn_error *err);

/* For checkpoints and export; belong to the trainer. */
limn_params *limn_trainer_params(limn_trainer *t);
limn_optimizer *limn_trainer_optimizer(limn_trainer *t);

/* What a batch is computed from; one of them, by stage; [decoder.n_images, …]. */
typedef struct limn_trainer_input {
    const float *features;    /* [n, n_positions, memory_dim] */
    const float *activations; /* [n, positions, channels] before the first trained stage */
    const uint8_t *pixels;    /* [n, height, width, 3] */
} limn_trainer_input;

typedef struct limn_step_result {
    double loss;   /* sum over rows, with smoothing and dropout */
    double norm;   /* of the gradient, before clipping */
    float rate;    /* learning rate */
    double reward; /* mean reward of the captions drawn; 0 in other stages */
} limn_step_result;

/* One step: gradients of the mean loss over the batch's rows, and the optimizer. `batch` has rows.
 * LIMN_E_LIMIT when loss or gradient is not finite: the text gives the step and the images'
 * numbers, and the parameters are unchanged; LIMN_E_ARG. */
limn_status limn_trainer_step(limn_trainer *t, const limn_batch *batch,
                              const limn_trainer_input *input, limn_step_result *result,
                              limn_error *err);

#endif
