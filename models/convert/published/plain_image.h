/* How probable a model finds its own caption of a plain grey image. With wrong weights or a wrong
 * configuration this is much lower than for a working model, whatever the image. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_PLAIN_IMAGE_H
#define LIMN_MODELS_CONVERT_PUBLISHED_PLAIN_IMAGE_H

#include "common/base/status.h"

/* Below this mean log-probability per token something is wrong. Random weights give -5 to -10 with
 * some tens of thousands of tokens; it has not been measured on published weights. */
#define PLAIN_IMAGE_LEAST (-3.0)

/* The mean log-probability of the tokens of a greedy caption, the end included. Errors as opening
 * encoder and decoder. */
limn_status plain_image_logprob(double *mean, const char *model_path, limn_error *err);

#endif
