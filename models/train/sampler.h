/* Drawing captions of an image from a decoder's own distribution: each token with its probability
 * (temperature 1) among all but <pad>, <s> and <unk>, until </s> or the limit. */
#ifndef LIMN_MODELS_TRAIN_SAMPLER_H
#define LIMN_MODELS_TRAIN_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/rng.h"
#include "common/base/status.h"
#include "decoder/decoder.h"

typedef struct limn_sampler limn_sampler; /* scratch of one thread */

/* For n_samples captions (1 … 256) of up to max_steps tokens (1 … max_positions) at a time. The
 * decoder outlives the sampler; limn_decoder_reload is allowed between calls. LIMN_E_ARG,
 * LIMN_E_NOMEM. */
limn_status limn_sampler_create(limn_sampler **out, const limn_decoder *d, size_t n_samples,
                                size_t max_steps, limn_cpu_level level, limn_error *err);
void limn_sampler_destroy(limn_sampler **s); /* accepts NULL and *s == NULL; nulls it */

/* Draws n_samples captions of features [n_memory_positions, memory_dim] and `slots`
 * (limn_decoder_begin) into tokens [n_samples, max_steps] and lengths [n_samples], which count the
 * end token of a caption that ended. Takes one number of `rng` per token. Allocates nothing. */
void limn_sampler_draw(limn_sampler *s, uint32_t *tokens, size_t *lengths, const float *features,
                       const limn_tag_slot *slots, limn_rng *rng);

#endif
