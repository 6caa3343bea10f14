#include "tools/annotate/sinks/shard_tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <zlib.h>

#include "common/base/mem.h"
#include "common/io/archive_reader.h"
#include "tools/annotate/sinks/tar_names.h"

enum { BLOCK_SIZE = 1 << 16 };

struct limn_shard_tar {
    const char *path;
    const char *const *endings;
    size_t n_endings;
    limn_archive *members; /* says where members begin and end … */
    gzFile bytes;          /* … and this gives their bytes; it reads plain files as they are */
    uint64_t position;     /* of `bytes` */
    size_t n_members;
    limn_buffer name, text;
};

/* Moves to the next member: its *name, NULL at the end. Names that lead outside are included. */
static limn_status next_member(limn_shard_tar *t, limn_archive_member *m, limn_error *err)
{
    limn_error reason = { 0 };
    const limn_status s = limn_archive_next(t->members, m, &reason);
    if (s != LIMN_OK && !m->name) return limn_fail(err, s, "%s: %s", t->path, reason.text);
    if (!m->name) return LIMN_OK;
    t->n_members++;
    return LIMN_OK;
}

/* ---- opening --------------------------------------------------------------------------------- */

static limn_status go_on(limn_shard_tar *t, size_t n_members, uint64_t position, limn_error *err)
{
    limn_archive_member m = { .name = "" };
    while (t->n_members < n_members && m.name) LIMN_TRY(next_member(t, &m, err));
    if (t->n_members < n_members || gzseek(t->bytes, (z_off_t)position, SEEK_SET) < 0)
        return limn_fail(err, LIMN_E_FORMAT, "%s: has changed since it was read", t->path);
    t->position = position;
    return LIMN_OK;
}

static limn_status open_files(limn_shard_tar *t, limn_error *err)
{
    limn_error reason = { 0 };
    const limn_status s = limn_archive_open(&t->members, t->path, &reason);
    if (s != LIMN_OK) return limn_fail(err, s, "%s: %s", t->path, reason.text);
    t->bytes = gzopen(t->path, "rb");
    if (!t->bytes) return limn_fail(err, LIMN_E_IO, "%s: %s", t->path, strerror(errno));
    gzbuffer(t->bytes, BLOCK_SIZE);
    return LIMN_OK;
}

limn_status limn_shard_tar_open(limn_shard_tar **out, const char *path, const char *const *endings,
                                size_t n_endings, size_t n_members, uint64_t position,
                                limn_error *err)
{
    limn_shard_tar *t = limn_calloc(1, sizeof *t);
    limn_status s;
    *out = t;
    if (!t) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    t->endings = endings;
    t->n_endings = n_endings;
    t->path = limn_strdup(path);
    s = t->path ? open_files(t, err) : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK) s = go_on(t, n_members, position, err);
    if (s != LIMN_OK) limn_shard_tar_close(out);
    return s;
}

void limn_shard_tar_close(limn_shard_tar **tar)
{
    limn_shard_tar *t = tar ? *tar : NULL;
    if (!t) return;
    limn_archive_close(&t->members);
    if (t->bytes) gzclose(t->bytes);
    limn_buffer_finish(&t->name);
    limn_buffer_finish(&t->text);
    limn_free((char *)t->path);
    limn_free(t);
    *tar = NULL;
}

void limn_shard_tar_position(const limn_shard_tar *t, size_t *n_members, uint64_t *position)
{
    *n_members = t->n_members;
    *position = t->position;
}

/* ---- copying --------------------------------------------------------------------------------- */

/* Up to `end`; all there is for UINT64_MAX. */
static limn_status copy(limn_shard_tar *t, limn_part_file *out, uint64_t end, limn_error *err)
{
    char block[BLOCK_SIZE];
    while (t->position < end) {
        const uint64_t left = end - t->position;
        const int n = gzread(t->bytes, block, left < sizeof block ? (unsigned)left : sizeof block);
        if (n < 0) return limn_fail(err, LIMN_E_IO, "%s: can't be read a second time", t->path);
        if (n == 0 && end == UINT64_MAX) return LIMN_OK;
        if (n == 0)
            return limn_fail(err, LIMN_E_TRUNCATED, "%s: was truncated in the meantime", t->path);
        LIMN_TRY(limn_part_file_write(out, block, (size_t)n, err));
        t->position += (uint64_t)n;
    }
    return LIMN_OK;
}

static limn_status copy_to_member_end(limn_shard_tar *t, limn_part_file *out, limn_error *err)
{
    limn_error reason = { 0 };
    uint64_t end = 0;
    const limn_status s = limn_archive_end_of_member(t->members, &end, &reason);
    return s == LIMN_OK ? copy(t, out, end, err)
                        : limn_fail(err, s, "%s: %s", t->path, reason.text);
}

/* ---- adding ---------------------------------------------------------------------------------- */

static bool is_json(const char *ending)
{
    const size_t size = strlen(ending);
    return size >= 4 && !strcmp(ending + size - 4, "json");
}

/* t->text: the captions in `record`, one a line. */
static limn_status take_captions(limn_shard_tar *t, const char *record, size_t size,
                                 limn_error *err)
{
    json_t *object = json_loadb(record, size, JSON_DISABLE_EOF_CHECK, NULL);
    const json_t *all = json_object_get(object, "captions");
    const size_t n = all ? json_array_size(all) : 1;
    limn_buffer_clear(&t->text);
    for (size_t i = 0; object && i < n; i++) {
        const json_t *one = all ? json_array_get(all, i) : object;
        const char *caption = json_string_value(json_object_get(one, "caption"));
        limn_buffer_printf(&t->text, "%s\n", caption ? caption : "");
    }
    t->text.has_failed = t->text.has_failed || !object;
    json_decref(object);
    return t->text.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

typedef struct tar_output {
    limn_part_file *file; /* NULL: discard the end-of-archive mark, the tar has its own */
    limn_error *err;
} tar_output;

static la_ssize_t write_bytes(struct archive *a, void *ctx, const void *bytes, size_t size)
{
    tar_output *o = ctx;
    (void)a;
    return !o->file || limn_part_file_write(o->file, bytes, size, o->err) == LIMN_OK
               ? (la_ssize_t)size
               : -1;
}

/* Writes a tar member whose header is the same at any time and for any user. */
static limn_status write_member(limn_part_file *out, const char *name, const char *text,
                                size_t size, limn_error *err)
{
    struct archive *a = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    tar_output output = { out, err };
    bool is_done = false;
    if (a && entry && !archive_write_set_format_gnutar(a) &&
        !archive_write_set_bytes_per_block(a, 0) &&
        !archive_write_open(a, &output, NULL, write_bytes, NULL)) {
        archive_entry_set_pathname(entry, name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_mtime(entry, 0, 0);
        archive_entry_set_size(entry, (la_int64_t)size);
        is_done = archive_write_header(a, entry) >= ARCHIVE_WARN &&
                  archive_write_data(a, text, size) == (la_ssize_t)size &&
                  archive_write_finish_entry(a) == ARCHIVE_OK;
    }
    output.file = NULL;
    archive_entry_free(entry);
    archive_write_free(a);
    return is_done ? LIMN_OK : limn_fail(err, LIMN_E_IO, "%s: can't add %s", out->part_path, name);
}

static limn_status add_record(limn_shard_tar *t, limn_part_file *out, const char *image,
                              const char *record, size_t size, limn_error *err)
{
    LIMN_TRY(take_captions(t, record, size, err));
    for (size_t i = 0; i < t->n_endings; i++) {
        const bool has_json = is_json(t->endings[i]);
        LIMN_TRY(limn_tar_name_make(&t->name, image, t->endings[i], err));
        LIMN_TRY(write_member(out, t->name.bytes, has_json ? record : t->text.bytes,
                              has_json ? size : t->text.size, err));
    }
    return LIMN_OK;
}

limn_status limn_shard_tar_add(limn_shard_tar *t, limn_part_file *out, const char *name,
                               const char *record, size_t record_size, limn_error *err)
{
    limn_archive_member m;
    do {
        LIMN_TRY(next_member(t, &m, err));
        if (!m.name)
            return limn_fail(err, LIMN_E_FORMAT, "%s: no longer has a member %s", t->path, name);
    } while (strcmp(m.name, name));
    if (!record) return LIMN_OK; /* the copy continues with the next member */
    limn_buffer given = { 0 };
    limn_status s = LIMN_OK;
    limn_buffer_append(&given, m.given_name, strlen(m.given_name) + 1);
    if (given.has_failed) s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK) s = copy_to_member_end(t, out, err);
    if (s == LIMN_OK) s = add_record(t, out, given.bytes, record, record_size, err);
    limn_buffer_finish(&given);
    return s;
}

limn_status limn_shard_tar_finish(limn_shard_tar *t, limn_part_file *out, limn_error *err)
{
    limn_archive_member m = { .name = "" };
    while (m.name) LIMN_TRY(next_member(t, &m, err));
    return copy(t, out, UINT64_MAX, err);
}
