/* What the rows of an array were made from, with a checksum of each: a JSON file beside it.
 *
 *     { …, "rows": ["0123456789abcdef", …] }
 *
 * What comes before the rows is the caller's text: a record belongs to an array if its text is the
 * same. */
#ifndef LIMN_MODELS_TRAIN_ROW_RECORD_H
#define LIMN_MODELS_TRAIN_ROW_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* `text` is a JSON object that ends in "\n}\n"; checksums [n]. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_row_record_write(const char *path, const char *text, const uint64_t *checksums,
                                  size_t n, limn_error *err);
/* The checksums [n], which the caller frees with limn_free(); NULL when there is no record, or it
 * belongs to another array, or is damaged. */
uint64_t *limn_row_record_read(const char *path, const char *text, size_t n);

#endif
