#include "tools/annotate/sinks/direct_output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io/fileio.h"
#include "common/text/terminal_text.h"

static limn_status fail_errno(limn_error *err, const limn_direct_output *out)
{
    return limn_fail(err, LIMN_E_IO, "%s: %s", out->name, strerror(errno));
}

limn_status limn_direct_output_open(limn_direct_output *out, const char *path, int fd,
                                    limn_error *err)
{
    struct stat st;
    *out = (limn_direct_output){ .name = path                  ? path
                                         : fd == STDOUT_FILENO ? "standard output"
                                                               : "the output",
                                 .fd = fd };
    out->is_terminal = !path && isatty(fd);
    if (!path) return LIMN_OK;
    out->fd = open(path, O_WRONLY | O_CLOEXEC);
    out->is_own = out->fd >= 0;
    if (out->fd < 0 || fstat(out->fd, &st)) return fail_errno(err, out);
    if (S_ISREG(st.st_mode))
        return limn_fail(err, LIMN_E_ARG, "%s: already exists; remove it or choose another name",
                         path);
    out->is_terminal = isatty(out->fd);
    return LIMN_OK;
}

static limn_status write_all(limn_direct_output *out, const char *bytes, size_t size,
                             limn_error *err)
{
    if (limn_fd_write(out->fd, bytes, size)) return LIMN_OK;
    out->is_pipe_closed = errno == EPIPE;
    return fail_errno(err, out);
}

limn_status limn_direct_output_write(limn_direct_output *out, const char *bytes, size_t size,
                                     limn_error *err)
{
    limn_buffer text = { 0 };
    limn_status s;
    if (!out->is_terminal) return write_all(out, bytes, size, err);
    limn_terminal_append(&text, bytes, size);
    s = text.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
                        : write_all(out, text.bytes, text.size, err);
    limn_buffer_finish(&text);
    return s;
}

limn_status limn_direct_output_close(limn_direct_output *out, limn_error *err)
{
    const bool is_own = out->is_own && out->fd >= 0;
    const int fd = out->fd;
    out->is_own = false;
    out->fd = -1;
    return is_own && close(fd) ? fail_errno(err, out) : LIMN_OK;
}
