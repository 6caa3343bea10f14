/* How probable a model finds its own caption of a plain grey image: of a model whose weights or
 * configuration are wrong it is much less than of one that works, whatever the image. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_PLAIN_IMAGE_H
#define LIMN_MODELS_CONVERT_PUBLISHED_PLAIN_IMAGE_H

#include "common/base/status.h"

/* Below this mean log-probability of a token something is wrong. Random weights give -5 to -10, of
 * some tens of thousands of tokens; no published weights were at hand to measure. */
#define PLAIN_IMAGE_LEAST (-3.0)

/* The mean log-probability of the tokens of a greedy caption, the end included. Errors as opening
 * encoder and decoder. */
limn_status plain_image_logprob(double *mean, const char *model_path, limn_error *err);

#endif
