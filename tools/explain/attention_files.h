/* Attention as files: the numbers, an image for each word, and all of them on one sheet. */
#ifndef LIMN_TOOLS_EXPLAIN_ATTENTION_FILES_H
#define LIMN_TOOLS_EXPLAIN_ATTENTION_FILES_H

#include "models/captioner.h"
#include "tools/annotate/annotate.h"

/* Writes into `folder` of a caption with attention:
 *
 *   attention.npy   f32 [n_tokens, n_layers, n_heads, grid_height, grid_width]
 *   attention.txt   the tokens, one a line
 *   01-WORD.png …   the image, and where the last layer looked (the mean of its heads)
 *   sheet.png       the image, and these, with the words and their probabilities
 *
 * LIMN_E_IO, also when others are there; LIMN_E_NOMEM. */
limn_status limn_attention_files_write(const char *folder, size_t given,
                                       const limn_caption *caption, const limn_model *model,
                                       const limn_thumbnail *image, limn_error *err);

#endif
