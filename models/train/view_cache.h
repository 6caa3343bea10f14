/* Outputs of a frozen encoder, or of the frozen lower part of one, for several views of each image,
 * computed once: f16 [n, n_positions, dim], one file per view.
 *
 *     pixel cache ─ view (whole, flipped, crops) ─▶ encoder, to the cut ─▶ FOLDER/view-0.npy …
 *
 * View 0 is the whole image, view 1 is the same flipped, the others are random resized crops (area
 * 0.7 … 1, aspect 4/5 … 5/4), half of them flipped, drawn from (seed, last part of the image's
 * name, view).
 *
 * The cut is where training begins: `first_stage` counts as in encoder/encoder_training.h (0 the
 * stem, then the blocks, the head, and after it nothing: the features). Cached is what that stage
 * reads, [n, positions, channels] (limn_encoder_stage_shape), or the features themselves.
 *
 * FOLDER/view-K.json says what a file was made from (encoder, cut, view, seed, images), and has a
 * checksum of each row; a stale file is rebuilt, and a row that was altered is an error when it is
 * read. Finished files are kept, so that building a cache resumes where it stopped; an unfinished
 * file never has its final name. */
#ifndef LIMN_MODELS_TRAIN_VIEW_CACHE_H
#define LIMN_MODELS_TRAIN_VIEW_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/base/status.h"
#include "common/io/safetensors.h"
#include "encoder/encoder.h"
#include "models/train/pixel_cache.h"

enum { LIMN_MAX_VIEWS = 64 };

/* `first_stage` of the features: after the last stage. */
#define LIMN_STAGE_AFTER_HEAD SIZE_MAX

/* A checksum of an encoder: its configuration and the tensors "encoder.…". */
uint64_t limn_encoder_checksum(const limn_safetensors *file, const limn_encoder_config *config);

/* Immutable after opening; may be shared by threads. Rows are read when they are asked for. */
typedef struct limn_view_cache {
    size_t n_images, n_views;
    size_t n_positions, dim;
    uint32_t *rows;        /* [n_images] of the images in each file */
    limn_row_cache *views; /* [n_views] */
    size_t n_made;         /* views that this call made; the others existed */
} limn_view_cache;

typedef struct limn_view_cache_settings {
    const limn_pixel_cache *pixels;
    const limn_image_names *names; /* the images in their order; each has a row of pixels */
    const limn_encoder *encoder;   /* its input has the size of the pixels */
    uint64_t encoder_checksum;
    size_t first_stage; /* 1 … limn_encoder_count_stages: the features, as LIMN_STAGE_AFTER_HEAD */
    size_t n_views;     /* 1 … LIMN_MAX_VIEWS */
    uint64_t seed;
    limn_resize_filter filter;    /* of crops: the model's */
    limn_pool *pool;              /* NULL: the calling thread alone */
    limn_train_progress progress; /* in images of all views that are made */
} limn_view_cache_settings;

/* Opens the views in `folder` (made if it is not there), making those that are missing or made from
 * something else. Image i of the cache is name i. LIMN_E_ARG (a name without pixels, settings out
 * of range, a file FOLDER/view-K.npy without .json, which is not ours and so not replaced),
 * LIMN_E_UNSUPPORTED (an activation too large for f16), LIMN_E_IO, LIMN_E_INTERRUPTED (finished
 * views stay), LIMN_E_NOMEM. */
limn_status limn_view_cache_make(limn_view_cache *out, const char *folder,
                                 const limn_view_cache_settings *settings, limn_error *err);
/* A cache of features of whole images made by `limn-preprocess --features -o PATH`, as a view
 * cache of one view. Every one of `names` must be in it: LIMN_E_ARG names the first that is not. It
 * does not say which encoder made it; that is for the user to know.
 *
 * `record` is a file with a checksum of each row, beside the run that uses it: if missing, it is
 * written, for which all rows are read once; from then on a row that was altered is an error when
 * it is read. Errors of limn_row_cache_open; LIMN_E_FORMAT: the record is of other rows. */
limn_status limn_view_cache_open_features(limn_view_cache *out, const char *path,
                                          const limn_image_names *names, size_t n_positions,
                                          size_t dim, const char *record, limn_error *err);
void limn_view_cache_close(limn_view_cache *c); /* accepts a zeroed one; zeroes it */

/* out, f16 [n_positions, dim]; view < n_views, image < n_images. Errors of limn_row_cache_read.
 */
limn_status limn_view_cache_read(const limn_view_cache *c, size_t view, size_t image, uint16_t *out,
                                 limn_error *err);
/* out [n, n_positions, dim]: row i is views[i] of images[i]. `views` NULL: view 0 of each. Errors
 * of limn_row_cache_read, LIMN_E_NOMEM. */
limn_status limn_view_cache_gather(const limn_view_cache *c, float *out, const uint32_t *images,
                                   const uint32_t *views, size_t n, limn_pool *pool,
                                   limn_error *err);

/* dst [size, size, 3]: a view of src. For other uses of the same views. LIMN_E_NOMEM, LIMN_E_ARG.
 */
limn_status limn_view_pixels(uint8_t *dst, const uint8_t *src, uint32_t size, size_t view,
                             uint64_t seed, const char *name, limn_resize_filter filter,
                             limn_resize_scratch *scratch, limn_error *err);

#endif
