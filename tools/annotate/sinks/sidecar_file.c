#include "tools/annotate/sinks/sidecar_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/image/format.h"
#include "common/io/fileio.h"
#include "common/io/place.h"
#include "common/text/path.h"
#include "common/text/utf8.h"
#include "common/text/wide_encoding.h"
#include "tools/annotate/input/image_file.h"
#include "tools/annotate/input/path_names.h"
#include "tools/annotate/sinks/own_files.h"
#include "tools/annotate/sinks/photo_file.h"
#include "tools/annotate/sinks/same_file.h"

const char *const limn_existing_names[] = {
    "skip", "overwrite", "append", "prepend", "error", NULL
};

/* Leaves errno as it is. */
static limn_status fail_errno(limn_error *err, const char *path)
{
    const int cause = errno;
    limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(cause));
    errno = cause;
    return LIMN_E_IO;
}

/* "FOLDER/" of a path, or "." */
static char *folder_of(const char *path)
{
    const size_t size = limn_path_folder_size(path);
    return size ? limn_strndup(path, size) : limn_strdup(".");
}

/* ---- existing sidecars ---------------------------------------------------------------------- */

static bool is_image(const char *path)
{
    unsigned char head[LIMN_IMAGE_PROBE_SIZE];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0) close(fd);
    return n > 0 && limn_image_file_has_magic(head, (size_t)n);
}

/* Whether the existing file at `path` may be changed. */
static limn_status check_changeable(const char *path, const struct stat *st, const char *image,
                                    limn_error *err)
{
    struct stat of_image;
    if (!S_ISREG(st->st_mode)) return limn_fail(err, LIMN_E_ARG, "%s: is not a regular file", path);
    if ((image && !stat(image, &of_image) && is_same_file(st, &of_image)) || is_image(path))
        return limn_fail(err, LIMN_E_ARG, "%s: is itself an image, so it is not overwritten", path);
    return LIMN_OK;
}

/* Whether a file can be created at `path`; missing folders are created later. */
static limn_status check_folder(const char *path, limn_error *err)
{
    char *folder = folder_of(path);
    limn_status s = LIMN_OK;
    if (!folder) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (access(folder, W_OK | X_OK) && errno != ENOENT) s = fail_errno(err, folder);
    limn_free(folder);
    return s;
}

/* Captions are UTF-8, and so must be what they are added to. */
static limn_status check_utf8(const char *path, const char *bytes, size_t size, limn_error *err)
{
    const char *wide = limn_wide_encoding(bytes, size);
    if (!wide && size && memchr(bytes, 0, size))
        return limn_fail(err, LIMN_E_FORMAT, "%s: is not a text file, so nothing is added to it",
                         path);
    if (!wide && limn_utf8_valid_size(bytes, size) == size) return LIMN_OK;
    return limn_fail(
        err, LIMN_E_FORMAT,
        "%s: is %s, not UTF-8, so nothing is added to it; iconv -f %s -t UTF-8 converts it", path,
        wide ? wide : "in another encoding", wide ? wide : "latin1");
}

/* Reads the existing file, to which the caption is added: up to LIMN_SIDECAR_MAX_SIZE bytes of
 * UTF-8. */
static limn_status read_old(unsigned char **bytes, size_t *size, const char *path, limn_error *err)
{
    limn_status s;
    LIMN_TRY(limn_file_read(bytes, size, path, LIMN_SIDECAR_MAX_SIZE, err));
    s = check_utf8(path, (const char *)*bytes, *size, err);
    if (s == LIMN_OK) return LIMN_OK;
    limn_free(*bytes);
    *bytes = NULL;
    return s;
}

static limn_status check_old(const char *path, limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size;
    const limn_status s = read_old(&bytes, &size, path, err);
    limn_free(bytes);
    return s;
}

/* Checks that `path` is reached without a link; missing folders count as without. */
static limn_status check_way(const char *path, size_t given, limn_error *err)
{
    limn_place place;
    struct stat st;
    limn_error reason = { 0 };
    const char *what = NULL;
    const limn_status s = limn_place_open(&place, path, given, false, &reason);
    if (s == LIMN_E_IO) return LIMN_OK; /* folders that are missing are made later */
    if (s != LIMN_OK) return limn_fail(err, s, "%s", reason.text);
    if (!fstatat(place.folder, place.name, &st, AT_SYMLINK_NOFOLLOW))
        what = limn_own_files_link_reason(&place, &st);
    limn_place_close(&place);
    return what ? limn_fail(err, LIMN_E_ARG, "%s: %s", path, what) : LIMN_OK;
}

limn_status limn_sidecar_look(bool *is_there, const char *path, size_t given, const char *image,
                              limn_existing existing, limn_error *err)
{
    struct stat st;
    *is_there = !lstat(path, &st);
    if (!*is_there && errno != ENOENT) return fail_errno(err, path);
    if (*is_there && existing == LIMN_EXISTING_SKIP) return LIMN_OK;
    if (*is_there && existing == LIMN_EXISTING_ERROR)
        return limn_fail(err, LIMN_E_ARG, "%s: already exists", path);
    LIMN_TRY(check_way(path, given, err));
    if (!*is_there) return check_folder(path, err);
    *is_there = false; /* it does not stand in the way */
    LIMN_TRY(check_changeable(path, &st, image, err));
    if (existing != LIMN_EXISTING_OVERWRITE) LIMN_TRY(check_old(path, err));
    return check_folder(path, err);
}

/* ---- new content ------------------------------------------------------------------------ */

#define BOM "\xef\xbb\xbf"

/* Bytes of `text` [size] without the line ends after it. */
static size_t size_without_line_ends(const char *text, size_t size)
{
    while (size && (text[size - 1] == '\n' || text[size - 1] == '\r')) size--;
    return size;
}

/* The lines of f->bytes as one line, with f->separator between, and no line end. */
static void append_as_one_line(limn_buffer *out, const limn_sidecar_file *f)
{
    const char *text = f->bytes.bytes;
    const size_t size = size_without_line_ends(text, f->bytes.size);
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\n')
            limn_buffer_append_text(out, f->separator);
        else
            limn_buffer_append(out, &text[i], 1);
}

/* Old text and the caption in one line, the separator between where there are both. */
static void join_in_line(limn_buffer *out, const limn_sidecar_file *f, const char *old,
                         size_t old_size, bool is_before)
{
    const size_t old_text = size_without_line_ends(old, old_size);
    const bool has_both = old_text && size_without_line_ends(f->bytes.bytes, f->bytes.size);
    if (is_before) append_as_one_line(out, f);
    if (is_before && has_both) limn_buffer_append_text(out, f->separator);
    limn_buffer_append(out, old, old_text);
    if (!is_before && has_both) limn_buffer_append_text(out, f->separator);
    if (!is_before) append_as_one_line(out, f);
    if (old_size > old_text)
        limn_buffer_append(out, old + old_text, old_size - old_text);
    else
        limn_buffer_append_text(out, "\n");
}

/* The caption as lines before or after the old text. */
static void join_lines(limn_buffer *out, const limn_sidecar_file *f, const char *old,
                       size_t old_size, bool is_before)
{
    if (is_before) limn_buffer_append(out, f->bytes.bytes, f->bytes.size);
    limn_buffer_append(out, old, old_size);
    if (is_before) return;
    if (old_size && old[old_size - 1] != '\n') limn_buffer_append_text(out, "\n");
    limn_buffer_append(out, f->bytes.bytes, f->bytes.size);
}

/* What was there with the new caption before or after it. A byte order mark stays in front. */
static limn_status add_to_old(limn_sidecar_file *f, bool is_before, limn_error *err)
{
    const size_t mark = sizeof BOM - 1;
    limn_buffer whole = { 0 };
    unsigned char *bytes = NULL;
    size_t size = 0;
    LIMN_TRY(read_old(&bytes, &size, f->path, err));
    const bool has_mark = size >= mark && !memcmp(bytes, BOM, mark);
    const char *old = (const char *)bytes + (has_mark ? mark : 0);
    const size_t old_size = size - (has_mark ? mark : 0);
    if (has_mark) limn_buffer_append(&whole, BOM, mark);
    (f->separator ? join_in_line : join_lines)(&whole, f, old, old_size, is_before);
    limn_free(bytes);
    limn_buffer_finish(&f->bytes);
    f->bytes = whole;
    return LIMN_OK;
}

limn_status limn_sidecar_prepare(limn_sidecar_file *f, limn_existing existing, bool *is_left,
                                 limn_error *err)
{
    limn_status s = LIMN_OK;
    *is_left = false;
    if (f->is_image) {
        f->had_file = true;
        return limn_photo_check(&f->before, f->path, f->given, err);
    }
    f->had_file = !lstat(f->path, &f->before);
    if (!f->had_file)
        return errno == ENOENT || errno == ENOTDIR ? LIMN_OK : fail_errno(err, f->path);
    *is_left = existing == LIMN_EXISTING_SKIP || existing == LIMN_EXISTING_ERROR;
    if (*is_left) return LIMN_OK;
    LIMN_TRY(check_changeable(f->path, &f->before, f->image, err));
    if (existing == LIMN_EXISTING_APPEND)
        s = add_to_old(f, false, err);
    else if (existing == LIMN_EXISTING_PREPEND)
        s = add_to_old(f, true, err);
    if (s == LIMN_OK && f->bytes.has_failed) s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return s;
}

uint64_t limn_sidecar_hash(const void *bytes, size_t size)
{
    return limn_fnv1a64(limn_fnv1a64(LIMN_FNV1A64_INIT, &size, sizeof size), bytes, size);
}

uint64_t limn_sidecar_new_hash(const limn_sidecar_file *f)
{
    return f->is_image ? f->hash : limn_sidecar_hash(f->bytes.bytes, f->bytes.size);
}

/* ---- publishing --------------------------------------------------------------------- */

static limn_status write_content(int fd, const limn_sidecar_file *f, const limn_place *place,
                                 limn_error *err)
{
    if (f->is_image) return limn_photo_copy(fd, place, f->path, &f->before, &f->splices, err);
    /* where the owner can't be kept, nobody else gets rights by it */
    if (f->had_file && !limn_photo_take_attributes(fd, place, &f->before))
        (void)fchmod(fd, f->before.st_mode & 0700);
    return limn_fd_write(fd, f->bytes.bytes, f->bytes.size) ? LIMN_OK : fail_errno(err, f->path);
}

/* `written`: the temporary file. */
static limn_status write_temporary(struct stat *written, const limn_sidecar_file *f,
                                   const limn_place *place, const char *name, limn_error *err)
{
    unlinkat(place->folder, name, 0);
    const int fd = limn_file_create_new(place->folder, name, O_WRONLY);
    if (fd < 0) return fail_errno(err, f->path);
    limn_status s = write_content(fd, f, place, err);
    if (s == LIMN_OK && (fsync(fd) || fstat(fd, written))) s = fail_errno(err, f->path);
    if (close(fd) && s == LIMN_OK) s = fail_errno(err, f->path);
    if (s != LIMN_OK) limn_own_files_discard(place, name);
    return s;
}

/* A file that has appeared is not replaced, except where the file system has neither hard links nor
 * renameat2 and it appears between two calls. */
static limn_status publish_new(const limn_place *p, const char *temporary, const char *path,
                               bool *is_left, limn_error *err)
{
    struct stat st;
    if (!linkat(p->folder, temporary, p->folder, p->name, 0)) {
        unlinkat(p->folder, temporary, 0);
        return LIMN_OK;
    }
    if (errno != EEXIST && limn_own_files_rename(p, temporary, false)) return LIMN_OK;
    *is_left = errno == EEXIST || !fstatat(p->folder, p->name, &st, AT_SYMLINK_NOFOLLOW);
    if (!*is_left && !renameat(p->folder, temporary, p->folder, p->name)) return LIMN_OK;
    const limn_status s = *is_left ? LIMN_OK : fail_errno(err, path);
    limn_own_files_discard(p, temporary);
    return s;
}

/* Whether both are of one file, which nobody has written to in between. */
static bool is_unchanged(const struct stat *a, const struct stat *b)
{
    return is_same_file(a, b) && a->st_size == b->st_size &&
           !memcmp(&a->st_mtim, &b->st_mtim, sizeof a->st_mtim);
}

/* Whether the file `name` is the one that was there before. */
static bool is_as_before(const limn_sidecar_file *f, const limn_place *p, const char *name)
{
    struct stat now;
    return !fstatat(p->folder, name, &now, AT_SYMLINK_NOFOLLOW) && is_unchanged(&now, &f->before);
}

/* Another program's version, whose name is free again or can't be exchanged. */
static limn_status put_back(const limn_sidecar_file *f, const limn_place *p, const char *displaced,
                            limn_error *err)
{
    if (limn_own_files_rename(p, displaced, false)) return LIMN_OK;
    return limn_fail(err, LIMN_E_IO,
                     "%s: another program changed it; its version is now %s beside it", f->path,
                     displaced);
}

/* Whether a displaced file is the expected one. limn's own may have an earlier time by now, as some
 * file systems round it afterwards; a later one is that of a program which has written into it. */
static bool is_expected(const struct stat *now, const struct stat *expected,
                        const struct stat *written)
{
    if (!is_same_file(expected, written)) return is_unchanged(now, expected);
    return is_same_file(now, written) && now->st_size == written->st_size &&
           !is_later(&now->st_mtim, &written->st_mtim);
}

/* After the exchange that put `written` there: what another program has put there at the last
 * moment gets its name back, by another exchange, in which the same may happen. It is over when an
 * exchange displaces what the previous one put there: the latest version is then in place. */
static limn_status check_displaced(const limn_sidecar_file *f, const limn_place *p,
                                   const char *displaced, const struct stat *written, bool *is_left,
                                   limn_error *err)
{
    struct stat expected = f->before, there = *written, now;
    *is_left = false;
    while (!fstatat(p->folder, displaced, &now, AT_SYMLINK_NOFOLLOW) &&
           !is_expected(&now, &expected, written)) {
        *is_left = true;
        if (!limn_own_files_rename(p, displaced, true)) return put_back(f, p, displaced, err);
        expected = there;
        there = now;
    }
    unlinkat(p->folder, displaced, 0);
    return LIMN_OK;
}

/* Exchanges the two, and then looks at what was displaced; where that can't be done, looks just
 * before replacing. Without hard links (FAT), a kill between the two can lose another program's
 * file. `written`: the new file. */
static limn_status publish_over(const limn_sidecar_file *f, const limn_place *p,
                                const limn_own_names *own, const struct stat *written,
                                bool *is_left, limn_error *err)
{
    const bool is_linked = !linkat(p->folder, own->written, p->folder, own->displaced, 0);
    const char *const displaced = is_linked ? own->displaced : own->written;
    limn_status s;
    *is_left = !is_as_before(f, p, p->name);
    if (!*is_left && limn_own_files_rename(p, displaced, true)) {
        s = check_displaced(f, p, displaced, written, is_left, err);
        if (s == LIMN_OK) limn_own_files_discard(p, own->written);
        return s;
    }
    if (is_linked) limn_own_files_discard(p, displaced);
    *is_left = *is_left || errno == ENOENT; /* somebody has removed it */
    if (!*is_left && !renameat(p->folder, own->written, p->folder, p->name)) return LIMN_OK;
    s = *is_left ? LIMN_OK : fail_errno(err, f->path);
    limn_own_files_discard(p, own->written);
    return s;
}

/* Where folders can't be locked, another process may have put a file of its own there. */
static limn_status check_temporary(const limn_place *p, const char *temporary,
                                   const struct stat *written, const char *path, limn_error *err)
{
    struct stat now;
    if (!fstatat(p->folder, temporary, &now, AT_SYMLINK_NOFOLLOW) && is_same_file(&now, written))
        return LIMN_OK;
    return limn_fail(err, LIMN_E_IO, "%s: another limn is writing to it", path);
}

static limn_status publish_at(limn_sidecar_file *f, const limn_place *place, bool *is_left,
                              limn_error *err)
{
    const limn_own_names own = limn_own_names_of(place->name);
    struct stat written;
    *is_left = f->is_image && !is_as_before(f, place, place->name);
    if (*is_left) return LIMN_OK;
    if (f->has_backup) LIMN_TRY(limn_photo_back_up(place, f->path, own.written, &f->before, err));
    LIMN_TRY(write_temporary(&written, f, place, own.written, err));
    LIMN_TRY(check_temporary(place, own.written, &written, f->path, err));
    return f->had_file ? publish_over(f, place, &own, &written, is_left, err)
                       : publish_new(place, own.written, f->path, is_left, err);
}

limn_status limn_sidecar_publish(limn_sidecar_file *f, bool *is_left, limn_error *err)
{
    limn_place place;
    *is_left = false;
    LIMN_TRY(limn_place_open(&place, f->path, f->given, true, err));
    limn_own_files_lock(&place);
    const limn_status s = publish_at(f, &place, is_left, err);
    const int cause = errno;
    limn_place_close(&place);
    errno = cause;
    return s;
}

limn_status limn_sidecar_remove(const limn_sidecar_file *f, bool *is_left, limn_error *err)
{
    limn_place place;
    limn_status s = LIMN_OK;
    LIMN_TRY(limn_place_open(&place, f->path, f->given, false, err));
    limn_own_files_lock(&place);
    *is_left = !is_as_before(f, &place, place.name);
    if (!*is_left && unlinkat(place.folder, place.name, 0)) s = fail_errno(err, f->path);
    limn_place_close(&place);
    return s;
}

void limn_sidecar_file_finish(limn_sidecar_file *f)
{
    limn_free(f->image);
    limn_free(f->path);
    limn_buffer_finish(&f->bytes);
    limn_splices_finish(&f->splices);
    limn_buffer_finish(&f->undo);
    *f = (limn_sidecar_file){ 0 };
}

/* ---- after a kill ----------------------------------------------------------------------- */

limn_status limn_sidecar_clean(const char *path, size_t given, limn_error *err)
{
    limn_place place;
    limn_error ignored = { 0 };
    const limn_status s = limn_place_open(&place, path, given, false, &ignored);
    if (s == LIMN_E_NOMEM) return limn_fail(err, s, "out of memory");
    if (s != LIMN_OK) return LIMN_OK; /* no folder of ours, nothing left */
    limn_own_files_lock(&place);
    const bool is_clean = limn_own_files_clean(&place);
    const int cause = errno;
    const limn_own_names own = limn_own_names_of(place.name);
    limn_place_close(&place);
    if (is_clean) return LIMN_OK;
    errno = cause;
    if (cause != EBUSY) return fail_errno(err, path);
    return limn_fail(err, LIMN_E_IO,
                     "%s: was changed after a run that was killed while it wrote this; the version "
                     "from before is %s beside it: keep what you need of the two, and remove that",
                     path, own.displaced);
}

limn_status limn_sidecar_settle(bool *is_published, const char *path, size_t given, uint64_t hash,
                                limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    limn_status s = LIMN_OK;
    struct stat st;
    *is_published = false;
    LIMN_TRY(limn_sidecar_clean(path, given, err));
    if (lstat(path, &st) || !S_ISREG(st.st_mode)) return LIMN_OK;
    s = limn_file_read(&bytes, &size, path, SIZE_MAX / 4, err);
    if (s == LIMN_OK) *is_published = limn_sidecar_hash(bytes, size) == hash;
    limn_free(bytes);
    return s;
}
