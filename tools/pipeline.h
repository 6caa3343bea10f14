/* Pictures through stages, in order, with bounded memory: what limn and limn-preprocess share.
 *
 *     names ─ walk and read (reader threads, ahead) ─ load ─ run (worker threads) ─ put (caller)
 *
 * A ring of slots holds the pictures in work in input order. Readers fill it with the files' bytes
 * so that a slow disk does not stop the workers; a worker loads (decodes, resizes) a picture while
 * fewer than one a worker are loaded, else runs the oldest loaded one; the calling thread puts
 * results out in input order. Neither the number of threads nor their timing changes a result. */
#ifndef LIMN_TOOLS_PIPELINE_H
#define LIMN_TOOLS_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/io/dirwalk.h"

#define LIMN_PIPELINE_MAX_FILE_SIZE ((size_t)1 << 30) /* bytes; larger picture files are refused */
#define LIMN_PIPELINE_READ_AHEAD ((size_t)64 << 20)   /* bytes read and not yet loaded, about */

typedef struct limn_pipeline_result {
    const char *path;
    const limn_error *error; /* NULL when it worked; the text does not repeat the path */
    const limn_buffer *out;  /* what `run` appended */
} limn_pipeline_result;

typedef struct limn_pipeline_stages {
    /* Makes and frees a worker's own state. The first one is made before any thread
     * starts, so that a failure for all is told once; the others by the workers themselves.
     * `close` accepts NULL. */
    limn_status (*open)(void **worker, void *ctx, limn_error *err);
    void (*close)(void *worker);
    /* The bytes of a picture file to input [input_size]. */
    limn_status (*load)(void *worker, const void *bytes, size_t size, uint8_t *input,
                        limn_error *err);
    /* Appends the result for input [input_size] to `out`. */
    limn_status (*run)(void *worker, const char *path, const uint8_t *input, limn_buffer *out,
                       limn_error *err);
    /* In input order, in the calling thread. A failure ends the pipeline. */
    limn_status (*put)(void *ctx, const limn_pipeline_result *result, limn_error *err);
} limn_pipeline_stages;

typedef struct limn_pipeline_settings {
    size_t n_threads;  /* workers, at least 1 */
    size_t input_size; /* bytes of a loaded picture */
    char *const *names; /* [n_names] as for limn_dirwalk_create */
    size_t n_names;
    bool is_recursive, is_nul_separated;
} limn_pipeline_settings;

typedef struct limn_pipeline_counts {
    size_t n_done, n_failed;
    size_t n_left_out; /* files in folders that are no pictures */
    limn_dirwalk_counts walk;
} limn_pipeline_counts;

/* Runs until the names are at their end or a signal came (tools/interrupt.h): then what is in work
 * is finished and put, and the result is LIMN_E_INTERRUPTED. Other failures: of the first `open`,
 * of `put`, LIMN_E_NOMEM. A picture that fails is a result, not a failure. Shows progress.
 * `counts` are right in every case. */
limn_status limn_pipeline_run(limn_pipeline_counts *counts, const limn_pipeline_stages *stages,
                              void *ctx, const limn_pipeline_settings *settings, limn_error *err);

#endif
