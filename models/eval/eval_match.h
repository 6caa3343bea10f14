/* Which hypotheses belong to which references, by the images' names. */
#ifndef LIMN_MODELS_EVAL_EVAL_MATCH_H
#define LIMN_MODELS_EVAL_EVAL_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
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
    size_t n_by_number;    /* hypotheses that are paired by the captions' own numbers */
    const char *by_number; /* the first of these; borrowed from the hypotheses */
} limn_eval_match;

/* Names are equal as a whole, or else by their last components, or else by their keys
 * (limn_image_name_key: without extension and leading zeros) where the extensions agree. Where a
 * file names its images twice, by file and by id, the name that the other file uses counts; a name
 * that is one image's file and another one's id counts according to its own field. The captions'
 * own numbers ("id" beside "image") count where nothing else does. LIMN_E_ARG for two entries of
 * one image among the hypotheses, and for a name that stands for two images; LIMN_E_NOMEM. */
limn_status limn_eval_match_create(limn_eval_match *out, const limn_caption_file *refs,
                                   const limn_caption_file *hyps, limn_error *err);
/* Appends how a reference's name differs from a hypothesis's, for the first pair [n_refs, n_hyps]
 * of similar names (limn_image_name_fold); nothing where none are. LIMN_E_NOMEM. */
limn_status limn_eval_match_explain(limn_buffer *out, const char *const *refs, size_t n_refs,
                                    const char *const *hyps, size_t n_hyps, limn_error *err);
void limn_eval_match_finish(limn_eval_match *match); /* accepts a zeroed one */

#endif
