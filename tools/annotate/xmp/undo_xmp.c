/* limn_annotate_undo_xmp: files as they were before limn wrote captions into them. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/image/format.h"
#include "common/io/dirwalk.h"
#include "common/io/fileio.h"
#include "common/text/path.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/input/inputs.h"
#include "tools/annotate/pipeline.h"
#include "tools/annotate/sinks/photo_file.h"
#include "tools/annotate/sinks/sidecar_file.h"
#include "tools/annotate/sinks/undo_log.h"
#include "tools/annotate/xmp/container.h"
#include "tools/annotate/xmp/find_text.h"
#include "tools/annotate/xmp/packet_worker.h"
#include "tools/annotate/xmp/undo_folders.h"

typedef struct undoer {
    const limn_annotate_settings *settings;
    limn_undo_account *account;
    limn_xmp_worker *worker;
    undo_folders folders;
} undoer;

/* A file that is looked at. */
typedef struct subject {
    limn_sidecar_file file;
    struct stat read; /* the file, before its bytes were read */
    limn_file_bytes now;
    limn_buffer before; /* its content before, when was_changed or was_stripped */
    bool was_changed;   /* by limn's last run and by nobody since */
    bool was_stripped;  /* of what limn wrote before somebody else changed the file */
    bool was_there;     /* before limn */
} subject;

typedef struct span {
    const uint8_t *bytes; /* [size] */
    size_t size;
} span;

static void finish_subject(subject *s)
{
    limn_sidecar_file_finish(&s->file);
    limn_file_bytes_free(&s->now);
    limn_buffer_finish(&s->before);
}

/* ---- a file that only limn has changed ------------------------------------------------------- */

static limn_status apply_record(subject *s, const limn_undo_record *record, const uint8_t *bytes,
                                size_t size, limn_error *err)
{
    limn_splices splices;
    limn_buffer before = { 0 };
    LIMN_TRY(limn_undo_record_splices(&splices, record, size, err));
    const limn_status status = limn_splices_append_file(&before, &splices, bytes, size, err);
    limn_splices_finish(&splices);
    if (status != LIMN_OK) {
        limn_buffer_finish(&before);
        return status;
    }
    limn_buffer_finish(&s->before);
    s->before = before;
    s->was_changed = true;
    s->was_there = record->was_there;
    return LIMN_OK;
}

/* From the last change back to the first. */
static limn_status go_back(subject *s, const limn_undo_log *log, limn_error *err)
{
    const char *name = limn_path_last(s->file.path);
    const uint8_t *bytes = s->now.bytes;
    size_t size = s->now.size;
    uint64_t hash = limn_sidecar_hash(bytes, size);
    s->was_there = true;
    for (size_t i = log->n_records; i-- > 0 && s->was_there;) {
        const limn_undo_record *record = &log->records[i];
        if (record->hash != hash || strcmp(record->name, name) != 0) continue;
        if (!record->was_there && s->file.is_image) continue; /* limn makes no images */
        LIMN_TRY(apply_record(s, record, bytes, size, err));
        bytes = (const uint8_t *)s->before.bytes;
        size = s->before.size;
        hash = limn_sidecar_hash(bytes, size);
    }
    return LIMN_OK;
}

/* ---- one that others have changed, since or between two runs -------------------------------- */

/* What has been undone so far. */
static span content(const subject *s)
{
    if (s->was_changed) return (span){ (const uint8_t *)s->before.bytes, s->before.size };
    return (span){ s->now.bytes, s->now.size };
}

/* Whether limn's properties may be there: their namespace's name is. PNG may have it compressed,
 * by other programs. */
static bool may_have_notes(const subject *s, span in)
{
    limn_container c;
    if (limn_has_text(in.bytes, in.size, LIMN_XMP_NAMESPACE)) return true;
    if (!s->file.is_image) return false;
    const limn_status status = limn_container_open(&c, in.bytes, in.size, NULL);
    const bool may =
        status == LIMN_E_NOMEM ||
        (status == LIMN_OK && limn_has_text(c.packet.bytes, c.packet.size, LIMN_XMP_NAMESPACE));
    limn_container_close(&c);
    return may;
}

/* The image with another packet. */
static limn_status replace_packet(limn_buffer *out, const limn_container *c,
                                  const limn_buffer *packet, limn_error *err)
{
    limn_splices splices = { 0 };
    limn_status status = limn_container_replace(&splices, c, packet, err);
    if (status == LIMN_OK) status = limn_splices_append_file(out, &splices, c->bytes, c->size, err);
    limn_splices_finish(&splices);
    return status;
}

/* The file without limn's properties, whose packet is `packet` [size]; c: NULL for a sidecar.
 * *is_changed: there were any. */
static limn_status strip_packet(limn_buffer *out, bool *is_changed, undoer *u,
                                const limn_container *c, span packet, limn_error *err)
{
    const limn_xmp_request request = { .task = LIMN_XMP_STRIP, .is_embedded = c != NULL };
    limn_xmp_answer answer = { 0 };
    limn_status status = limn_xmp_worker_run(u->worker, &answer, &request,
                                             (const char *)packet.bytes, packet.size, err);
    *is_changed = status == LIMN_OK && answer.is_changed;
    if (*is_changed && c) status = replace_packet(out, c, &answer.packet, err);
    if (*is_changed && !c) {
        *out = answer.packet;
        answer.packet = (limn_buffer){ 0 };
    }
    limn_buffer_finish(&answer.packet);
    return status;
}

/* Takes limn's properties out of the content. */
static limn_status strip(undoer *u, subject *s, limn_error *err)
{
    const span in = content(s);
    limn_buffer out = { 0 };
    limn_container c = { 0 };
    limn_status status = LIMN_OK;
    if (!s->was_there || !in.size || (s->was_changed && !may_have_notes(s, in))) return LIMN_OK;
    if (!s->file.is_image)
        status = strip_packet(&out, &s->was_stripped, u, NULL, in, err);
    else if ((status = limn_container_open(&c, in.bytes, in.size, err)) == LIMN_OK && c.packet.size)
        status = strip_packet(&out, &s->was_stripped, u, &c,
                              (span){ (const uint8_t *)c.packet.bytes, c.packet.size }, err);
    limn_container_close(&c);
    if (status != LIMN_OK || !s->was_stripped) {
        limn_buffer_finish(&out);
        return status;
    }
    limn_buffer_finish(&s->before);
    s->before = out;
    s->was_there = s->file.is_image || out.size; /* nothing is left in the sidecar */
    return LIMN_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

static limn_status put_before(subject *s, limn_error *err)
{
    if (!s->file.is_image) {
        s->file.bytes = s->before;
        s->before = (limn_buffer){ 0 };
        return LIMN_OK;
    }
    limn_buffer *all = limn_splices_add(&s->file.splices, 0, s->now.size);
    if (!all) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    *all = s->before;
    s->before = (limn_buffer){ 0 };
    return LIMN_OK;
}

static limn_status publish(subject *s, limn_error *err)
{
    bool is_left = false;
    if (s->was_there)
        LIMN_TRY(limn_sidecar_publish(&s->file, &is_left, err));
    else
        LIMN_TRY(limn_sidecar_remove(&s->file, &is_left, err));
    if (is_left) return limn_fail(err, LIMN_E_IO, "%s: has changed in the meantime", s->file.path);
    return limn_folder_sync(s->file.path, err);
}

static void count(limn_undo_account *a, const subject *s)
{
    a->n_removed += !s->was_there;
    a->n_restored += s->was_there && !s->was_stripped;
    a->n_stripped += s->was_there && s->was_stripped;
}

static limn_status undo(undoer *u, subject *s, const limn_undo_log *log, limn_error *err)
{
    const limn_annotate_settings *settings = u->settings;
    LIMN_TRY(go_back(s, log, err));
    LIMN_TRY(strip(u, s, err));
    if (!s->was_changed && !s->was_stripped) return LIMN_OK;
    LIMN_TRY(put_before(s, err));
    if (settings->is_dry_run && settings->to_do) settings->to_do(settings->hooks.ctx, s->file.path);
    if (!settings->is_dry_run) LIMN_TRY(publish(s, err));
    count(u->account, s);
    return LIMN_OK;
}

/* ---- files ---------------------------------------------------------------------------------- */

static bool has_ending(const char *path, const char *ending)
{
    const size_t size = strlen(path), n = strlen(ending);
    return size > n && !strcmp(path + size - n, ending);
}

/* Bytes of the path that the user named. */
static size_t given_size(const limn_dirwalk_entry *input)
{
    return input->is_named ? limn_path_folder_size(input->path)
                           : (size_t)(input->relative - input->path);
}

static limn_status open_subject(subject *s, const limn_dirwalk_entry *input, limn_error *err)
{
    *s = (subject){ .file = { .path = limn_strdup(input->path),
                              .is_image = !has_ending(input->path, ".xmp"),
                              .given = given_size(input) } };
    if (!s->file.path) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (lstat(input->path, &s->read))
        return limn_fail(err, LIMN_E_IO, "%s: %s", input->path, strerror(errno));
    return limn_file_bytes_read(&s->now, input->path, LIMN_PIPELINE_MAX_FILE_SIZE, err);
}

/* Whether the bytes that were read are those of the file that is about to be replaced. */
static bool is_as_read(const subject *s)
{
    const struct stat *a = &s->read, *b = &s->file.before;
    return s->file.had_file && a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && (size_t)b->st_size == s->now.size &&
           !memcmp(&a->st_mtim, &b->st_mtim, sizeof a->st_mtim);
}

/* Whether limn may have written to it: a log that somebody else made can name any file. */
static bool is_candidate(const subject *s, const limn_undo_log *log)
{
    const limn_image_format *format =
        s->file.is_image ? limn_image_sniff(s->now.bytes, s->now.size) : NULL;
    if (s->file.is_image && (!format || format->kind == LIMN_IMAGE_NOT)) return false;
    return may_have_notes(s, content(s)) || undo_folders_has(log, s->file.path);
}

/* Undoes one file. A failure is the file's. */
static limn_status visit(undoer *u, const limn_dirwalk_entry *input, limn_error *err)
{
    const limn_undo_log *log;
    const bool is_image = limn_image_format_of_name(input->path) != NULL;
    subject s = { 0 };
    bool is_left = false;
    LIMN_TRY(undo_folders_enter(&u->folders, input->path, &log, err));
    const bool is_logged = undo_folders_has(log, input->path);
    if (!is_image && !has_ending(input->path, ".xmp") && !is_logged) return LIMN_OK;
    if (!u->settings->is_dry_run) LIMN_TRY(limn_sidecar_clean(input->path, given_size(input), err));
    limn_status status = open_subject(&s, input, err);
    if (status == LIMN_OK && is_candidate(&s, log)) {
        status = limn_sidecar_prepare(&s.file, LIMN_EXISTING_OVERWRITE, &is_left, err);
        if (status == LIMN_OK && !is_as_read(&s))
            status = limn_fail(err, LIMN_E_IO, "%s: has changed in the meantime", s.file.path);
        if (status == LIMN_OK) status = undo(u, &s, log, err);
    }
    if (status == LIMN_OK) undo_folders_settle(&u->folders, input->path);
    finish_subject(&s);
    return status;
}

/* A failure of one file is reported, and the others are undone. */
static limn_status visit_next(undoer *u, limn_dirwalk *walk, limn_dirwalk_entry *input,
                              limn_error *err)
{
    limn_error reason = { 0 };
    limn_status s = limn_dirwalk_next(walk, input, &reason);
    if (!limn_hooks_keep_going(&u->settings->hooks))
        return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    if (s == LIMN_OK && (!input->path || input->is_stream)) return LIMN_OK;
    if (s == LIMN_OK) s = visit(u, input, &reason);
    if (s == LIMN_OK) return LIMN_OK;
    if (s == LIMN_E_NOMEM || s == LIMN_E_INTERRUPTED) return limn_fail(err, s, "%s", reason.text);
    u->account->n_failed++;
    limn_hooks_failure(&u->settings->hooks, input->path, &reason);
    return LIMN_OK;
}

limn_status limn_annotate_undo_xmp(limn_undo_account *account,
                                   const limn_annotate_settings *settings, limn_sandbox_use use,
                                   limn_error *err)
{
    undoer u = { .settings = settings, .account = account };
    limn_inputs inputs = settings->inputs;
    inputs.is_recursive = true;
    limn_dirwalk_settings how = limn_inputs_walk_settings(&inputs, -1);
    limn_dirwalk_entry input = { .path = "" };
    limn_dirwalk *walk = NULL;
    *account = (limn_undo_account){ 0 };
    how.has_archives = false;
    LIMN_TRY(limn_xmp_worker_start(&u.worker, use, &settings->hooks, err));
    limn_status s = limn_dirwalk_create(&walk, inputs.names, inputs.n_names, &how, err);
    while (s == LIMN_OK && input.path) s = visit_next(&u, walk, &input, err);
    if (s == LIMN_OK && !settings->is_dry_run) s = undo_folders_clean(&u.folders, err);
    undo_folders_finish(&u.folders);
    limn_dirwalk_destroy(&walk);
    limn_xmp_worker_stop(&u.worker);
    return s;
}
