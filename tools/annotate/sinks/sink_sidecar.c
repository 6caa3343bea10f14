#include "tools/annotate/sinks/sink_sidecar.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/path.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/sinks/photo_file.h"
#include "tools/annotate/sinks/undo_log.h"
#include "tools/annotate/input/path_names.h"
#include "common/text/file_name.h"

#define MIN_ROOM ((uint64_t)64 << 10) /* bytes; a disk with less room is full */

typedef struct sidecar_sink {
    limn_sink sink;
    limn_sidecar_settings settings;
    pthread_mutex_t mutex;      /* guards is_taken */
    bool *is_taken;             /* [plan->n_repeated] by an image of this run */
    limn_sidecar_file *waiting; /* [n_waiting] since the last checkpoint */
    size_t n_waiting, capacity;
    limn_buffer path;
} sidecar_sink;

/* ---- before the image ----------------------------------------------------------------- */

/* Whether another image of the run, or the same one before, has this sidecar. */
static bool is_taken(sidecar_sink *k, const char *path)
{
    const size_t n = k->settings.plan->n_repeated;
    const size_t i = n ? limn_sidecar_plan_find(k->settings.plan, limn_file_key_of(path)) : 0;
    bool is;
    if (i == n) return false;
    pthread_mutex_lock(&k->mutex);
    is = k->is_taken[i];
    k->is_taken[i] = true;
    pthread_mutex_unlock(&k->mutex);
    return is;
}

/* Looks at the file itself; a merge applies `existing` to what is in it. */
static limn_status look_at_file(const sidecar_sink *k, const char *path,
                                const limn_dirwalk_entry *input, bool *is_there, limn_error *err)
{
    const size_t given = limn_sidecar_given_size(&k->settings.naming, input);
    struct stat st;
    *is_there = false;
    if (k->settings.naming.is_image) return limn_photo_check(&st, path, given, err);
    return limn_sidecar_look(is_there, path, given, input->archive_size ? NULL : input->path,
                             k->settings.merge ? LIMN_EXISTING_OVERWRITE : k->settings.existing,
                             err);
}

static limn_status look(limn_sink *s, const limn_dirwalk_entry *input, bool *is_there,
                        limn_error *err)
{
    sidecar_sink *k = (sidecar_sink *)s;
    limn_buffer path = { 0 };
    limn_status status = limn_sidecar_path(&path, &k->settings.naming, input, err);
    const bool is_sibling = status == LIMN_OK && limn_sidecar_plan_has_sibling(
                                                     k->settings.plan, path.bytes, input->path);
    s->n_siblings += is_sibling;
    *is_there = is_sibling || (status == LIMN_OK && is_taken(k, path.bytes));
    if (status == LIMN_OK && !*is_there) status = look_at_file(k, path.bytes, input, is_there, err);
    if (status == LIMN_OK && !*is_there && k->settings.merge)
        status = k->settings.merge->look(k->settings.merge->ctx, path.bytes, is_there, err);
    limn_buffer_finish(&path);
    return status;
}

/* ---- beginning -------------------------------------------------------------------------- */

static limn_status begin(limn_sink *s, const char *state, limn_name_set *before, limn_error *err)
{
    (void)s;
    (void)state;
    (void)before;
    (void)err;
    return LIMN_OK; /* every sidecar is complete, or has a note */
}

/* Bytes of a path that the user named, for a note that doesn't say it: the tree of sidecars, or all
 * folders. */
static size_t given_by_options(const sidecar_sink *k, const char *path)
{
    const char *out_dir = k->settings.naming.out_dir;
    const size_t size = out_dir ? strlen(out_dir) : 0;
    if (out_dir && !strncmp(path, out_dir, size) && path[size] == '/') return size + 1;
    return limn_path_folder_size(path);
}

/* A note: the hash of the new content, ':' and how many bytes of the path the user named, a space,
 * the path. Runs of earlier builds left out the number. False for anything else. */
static bool read_note(const sidecar_sink *k, const char *text, uint64_t *hash, size_t *given,
                      limn_buffer *path)
{
    int n_hash = 0, n_given = 0;
    if (sscanf(text, "%16" SCNx64 "%n", hash, &n_hash) != 1) return false;
    const bool says_given = sscanf(text + n_hash, ":%zu%n", given, &n_given) == 1;
    text += n_hash + n_given;
    if (*text != ' ' || !limn_file_name_append_unescaped(path, text + 1, strlen(text + 1)) ||
        !path->size)
        return false;
    if (path->has_failed) return true;
    if (!says_given) *given = given_by_options(k, path->bytes);
    return *given <= limn_path_folder_size(path->bytes);
}

static limn_status settle(limn_sink *s, const limn_journal_note *note, bool *is_done,
                          limn_error *err)
{
    limn_buffer path = { 0 };
    uint64_t hash = 0;
    size_t given = 0;
    limn_status status;
    if (!read_note((const sidecar_sink *)s, note->text, &hash, &given, &path))
        status = limn_fail(err, LIMN_E_FORMAT, "%s: '%s' is not a note about a sidecar",
                           s->journal_path, note->text);
    else if (path.has_failed)
        status = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    else
        status = limn_sidecar_settle(is_done, path.bytes, given, hash, err);
    limn_buffer_finish(&path);
    return status;
}

/* ---- results ---------------------------------------------------------------------------- */

/* Adds a file that waits for the next checkpoint. */
static limn_status add(sidecar_sink *k, const limn_pipeline_result *result, limn_error *err)
{
    limn_sidecar_file *f;
    LIMN_TRY(limn_sidecar_path(&k->path, &k->settings.naming, result->input, err));
    if (!limn_grow((void **)&k->waiting, &k->capacity, k->n_waiting + 1, sizeof *f))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    f = &k->waiting[k->n_waiting++];
    *f =
        (limn_sidecar_file){ .image = limn_strdup(result->input->path),
                             .path = limn_strdup(k->path.bytes),
                             .separator = k->settings.separator,
                             .is_image = k->settings.naming.is_image,
                             .has_backup = k->settings.has_backup,
                             .given = limn_sidecar_given_size(&k->settings.naming, result->input) };
    limn_buffer_append(&f->bytes, result->out->bytes, result->out->size);
    if (!f->image || !f->path || f->bytes.has_failed)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return LIMN_OK;
}

static void forget(sidecar_sink *k, size_t i)
{
    limn_sidecar_file_finish(&k->waiting[i]);
    memmove(&k->waiting[i], &k->waiting[i + 1], (--k->n_waiting - i) * sizeof *k->waiting);
}

static limn_status prepare_with(limn_sidecar_file *f, limn_existing existing, bool *is_left,
                                limn_error *err)
{
    LIMN_TRY(limn_sidecar_clean(f->path, f->given, err));
    return limn_sidecar_prepare(f, existing, is_left, err);
}

/* Merges at once, since that can fail for one image. */
static limn_status make_ready(limn_sink *s, const limn_pipeline_result *result, limn_error *err)
{
    sidecar_sink *k = (sidecar_sink *)s;
    const limn_sidecar_merge *merge = k->settings.merge;
    bool is_left = false, is_same = false;
    if (!merge || result->is_left_out) return LIMN_OK;
    limn_status status = add(k, result, err);
    if (status != LIMN_OK) return status;
    limn_sidecar_file *f = &k->waiting[k->n_waiting - 1];
    status = prepare_with(f, LIMN_EXISTING_OVERWRITE, &is_left, err);
    if (status == LIMN_OK) status = merge->make(merge->ctx, f, &is_same, err);
    if (status != LIMN_OK || is_same) forget(k, k->n_waiting - 1);
    return status;
}

static limn_status put(limn_sink *s, const limn_pipeline_result *result, limn_error *err)
{
    sidecar_sink *k = (sidecar_sink *)s;
    return result->error || k->settings.merge ? LIMN_OK : add(k, result, err);
}

static void drop(sidecar_sink *k, size_t i)
{
    limn_hooks_message(k->sink.hooks, LIMN_ANNOTATE_WARNING,
                       "%s: was created or changed in the meantime, and is kept",
                       k->waiting[i].path);
    forget(k, i);
}

/* Whether a file had no room, by errno, because the disk that the journal is on is full: then no
 * other file gets any there, and the run is to be resumed later. */
static bool is_disk_full(const sidecar_sink *k, const limn_sidecar_file *f, int cause)
{
    struct statvfs disk;
    if ((cause != ENOSPC && cause != EDQUOT) || statvfs(k->sink.journal_path, &disk)) return false;
    const uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    const uint64_t needed = f->bytes.size + (f->had_file ? (uint64_t)f->before.st_size : 0);
    return room < needed + MIN_ROOM || (disk.f_files && !disk.f_favail);
}

/* What failed with one file, and errno of that, is its image's failure, and the others go on;
 * unless it will be that of all. */
static limn_status fail_one(sidecar_sink *k, size_t i, const limn_error *failure, int cause,
                            limn_error *err)
{
    const limn_sidecar_file *f = &k->waiting[i];
    if (failure->code == LIMN_E_NOMEM || is_disk_full(k, f, cause))
        return limn_fail(err, failure->code, "%s", failure->text);
    const limn_status s = limn_sink_fail(&k->sink, f->image, failure, err);
    forget(k, i);
    return s;
}

typedef limn_status file_step(sidecar_sink *k, limn_sidecar_file *f, bool *is_left,
                              limn_error *err);

static limn_status prepare(sidecar_sink *k, limn_sidecar_file *f, bool *is_left, limn_error *err)
{
    return prepare_with(f, k->settings.existing, is_left, err);
}

static limn_status publish(sidecar_sink *k, limn_sidecar_file *f, bool *is_left, limn_error *err)
{
    (void)k;
    return limn_sidecar_publish(f, is_left, err);
}

/* Files that fail, or are to be left alone, wait no longer. */
static limn_status each(sidecar_sink *k, file_step *step, limn_error *err)
{
    for (size_t i = 0; i < k->n_waiting;) {
        limn_error failure = { 0 };
        bool is_left;
        errno = 0;
        if (step(k, &k->waiting[i], &is_left, &failure))
            LIMN_TRY(fail_one(k, i, &failure, errno, err));
        else if (is_left)
            drop(k, i);
        else
            i++;
    }
    return LIMN_OK;
}

static limn_status note_all(sidecar_sink *k, limn_journal *journal, limn_error *err)
{
    for (size_t i = 0; i < k->n_waiting; i++) {
        const limn_sidecar_file *f = &k->waiting[i];
        limn_buffer_clear(&k->path);
        limn_buffer_printf(&k->path, "%016" PRIx64 ":%zu ", limn_sidecar_new_hash(f), f->given);
        limn_file_name_append_line(&k->path, f->path);
        if (k->path.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        limn_journal_add_note(journal, f->image, k->path.bytes);
    }
    return limn_journal_sync(journal, err);
}

static bool is_in_same_folder(const char *a, const char *b)
{
    const size_t size = limn_path_folder_size(a);
    return size == limn_path_folder_size(b) && !memcmp(a, b, size);
}

/* The files that wait from `i` on in one folder; their lines for its log go to k->path. */
static size_t gather_undo(sidecar_sink *k, size_t i)
{
    const size_t first = i;
    limn_buffer_clear(&k->path);
    for (; i < k->n_waiting && is_in_same_folder(k->waiting[first].path, k->waiting[i].path); i++)
        limn_buffer_append(&k->path, k->waiting[i].undo.bytes, k->waiting[i].undo.size);
    return i - first;
}

/* Keeps what the changes displace, before they are made: without that they are not. */
static limn_status log_all(sidecar_sink *k, limn_error *err)
{
    for (size_t i = 0, n; i < k->n_waiting; i += n) {
        const limn_sidecar_file *f = &k->waiting[i];
        limn_error failure = { 0 };
        n = gather_undo(k, i);
        errno = 0;
        if ((!k->path.size && !k->path.has_failed) ||
            limn_undo_log_append(f->path, f->given, &k->path, &failure) == LIMN_OK)
            continue;
        const int cause = errno;
        for (; n > 0; n--) LIMN_TRY(fail_one(k, i, &failure, cause, err)); /* takes it out */
    }
    return LIMN_OK;
}

static limn_status sync_folders(const sidecar_sink *k, limn_error *err)
{
    for (size_t i = 0; i < k->n_waiting; i++)
        if (i + 1 == k->n_waiting || !is_in_same_folder(k->waiting[i].path, k->waiting[i + 1].path))
            LIMN_TRY(limn_folder_sync(k->waiting[i].path, err));
    return LIMN_OK;
}

static void forget_all(sidecar_sink *k)
{
    while (k->n_waiting) limn_sidecar_file_finish(&k->waiting[--k->n_waiting]);
}

/* A write-ahead log: intentions are journalled first, so that each is carried out exactly once. */
static limn_status checkpoint(limn_sink *s, limn_journal *journal, limn_buffer *state,
                              limn_error *err)
{
    sidecar_sink *k = (sidecar_sink *)s;
    limn_buffer_append_text(state, "-");
    if (!k->n_waiting) return LIMN_OK;
    if (!k->settings.merge) LIMN_TRY(each(k, prepare, err));
    LIMN_TRY(note_all(k, journal, err));
    LIMN_TRY(log_all(k, err));
    LIMN_TRY(each(k, publish, err));
    LIMN_TRY(sync_folders(k, err));
    forget_all(k);
    return LIMN_OK;
}

/* Every checkpoint leaves complete files under their final names, so there is nothing left to
 * do. */
static limn_status end(limn_sink *s, limn_error *err)
{
    (void)s;
    (void)err;
    return LIMN_OK;
}

static limn_status complete(limn_sink *s, const char *state, limn_error *err)
{
    (void)state;
    return end(s, err);
}

static void discard(limn_sink *s)
{
    (void)s;
}

static void destroy(limn_sink *s)
{
    sidecar_sink *k = (sidecar_sink *)s;
    forget_all(k);
    limn_free(k->waiting);
    limn_free(k->is_taken);
    limn_buffer_finish(&k->path);
    pthread_mutex_destroy(&k->mutex);
    limn_free(k);
}

static const limn_sink_methods methods = {
    .look = look,
    .begin = begin,
    .settle = settle,
    .make_ready = make_ready,
    .put = put,
    .checkpoint = checkpoint,
    .end = end,
    .complete = complete,
    .leave = end,
    .discard = discard,
    .destroy = destroy,
};

/* ---- making one ------------------------------------------------------------------------- */

/* Hashes a name's real path, or the name itself if it does not exist. */
static void add_to_hash(uint64_t *hash, const char *name)
{
    char *real = limn_file_resolve(name);
    const char *text = real ? real : name;
    *hash = limn_fnv1a64(*hash, text, strlen(text) + 1);
    limn_free(real);
}

/* The folder that the journal is in, with a slash or empty. */
static void append_journal_folder(limn_buffer *out, const limn_sidecar_settings *s)
{
    const char *first = s->n_names ? s->names[0] : "-";
    struct stat st;
    if (s->naming.out_dir)
        limn_buffer_printf(out, "%s/", s->naming.out_dir);
    else if (strcmp(first, "-") && !stat(first, &st) && S_ISDIR(st.st_mode))
        limn_buffer_printf(out, "%s/", first);
    else
        limn_buffer_append(out, first, limn_path_folder_size(first));
}

char *limn_sink_sidecar_journal_path(const limn_sidecar_settings *s)
{
    uint64_t hash = limn_fnv1a64(LIMN_FNV1A64_INIT, s->variant, strlen(s->variant) + 1);
    limn_buffer path = { 0 };
    char *out;
    for (size_t i = 0; i < s->n_names; i++) add_to_hash(&hash, s->names[i]);
    append_journal_folder(&path, s);
    limn_buffer_printf(&path, ".%016" PRIx64 ".limn-run", hash);
    out = path.has_failed ? NULL : limn_strdup(path.bytes);
    limn_buffer_finish(&path);
    return out;
}

limn_status limn_sink_sidecar_create(limn_sink **out, const limn_sidecar_settings *settings,
                                     limn_error *err)
{
    sidecar_sink *k = limn_calloc(1, sizeof *k);
    limn_status s = LIMN_OK;
    *out = NULL;
    if (!k) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    pthread_mutex_init(&k->mutex, NULL);
    k->sink.methods = &methods;
    k->sink.is_once = true;
    k->settings = *settings;
    k->is_taken = limn_calloc(settings->plan->n_repeated + 1, sizeof *k->is_taken);
    k->sink.journal_path = limn_sink_sidecar_journal_path(settings);
    *out = &k->sink;
    if (!k->is_taken || !k->sink.journal_path)
        s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    else if (settings->naming.out_dir && !settings->is_dry) /* the journal is in it */
        s = limn_folder_make_above(k->sink.journal_path, err);
    if (s != LIMN_OK) limn_sink_destroy(out);
    return s;
}
