/* The parts of published_open. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_PUBLISHED_PARTS_H
#define LIMN_MODELS_CONVERT_PUBLISHED_PUBLISHED_PARTS_H

#include "models/convert/published/published.h"

/* Reads the documents of the folder `p->path` and opens its weights. */
limn_status published_open_folder(published *p, limn_error *err);
/* Every tensor of our model has one of theirs with its shape, and the others are irrelevant; output
 * and embedding are tied where they are equal. Sets the specs. */
limn_status published_check_tensors(published *p, limn_error *err);

#endif
