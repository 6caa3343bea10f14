#include "tools/annotate/input/list_spool.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/interrupt.h"

static bool is_spooled;
static off_t beginning;

static limn_status fail_errno(limn_error *err)
{
    return limn_fail(err, LIMN_E_IO, "reading the list: %s", strerror(errno));
}

/* Waits until standard input can be read. */
static limn_status wait_for_input(limn_error *err)
{
    struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
                             { .fd = limn_interrupt_wake_fd(), .events = POLLIN } };
    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR) return fail_errno(err);
    return fds[1].revents ? limn_fail(err, LIMN_E_INTERRUPTED, "interrupted") : LIMN_OK;
}

static limn_status copy(FILE *to, limn_error *err)
{
    char block[1 << 16];
    ssize_t n = 1;
    while (n) {
        LIMN_TRY(wait_for_input(err));
        n = read(STDIN_FILENO, block, sizeof block);
        if (n < 0 && errno != EINTR && errno != EAGAIN) return fail_errno(err);
        if (n > 0 && fwrite(block, 1, (size_t)n, to) != (size_t)n) return fail_errno(err);
    }
    return fflush(to) ? fail_errno(err) : LIMN_OK;
}

limn_status limn_list_spool_start(limn_error *err)
{
    FILE *file;
    limn_status s;
    beginning = lseek(STDIN_FILENO, 0, SEEK_CUR);
    is_spooled = beginning >= 0;
    if (is_spooled) return LIMN_OK;
    file = tmpfile();
    if (!file) return fail_errno(err);
    s = copy(file, err);
    if (s == LIMN_OK && dup2(fileno(file), STDIN_FILENO) < 0) s = fail_errno(err);
    fclose(file);
    beginning = 0;
    is_spooled = s == LIMN_OK;
    return s;
}

limn_status limn_list_spool_rewind(limn_error *err)
{
    if (is_spooled && lseek(STDIN_FILENO, beginning, SEEK_SET) < 0) return fail_errno(err);
    return LIMN_OK;
}
