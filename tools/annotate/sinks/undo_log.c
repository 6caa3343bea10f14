#include "tools/annotate/sinks/undo_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/place.h"
#include "common/text/file_name.h"
#include "common/text/path.h"

#define HEAD "limn-undo 1\n"

enum { MAX_SIZE = 1 << 30 };

static limn_status fail_nomem(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

/* ---- writing ------------------------------------------------------------------------------ */

static void append_hex(limn_buffer *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        const char pair[] = { digits[bytes[i] >> 4], digits[bytes[i] & 15] };
        limn_buffer_append(out, pair, sizeof pair);
    }
}

void limn_undo_line(limn_buffer *out, const char *name, uint64_t hash, bool was_there,
                    const limn_splices *splices, const uint8_t *old)
{
    size_t growth = 0; /* of what comes before; unsigned, so that it may also stand for less */
    limn_file_name_append_line(out, name);
    limn_buffer_printf(out, "\t%016" PRIx64 "\t%s\t", hash, was_there ? "old" : "new");
    for (size_t i = 0; i < splices->n_items; i++) {
        const limn_splice *s = &splices->items[i];
        limn_buffer_printf(out, "%s%zu:%zu:", i ? " " : "", s->at + growth, s->bytes.size);
        append_hex(out, old + s->at, s->old_size);
        growth += s->bytes.size - s->old_size;
    }
    limn_buffer_append_text(out, "\n");
}

/* The name of the log beside a file; the caller frees it. */
static char *log_path(const char *path)
{
    limn_buffer out = { 0 };
    char *copy;
    limn_buffer_append(&out, path, limn_path_folder_size(path));
    limn_buffer_append_text(&out, LIMN_UNDO_LOG_NAME);
    copy = out.has_failed ? NULL : limn_strdup(out.bytes);
    limn_buffer_finish(&out);
    return copy;
}

static bool append_to(int fd, const limn_buffer *lines)
{
    struct stat st;
    char last = '\n';
    if (fstat(fd, &st)) return false;
    if ((uint64_t)st.st_size + lines->size + sizeof HEAD > MAX_SIZE) { /* it couldn't be read */
        errno = EFBIG;
        return false;
    }
    if (!st.st_size && !limn_fd_write(fd, HEAD, strlen(HEAD))) return false;
    if (st.st_size && pread(fd, &last, 1, st.st_size - 1) != 1) return false;
    if (last != '\n' && !limn_fd_write(fd, "\n", 1)) return false; /* a kill cut a line off */
    return limn_fd_write(fd, lines->bytes, lines->size) && !fsync(fd);
}

static limn_status append_at(const limn_place *p, const char *path, const limn_buffer *lines,
                             limn_error *err)
{
    struct stat st;
    limn_status s = LIMN_OK;
    const int fd = openat(p->folder, LIMN_UNDO_LOG_NAME,
                          O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0) return limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_nlink > 1)
        s = limn_fail(err, LIMN_E_ARG, "%s: is a link or not a regular file", path);
    else if (!append_to(fd, lines))
        s = limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
    if (close(fd) && s == LIMN_OK) s = limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
    return s;
}

limn_status limn_undo_log_append(const char *path, size_t given, const limn_buffer *lines,
                                 limn_error *err)
{
    char *log = log_path(path);
    limn_place place;
    limn_status s;
    if (!log || lines->has_failed) {
        limn_free(log);
        return fail_nomem(err);
    }
    s = limn_place_open(&place, path, given, true, err);
    if (s == LIMN_OK) {
        s = append_at(&place, log, lines, err);
        limn_place_close(&place);
    }
    limn_free(log);
    return s;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* The field up to the tab (or the end), which becomes a NUL; NULL when there is none. */
static char *next_field(char **at)
{
    char *field = *at, *tab = field ? strchr(field, '\t') : NULL;
    *at = tab ? tab + 1 : NULL;
    if (tab) *tab = '\0';
    return field;
}

/* In place, since it doesn't become longer. False when it is no escaped name. */
static bool unescape(char *name, limn_buffer *scratch)
{
    limn_buffer_clear(scratch);
    if (!limn_file_name_append_unescaped(scratch, name, strlen(name)) || !scratch->size ||
        scratch->has_failed)
        return false;
    memcpy(name, scratch->bytes, scratch->size + 1);
    return true;
}

/* One line; one that is cut off or none is left out. */
static limn_status read_line(limn_undo_log *log, char *line, limn_buffer *scratch, limn_error *err)
{
    char *name = next_field(&line), *hash = next_field(&line), *kind = next_field(&line), *end;
    if (!line || strlen(hash) != 16) return LIMN_OK;
    const uint64_t number = strtoull(hash, &end, 16);
    if (*end || !unescape(name, scratch)) return LIMN_OK;
    if (!limn_grow((void **)&log->records, &log->capacity, log->n_records + 1,
                   sizeof *log->records))
        return fail_nomem(err);
    log->records[log->n_records++] = (limn_undo_record){
        .name = name, .hash = number, .was_there = strcmp(kind, "new") != 0, .edits = line
    };
    return LIMN_OK;
}

static limn_status read_lines(limn_undo_log *log, const char *path, limn_error *err)
{
    char *line = log->text.bytes;
    limn_buffer scratch = { 0 };
    limn_status s = LIMN_OK;
    if (log->text.size < strlen(HEAD) || memcmp(line, HEAD, strlen(HEAD)) != 0)
        return limn_fail(err, LIMN_E_FORMAT, "%s: was not written by limn", path);
    for (char *stop; s == LIMN_OK && (stop = strchr(line, '\n')); line = stop + 1) {
        *stop = '\0';
        s = read_line(log, line, &scratch, err);
    }
    limn_buffer_finish(&scratch);
    return s;
}

limn_status limn_undo_log_read(limn_undo_log *out, const char *path, limn_error *err)
{
    char *log = log_path(path);
    limn_file_bytes file = { 0 };
    limn_status s = LIMN_OK;
    *out = (limn_undo_log){ 0 };
    if (!log) return fail_nomem(err);
    if (!access(log, F_OK)) {
        s = limn_file_bytes_read(&file, log, MAX_SIZE, err);
        limn_buffer_append(&out->text, file.bytes, file.size);
        limn_file_bytes_free(&file);
        if (s == LIMN_OK && out->text.has_failed) s = fail_nomem(err);
        if (s == LIMN_OK) s = read_lines(out, log, err);
    }
    limn_free(log);
    if (s != LIMN_OK) limn_undo_log_finish(out);
    return s;
}

void limn_undo_log_finish(limn_undo_log *log)
{
    limn_free(log->records);
    limn_buffer_finish(&log->text);
    *log = (limn_undo_log){ 0 };
}

/* ---- what a record says --------------------------------------------------------------------- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits up to a blank or the end. */
static bool append_from_hex(limn_buffer *out, const char **text)
{
    const char *p = *text;
    for (; *p && *p != ' '; p += 2) {
        const int high = digit_of(p[0]), low = high < 0 ? -1 : digit_of(p[1]);
        if (low < 0) return false;
        const unsigned char byte = (unsigned char)(high << 4 | low);
        limn_buffer_append(out, &byte, 1);
    }
    *text = p;
    return true;
}

static limn_status read_splice(limn_splices *out, const char **text, size_t *begin, size_t size,
                               limn_error *err)
{
    size_t at, old_size;
    int n = 0;
    if (sscanf(*text, "%zu:%zu:%n", &at, &old_size, &n) != 2 || !n || at < *begin || at > size ||
        old_size > size - at)
        return limn_fail(err, LIMN_E_FORMAT, LIMN_UNDO_LOG_NAME " has a malformed line");
    limn_buffer *bytes = limn_splices_add(out, at, old_size);
    if (!bytes) return fail_nomem(err);
    *text += n;
    *begin = at + old_size;
    return append_from_hex(bytes, text)
               ? LIMN_OK
               : limn_fail(err, LIMN_E_FORMAT, LIMN_UNDO_LOG_NAME " has a malformed line");
}

limn_status limn_undo_record_splices(limn_splices *out, const limn_undo_record *record, size_t size,
                                     limn_error *err)
{
    const char *text = record->edits;
    size_t begin = 0;
    limn_status s = LIMN_OK;
    *out = (limn_splices){ 0 };
    while (s == LIMN_OK && *text) {
        s = read_splice(out, &text, &begin, size, err);
        text += *text == ' ';
    }
    if (s == LIMN_OK) s = limn_splices_check(out, err);
    if (s != LIMN_OK) limn_splices_finish(out);
    return s;
}
