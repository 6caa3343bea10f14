/* Scores of a model on development images, as `limn` and `limn-eval` would give them: captions by
 * the model file's own search, tokens as coco-caption's, BLEU and CIDEr-D over all images. */
#ifndef LIMN_MODELS_TRAIN_DEV_SCORE_H
#define LIMN_MODELS_TRAIN_DEV_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/text/caption_tokens.h"
#include "models/captioner.h"
#include "models/train/cached_images.h"

/* Development images with their references. */
typedef struct limn_dev_set limn_dev_set;

/* Everything is borrowed except `references`, which are copied. Image i has the references
 * first_references[i] … first_references[i + 1] - 1, one at least, each tokens joined by single
 * spaces. LIMN_E_ARG (an image without reference), LIMN_E_NOMEM. */
typedef struct limn_dev_images {
    size_t n_images;
    limn_image_source pixels;
    const size_t *first_references; /* [n_images + 1] */
    const char *const *references;
    limn_token_kind kind; /* of their tokens; captions are tokenised the same way */
} limn_dev_images;

limn_status limn_dev_set_create(limn_dev_set **out, const limn_dev_images *images, limn_error *err);
void limn_dev_set_destroy(limn_dev_set **set); /* accepts NULL and *set == NULL; nulls it */

typedef struct limn_dev_scores {
    double bleu_4, cider; /* 0 … 1; 0 … 10 */
    double distinct;      /* different captions / images */
    double bad_endings;   /* share of captions that end with an article, a preposition … */
} limn_dev_scores;

/* Captions all images with the model's default search, one per thread of `pool` (may be NULL), and
 * scores them. The captions stay with the set until its next scoring. Errors of opening a model and
 * of captioning. */
limn_status limn_dev_score(limn_dev_scores *out, limn_dev_set *set, const char *model_path,
                           limn_pool *pool, limn_error *err);
/* Of the last scoring; NULL before it. */
const char *limn_dev_caption(const limn_dev_set *set, size_t image);

#endif
