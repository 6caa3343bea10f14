/* The batches of a run: which images, in which view, with which captions, at which step.
 *
 * An epoch is a list of images of all sources in an order of its own, split into batches of
 * n_images; each image brings up to captions_an_image captions. Everything is a function of (seed,
 * step), so a run can resume at any step without saved state. Rows are the tokens of the captions
 * one after another, so nothing is padded; a batch is as long as its captions. */
#ifndef LIMN_MODELS_TRAIN_BATCHES_H
#define LIMN_MODELS_TRAIN_BATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "decoder/decoder_grad.h"

/* Captions drawn for images that have none of their own, redrawn in each round through the images.
 * Pure functions of their arguments. */
typedef struct limn_caption_draw {
    /* How often an image occurs in a round, at most max_repeats times. */
    size_t (*n_repeats)(const void *ctx, uint64_t round, uint32_t image);
    /* Writes the numbers of at most `capacity` captions for one of these occurrences; returns how
     * many. */
    size_t (*draw)(const void *ctx, uint64_t round, uint32_t image, size_t repeat,
                   uint32_t *captions, size_t capacity);
    const void *ctx;
    size_t max_repeats; /* >= 1 */
} limn_caption_draw;

/* Images with captions of their own, images that captions are drawn for, or captions alone. All
 * is borrowed. */
typedef struct limn_batch_source {
    const uint32_t *tokens; /* word ids of all captions, one after another */
    const size_t *offsets;  /* [n_captions + 1] where each caption begins in `tokens` */
    size_t n_captions;
    size_t n_images; /* 0: text alone, each caption counts as one image */
    /* With `draw` NULL image p has the captions first_captions[p] … first_captions[p + 1] - 1. */
    const size_t *first_captions; /* [n_images + 1] */
    const limn_caption_draw *draw;
    size_t n_an_epoch; /* images taken in an epoch; a round through the list may be shorter or
                        * longer, the next begins where it ends; 0 = as many as there are */
} limn_batch_source;

enum { LIMN_BATCH_MAX_SOURCES = 4 };

typedef struct limn_batches_settings {
    size_t n_images;          /* of a batch, 1 … 4096 */
    size_t captions_an_image; /* 1 … 64 */
    size_t max_words;         /* no caption is longer; 1 … 511 */
    size_t n_views;           /* of each image, >= 1: one is drawn for each epoch */
    uint64_t seed;
    uint32_t start, end; /* the tokens around each caption */
} limn_batches_settings;

/* One image of a batch. */
typedef struct limn_batch_image {
    uint32_t source;        /* number of its source */
    uint32_t image;         /* in its source */
    uint32_t view;          /* 0 … n_views - 1 */
    uint32_t round, repeat; /* for the draw of its captions */
} limn_batch_image;

typedef struct limn_batch {
    limn_batch_image *images; /* [decoder.n_images], by source; those of text alone count here
                               * but not in decoder.n_images, which is then 0 */
    size_t n_images;
    size_t n_rows;
    uint64_t epoch, step;
    limn_decoder_batch decoder; /* `features` and `weights` are for the caller to set */
} limn_batch;

typedef struct limn_batches limn_batches; /* one thread at a time */

/* All sources are text alone, or none is. LIMN_E_ARG (no image, settings out of range, a caption
 * longer than max_words), LIMN_E_NOMEM. */
limn_status limn_batches_create(limn_batches **out, const limn_batch_source *sources,
                                size_t n_sources, const limn_batches_settings *settings,
                                limn_error *err);
void limn_batches_destroy(limn_batches **b); /* accepts NULL and *b == NULL; nulls it */

size_t limn_batches_n_steps(const limn_batches *b); /* in an epoch */
/* Rows and images of the largest batch. */
limn_decoder_limits limn_batches_limits(const limn_batches *b);

/* The batch of a step, counted from 0 over all epochs. It belongs to `b` and is valid until the
 * next call. A batch whose images were all left out has no rows. */
const limn_batch *limn_batches_get(limn_batches *b, uint64_t step);

#endif
