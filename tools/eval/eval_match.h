/* Which hypotheses belong to which references, by the pictures' names. */
#ifndef LIMN_TOOLS_EVAL_EVAL_MATCH_H
#define LIMN_TOOLS_EVAL_EVAL_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/io/captions.h"

#define LIMN_EVAL_NO_IMAGE UINT32_MAX

/* For each record the image that it belongs to: a number below n_images in the order in which the
 * references first name the images. */
typedef struct limn_eval_match {
    uint32_t *image_of_ref; /* [refs->n_records] */
    uint32_t
        *image_of_hyp; /* [hyps->n_records]; LIMN_EVAL_NO_IMAGE when no reference has the name */
    const char **ids;  /* [n_images] of the references' file */
    size_t n_images, ids_capacity;
} limn_eval_match;

/* Whole names first, then last components of paths. LIMN_E_ARG for two entries of one image among
 * the hypotheses, and for a last component that stands for two images; LIMN_E_NOMEM. */
limn_status limn_eval_match_create(limn_eval_match *out, const limn_caption_file *refs,
                                   const limn_caption_file *hyps, limn_error *err);
void limn_eval_match_finish(limn_eval_match *match); /* accepts a zeroed one */

#endif
