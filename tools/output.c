#include "tools/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/terminal_text.h"
#include "tools/interrupt.h"
#include "tools/progress.h"

static const char *name_of(const limn_output *out)
{
    return out->path ? out->path : "standard output";
}

static limn_status make_part_path(limn_output *out, limn_error *err)
{
    const size_t size = strlen(out->path) + sizeof ".part";
    out->part_path = limn_alloc(size, 1);
    if (!out->part_path) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    snprintf(out->part_path, size, "%s.part", out->path);
    return LIMN_OK;
}

static limn_status open_part(limn_output *out, limn_error *err)
{
    LIMN_TRY(make_part_path(out, err));
    out->fd = limn_file_create_new(AT_FDCWD, out->part_path, O_WRONLY);
    if (out->fd >= 0) return LIMN_OK;
    if (errno == EEXIST)
        limn_fail(err, LIMN_E_ARG,
                  "%s: exists, from an interrupted or running limn; remove or rename it first",
                  out->part_path);
    else
        limn_file_fail_create(out->part_path, err);
    limn_free(out->part_path);
    out->part_path = NULL;
    return errno == EEXIST ? LIMN_E_ARG : LIMN_E_IO;
}

limn_status limn_output_open(limn_output *out, const char *path, limn_error *err)
{
    struct stat st;
    *out = (limn_output){ .fd = STDOUT_FILENO };
    if (!path || !strcmp(path, "-")) {
        out->is_terminal = isatty(out->fd);
        return LIMN_OK;
    }
    out->path = path;
    if (stat(path, &st)) return open_part(out, err);
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        return limn_fail(err, LIMN_E_ARG, "%s: already exists; remove it or choose another name",
                         path);
    out->fd = open(path, O_WRONLY | O_CLOEXEC);
    if (out->fd < 0) return limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
    out->is_terminal = isatty(out->fd);
    return LIMN_OK;
}

static limn_status write_all(limn_output *out, const char *bytes, size_t size, limn_error *err)
{
    if (limn_fd_write(out->fd, bytes, size)) return LIMN_OK;
    out->is_pipe_closed = errno == EPIPE;
    return limn_fail(err, LIMN_E_IO, "%s: %s", name_of(out), strerror(errno));
}

static limn_status write_harmless(limn_output *out, const char *bytes, size_t size, limn_error *err)
{
    limn_buffer text = { 0 };
    limn_terminal_append(&text, bytes, size);
    const limn_status s = text.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
                                          : write_all(out, text.bytes, text.size, err);
    limn_buffer_finish(&text);
    return s;
}

limn_status limn_output_write(limn_output *out, const char *bytes, size_t size, limn_error *err)
{
    limn_status s;
    if (out->is_terminal) limn_progress_erase();
    limn_interrupt_hold();
    s = out->is_terminal ? write_harmless(out, bytes, size, err) : write_all(out, bytes, size, err);
    limn_interrupt_release();
    return s;
}

/* Gives a complete part file its name, unless that is taken meanwhile. */
static limn_status rename_part(limn_output *out, limn_error *err)
{
    if (!access(out->path, F_OK))
        return limn_fail(err, LIMN_E_IO, "%s: was created in the meantime; the results are in %s",
                         out->path, out->part_path);
    return limn_file_take_name(out->part_path, out->path, err);
}

static bool is_empty(const limn_output *out)
{
    struct stat st;
    return !fstat(out->fd, &st) && !st.st_size;
}

/* Everything but closing. */
static limn_status finish_part(limn_output *out, bool is_complete, limn_error *err)
{
    if (is_empty(out)) {
        unlink(out->part_path);
        return LIMN_OK;
    }
    if (!is_complete) return LIMN_OK;
    if (fsync(out->fd)) return limn_fail(err, LIMN_E_IO, "%s: %s", out->part_path, strerror(errno));
    return rename_part(out, err);
}

limn_status limn_output_close(limn_output *out, bool is_complete, limn_error *err)
{
    const limn_status s = out->part_path ? finish_part(out, is_complete, err) : LIMN_OK;
    const bool is_closed = !out->path || !close(out->fd);
    limn_free(out->part_path);
    out->part_path = NULL;
    if (s == LIMN_OK && !is_closed)
        return limn_fail(err, LIMN_E_IO, "%s: %s", out->path, strerror(errno));
    return s;
}

void limn_output_discard(limn_output *out)
{
    if (out->part_path) unlink(out->part_path);
    limn_free(out->part_path);
    out->part_path = NULL;
    if (out->path) close(out->fd);
}
