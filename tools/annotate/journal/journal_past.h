/* Reading a journal. For journal.c. */
#ifndef LIMN_TOOLS_ANNOTATE_JOURNAL_JOURNAL_PAST_H
#define LIMN_TOOLS_ANNOTATE_JOURNAL_JOURNAL_PAST_H

#include "tools/annotate/journal/journal.h"

#define LIMN_JOURNAL_MAGIC "limn-run 1"
#define LIMN_JOURNAL_BEGIN "begin"

/* Reads `text` [size bytes, and a NUL after them] of the journal `path`. is_resumed stays false
 * when it does not even hold a complete header. A torn last line is left out. LIMN_E_FORMAT,
 * LIMN_E_NOMEM. */
limn_status limn_journal_past_read(limn_journal_past *past, const char *text, size_t size,
                                   const char *path, limn_error *err);

/* Whether the header of `text` is `header`. LIMN_E_ARG names the first difference. */
limn_status limn_journal_check_header(const char *text, const limn_buffer *header, const char *path,
                                      limn_error *err);

#endif
