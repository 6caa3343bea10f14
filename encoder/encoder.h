/* The encoder: an image of the network's input size in, feature vectors out.
 *
 *     u8 [height, width, 3]  ->  encoder  ->  float [n_positions, dim]
 *
 * A limn_encoder is immutable and may be shared by threads; a limn_encoder_state is one worker's
 * scratch memory. Each family of networks has its own folder and a row in a table (encoder.c),
 * chosen by `family` of the configuration. */
#ifndef LIMN_ENCODER_ENCODER_H
#define LIMN_ENCODER_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/base/status.h"
#include "common/io/safetensors.h"
#include "common/kernels/kernels.h"
#include "common/weights/tensor_table.h"
#include "encoder/encoder_input.h"
#include "encoder/network.h"

enum { LIMN_MIN_INPUT_SIDE = 32, LIMN_MAX_INPUT_SIDE = 1024 };

/* ---- networks as they are configured, without weights ---- */

/* LIMN_E_UNSUPPORTED for an unknown family (the text names the known ones) or one that can't take
 * such an input, LIMN_E_LIMIT for a size out of range. All functions below need a configuration
 * that passed this check. */
limn_status limn_encoder_check(const limn_encoder_config *config, limn_error *err);
/* Whether a family has this network. */
bool limn_encoder_is_known(const char *family);
/* Stages of a network: 0 is the first layers, the last one gives the features. */
size_t limn_encoder_count_stages(const limn_encoder_config *config);
/* What a stage gives; a stage past the last counts as the last: the features. */
limn_feature_shape limn_encoder_stage_shape(const limn_encoder_config *config, size_t stage);
limn_feature_shape limn_encoder_feature_shape(const limn_encoder_config *config);
/* Appends the network's tensors (names and shapes: models/FORMAT.md), in its order. */
void limn_encoder_tensors(limn_tensor_table *table, const limn_encoder_config *config);

/* ---- networks with weights ---- */

typedef struct limn_encoder limn_encoder;
typedef struct limn_encoder_state limn_encoder_state;

/* Builds an encoder from the tensors of `file` whose names begin with "encoder." (batch norm
 * already folded). Every tensor is checked for presence, type and shape; weights are packed into
 * memory of the encoder's own, so `file` may be closed afterwards. `kernels` is borrowed until the
 * encoder is closed. Errors of limn_encoder_check; LIMN_E_FORMAT names the tensor and what was
 * expected of it; LIMN_E_NOMEM. From a header alone (limn_safetensors_open_header), the encoder can
 * be asked for its sizes, and not be run. */
limn_status limn_encoder_open(limn_encoder **out, const limn_safetensors *file,
                              const limn_encoder_config *config, const limn_kernels *kernels,
                              limn_error *err);
void limn_encoder_close(limn_encoder **e); /* accepts NULL and *e == NULL; nulls it */

const limn_encoder_config *limn_encoder_get_config(const limn_encoder *e);
size_t limn_encoder_n_positions(const limn_encoder *e); /* e.g. 49: of its feature shape */
size_t limn_encoder_dim(const limn_encoder *e);         /* e.g. 1280 */
/* The weights of a tensor "encoder.….weight" as limn_kernels.watch sees them, maybe together with
 * other tensors' that have the same inputs; NULL when they are no product's. */
const limn_packed *limn_encoder_product(const limn_encoder *e, const char *name);
size_t limn_encoder_weight_bytes(const limn_encoder *e); /* packed weights, for memory plans */

/* All scratch memory of one worker. The encoder must outlive the state. LIMN_E_NOMEM. */
limn_status limn_encoder_state_create(limn_encoder_state **out, const limn_encoder *e,
                                      limn_error *err);
void limn_encoder_state_destroy(limn_encoder_state **s); /* accepts NULL and *s == NULL */
size_t limn_encoder_state_bytes(const limn_encoder *e);  /* size of a state */

/* features [n_positions, dim] of pixels [height, width, 3] (RGB, upright, already resized).
 * Allocates nothing. `pool` (may be NULL) splits the work of this one image; the result is the
 * same bits for any pool. One state serves one call at a time. */
void limn_encoder_run(const limn_encoder *e, limn_encoder_state *s, limn_pool *pool,
                      const uint8_t *pixels, float *features);

/* As limn_encoder_run, but stops after `last_stage` and writes what it gives, which is the input of
 * encoder_training.h. */
void limn_encoder_run_stages(const limn_encoder *e, limn_encoder_state *s, limn_pool *pool,
                             const uint8_t *pixels, size_t last_stage, float *map);

/* For tests and training: as limn_encoder_run, calling `tap` with each stage's output. */
void limn_encoder_run_tapped(const limn_encoder *e, limn_encoder_state *s, const uint8_t *pixels,
                             float *features, limn_encoder_tap_fn *tap, void *ctx);

#endif
