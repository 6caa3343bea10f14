/* Whether captions distinguish their images: a caption that fits many images is rarely the best
 * match.
 *
 * The metric "retrieval" has one key, "Retrieval": how often an image's references prefer its
 * caption to those of 100 other images, by CIDEr-D with the document frequencies of the CIDEr
 * metric. Where it shares the highest score with n - 1 others, as equal captions do, it counts 1 /
 * n; where the highest score is 0, it counts 0. The others are drawn by the image's name alone, so
 * that the result is reproducible; with fewer images all others take part, and with a single image
 * the share is 0. Of the others' n-best lists, the first captions are used. */
#ifndef LIMN_MODELS_EVAL_EVAL_RETRIEVAL_H
#define LIMN_MODELS_EVAL_EVAL_RETRIEVAL_H

#include "common/base/rng.h"
#include "models/eval/eval.h"

enum { LIMN_EVAL_N_RIVALS = 100 };

/* out [LIMN_EVAL_N_RIVALS]: the numbers of the others for `image`, all different. Returns how many
 * there are. */
size_t limn_eval_rivals(size_t *out, const limn_eval_data *data, size_t image);

#endif
