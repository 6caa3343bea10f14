/* What a run has put since its last checkpoint. The checkpoint writes it to the journal; it also
 * writes the images' files, so until then an image may still fail. One thread at a time. */
#ifndef LIMN_TOOLS_ANNOTATE_RUN_RUN_RESULTS_H
#define LIMN_TOOLS_ANNOTATE_RUN_RUN_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/annotate/journal/journal.h"

typedef struct limn_run_result {
    char *name; /* owned */
    limn_status status;
    bool is_left_out;
} limn_run_result;

typedef struct limn_run_results {
    limn_run_result *items; /* [n_items], in the order in which they were put */
    size_t n_items, capacity;
} limn_run_results; /* zero-initialise */

/* LIMN_E_NOMEM. */
limn_status limn_run_results_add(limn_run_results *r, const char *name, limn_status status,
                                 bool is_left_out, limn_error *err);
/* The last one that succeeded under this name; NULL: there is none. */
limn_run_result *limn_run_results_find(limn_run_results *r, const char *name);
/* Adds their lines to the journal, and forgets them. */
void limn_run_results_record(limn_run_results *r, limn_journal *journal);
void limn_run_results_finish(limn_run_results *r); /* accepts a zeroed one; zeroes it */

#endif
