/* Runs images through stages, in order, with bounded memory; shared by limn and limn-preprocess.
 *
 *     names ─ walk and read (reader threads, ahead) ─ load ─ run (worker threads) ─ put (caller)
 *
 * A ring of slots holds the images in progress in input order. Readers fill it with the files'
 * bytes so that a slow disk does not stall the workers; a worker loads (decodes, resizes) an image
 * while fewer than one per worker are loaded, otherwise it runs the oldest loaded one, or several
 * at once, which others join as they are loaded, unless another worker has nothing to do; the
 * calling thread puts results out in input order. Finished results may queue up, so that a slow
 * disk does not stall the workers at this end either. Neither the number of threads nor their
 * timing changes a result. */
#ifndef LIMN_TOOLS_ANNOTATE_PIPELINE_H
#define LIMN_TOOLS_ANNOTATE_PIPELINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/io/dirwalk.h"
#include "tools/annotate/annotate.h"

#define LIMN_PIPELINE_MAX_FILE_SIZE ((size_t)1 << 30) /* bytes; larger files are refused */
#define LIMN_PIPELINE_READ_AHEAD ((size_t)64 << 20)   /* bytes read and not yet loaded, about */
#define LIMN_PIPELINE_MAX_WAITING 256                 /* results that wait to be put */

typedef struct limn_pipeline_result {
    const limn_dirwalk_entry *input;
    const limn_error *error; /* NULL on success; the text does not repeat the path */
    const char *note;        /* about something ignored; NULL: none */
    const limn_buffer *out;  /* what `run` appended */
    bool is_left_out;        /* as `run` said */
} limn_pipeline_result;

/* What `run` makes of an image. */
typedef struct limn_pipeline_output {
    limn_buffer bytes;
    bool is_left_out; /* done, but what was found is left out */
} limn_pipeline_output;

/* A loaded image that runs together with others. */
typedef struct limn_pipeline_image {
    const limn_dirwalk_entry *input;
    const uint8_t *pixels; /* [input_size] */
    limn_pipeline_output *out;
    limn_error *error;
} limn_pipeline_image;

/* The images that a worker runs together. */
typedef struct limn_pipeline_feed limn_pipeline_feed;

/* The next image, valid until it is done; NULL: none is ready for this worker now. Loads images,
 * but doesn't wait for any. */
limn_pipeline_image *limn_pipeline_next(limn_pipeline_feed *feed);
/* The image has its result in `out`, or failed with `status` and the reason in `error`. */
void limn_pipeline_done(limn_pipeline_feed *feed, limn_pipeline_image *image, limn_status status);

typedef struct limn_pipeline_stages {
    /* Makes and frees a worker's own state. The first one is made before any thread
     * starts, so that a failure common to all is reported once; the others by the workers
     * themselves. `close` accepts NULL. */
    limn_status (*open)(void **worker, void *ctx, limn_error *err);
    void (*close)(void *worker);
    /* Whether to work on the image `input`, which was not opened yet; NULL: every one. A failure
     * becomes the image's result. Any thread. */
    limn_status (*want)(void *ctx, const limn_dirwalk_entry *input, bool *is_wanted,
                        limn_error *err);
    /* The bytes of an image file to `pixels` [input_size]. May leave a note in *err. */
    limn_status (*load)(void *worker, const void *bytes, size_t size, uint8_t *pixels,
                        limn_error *err);
    /* Either of two. Appends the result for `pixels` [input_size] of the image `input` to
     * out->bytes. */
    limn_status (*run)(void *worker, const limn_dirwalk_entry *input, const uint8_t *pixels,
                       limn_pipeline_output *out, limn_error *err);
    /* Or runs several images at once, at most n_together: takes at least one from `feed`, and
     * returns when there is none and all are done. A failure is that of the first image, which was
     * not taken. */
    limn_status (*run_many)(void *worker, limn_pipeline_feed *feed, limn_error *err);
    /* In input order, in the calling thread. A failure ends the pipeline. */
    limn_status (*put)(void *ctx, const limn_pipeline_result *result, limn_error *err);
} limn_pipeline_stages;

typedef struct limn_pipeline_settings {
    size_t n_threads;  /* workers, at least 1 */
    size_t n_together; /* images that run_many has in progress at most; 0 for `run` */
    size_t input_size; /* bytes of a loaded image */
    const limn_inputs *inputs;
    const limn_annotate_hooks *hooks; /* NULL: none */
    atomic_bool
        *is_stopping; /* NULL, or set when a hook ends the run: for stages that would take long */
} limn_pipeline_settings;

typedef struct limn_pipeline_counts {
    size_t n_done, n_failed;
    size_t n_skipped; /* not wanted */
    limn_left_out left_out;
} limn_pipeline_counts;

/* Runs until the inputs end or a hook stops it: then images in progress are finished and put,
 * except one that a stage gave up (LIMN_E_INTERRUPTED) and all after it, and the result is
 * LIMN_E_INTERRUPTED. Other failures: of the first `open`, of `put`, LIMN_E_NOMEM. An image that
 * fails is a result, not a failure. The threads that it starts block all signals. `counts` are
 * valid in every case. */
limn_status limn_pipeline_run(limn_pipeline_counts *counts, const limn_pipeline_stages *stages,
                              void *ctx, const limn_pipeline_settings *settings, limn_error *err);

#endif
