/* The words of caption files, counted for a vocabulary. */
#ifndef LIMN_TOOLS_VOCABULARY_CAPTION_WORDS_H
#define LIMN_TOOLS_VOCABULARY_CAPTION_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/io/captions.h"
#include "common/text/word_counts.h"
#include "common/io/image_list.h"
#include "decoder/vocab_build.h"

#define LIMN_MAX_MIN_COUNT 4294967295.0 /* uses of a word: it is counted in a uint32_t */

typedef struct limn_caption_words {
    limn_vocab_builder *builder;
    limn_word_counts *images; /* whose captions were counted */
    limn_image_list *only;    /* the images that count; NULL: all */
    size_t n_captions;        /* of images */
    size_t n_texts;           /* without */
} limn_caption_words;

/* `only`: path of a list of image names, one a line; NULL for all images. Errors name the path.
 * LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_caption_words_init(limn_caption_words *w, limn_token_kind kind, const char *only,
                                    limn_error *err);
void limn_caption_words_finish(limn_caption_words *w);

/* `name` is FILE or FILE:N: a caption file (common/io/captions.h) and the uses in it that a token
 * needs, min_count where it does not say. */

/* Counts the captions whose images count. Errors as those of reading; LIMN_E_ARG when N is 0 or
 * more than 4294967295. */
limn_status limn_caption_words_add_file(limn_caption_words *w, const char *name,
                                        const limn_caption_reading *how, uint32_t min_count,
                                        limn_error *err);
/* Counts all captions of a file. */
limn_status limn_caption_words_add_text(limn_caption_words *w, const char *name,
                                        const limn_caption_reading *how, uint32_t min_count,
                                        limn_error *err);

#endif
