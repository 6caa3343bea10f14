#include "tools/annotate/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/place.h"
#include "tools/annotate/journal/journal_past.h"
#include "common/text/file_name.h"

struct limn_journal {
    char *path, *new_path; /* new_path: where its next version is written */
    int fd;
    limn_buffer header, pending;
};

static limn_status fail_errno(limn_error *err, const limn_journal *j)
{
    return limn_fail(err, LIMN_E_IO, "%s: %s", j->path, strerror(errno));
}

/* ---- opening ---------------------------------------------------------------------------- */

/* Locks the whole file, until the process ends. A file system without locks is not an error. */
static limn_status lock(const limn_journal *j, int fd, limn_error *err)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (fcntl(fd, F_SETLK, &whole) && (errno == EACCES || errno == EAGAIN))
        return limn_fail(err, LIMN_E_ARG, "%s: another limn is writing this output", j->path);
    return LIMN_OK;
}

/* Whether the path still leads to the open file: its last owner may have removed or replaced it
 * before we got the lock. */
static bool is_current(const limn_journal *j)
{
    struct stat open_file, named;
    return !fstat(j->fd, &open_file) && !stat(j->path, &named) &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

static limn_status open_locked(limn_journal *j, limn_error *err)
{
    for (;;) {
        LIMN_TRY(limn_file_open_own(&j->fd, j->path, O_RDWR | O_CREAT | O_APPEND, err));
        LIMN_TRY(lock(j, j->fd, err));
        if (is_current(j)) return LIMN_OK;
        close(j->fd);
    }
}

static limn_status write_all(const limn_journal *j, int fd, const limn_buffer *bytes,
                             limn_error *err)
{
    if (bytes->has_failed) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", j->path);
    return limn_fd_write(fd, bytes->bytes, bytes->size) && !fsync(fd) ? LIMN_OK
                                                                      : fail_errno(err, j);
}

/* "= NAME VALUE" for each line of the identity. */
static void make_header(limn_journal *j, const char *identity)
{
    limn_buffer_append_text(&j->header, LIMN_JOURNAL_MAGIC "\n");
    while (*identity) {
        const size_t size = strcspn(identity, "\n");
        limn_buffer_append_text(&j->header, "= ");
        limn_buffer_append(&j->header, identity, size);
        limn_buffer_append_text(&j->header, "\n");
        identity += size + (identity[size] == '\n');
    }
    limn_buffer_append_text(&j->header, LIMN_JOURNAL_BEGIN "\n");
}

/* Reads an existing journal, and checks that its run may be resumed. */
static limn_status read_past(limn_journal *j, limn_journal_past *past, bool is_forced,
                             limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    limn_status s = limn_fd_read(&bytes, &size, j->fd, j->path, SIZE_MAX / 4, err);
    if (s == LIMN_OK) s = limn_journal_past_read(past, (const char *)bytes, size, j->path, err);
    if (s == LIMN_OK && past->is_resumed && !is_forced)
        s = limn_journal_check_header((const char *)bytes, &j->header, j->path, err);
    limn_free(bytes);
    return s;
}

/* For a journal that is new, or lacks even a complete header. */
static limn_status write_header(limn_journal *j, limn_error *err)
{
    if (ftruncate(j->fd, 0)) return fail_errno(err, j);
    return write_all(j, j->fd, &j->header, err);
}

static limn_status create(limn_journal **out, const char *path, const char *identity,
                          limn_error *err)
{
    const size_t size = strlen(path) + sizeof ".new";
    limn_journal *j = *out = limn_calloc(1, sizeof *j);
    if (!j) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    j->fd = -1;
    j->path = limn_strdup(path);
    j->new_path = limn_alloc(size, 1);
    if (!j->path || !j->new_path) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    snprintf(j->new_path, size, "%s.new", path);
    make_header(j, identity);
    return j->header.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

limn_status limn_journal_open(limn_journal **out, limn_journal_past *past, const char *path,
                              const char *identity, bool is_forced, limn_error *err)
{
    limn_status s = create(out, path, identity, err);
    *past = (limn_journal_past){ 0 };
    if (s == LIMN_OK) s = open_locked(*out, err);
    if (s == LIMN_OK) s = read_past(*out, past, is_forced, err);
    if (s == LIMN_OK && !past->is_resumed) s = write_header(*out, err);
    if (s != LIMN_OK) {
        limn_journal_past_finish(past);
        limn_journal_close(out);
    }
    return s;
}

limn_status limn_journal_peek(limn_journal_past *past, const char *path, const char *identity,
                              bool is_forced, limn_error *err)
{
    limn_journal *j = NULL;
    limn_status s = create(&j, path, identity, err);
    *past = (limn_journal_past){ 0 };
    if (s == LIMN_OK) {
        limn_error reason = { 0 };
        s = limn_file_open_own(&j->fd, path, O_RDONLY, &reason);
        if (s == LIMN_E_IO && errno == ENOENT) s = LIMN_OK;
        if (s != LIMN_OK) limn_fail(err, s, "%s", reason.text);
    }
    if (s == LIMN_OK && j->fd >= 0) s = read_past(j, past, is_forced, err);
    if (s != LIMN_OK) limn_journal_past_finish(past);
    limn_journal_close(&j);
    return s;
}

void limn_journal_close(limn_journal **j)
{
    if (!*j) return;
    if ((*j)->fd >= 0) close((*j)->fd);
    limn_free((*j)->path);
    limn_free((*j)->new_path);
    limn_buffer_finish(&(*j)->header);
    limn_buffer_finish(&(*j)->pending);
    limn_free(*j);
    *j = NULL;
}

limn_status limn_journal_remove(limn_journal **j, limn_error *err)
{
    limn_status s = LIMN_OK;
    unlink((*j)->new_path);
    if (unlink((*j)->path)) s = fail_errno(err, *j);
    if (s == LIMN_OK) s = limn_folder_sync((*j)->path, err);
    limn_journal_close(j);
    return s;
}

/* ---- lines ------------------------------------------------------------------------------ */

static void add_line(limn_journal *j, char letter, const char *name, const char *field)
{
    limn_buffer_printf(&j->pending, "%c ", letter);
    limn_file_name_append_line(&j->pending, name);
    if (field) limn_buffer_printf(&j->pending, "\t%s", field);
    limn_buffer_append_text(&j->pending, "\n");
}

void limn_journal_add_before(limn_journal *j, const char *name)
{
    add_line(j, '*', name, NULL);
}

void limn_journal_add(limn_journal *j, const char *name, limn_status status)
{
    if (status == LIMN_OK)
        add_line(j, '+', name, NULL);
    else
        add_line(j, '-', name, limn_status_name(status));
}

void limn_journal_add_left_out(limn_journal *j, const char *name)
{
    add_line(j, '+', name, "left-out");
}

void limn_journal_add_note(limn_journal *j, const char *name, const char *text)
{
    add_line(j, '~', name, text);
}

limn_status limn_journal_sync(limn_journal *j, limn_error *err)
{
    LIMN_TRY(write_all(j, j->fd, &j->pending, err));
    limn_buffer_clear(&j->pending);
    return LIMN_OK;
}

static void add_state(limn_journal *j, char letter, const limn_journal_state *state)
{
    limn_buffer_printf(&j->pending, "%c ", letter);
    limn_buffer_append(&j->pending, state->sink.bytes, state->sink.size);
    if (state->errors.size) {
        limn_buffer_append_text(&j->pending, "\t");
        limn_buffer_append(&j->pending, state->errors.bytes, state->errors.size);
    }
    limn_buffer_append_text(&j->pending, "\n");
    j->pending.has_failed |= state->sink.has_failed || state->errors.has_failed;
}

limn_status limn_journal_checkpoint(limn_journal *j, const limn_journal_state *state,
                                    limn_error *err)
{
    add_state(j, '@', state);
    return limn_journal_sync(j, err);
}

limn_status limn_journal_mark_complete(limn_journal *j, const limn_journal_state *state,
                                       limn_error *err)
{
    add_state(j, '!', state);
    return limn_journal_sync(j, err);
}

/* ---- beginning -------------------------------------------------------------------------- */

/* Writes the valid lines of the old version, and the pending ones, to a new file that replaces
 * it. */
static limn_status replace(limn_journal *j, const limn_buffer *old_lines, limn_error *err)
{
    unlink(j->new_path); /* left by a killed run; nobody else writes to it */
    const int fd = limn_file_create_new(AT_FDCWD, j->new_path, O_RDWR | O_APPEND);
    limn_status s = fd < 0 ? fail_errno(err, j) : lock(j, fd, err);
    if (s == LIMN_OK) s = write_all(j, fd, &j->header, err);
    if (s == LIMN_OK) s = write_all(j, fd, old_lines, err);
    if (s == LIMN_OK) s = write_all(j, fd, &j->pending, err);
    if (s == LIMN_OK) s = limn_file_take_name(j->new_path, j->path, err);
    if (s != LIMN_OK) {
        if (fd >= 0) close(fd);
        return s;
    }
    close(j->fd);
    j->fd = fd;
    limn_buffer_clear(&j->pending);
    return LIMN_OK;
}

limn_status limn_journal_begin(limn_journal *j, limn_journal_past *past,
                               const limn_journal_state *state, limn_error *err)
{
    if (!past->is_resumed) {
        LIMN_TRY(limn_journal_checkpoint(j, state, err));
        return limn_folder_sync(j->path, err);
    }
    add_state(j, '@', state);
    return replace(j, &past->lines, err);
}
