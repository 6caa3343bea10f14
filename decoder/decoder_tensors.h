/* The table of a decoder's tensors (common/weights/tensor_table.h): the one place that knows what
 * each layout has. */
#ifndef LIMN_DECODER_DECODER_TENSORS_H
#define LIMN_DECODER_DECODER_TENSORS_H

#include "common/weights/tensor_table.h"
#include "decoder/decoder.h"

/* Appends all tensors of a decoder, in the order of training's parameters. Offsets are into
 * limn_decoder_weights (decoder_weights.h), `trained_at` into limn_decoder_params
 * (decoder_params.h). A failure is kept for limn_tensor_table_check. */
void limn_decoder_tensors(limn_tensor_table *table, const limn_decoder_config *config);

#endif
