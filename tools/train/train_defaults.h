/* The library's defaults of training (models/train/training_settings.h, stage.h), as --help tells
 * them. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_DEFAULTS_H
#define LIMN_TOOLS_TRAIN_TRAIN_DEFAULTS_H

#include <stddef.h>

#include "models/option.h"

/* The row's help, and "(default 0.05)" after it where the setting has one; where stages differ,
 * "(default text 4, features 12, …)". A row whose help tells a default, or that has a
 * default_value, or is not of training, stays as it is. `training_at` is the offset of the
 * limn_training_settings in the struct of the rows. */
void limn_train_help(char *out, size_t size, const limn_option *row, size_t training_at);

#endif
