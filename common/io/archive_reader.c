/* libarchive with bounds. It converts names to the charset of the locale, which for a program that
 * never called setlocale() is ASCII, and loses those that do not fit: while it works, this thread
 * has a UTF-8 locale, in which bytes stay as they are. */
#include "common/io/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"

enum { BLOCK_SIZE = 1 << 16, ERRNO_FORMAT = EILSEQ /* what libarchive sets for bad data */ };

struct limn_archive {
    struct archive *reader;
    struct archive_entry *entry;
    locale_t locale;        /* 0: there is none, and only ASCII names arrive intact */
    limn_buffer name, head; /* head: what was peeked at of the member */
    uint64_t n_data_bytes;  /* of members, so far */
    bool is_compressed, is_at_end, has_member, is_member_over;
    limn_error lost; /* what ended the archive in the middle of a member; for limn_archive_next */
};

bool limn_archive_has_name(const char *path)
{
    static const char *const endings[] = { ".tar", ".tar.gz", ".tgz", ".zip" };
    const size_t size = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t n = strlen(endings[i]);
        if (size > n && path[size - n - 1] != '/' && !strcasecmp(path + size - n, endings[i]))
            return true;
    }
    return false;
}

bool limn_archive_is_compressed(const limn_archive *a)
{
    return a->is_compressed;
}

/* ---- failures ------------------------------------------------------------------------------ */

static limn_status fail_archive(limn_archive *a, limn_error *err)
{
    const char *text = archive_error_string(a->reader);
    const int code = archive_errno(a->reader);
    if (!text) /* so it leaves a zip that ends where its directory should begin */
        return limn_fail(err, LIMN_E_TRUNCATED, "the archive is cut off");
    if (code == ENOMEM) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (strstr(text, "runcated"))
        return limn_fail(err, LIMN_E_TRUNCATED, "the archive is cut off: %s", text);
    if (strstr(text, "nsupported")) return limn_fail(err, LIMN_E_UNSUPPORTED, "%s", text);
    if (code > 0 && code != ERRNO_FORMAT && code != EINVAL)
        return limn_fail(err, LIMN_E_IO, "%s: %s", text, strerror(code));
    return limn_fail(err, LIMN_E_FORMAT, "the archive is damaged: %s", text);
}

/* After a failure that libarchive can't go on from. */
static limn_status fail_for_good(limn_archive *a, limn_error *err)
{
    a->is_at_end = true;
    return fail_archive(a, err);
}

/* Zeros compress a thousandfold, images hardly at all. */
static limn_status check_expansion(limn_archive *a, limn_error *err)
{
    const uint64_t in = (uint64_t)archive_filter_bytes(a->reader, -1);
    uint64_t out = (uint64_t)archive_filter_bytes(a->reader, 0);
    if (a->n_data_bytes > out) out = a->n_data_bytes;
    if (out < LIMN_ARCHIVE_FREE_EXPANSION || out / LIMN_ARCHIVE_MAX_EXPANSION < in) return LIMN_OK;
    a->is_at_end = true;
    return limn_fail(err, LIMN_E_LIMIT,
                     "the archive expands to more than %d times its size: a decompression bomb",
                     LIMN_ARCHIVE_MAX_EXPANSION);
}

/* ---- opening ------------------------------------------------------------------------------- */

static limn_status make(limn_archive **out, limn_error *err)
{
    limn_archive *a = limn_calloc(1, sizeof *a);
    *out = a;
    if (a) a->reader = archive_read_new();
    if (!a || !a->reader) {
        limn_free(a);
        *out = NULL;
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    a->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (archive_read_support_filter_gzip(a->reader) == ARCHIVE_OK &&
        archive_read_support_format_tar(a->reader) == ARCHIVE_OK &&
        archive_read_support_format_zip(a->reader) == ARCHIVE_OK)
        return LIMN_OK;
    const limn_status s = fail_archive(a, err);
    limn_archive_close(out);
    return s;
}

void limn_archive_close(limn_archive **archive)
{
    limn_archive *a = archive ? *archive : NULL;
    if (!a) return;
    archive_read_free(a->reader);
    if (a->locale) freelocale(a->locale);
    limn_buffer_finish(&a->name);
    limn_buffer_finish(&a->head);
    limn_free(a);
    *archive = NULL;
}

/* What libarchive returned for opening. */
static limn_status finish_open(limn_archive **a, int result, limn_error *err)
{
    limn_status s = LIMN_OK;
    if (result != ARCHIVE_OK && archive_errno((*a)->reader) == ERRNO_FORMAT)
        s = limn_fail(err, LIMN_E_FORMAT, "is not a tar or zip archive");
    else if (result != ARCHIVE_OK)
        s = fail_archive(*a, err);
    else
        (*a)->is_compressed = archive_filter_count((*a)->reader) > 1;
    if (s != LIMN_OK) limn_archive_close(a);
    return s;
}

limn_status limn_archive_open(limn_archive **out, const char *path, limn_error *err)
{
    struct stat st;
    *out = NULL;
    if (stat(path, &st)) return limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
    if (S_ISREG(st.st_mode) && !st.st_size)
        return limn_fail(err, LIMN_E_TRUNCATED, "the file is empty");
    LIMN_TRY(make(out, err));
    return finish_open(out, archive_read_open_filename((*out)->reader, path, BLOCK_SIZE), err);
}

limn_status limn_archive_open_memory(limn_archive **out, const void *bytes, size_t size,
                                     limn_error *err)
{
    *out = NULL;
    if (!size) return limn_fail(err, LIMN_E_TRUNCATED, "the file is empty");
    LIMN_TRY(make(out, err));
    return finish_open(out, archive_read_open_memory((*out)->reader, bytes, size), err);
}

/* ---- data ---------------------------------------------------------------------------------- */

static limn_status read_data(limn_archive *a, void *bytes, size_t room, size_t *size,
                             limn_error *err)
{
    const la_ssize_t n = a->is_member_over ? 0 : archive_read_data(a->reader, bytes, room);
    *size = n > 0 ? (size_t)n : 0;
    a->is_member_over = n <= 0;
    if (n == ARCHIVE_FATAL) return fail_for_good(a, err);
    if (n < 0) return fail_archive(a, err);
    a->n_data_bytes += *size;
    return check_expansion(a, err);
}

/* Up to `room` bytes of the member; *size is 0 at its end. */
static limn_status read_some(limn_archive *a, void *bytes, size_t room, size_t *size,
                             limn_error *err)
{
    limn_error reason = { 0 };
    const limn_status s = read_data(a, bytes, room, size, &reason);
    if (s == LIMN_OK) return LIMN_OK;
    if (a->is_at_end) a->lost = reason;
    return limn_fail(err, s, "%s", reason.text);
}

/* Reported once: members after it are missing too, which the member's own failure does not say. */
static limn_status tell_lost(limn_archive *a, limn_error *err)
{
    const limn_error lost = a->lost;
    a->lost = (limn_error){ 0 };
    return lost.code ? limn_fail(err, lost.code, "%s", lost.text) : LIMN_OK;
}

/* Skips the rest of the member. libarchive would do that by itself, but would expand a bomb in one
 * go. */
static limn_status skip_rest(limn_archive *a, limn_error *err)
{
    char block[4096];
    size_t n = 1;
    if (a->is_at_end) return tell_lost(a, err);
    if (!a->has_member) return LIMN_OK;
    a->has_member = false;
    while (a->is_compressed && n)
        if (read_some(a, block, sizeof block, &n, NULL) != LIMN_OK) break;
    if (a->is_at_end) return tell_lost(a, err);
    /* a damaged member that nobody asked for is no failure */
    return archive_read_data_skip(a->reader) == ARCHIVE_FATAL ? fail_for_good(a, err) : LIMN_OK;
}

static limn_status check_readable(const limn_archive *a, limn_error *err)
{
    if (archive_entry_is_encrypted(a->entry))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "is encrypted");
    if (archive_entry_sparse_count(a->entry) > 0)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "is a sparse member, which is not supported");
    if (archive_entry_filetype(a->entry) != AE_IFREG || archive_entry_hardlink(a->entry))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "is a link, folder or device, not a file");
    return LIMN_OK;
}

/* Reads on until `wanted` bytes of the member are in a->head, or all. */
static limn_status fill_head(limn_archive *a, size_t wanted, limn_error *err)
{
    char block[16384];
    size_t n = 1;
    LIMN_TRY(check_readable(a, err));
    while (n && a->head.size < wanted) {
        const size_t missing = wanted - a->head.size;
        LIMN_TRY(read_some(a, block, missing < sizeof block ? missing : sizeof block, &n, err));
        limn_buffer_append(&a->head, block, n);
        if (a->head.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    return LIMN_OK;
}

limn_status limn_archive_peek(limn_archive *a, unsigned char *bytes, size_t room, size_t *size,
                              limn_error *err)
{
    *size = 0;
    LIMN_TRY(fill_head(a, room, err));
    *size = a->head.size < room ? a->head.size : room;
    if (*size) memcpy(bytes, a->head.bytes, *size);
    return LIMN_OK;
}

limn_status limn_archive_read(limn_archive *a, unsigned char **bytes, size_t *size, size_t max_size,
                              limn_error *err)
{
    const int64_t claimed = archive_entry_size(a->entry);
    *bytes = NULL;
    *size = 0;
    if (archive_entry_size_is_set(a->entry) && claimed > 0 && (uint64_t)claimed > max_size)
        return limn_fail(err, LIMN_E_LIMIT, "has %lld bytes, more than the limit of %zu",
                         (long long)claimed, max_size);
    LIMN_TRY(fill_head(a, max_size + 1, err));
    if (a->head.size > max_size)
        return limn_fail(err, LIMN_E_LIMIT, "has more than the limit of %zu bytes", max_size);
    limn_buffer_append(&a->head, "", 0); /* never NULL, even for no bytes */
    if (a->head.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    *bytes = (unsigned char *)a->head.bytes;
    *size = a->head.size;
    a->head = (limn_buffer){ 0 };
    return LIMN_OK;
}

limn_status limn_archive_end_of_member(limn_archive *a, uint64_t *end, limn_error *err)
{
    LIMN_TRY(skip_rest(a, err));
    *end = (uint64_t)archive_filter_bytes(a->reader, 0);
    return LIMN_OK;
}

/* ---- members ------------------------------------------------------------------------------- */

/* The name without "." and empty components. */
static limn_status clean_name(limn_buffer *out, const char *name, limn_error *err)
{
    if (*name == '/') return limn_fail(err, LIMN_E_FORMAT, "its name is absolute");
    if (strlen(name) > LIMN_ARCHIVE_MAX_NAME)
        return limn_fail(err, LIMN_E_LIMIT, "its name has more than %d bytes",
                         LIMN_ARCHIVE_MAX_NAME);
    for (size_t n; *name; name += n + (name[n] == '/')) {
        n = strcspn(name, "/");
        if (n == 2 && !memcmp(name, "..", 2))
            return limn_fail(err, LIMN_E_FORMAT, "its name points outside the archive");
        if (n == 0 || (n == 1 && *name == '.')) continue;
        limn_buffer_append(out, "/", out->size > 0);
        limn_buffer_append(out, name, n);
    }
    if (out->has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return out->size ? LIMN_OK : limn_fail(err, LIMN_E_FORMAT, "has no name");
}

static limn_status take_member(limn_archive *a, limn_archive_member *out, limn_error *err)
{
    const char *name = archive_entry_pathname(a->entry);
    limn_status s;
    if (!name) name = "";
    limn_buffer_clear(&a->name);
    s = clean_name(&a->name, name, err);
    if (s == LIMN_E_FORMAT || s == LIMN_E_LIMIT) {
        limn_buffer_clear(&a->name);
        limn_buffer_append(&a->name, name, strnlen(name, LIMN_ARCHIVE_MAX_NAME));
    }
    if (s == LIMN_E_NOMEM || a->name.has_failed) {
        a->is_at_end = true;
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    out->name = a->name.bytes;
    out->given_name = name;
    if (archive_entry_hardlink(a->entry) || archive_entry_filetype(a->entry) == AE_IFLNK)
        out->kind = LIMN_ARCHIVE_LINK;
    else if (archive_entry_filetype(a->entry) != AE_IFREG)
        out->kind = LIMN_ARCHIVE_SPECIAL;
    return s;
}

/* libarchive takes a tar that ends between two members for whole; but tars end with zeros. */
static limn_status check_end_mark(const limn_archive *a, int64_t before, limn_error *err)
{
    const bool is_tar =
        (archive_format(a->reader) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
    if (is_tar && archive_filter_bytes(a->reader, 0) == before)
        return limn_fail(err, LIMN_E_TRUNCATED, "the archive is cut off: it has no end mark");
    return LIMN_OK;
}

static limn_status next(limn_archive *a, limn_archive_member *out, limn_error *err)
{
    int64_t before;
    int result;
    do {
        LIMN_TRY(skip_rest(a, err));
        if (a->is_at_end) return LIMN_OK;
        before = archive_filter_bytes(a->reader, 0);
        result = archive_read_next_header(a->reader, &a->entry);
        if (result == ARCHIVE_EOF) {
            a->is_at_end = true;
            return check_end_mark(a, before, err);
        }
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return fail_for_good(a, err);
        a->has_member = true;
        a->is_member_over = false;
        limn_buffer_clear(&a->head);
        LIMN_TRY(check_expansion(a, err));
    } while (archive_entry_filetype(a->entry) == AE_IFDIR);
    return take_member(a, out, err);
}

limn_status limn_archive_next(limn_archive *a, limn_archive_member *out, limn_error *err)
{
    const locale_t old = a->locale ? uselocale(a->locale) : (locale_t)0;
    limn_status s;
    *out = (limn_archive_member){ 0 };
    s = next(a, out, err);
    if (a->locale) uselocale(old);
    return s;
}
