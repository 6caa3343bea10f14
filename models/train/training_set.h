/* Training examples: images, their captions as token ids, and as text for scores.
 *
 *     caption file ─▶ records ─ tokenizer ─▶ tokens ─ vocabulary ─▶ ids, image by image
 *
 * All is in the order of the images, so that position and image number identify everything in a
 * batch. A set is immutable and may be shared by threads. */
#ifndef LIMN_MODELS_TRAIN_TRAINING_SET_H
#define LIMN_MODELS_TRAIN_TRAINING_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/io/captions.h"
#include "decoder/vocab.h"
#include "models/train/image_names.h"

enum { LIMN_TRAINING_N_NAMED = 5 };

/* How often something happened, and the images (for text: ids or lines) of the first
 * occurrences. */
typedef struct limn_training_count {
    size_t n;
    char *first[LIMN_TRAINING_N_NAMED]; /* [min(n, LIMN_TRAINING_N_NAMED)], owned */
} limn_training_count;

/* What was left out, and why. */
typedef struct limn_training_report {
    limn_training_count empty;    /* captions without a token */
    limn_training_count too_long; /* captions of more than max_words tokens */
    limn_training_count unlisted; /* captions of images that are not among the names */
    limn_training_count without;  /* images left without a caption */
} limn_training_report;

typedef struct limn_training_set {
    limn_image_names names; /* number = image; looks names up */
    size_t n_images;        /* each has at least one caption */
    size_t n_captions;
    size_t n_words;         /* of all captions */
    size_t n_unknown;       /* words of them that are not in the vocabulary */
    size_t *first_captions; /* [n_images + 1] image p has captions first_captions[p] … [p+1]-1 */
    size_t *offsets;    /* [n_captions + 1] caption c is tokens[offsets[c]] … [offsets[c+1]-1] */
    uint32_t *tokens;   /* [n_words] ids, without start and end token, <unk> for unknown words */
    const char **texts; /* [n_captions] the words, unknown ones too, with single spaces */
    limn_training_report report;
    char *text_block; /* where texts are */
} limn_training_set;

typedef struct limn_training_set_settings {
    const limn_vocab *vocab; /* words or characters (limn_vocab_kind): how to tokenise */
    size_t max_words;        /* longer captions are left out, >= 1 */
    /* The images in their order; NULL: all that the captions name. Captions of others are counted
     * in report.unlisted. */
    const limn_image_names *names;
    /* Where `names` came from, when each of them must be in the caption file: LIMN_E_ARG names list
     * and image when one is not. NULL: images without captions are only counted. */
    const char *list;
    bool keep_rejected; /* limn_training_set_read_text: see limn_caption_reading */
} limn_training_set_settings;

/* Builds a set. Captions of an image keep their order, equal ones stay. LIMN_E_ARG (above),
 * LIMN_E_FORMAT (no captions left: the text says why), LIMN_E_NOMEM, LIMN_E_LIMIT. */
limn_status limn_training_set_create(limn_training_set *out, const limn_caption_file *captions,
                                     const limn_training_set_settings *settings, limn_error *err);
void limn_training_set_finish(limn_training_set *set); /* accepts a zeroed one; zeroes it */

/* Captions without images, of any file that limn_caption_file_read reads: images of the
 * set are its ids. `names` and `list` of the settings are NULL. Errors of reading and above. */
limn_status limn_training_set_read_text(limn_training_set *out, const char *path,
                                        const limn_training_set_settings *settings,
                                        limn_error *err);

const char *limn_training_set_name(const limn_training_set *set, size_t image);

#endif
