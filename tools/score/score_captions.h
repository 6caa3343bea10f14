/* The captions to score, by the images that they belong to. */
#ifndef LIMN_TOOLS_SCORE_SCORE_CAPTIONS_H
#define LIMN_TOOLS_SCORE_SCORE_CAPTIONS_H

#include <stddef.h>

#include "common/io/captions.h"

typedef struct limn_score_image {
    char *path;
    const limn_caption_record **captions; /* [n_captions] in the order of the file */
    size_t n_captions;
} limn_score_image;

typedef struct limn_score_captions {
    limn_caption_file file;
    limn_score_image *images; /* [n_images] in the order in which the file first names them */
    size_t n_images;
    const limn_caption_record **records; /* what `captions` of the images point into */
    const limn_score_image **by_path;    /* [n_images] in the order of their paths */
    size_t n_without;                    /* entries that say that there is no caption */
} limn_score_captions;

/* Reads a caption file, and looks for its images in `folder`: of the names that the file gives
 * one, and their last components, the first that is there. Of an image that is not, the path is
 * that of its first name. Says what is left out, as limn_caption_input_read. LIMN_E_ARG when a name
 * is that of a folder; otherwise errors as limn_caption_file_read. */
limn_status limn_score_captions_read(limn_score_captions *out, const char *path, const char *folder,
                                     const limn_caption_reading *how, limn_error *err);
void limn_score_captions_finish(limn_score_captions *c); /* accepts a zeroed one */

/* The image of a path; NULL when there is none. Any thread. */
const limn_score_image *limn_score_captions_find(const limn_score_captions *c, const char *path);

#endif
