/* A run: writes the results of a pipeline to a sink, so that it can be resumed after an
 * interruption.
 *
 *     limn_image_run_begin
 *     for each image: limn_image_run_want, limn_image_run_make_ready, limn_image_run_put
 *     limn_image_run_finish
 *
 * With a journal (tools/annotate/journal/journal.h), at least every LIMN_IMAGE_RUN_SECONDS and
 * LIMN_IMAGE_RUN_RESULTS what was put is written to the disk and recorded there. */
#ifndef LIMN_TOOLS_ANNOTATE_RUN_IMAGE_RUN_H
#define LIMN_TOOLS_ANNOTATE_RUN_IMAGE_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/annotate/sinks/sink.h"

#define LIMN_IMAGE_RUN_RESULTS 256
#define LIMN_IMAGE_RUN_SECONDS 2.0

typedef struct limn_image_run limn_image_run;

typedef struct limn_image_run_settings {
    limn_sink *sink;         /* borrowed */
    const char *identity;    /* lines "NAME VALUE\n" that must not change on resuming */
    const char *errors_path; /* --errors; NULL: no list */
    bool is_forced;          /* resumes even under another identity */
    bool is_dry;             /* a dry run: nothing is changed; do not call `put` */
    bool is_strict;          /* the first failure ends the run */
    const limn_annotate_hooks *hooks;
    /* Reports an image that was put, but whose file then could not be written. The run counts and
     * lists it itself. NULL: nobody is told. */
    limn_status (*failed)(void *ctx, const char *name, const limn_error *failure, limn_error *err);
    void *ctx;
} limn_image_run_settings;

/* *is_over: an interrupted run had already done everything, and is now complete; only
 * limn_image_run_finish remains to be called. LIMN_E_ARG, LIMN_E_IO, LIMN_E_NOMEM, LIMN_E_FORMAT:
 * nothing was changed. */
limn_status limn_image_run_begin(limn_image_run **out, bool *is_over,
                                 const limn_image_run_settings *settings, limn_error *err);
/* Whether `input`, called `name` in the output, is still to be done. Any thread; a failure is the
 * image's result. */
limn_status limn_image_run_want(limn_image_run *run, const limn_dirwalk_entry *input,
                                const char *name, bool *is_wanted, limn_error *err);
/* Before limn_image_run_put of a result that is no failure, from the same thread. A failure is the
 * image's: put that instead. */
limn_status limn_image_run_make_ready(limn_image_run *run, const limn_pipeline_result *result,
                                      limn_error *err);
/* In input order, from one thread; failures too. A failure ends the run. */
limn_status limn_image_run_put(limn_image_run *run, const limn_pipeline_result *result,
                               limn_error *err);
/* Completes the run when `status` is LIMN_OK, or leaves it so that it can be resumed. Fills
 * *account, frees and nulls *run. Returns `status`, or what failed here. */
limn_status limn_image_run_finish(limn_image_run **run, limn_status status, limn_account *account,
                                  limn_error *err);

#endif
