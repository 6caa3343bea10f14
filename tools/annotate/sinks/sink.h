/* Sinks: where the results of a run go. A sink is a struct that begins with limn_sink and a const
 * struct of functions; its own header says how to make one. tools/annotate/run/image_run.h calls
 * them:
 *
 *     begin settle* ─ ((make_ready put)* checkpoint)* ─ end checkpoint complete
 *                                                      or checkpoint leave
 *                                                      or discard
 *
 * from one thread, except `look`. A sink without a journal (standard output, a pipe) has NULL for
 * `journal_path` and gets no checkpoints. Errors begin with the name of the file that they are
 * about. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SINK_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "tools/annotate/pipeline.h"
#include "tools/annotate/journal/journal.h"

typedef struct limn_sink limn_sink;

typedef struct limn_sink_methods {
    /* Whether there was a result for `input` before this run: such images are skipped. Any
     * thread. NULL: never. A failure becomes the image's result. If the sink has is_once, called
     * for every image. */
    limn_status (*look)(limn_sink *s, const limn_dirwalk_entry *input, bool *is_there,
                        limn_error *err);

    /* Begins; or resumes from `state`, which the last `checkpoint` before the interruption gave,
     * and undoes what came after it. NULL: from the beginning. Names with results of an earlier run
     * are then added to `before`. LIMN_E_ARG when another run's results are in the way. */
    limn_status (*begin)(limn_sink *s, const char *state, limn_name_set *before, limn_error *err);
    /* For a dry run without a journal: what `begin` would add to `before`, without changing
     * anything. NULL: nothing. */
    limn_status (*peek)(limn_sink *s, limn_name_set *before, limn_error *err);
    /* Determines the outcome of a note that was made after the last checkpoint: whether the image
     * is done. NULL when the sink makes none. */
    limn_status (*settle)(limn_sink *s, const limn_journal_note *note, bool *is_done,
                          limn_error *err);

    /* Before `put` of a result that is no failure: what fails here becomes the image's failure.
     * NULL: nothing can. */
    limn_status (*make_ready)(limn_sink *s, const limn_pipeline_result *result, limn_error *err);
    /* In input order; failures too. */
    limn_status (*put)(limn_sink *s, const limn_pipeline_result *result, limn_error *err);
    /* Everything put must be on disk when this returns; appends to `state` the one line that
     * `begin` needs to resume from here. May write notes to the journal (and sync it) before it
     * does anything irreversible. */
    limn_status (*checkpoint)(limn_sink *s, limn_journal *journal, limn_buffer *state,
                              limn_error *err);

    /* Writes what follows the last result; also called before `leave` for a sink without a
     * journal. */
    limn_status (*end)(limn_sink *s, limn_error *err);
    /* After the last checkpoint of a complete run: gives files their final names. Also called
     * instead of `begin`, with that checkpoint's `state`, if the run was interrupted at this
     * point. */
    limn_status (*complete)(limn_sink *s, const char *state, limn_error *err);
    /* Instead of `complete`: the run will be resumed later. Also without a journal. */
    limn_status (*leave)(limn_sink *s, limn_error *err);
    /* Instead of `leave`: nothing was put, and nothing must remain. */
    void (*discard)(limn_sink *s);
    void (*destroy)(limn_sink *s); /* always called last */
} limn_sink_methods;

struct limn_sink {
    const limn_sink_methods *methods;
    char *journal_path;       /* owned; NULL: no journal */
    bool is_once;             /* an image that is named twice gets one result; ensured by `look` */
    atomic_size_t n_siblings; /* images that `look` skipped: their caption is another file's */
    /* Set by the run: makes a checkpoint. For limn_sink_record. */
    limn_status (*record)(void *run, limn_error *err);
    /* Likewise: an image fails after all. For limn_sink_fail. */
    limn_status (*fail)(void *run, const char *name, const limn_error *failure, limn_error *err);
    void *run;
    const limn_annotate_hooks *hooks; /* for messages; NULL: none */
    bool is_incomplete;               /* an output could not be written, as was reported */
    bool is_pipe_closed;              /* whoever reads the output has gone */
};

/* Makes a checkpoint now, of everything put so far. For a sink that gives a file its final name
 * before the run is over: the outcomes of the images in it, failures too, must be recorded first,
 * since the file will not be made again. Does nothing without a journal. */
limn_status limn_sink_record(limn_sink *s, limn_error *err);
/* In `checkpoint`: the image `name`, which was put as done since the last one, has failed, since
 * its file can't be written; the run goes on. What fails here ends it. */
limn_status limn_sink_fail(limn_sink *s, const char *name, const limn_error *failure,
                           limn_error *err);
/* Accepts NULL and *s == NULL; nulls it. */
void limn_sink_destroy(limn_sink **s);

#endif
