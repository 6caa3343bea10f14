/* The captions to score, by the pictures that they belong to. */
#ifndef LIMN_TOOLS_SCORE_SCORE_CAPTIONS_H
#define LIMN_TOOLS_SCORE_SCORE_CAPTIONS_H

#include <stddef.h>

#include "common/io/captions.h"

typedef struct limn_score_picture {
    char *path;
    const limn_caption_record **captions; /* [n_captions] in the order of the file */
    size_t n_captions;
} limn_score_picture;

typedef struct limn_score_captions {
    limn_caption_file file;
    limn_score_picture *pictures; /* [n_pictures] in the order in which the file first names them */
    size_t n_pictures;
    const limn_caption_record **records; /* what `captions` of the pictures point into */
    const limn_score_picture **by_path;  /* [n_pictures] in the order of their paths */
    size_t n_without;                    /* entries that say that there is no caption */
} limn_score_captions;

/* Reads a caption file, and looks for its pictures in `folder`: of the names that the file gives
 * one, and their last components, the first that is there. Of a picture that is not, the path is
 * that of its first name. Says what is left out, as limn_caption_input_read. LIMN_E_ARG when a name
 * is that of a folder; otherwise errors as limn_caption_file_read. */
limn_status limn_score_captions_read(limn_score_captions *out, const char *path, const char *folder,
                                     const limn_caption_reading *how, limn_error *err);
void limn_score_captions_finish(limn_score_captions *c); /* accepts a zeroed one */

/* The picture of a path; NULL when there is none. Any thread. */
const limn_score_picture *limn_score_captions_find(const limn_score_captions *c, const char *path);

#endif
