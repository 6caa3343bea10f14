/* The journal of a run, OUT.limn-run: the identity of the run and what is done, so that an
 * interrupted run can be resumed. It is removed when the run is complete.
 *
 * Lines, each of a letter, a space and fields with tabs between them; in names, backslash, tab and
 * line ends are \\ \t \n \r:
 *
 *     limn-run 1
 *     = NAME VALUE     the identity: what must not change when the run is resumed
 *     begin
 *     * NAME           has a result of an earlier run, in the output
 *     + NAME           done
 *     + NAME left-out  done, but what was found is left out
 *     - NAME KIND      failed
 *     ~ NAME NOTE      written by a sink: what it is about to do
 *     @ STATE ERRORS   a checkpoint: everything above is in the output, on disk; STATE, the sink's,
 *                      says where that ends; ERRORS likewise for the list of errors
 *     ! STATE ERRORS   all is done, except that finished files still need to get their final names
 *
 * Lines after the last checkpoint are ignored, except notes, whose outcome the sink determines.
 * One thread at a time. Errors begin with the journal's path. */
#ifndef LIMN_TOOLS_ANNOTATE_JOURNAL_JOURNAL_H
#define LIMN_TOOLS_ANNOTATE_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "tools/annotate/annotate.h"
#include "tools/annotate/journal/name_set.h"

typedef struct limn_journal limn_journal;

/* Where things ended at a checkpoint; no tabs or line ends. Zero-initialise. */
typedef struct limn_journal_state {
    limn_buffer sink, errors;
} limn_journal_state;

typedef struct limn_journal_note {
    char *name, *text;
} limn_journal_note;

/* What an interrupted run left behind. */
typedef struct limn_journal_past {
    bool is_resumed;                /* there was one */
    bool is_complete;               /* it had finished: only files' final names were missing */
    char *state, *errors_state;     /* of the last checkpoint; NULL when there was none */
    limn_name_set done;             /* names that are done or failed, with counts */
    limn_name_set before;           /* names with results of an earlier run */
    size_t counts[LIMN_N_STATUSES]; /* done, and failed by cause */
    size_t n_left_out;              /* of those done */
    limn_journal_note *notes;       /* [n_notes] after the last checkpoint */
    size_t n_notes, notes_capacity;
    limn_buffer lines; /* the valid lines, for the journal's next version */
} limn_journal_past;

void limn_journal_past_finish(limn_journal_past *past); /* accepts a zeroed one; zeroes it */

/* Opens or makes the journal at `path` and locks it against other processes. `identity`: lines
 * "NAME VALUE\n". LIMN_E_ARG when another process holds it, or when it was left under another
 * identity and `is_forced` is false; LIMN_E_FORMAT (not a journal), LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_journal_open(limn_journal **out, limn_journal_past *past, const char *path,
                              const char *identity, bool is_forced, limn_error *err);

/* Only reads what an interrupted run left, if there is a journal: past->is_resumed. Errors as
 * above. */
limn_status limn_journal_peek(limn_journal_past *past, const char *path, const char *identity,
                              bool is_forced, limn_error *err);

/* Add lines, which are written by the next sync or checkpoint; that fails if memory ran out
 * here. */
void limn_journal_add_before(limn_journal *j, const char *name);
void limn_journal_add(limn_journal *j, const char *name, limn_status status);
void limn_journal_add_left_out(limn_journal *j, const char *name);
void limn_journal_add_note(limn_journal *j, const char *name, const char *text);

/* After limn_journal_open, once the sink is ready and notes are settled: the first checkpoint.
 * LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_journal_begin(limn_journal *j, limn_journal_past *past,
                               const limn_journal_state *state, limn_error *err);
/* Flushes lines to disk. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_journal_sync(limn_journal *j, limn_error *err);
limn_status limn_journal_checkpoint(limn_journal *j, const limn_journal_state *state,
                                    limn_error *err);
limn_status limn_journal_mark_complete(limn_journal *j, const limn_journal_state *state,
                                       limn_error *err);

/* Closes it, leaving the file; accepts NULL and *j == NULL; nulls it. */
void limn_journal_close(limn_journal **j);
/* Removes the file and closes. LIMN_E_IO. */
limn_status limn_journal_remove(limn_journal **j, limn_error *err);

#endif
