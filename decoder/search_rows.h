/* What a search wants of the model. Every search is driven in the same way:
 *
 *     begin(search, settings, …);
 *     while (rows = rows_of(search), rows.n_rows > 0)
 *         take(search, outputs of the model for `rows`);
 *     end(search, &found, &n_found);
 *
 * so that whoever drives several of them can run the model once for the rows of all. */
#ifndef LIMN_DECODER_SEARCH_ROWS_H
#define LIMN_DECODER_SEARCH_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* The hypotheses that the search wants to continue: row i takes token tokens[i] and continues row
 * parents[i] of the request before (0 in the first one). The outputs that it takes for them are
 * [n_rows, n_tokens]: what may follow each row. Borrowed until the search goes on. */
typedef struct limn_search_rows {
    size_t n_rows; /* 0: the search is over */
    const uint32_t *parents, *tokens;
} limn_search_rows;

#endif
