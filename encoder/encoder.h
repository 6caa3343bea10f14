/* The encoder: a picture of the network's input size in, feature vectors out.
 *
 *     u8 [H, W, 3]  ->  encoder  ->  float [n_positions, dim]
 *
 * A limn_encoder is immutable and may be shared by threads; a limn_encoder_state is
 * one worker's scratch memory. Families stand behind one table (encoder.c), chosen by
 * `family` of the configuration; EfficientNet-Lite0 … Lite4 (Tan & Le 2019, "lite" variants of
 * the TensorFlow TPU repository) is the first. */
#ifndef LIMN_ENCODER_ENCODER_H
#define LIMN_ENCODER_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/base/status.h"
#include "common/io/safetensors.h"
#include "common/kernels/kernels.h"

/* What the model file says of its encoder. */
typedef struct limn_encoder_config {
    char family[32];     /* "efficientnet-lite0" … "efficientnet-lite4" */
    uint32_t input_size; /* pixels; pictures come as [input_size, input_size, 3]; 32 … 1024 */
    float mean, scale;   /* network input = (pixel - mean) * scale */
} limn_encoder_config;

typedef struct limn_encoder limn_encoder;
typedef struct limn_encoder_state limn_encoder_state;

/* Builds an encoder from the tensors of `file` whose names begin with "encoder." (batch
 * norm already folded; names and shapes: models/FORMAT.md). Every tensor is checked for presence,
 * type and shape; weights are packed into memory of the encoder's own, so `file` may be closed
 * afterwards. LIMN_E_FORMAT names the tensor and what was expected of it;
 * LIMN_E_UNSUPPORTED an unknown family; LIMN_E_LIMIT a size out of range; LIMN_E_NOMEM. */
limn_status limn_encoder_open(limn_encoder **out, const limn_safetensors *file,
                              const limn_encoder_config *config, limn_cpu_level level,
                              limn_error *err);
void limn_encoder_close(limn_encoder **e); /* accepts NULL and *e == NULL; nulls it */

size_t limn_encoder_n_positions(const limn_encoder *e);  /* e.g. 49, row-major over the grid */
size_t limn_encoder_dim(const limn_encoder *e);          /* e.g. 1280 */
size_t limn_encoder_weight_bytes(const limn_encoder *e); /* packed weights, for memory plans */

/* All scratch memory of one worker. The encoder must outlive the state. LIMN_E_NOMEM. */
limn_status limn_encoder_state_create(limn_encoder_state **out, const limn_encoder *e,
                                      limn_error *err);
void limn_encoder_state_destroy(limn_encoder_state **s); /* accepts NULL and *s == NULL */
size_t limn_encoder_state_bytes(const limn_encoder *e);  /* what a state takes */

/* features [n_positions, dim] of pixels [input_size, input_size, 3] (RGB, upright, already
 * resized). Allocates nothing. `pool` (may be NULL) splits the work of this one picture;
 * the result is the same bits for any pool. One state serves one call at a time. */
void limn_encoder_run(const limn_encoder *e, limn_encoder_state *s, limn_pool *pool,
                      const uint8_t *pixels, float *features);

/* Stages of a network: 0 is the stem, 1 … n - 2 the blocks, n - 1 the head that gives features. */
size_t limn_encoder_n_stages(const limn_encoder *e);

/* What a stage gives: floats [side, side, n_channels], dense, channels last. */
typedef struct limn_encoder_map {
    size_t side, n_channels;
} limn_encoder_map;
limn_encoder_map limn_encoder_stage_map(const limn_encoder *e, size_t stage);

/* As limn_encoder_run, but stops after `last_stage` and writes its map: what lower stages give is
 * the input of encoder_grad.h. */
void limn_encoder_run_stages(const limn_encoder *e, limn_encoder_state *s, limn_pool *pool,
                             const uint8_t *pixels, size_t last_stage, float *map);

/* For tests and training: called with each stage's output ("stem", "block0" …, "features"), x
 * [height, width, n_channels] dense, channels last, valid during the call. */
typedef void limn_encoder_tap_fn(void *ctx, const char *stage, const float *x, size_t height,
                                 size_t width, size_t n_channels);
void limn_encoder_run_tapped(const limn_encoder *e, limn_encoder_state *s, const uint8_t *pixels,
                             float *features, limn_encoder_tap_fn *tap, void *ctx);

#endif
