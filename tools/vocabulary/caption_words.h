/* The words of caption files, counted. */
#ifndef LIMN_TOOLS_VOCABULARY_CAPTION_WORDS_H
#define LIMN_TOOLS_VOCABULARY_CAPTION_WORDS_H

#include <stddef.h>

#include "common/base/status.h"
#include "common/text/ptb.h"
#include "common/text/word_counts.h"
#include "tools/picture_list.h"

typedef struct limn_caption_words {
    limn_word_counts *counts;
    limn_word_counts *pictures; /* whose captions were counted */
    limn_picture_list *only;    /* the pictures that count; NULL: all */
    limn_ptb ptb;
    size_t n_captions;
} limn_caption_words;

/* `only`: path of a list of picture names, one a line; NULL for all pictures. Errors name the path.
 * LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_caption_words_init(limn_caption_words *w, const char *only, limn_error *err);
void limn_caption_words_finish(limn_caption_words *w);

/* Counts the captions of a file (common/io/captions.h) whose pictures count, in lower-case tokens
 * without punctuation. `split` (may be NULL) names one of the file. Errors as those of reading. */
limn_status limn_caption_words_add_file(limn_caption_words *w, const char *path, const char *split,
                                        limn_error *err);

#endif
