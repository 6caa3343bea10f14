/* Training the decoder: loss and gradients of a batch by teacher forcing.
 *
 * The same network as decoder.h, computed for all tokens of all captions at once: one row per
 * token, captions one after another without padding. The captions of an image share its memory,
 * keys and values. With dropout (Srivastava 2014) on the embedding, on each sublayer's output,
 * inside the feed-forward and on the features; label smoothing (Szegedy 2016).
 *
 * Results do not depend on the number of threads. */
#ifndef LIMN_DECODER_DECODER_GRAD_H
#define LIMN_DECODER_DECODER_GRAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/params.h"
#include "common/base/pool.h"
#include "decoder/decoder.h"

/* Adds all decoder tensors of models/FORMAT.md, in that order, to `params`. */
limn_status limn_decoder_params_add(limn_params *params, const limn_decoder_config *config,
                                    limn_error *err);
/* Initial values after limn_params_allocate: matrices Xavier uniform (Glorot 2010), embeddings
 * (of tags: and what their probability adds) normal with deviation dim^-1/2, positions 0.02, norms
 * 1, biases 0. The same bits for the same seed. */
void limn_decoder_params_init(limn_params *params, uint64_t seed);

#define LIMN_NO_IMAGE UINT32_MAX

typedef struct limn_decoder_batch {
    size_t n_images, n_captions;
    const float *features;      /* [n_images, n_memory_positions, memory_dim] */
    const limn_tag_slot *slots; /* [n_images, n_tag_slots]; NULL for a decoder without */
    const uint32_t *images;     /* [n_captions], not decreasing: the caption's image; all
                                 * LIMN_NO_IMAGE: a batch of text alone, no cross-attention */
    const uint32_t *offsets;    /* [n_captions + 1]: first row of each caption, then n_rows */
    const uint32_t *inputs;     /* [n_rows] token read at this row; the start token first */
    const uint32_t *targets;    /* [n_rows] token to predict; the end token last */
    const float *weights;       /* [n_rows] factor of the row's loss, or NULL = 1 */
    bool is_drawn; /* the targets were sampled from this decoder: losses use the distribution they
                    * were sampled from, the softmax without <pad>, <s> and <unk>. With the full
                    * softmax a reward's gradient (Williams 1992) would move probability to those
                    * three, which are never sampled and so never penalised. */
} limn_decoder_batch;

typedef struct limn_decoder_grad_settings {
    float dropout, feature_dropout; /* 0 … 0.9 */
    float image_dropout;   /* share of images whose captions see zero features and the unconditional
                            * tag slots, 0 … 0.9: what guidance compares with (Ho & Salimans
                            * 2022) */
    float label_smoothing; /* 0 … 0.9; 0 for a batch that was drawn */
    uint64_t seed;         /* of this step's dropout */
    float scale;           /* gradients are those of scale * sum of weighted losses */
} limn_decoder_grad_settings;

typedef struct limn_decoder_limits {
    size_t max_rows, max_images; /* of one batch */
} limn_decoder_limits;

typedef struct limn_decoder_trainer limn_decoder_trainer; /* activations of one batch */

/* `params` (with memory) and `pool` (may be NULL) are borrowed until the trainer is gone.
 * LIMN_E_NOMEM, LIMN_E_ARG (params lack a decoder tensor). */
limn_status limn_decoder_trainer_create(limn_decoder_trainer **out,
                                        const limn_decoder_config *config, limn_params *params,
                                        const limn_decoder_limits *limits, limn_pool *pool,
                                        limn_cpu_level level, limn_error *err);
void limn_decoder_trainer_destroy(limn_decoder_trainer **t); /* accepts NULL and *t == NULL */
size_t limn_decoder_trainer_bytes(const limn_decoder_config *config,
                                  const limn_decoder_limits *limits);

/* Forward and backward: adds to params->gradients; *loss_sum (smoothed, weighted, unscaled).
 *
 * A batch is of captions with images or of text alone. To mix both kinds, several parts of one
 * large batch, or several losses, make several runs without limn_params_clear_gradients between
 * them: gradients accumulate, each run's with its own `scale`, and equal those of one batch up to
 * rounding. With dropout each run takes a seed of its own.
 *
 * feature_gradients [as batch->features], or NULL; written, not added to. LIMN_E_ARG names what
 * does not fit: a batch over the limits, a token or tag out of range, an empty caption, no slots,
 * and, for a batch with is_drawn, a target that is never written, or label smoothing. */
limn_status limn_decoder_trainer_run(limn_decoder_trainer *t, const limn_decoder_batch *batch,
                                     const limn_decoder_grad_settings *settings,
                                     float *feature_gradients, double *loss_sum, limn_error *err);

#endif
