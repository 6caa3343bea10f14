#include "common/io/list_reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buffer.h"

void limn_list_reader_init(limn_list_reader *r, int fd, int wake_fd, char separator)
{
    r->fd = fd;
    r->wake_fd = wake_fd;
    r->separator = separator;
    r->is_at_end = false;
    r->n_entries = 0;
    r->begin = r->end = 0;
}

/* Waits until fd can be read. */
static limn_status wait_for_input(limn_list_reader *r, limn_error *err)
{
    struct pollfd fds[2] = { { .fd = r->fd, .events = POLLIN },
                             { .fd = r->wake_fd, .events = POLLIN } };
    for (;;) {
        const int n = poll(fds, 2, -1); /* a negative fd is left out */
        if (n < 0 && errno != EINTR)
            return limn_fail(err, LIMN_E_IO, "waiting for the list: %s", strerror(errno));
        if (n > 0 && fds[1].revents) return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
        if (n > 0) return LIMN_OK;
    }
}

/* Adds to the block what arrives next; sets is_at_end when there is nothing more. */
static limn_status fill_more(limn_list_reader *r, limn_error *err)
{
    ssize_t n;
    do {
        const limn_status s = wait_for_input(r, err);
        if (s != LIMN_OK) {
            r->is_at_end = true;
            return s;
        }
        n = read(r->fd, r->block + r->end, sizeof r->block - r->end);
    } while (n < 0 && (errno == EINTR || errno == EAGAIN));
    r->end += n > 0 ? (size_t)n : 0;
    r->is_at_end = n <= 0;
    if (n < 0) return limn_fail(err, LIMN_E_IO, "reading the list: %s", strerror(errno));
    return LIMN_OK;
}

/* Refills the block, all of which was read. */
static limn_status fill(limn_list_reader *r, limn_error *err)
{
    r->begin = r->end = 0;
    return fill_more(r, err);
}

/* Reads one entry into `entry`; `*size` is its full size, which may be more than fits. */
static limn_status read_entry(limn_list_reader *r, size_t *size, limn_error *err)
{
    *size = 0;
    for (;;) {
        const char *from = r->block + r->begin, *stop;
        size_t n;
        if (r->begin == r->end) {
            if (!r->is_at_end) LIMN_TRY(fill(r, err));
            if (r->is_at_end) return LIMN_OK;
            continue;
        }
        stop = memchr(from, r->separator, r->end - r->begin);
        n = stop ? (size_t)(stop - from) : r->end - r->begin;
        if (*size < sizeof r->entry - 1) {
            const size_t room = sizeof r->entry - 1 - *size;
            memcpy(r->entry + *size, from, n < room ? n : room);
        }
        *size += n;
        r->begin += n + (stop ? 1 : 0);
        if (stop) return LIMN_OK;
    }
}

limn_status limn_list_reader_next(limn_list_reader *r, const char **out, limn_error *err)
{
    size_t size;
    *out = NULL;
    do {
        LIMN_TRY(read_entry(r, &size, err));
        r->n_entries++;
    } while (!size && !(r->is_at_end && r->begin == r->end));
    if (size > LIMN_LIST_MAX_PATH)
        return limn_fail(err, LIMN_E_LIMIT, "entry %zu has %zu bytes, more than %d", r->n_entries,
                         size, LIMN_LIST_MAX_PATH);
    /* In the first entry: this is not a list of lines, but an archive, or a list for -0. */
    if (memchr(r->entry, '\0', size) && r->n_entries == 1) {
        r->begin = r->end;
        r->is_at_end = true;
    }
    if (memchr(r->entry, '\0', size))
        return limn_fail(err, LIMN_E_FORMAT,
                         "line %zu holds a NUL byte; is this a NUL-separated list?", r->n_entries);
    r->entry[size] = '\0';
    *out = size ? r->entry : NULL;
    return LIMN_OK;
}

limn_status limn_list_reader_peek(limn_list_reader *r, const unsigned char **head, size_t *size,
                                  size_t room, limn_error *err)
{
    if (r->begin == r->end) r->begin = r->end = 0;
    while (r->end < room && !r->is_at_end && !memchr(r->block, r->separator, r->end))
        LIMN_TRY(fill_more(r, err));
    *head = (const unsigned char *)r->block + r->begin;
    *size = r->end - r->begin;
    if (*size > room) *size = room;
    return LIMN_OK;
}

limn_status limn_list_reader_read_all(limn_list_reader *r, unsigned char **bytes, size_t *size,
                                      size_t max_size, limn_error *err)
{
    limn_buffer all = { 0 };
    limn_status s = LIMN_OK;
    do {
        limn_buffer_append(&all, r->block + r->begin, r->end - r->begin);
        r->begin = r->end;
        if (all.has_failed)
            s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
        else if (all.size > max_size)
            s = limn_fail(err, LIMN_E_LIMIT, "has more than the limit of %zu bytes", max_size);
        else if (!r->is_at_end)
            s = fill(r, err);
    } while (s == LIMN_OK && r->begin < r->end);
    if (s != LIMN_OK) limn_buffer_finish(&all);
    *bytes = (unsigned char *)all.bytes;
    *size = all.size;
    return s;
}
