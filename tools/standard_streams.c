#define _GNU_SOURCE /* fopencookie */
#include "tools/standard_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "common/io/fileio.h"
#include "common/text/terminal_text.h"

enum { LINE_SIZE = 1 << 16 };

/* Opened the wrong way round, so that its use is an error and not silence. */
static void fill(int fd)
{
    const int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    int opened;
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) return;
    opened = open("/dev/null", flags);
    if (opened >= 0 && opened != fd) {
        dup2(opened, fd);
        close(opened);
    }
}

#ifdef __GLIBC__

static ssize_t write_harmless(void *unused, const char *bytes, size_t size)
{
    limn_buffer text = { 0 };
    bool is_written;
    (void)unused;
    limn_terminal_append(&text, bytes, size);
    is_written = !text.has_failed && limn_fd_write(STDOUT_FILENO, text.bytes, text.size);
    limn_buffer_finish(&text);
    return is_written ? (ssize_t)size : 0;
}

/* Lines are written whole: a character that is cut in two would be taken for bytes that are no
 * text. */
static void guard_terminal(void)
{
    FILE *guarded = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = write_harmless });
    if (!guarded) return;
    setvbuf(guarded, NULL, _IOLBF, LINE_SIZE);
    stdout = guarded;
}

#else

static void guard_terminal(void) /* standard output can't be replaced in other C libraries */
{
}

#endif

void limn_standard_streams_secure(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) fill(fd);
    if (isatty(STDOUT_FILENO)) guard_terminal();
    signal(SIGXFSZ, SIG_IGN);
}

limn_status limn_standard_output_flush(limn_error *err)
{
    if (!fflush(stdout) && !ferror(stdout)) return LIMN_OK;
    return limn_fail(err, LIMN_E_IO, "standard output: can't write");
}
