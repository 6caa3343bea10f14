/* Rows of delimited text: fields between commas, semicolons (RFC 4180), bars or tabs. */
#ifndef LIMN_COMMON_IO_CAPTION_ROWS_H
#define LIMN_COMMON_IO_CAPTION_ROWS_H

#include "common/io/captions_parse.h"

enum { LIMN_CAPTION_MAX_COLUMNS = 64 };

/* Zero-initialise with text, separator, n_lines = 1 and rest_column; limn_buffer_finish(&row)
 * frees. Where a separator is ',' or ';', a quoted field may hold separators, line ends and doubled
 * quotes; with '|' and tabs, quotes mean nothing. Except with tabs, blanks around a field don't
 * belong to it. */
typedef struct limn_caption_rows {
    limn_caption_text text; /* what is left */
    char separator;
    size_t n_lines;     /* number of the line that begins `text` */
    size_t rest_column; /* the column that takes all that is left of its line, separators too, where
                         * it is not quoted; SIZE_MAX for none */
    limn_buffer row;    /* the fields of the row, unquoted, without separators */
    size_t ends[LIMN_CAPTION_MAX_COLUMNS]; /* where each field ends in `row` */
    size_t n_fields;
} limn_caption_rows;

/* The next row's fields, checked to be UTF-8. False at the end, or with an error in *status:
 * LIMN_E_FORMAT, LIMN_E_LIMIT, LIMN_E_NOMEM. */
bool limn_caption_next_row(limn_caption_rows *r, limn_status *status, limn_error *err);

/* A field of the row; none (bytes == NULL) beyond the last. Valid until the next row. */
limn_caption_text limn_caption_row_field(const limn_caption_rows *r, size_t i);

#endif
