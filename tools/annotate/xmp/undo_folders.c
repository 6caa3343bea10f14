#include "tools/annotate/xmp/undo_folders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/path.h"

static uint64_t hash_of(const char *name)
{
    return limn_fnv1a64(LIMN_FNV1A64_INIT, name, strlen(name));
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The log's names without repetitions; those of files that are gone are settled. */
static void fill_names(undo_folder *f, const limn_undo_log *log, const char *folder)
{
    for (size_t i = 0; i < log->n_records; i++) f->names[i] = hash_of(log->records[i].name);
    qsort(f->names, log->n_records, sizeof *f->names, compare);
    for (size_t i = 0; i < log->n_records; i++)
        if (!i || f->names[i] != f->names[i - 1]) f->names[f->n_names++] = f->names[i];
    for (size_t i = 0; i < log->n_records; i++) {
        limn_buffer path = { 0 };
        limn_buffer_printf(&path, "%s%s", folder, log->records[i].name);
        const uint64_t key = hash_of(log->records[i].name);
        uint64_t *at = bsearch(&key, f->names, f->n_names, sizeof key, compare);
        if (at && !path.has_failed && access(path.bytes, F_OK)) f->is_settled[at - f->names] = true;
        limn_buffer_finish(&path);
    }
}

static undo_folder *find_folder(undo_folders *f, const char *log_path)
{
    for (size_t i = 0; i < f->n_items; i++)
        if (!strcmp(f->items[i].log_path, log_path)) return &f->items[i];
    return NULL;
}

static limn_status add_folder(undo_folders *f, const char *log_path, limn_error *err)
{
    undo_folder *item;
    if (!limn_grow((void **)&f->items, &f->capacity, f->n_items + 1, sizeof *f->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    item = &f->items[f->n_items++];
    *item = (undo_folder){ .log_path = limn_strdup(log_path),
                           .log_size = f->log.text.size,
                           .names = limn_calloc(f->log.n_records, sizeof *item->names),
                           .is_settled = limn_calloc(f->log.n_records, sizeof *item->is_settled) };
    if (!item->log_path || !item->names || !item->is_settled)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    fill_names(item, &f->log, f->current);
    f->open = item;
    return LIMN_OK;
}

static limn_status open_folder(undo_folders *f, limn_error *err)
{
    limn_buffer path = { 0 };
    limn_status s = LIMN_OK;
    limn_buffer_printf(&path, "%s%s", f->current, LIMN_UNDO_LOG_NAME);
    if (path.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    f->open = find_folder(f, path.bytes);
    if (!f->open && f->log.n_records) s = add_folder(f, path.bytes, err);
    limn_buffer_finish(&path);
    return s;
}

limn_status undo_folders_enter(undo_folders *f, const char *path, const limn_undo_log **log,
                               limn_error *err)
{
    const size_t size = limn_path_folder_size(path);
    *log = &f->log;
    if (f->current && strlen(f->current) == size && !memcmp(f->current, path, size)) return LIMN_OK;
    limn_free(f->current);
    limn_undo_log_finish(&f->log);
    f->open = NULL;
    f->current = limn_strndup(path, size);
    if (!f->current) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_status s = limn_undo_log_read(&f->log, path, err);
    if (s == LIMN_OK) s = open_folder(f, err);
    if (s == LIMN_OK) return s;
    limn_free(f->current); /* so that it fails for the other files of the folder too */
    f->current = NULL;
    return s;
}

bool undo_folders_has(const limn_undo_log *log, const char *path)
{
    const char *name = limn_path_last(path);
    for (size_t i = 0; i < log->n_records; i++)
        if (!strcmp(log->records[i].name, name)) return true;
    return false;
}

void undo_folders_settle(undo_folders *f, const char *path)
{
    const uint64_t key = hash_of(limn_path_last(path));
    const uint64_t *at = f->open && f->open->n_names
                             ? bsearch(&key, f->open->names, f->open->n_names, sizeof key, compare)
                             : NULL;
    if (at) f->open->is_settled[at - f->open->names] = true;
}

/* Whether all of its files are settled, and no other limn has added to the log since. */
static bool is_done(const undo_folder *f)
{
    struct stat st;
    for (size_t i = 0; i < f->n_names; i++)
        if (!f->is_settled[i]) return false;
    return !lstat(f->log_path, &st) && (size_t)st.st_size == f->log_size;
}

limn_status undo_folders_clean(undo_folders *f, limn_error *err)
{
    for (size_t i = 0; i < f->n_items; i++) {
        const undo_folder *item = &f->items[i];
        if (is_done(item) && unlink(item->log_path) && errno != ENOENT)
            return limn_fail(err, LIMN_E_IO, "%s: %s", item->log_path, strerror(errno));
    }
    return LIMN_OK;
}

void undo_folders_finish(undo_folders *f)
{
    for (size_t i = 0; i < f->n_items; i++) {
        limn_free(f->items[i].log_path);
        limn_free(f->items[i].names);
        limn_free(f->items[i].is_settled);
    }
    limn_free(f->items);
    limn_free(f->current);
    limn_undo_log_finish(&f->log);
    *f = (undo_folders){ 0 };
}
