/* AdamW with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2), clipping of the
 * gradient by its global norm, and an exponential moving average of the weights. The formulas are
 * those of torch.optim.AdamW and torch.nn.utils.clip_grad_norm_. */
#ifndef LIMN_MODELS_TRAIN_ADAMW_H
#define LIMN_MODELS_TRAIN_ADAMW_H

#include "models/train/optimizer.h"

extern const limn_optimizer_kind limn_adamw; /* its states: first and second moments */

#endif
