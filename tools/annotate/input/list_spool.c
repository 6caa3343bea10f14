#include "tools/annotate/input/list_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/annotate/hooks.h"

enum { WAIT_MS = 100 /* between calls of keep_going */ };

static limn_status fail_errno(limn_error *err)
{
    return limn_fail(err, LIMN_E_IO, "reading the list: %s", strerror(errno));
}

/* Waits until `fd` can be read. */
static limn_status wait_for_input(int fd, const limn_annotate_hooks *hooks, limn_error *err)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int n = 0;
    while (n == 0) {
        if (!limn_hooks_keep_going(hooks)) return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
        n = poll(&p, 1, WAIT_MS);
        if (n < 0 && errno != EINTR) return fail_errno(err);
        if (n < 0) n = 0;
    }
    return LIMN_OK;
}

static limn_status copy(FILE *to, int fd, const limn_annotate_hooks *hooks, limn_error *err)
{
    char block[1 << 16];
    ssize_t n = 1;
    while (n) {
        LIMN_TRY(wait_for_input(fd, hooks, err));
        n = read(fd, block, sizeof block);
        if (n < 0 && errno != EINTR && errno != EAGAIN) return fail_errno(err);
        if (n > 0 && fwrite(block, 1, (size_t)n, to) != (size_t)n) return fail_errno(err);
    }
    return fflush(to) ? fail_errno(err) : LIMN_OK;
}

limn_status limn_list_spool_start(limn_list_spool *spool, int fd, const limn_annotate_hooks *hooks,
                                  limn_error *err)
{
    FILE *file;
    limn_status s;
    *spool = (limn_list_spool){ .fd = fd, .beginning = lseek(fd, 0, SEEK_CUR) };
    if (spool->beginning >= 0) return LIMN_OK;
    spool->beginning = 0;
    file = tmpfile();
    if (!file) return fail_errno(err);
    s = copy(file, fd, hooks, err);
    if (s == LIMN_OK) {
        spool->fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 3);
        spool->is_own = spool->fd >= 0;
        if (!spool->is_own) s = fail_errno(err);
    }
    fclose(file);
    return s;
}

limn_status limn_list_spool_rewind(const limn_list_spool *spool, limn_error *err)
{
    return lseek(spool->fd, spool->beginning, SEEK_SET) < 0 ? fail_errno(err) : LIMN_OK;
}

void limn_list_spool_finish(limn_list_spool *spool)
{
    if (spool->is_own) close(spool->fd);
    *spool = (limn_list_spool){ .fd = -1 };
}
