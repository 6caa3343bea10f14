/* Sizes of a network from the shapes of its tensors, where there is no configuration: checkpoints
 * of the authors' own programs. Names are without the kind's prefix. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_PTH_SHAPES_H
#define LIMN_MODELS_CONVERT_PUBLISHED_PTH_SHAPES_H

#include "models/convert/published/published.h"

bool pth_has(const published *p, const char *name);
/* Dimension `dim` of a tensor, 1 … high. LIMN_E_FORMAT names what is missing. */
limn_status pth_dim(uint32_t *out, const published *p, const char *name, size_t dim, uint32_t high,
                    limn_error *err);
/* How many tensors there are whose names are `before`, a number from 0 on, and `after`. */
uint32_t pth_count(const published *p, const char *before, const char *after);

#endif
