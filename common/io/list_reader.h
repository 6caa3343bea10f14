/* Entries of a list of names on a descriptor, one at a time as they arrive. For dirwalk. */
#ifndef LIMN_COMMON_IO_LIST_READER_H
#define LIMN_COMMON_IO_LIST_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/io/dirwalk.h"

typedef struct limn_list_reader {
    int fd, wake_fd; /* as in limn_dirwalk_settings */
    char separator;
    bool is_at_end;
    size_t n_entries;  /* read so far, empty ones too */
    size_t begin, end; /* unread bytes of `block` */
    char block[4096];
    char entry[LIMN_DIRWALK_MAX_PATH + 1];
} limn_list_reader;

void limn_list_reader_init(limn_list_reader *r, int fd, int wake_fd, char separator);

/* Points `*out` to the next entry that is not empty, valid until the next call; NULL at the end.
 * Failures as limn_dirwalk_next; after LIMN_E_LIMIT and LIMN_E_FORMAT the next call reads the next
 * entry. */
limn_status limn_list_reader_next(limn_list_reader *r, const char **out, limn_error *err);

/* Before the first entry: `*head` [*size], owned by the reader, are the first bytes, up to `room`
 * or to the first separator; they stay unread. Failures as limn_dirwalk_next. */
limn_status limn_list_reader_peek(limn_list_reader *r, const unsigned char **head, size_t *size,
                                  size_t room, limn_error *err);
/* Instead of entries: all bytes to the end; the caller frees `*bytes` with limn_free().
 * LIMN_E_LIMIT (more than max_size), LIMN_E_NOMEM, and as limn_dirwalk_next. */
limn_status limn_list_reader_read_all(limn_list_reader *r, unsigned char **bytes, size_t *size,
                                      size_t max_size, limn_error *err);

#endif
