/* What --plan looks at: whether the images that captions name are there and can be opened. */
#ifndef LIMN_TOOLS_TRAIN_PLAN_IMAGES_H
#define LIMN_TOOLS_TRAIN_PLAN_IMAGES_H

#include "models/train/training_data.h"

/* Says on standard error how many images are missing, which near names are there instead, and
 * which of a sample can't be read. LIMN_E_IO when none is there; LIMN_E_NOMEM; errors of reading
 * the folder. */
limn_status limn_plan_images_check(const limn_training_data *data, limn_error *err);

#endif
