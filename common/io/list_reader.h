/* Entries of a list of names on a descriptor, one at a time as they arrive. */
#ifndef LIMN_COMMON_IO_LIST_READER_H
#define LIMN_COMMON_IO_LIST_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

#define LIMN_LIST_MAX_PATH 65536 /* bytes of an entry */

typedef struct limn_list_reader {
    int fd, wake_fd; /* the list; -1, or waiting ends when this becomes readable */
    char separator;
    bool is_at_end;
    size_t n_entries;  /* read so far, empty ones too */
    size_t begin, end; /* unread bytes of `block` */
    char block[4096];
    char entry[LIMN_LIST_MAX_PATH + 1];
} limn_list_reader;

void limn_list_reader_init(limn_list_reader *r, int fd, int wake_fd, char separator);

/* Points `*out` to the next entry that is not empty, valid until the next call; NULL at the end.
 * LIMN_E_IO, LIMN_E_INTERRUPTED; after LIMN_E_LIMIT (an entry over LIMN_LIST_MAX_PATH) and
 * LIMN_E_FORMAT (a NUL in a list of lines) the next call reads the next entry. */
limn_status limn_list_reader_next(limn_list_reader *r, const char **out, limn_error *err);

/* Before the first entry: `*head` [*size], owned by the reader, are the first bytes, up to `room`
 * or to the first separator; they stay unread. LIMN_E_IO, LIMN_E_INTERRUPTED. */
limn_status limn_list_reader_peek(limn_list_reader *r, const unsigned char **head, size_t *size,
                                  size_t room, limn_error *err);
/* Instead of entries: all bytes to the end; the caller frees `*bytes` with limn_free().
 * LIMN_E_LIMIT (more than max_size), LIMN_E_NOMEM, LIMN_E_IO, LIMN_E_INTERRUPTED. */
limn_status limn_list_reader_read_all(limn_list_reader *r, unsigned char **bytes, size_t *size,
                                      size_t max_size, limn_error *err);

#endif
