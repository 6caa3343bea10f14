/* A plain transformer decoder in double precision: no cache, no packing, no kernels. */
#ifndef LIMN_TESTS_UNIT_DECODER_REFERENCE_H
#define LIMN_TESTS_UNIT_DECODER_REFERENCE_H

#include "decoder/decoder.h"

/* logits [n_steps, n_tokens] after each of tokens [n_steps], the start token first, from features
 * [n_memory_positions, memory_dim], slots [n_tag_slots] and the tensors of models/FORMAT.md; looks
 * [n_steps, n_layers, n_heads, n_memory_positions]: cross-attention probabilities, may be NULL. */
void decoder_reference_run(double *logits, double *looks, const limn_safetensors *file,
                           const limn_decoder_config *config, const float *features,
                           const limn_tag_slot *slots, const uint32_t *tokens, size_t n_steps);

#endif
