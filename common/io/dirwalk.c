#include "common/io/dirwalk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/list_reader.h"

/* A folder on the way to the current file: its names, sorted, and how far we are. */
typedef struct folder {
    limn_buffer bytes;  /* the names, each with its NUL */
    size_t *offsets;    /* [n_names] into bytes, while they are being read */
    const char **names; /* [n_names], sorted */
    size_t n_names, offsets_capacity, next;
    size_t path_size; /* of this folder in w->path, with the slash at its end */
    dev_t device;
    ino_t inode;
} folder;

struct limn_dirwalk {
    limn_dirwalk_settings settings;
    char *const *names;
    size_t n_names, next_name;
    bool is_in_list;
    limn_list_reader list;
    folder *folders; /* [n_folders], the innermost last */
    size_t n_folders, folders_capacity;
    char *path; /* of the current entry */
    size_t path_capacity;
    limn_archive *archive; /* that we are in, inside all folders; NULL: none */
    size_t archive_size;   /* bytes of its path */
    size_t n_entered;      /* archives so far */
    limn_dirwalk_counts counts;
};

limn_status limn_dirwalk_create(limn_dirwalk **out, char *const *names, size_t n_names,
                                const limn_dirwalk_settings *settings, limn_error *err)
{
    limn_dirwalk *w = limn_calloc(1, sizeof *w);
    *out = w;
    if (!w) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    w->settings = *settings;
    w->names = names;
    w->n_names = n_names;
    limn_list_reader_init(&w->list, settings->list_fd, settings->wake_fd, settings->list_separator);
    return LIMN_OK;
}

static void folder_finish(folder *f)
{
    limn_buffer_finish(&f->bytes);
    limn_free(f->offsets);
    limn_free(f->names);
}

static void leave_all(limn_dirwalk *w)
{
    limn_archive_close(&w->archive);
    while (w->n_folders) folder_finish(&w->folders[--w->n_folders]);
}

void limn_dirwalk_destroy(limn_dirwalk **w)
{
    if (!w || !*w) return;
    leave_all(*w);
    limn_free((*w)->folders);
    limn_free((*w)->path);
    limn_free(*w);
    *w = NULL;
}

limn_dirwalk_counts limn_dirwalk_get_counts(const limn_dirwalk *w)
{
    return w->counts;
}

/* path[from …] = name */
static bool set_path(limn_dirwalk *w, size_t from, const char *name)
{
    const size_t size = strlen(name) + 1;
    void *block = w->path;
    const bool fits = limn_grow(&block, &w->path_capacity, from + size, 1);
    w->path = block;
    if (fits) memcpy(w->path + from, name, size);
    return fits;
}

/* ---- folders --------------------------------------------------------------------------- */

static bool add_name(folder *f, const char *name)
{
    void *offsets = f->offsets;
    const bool fits = limn_grow(&offsets, &f->offsets_capacity, f->n_names + 1, sizeof *f->offsets);
    f->offsets = offsets;
    if (!fits) return false;
    f->offsets[f->n_names++] = f->bytes.size;
    limn_buffer_append(&f->bytes, name, strlen(name) + 1);
    return !f->bytes.has_failed;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool sort_names(folder *f)
{
    f->names = limn_alloc(f->n_names, sizeof *f->names);
    if (!f->names) return false;
    for (size_t i = 0; i < f->n_names; i++) f->names[i] = f->bytes.bytes + f->offsets[i];
    limn_free(f->offsets);
    f->offsets = NULL;
    qsort(f->names, f->n_names, sizeof *f->names, compare_names);
    return true;
}

/* Reads the names of the open folder `dir`. */
static limn_status read_names(limn_dirwalk *w, folder *f, DIR *dir, limn_error *err)
{
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(dir))) {
        const bool is_dots = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
        if (entry->d_name[0] == '.')
            w->counts.n_hidden += !is_dots;
        else if (!add_name(f, entry->d_name))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    if (errno) return limn_fail(err, LIMN_E_IO, "reading the folder: %s", strerror(errno));
    if (!sort_names(f)) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return LIMN_OK;
}

static bool is_ancestor(const limn_dirwalk *w, const struct stat *st)
{
    for (size_t i = 0; i < w->n_folders; i++)
        if (w->folders[i].device == st->st_dev && w->folders[i].inode == st->st_ino) return true;
    return false;
}

/* Opens the folder at w->path and makes it the innermost. */
static limn_status enter(limn_dirwalk *w, const struct stat *st, limn_error *err)
{
    folder f = { .device = st->st_dev, .inode = st->st_ino, .path_size = strlen(w->path) };
    void *folders = w->folders;
    DIR *dir = opendir(w->path);
    limn_status s;
    if (!dir) return limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
    s = read_names(w, &f, dir, err);
    closedir(dir);
    if (s == LIMN_OK && !limn_grow(&folders, &w->folders_capacity, w->n_folders + 1, sizeof f))
        s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    w->folders = folders;
    if (s != LIMN_OK) {
        folder_finish(&f);
        return s;
    }
    if (f.path_size && w->path[f.path_size - 1] != '/') {
        if (!set_path(w, f.path_size, "/")) {
            folder_finish(&f);
            return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        }
        f.path_size++;
    }
    w->folders[w->n_folders++] = f;
    return LIMN_OK;
}

/* w->path below the folder that was named. */
static const char *relative_path(const limn_dirwalk *w)
{
    return w->path + (w->n_folders ? w->folders[0].path_size : 0);
}

/* Whether to look at w->path. */
static bool is_accepted(limn_dirwalk *w, limn_dirwalk_kind kind)
{
    const limn_dirwalk_settings *s = &w->settings;
    const bool is = !s->accepts || s->accepts(s->accepts_ctx, relative_path(w), kind);
    w->counts.n_refused += !is;
    return is;
}

/* Notes that a folder, archive or list failed before all its files came out. */
static limn_status lose(limn_dirwalk *w, limn_status s)
{
    w->counts.n_lost += s != LIMN_OK && s != LIMN_E_NOMEM && s != LIMN_E_INTERRUPTED;
    return s;
}

static limn_status look_at_folder(limn_dirwalk *w, const struct stat *st, limn_error *err)
{
    limn_error reason = { 0 };
    limn_status s;
    if (!w->settings.is_recursive)
        w->counts.n_folders++;
    else if (!is_accepted(w, LIMN_DIRWALK_FOLDER))
        return LIMN_OK;
    else if (is_ancestor(w, st))
        w->counts.n_loops++;
    else if ((s = enter(w, st, &reason)) &&
             (s == LIMN_E_NOMEM || is_accepted(w, LIMN_DIRWALK_UNREADABLE)))
        return limn_fail(err, lose(w, s), "%s", reason.text);
    return LIMN_OK;
}

/* ---- archives -------------------------------------------------------------------------- */

static bool is_archive(const limn_dirwalk *w)
{
    return w->settings.has_archives && limn_archive_has_name(w->path);
}

static limn_status enter_archive(limn_dirwalk *w, limn_error *err)
{
    w->archive_size = strlen(w->path);
    w->n_entered++;
    return lose(w, limn_archive_open(&w->archive, w->path, err));
}

/* Below a folder. */
static limn_status look_at_archive(limn_dirwalk *w, limn_error *err)
{
    if (!w->settings.is_recursive)
        w->counts.n_archives++;
    else if (is_accepted(w, LIMN_DIRWALK_FOLDER))
        return enter_archive(w, err);
    return LIMN_OK;
}

static bool is_hidden(const char *name)
{
    return *name == '.' || strstr(name, "/.");
}

/* Moves to the next member; to the archive itself when there is none, or it failed. */
static limn_status step_in_archive(limn_dirwalk *w, limn_dirwalk_entry *out, bool *is_file,
                                   limn_error *err)
{
    limn_archive_member m;
    const limn_status s = limn_archive_next(w->archive, &m, err);
    const char *name = m.name ? m.name : "";
    if (!set_path(w, w->archive_size, m.name ? "/" : "") ||
        !set_path(w, w->archive_size + (m.name ? 1 : 0), name))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    *out = (limn_dirwalk_entry){ .path = w->path,
                                 .relative = relative_path(w),
                                 .is_link = m.kind == LIMN_ARCHIVE_LINK };
    out->archive_size = m.name ? w->archive_size : 0;
    out->archive_number = m.name ? w->n_entered : 0;
    if (!m.name) limn_archive_close(&w->archive);
    if (!m.name) return lose(w, s);
    if (s != LIMN_OK) return s;
    if (is_hidden(name))
        w->counts.n_hidden++;
    else if (m.kind == LIMN_ARCHIVE_SPECIAL)
        w->counts.n_special++;
    else
        *is_file = is_accepted(w, LIMN_DIRWALK_FILE);
    return LIMN_OK;
}

limn_archive *limn_dirwalk_archive(const limn_dirwalk *w)
{
    return w->archive;
}

/* ---- folders ---------------------------------------------------------------------------- */

/* Looks at w->path, found in a folder: *is_file when it is to come out. */
static limn_status look_at_found(limn_dirwalk *w, bool *is_file, limn_error *err)
{
    struct stat st;
    *is_file = false;
    if (stat(w->path, &st)) {
        const char *reason = strerror(errno);
        return is_accepted(w, LIMN_DIRWALK_FILE) ? limn_fail(err, LIMN_E_IO, "%s", reason)
                                                 : LIMN_OK;
    }
    if (S_ISDIR(st.st_mode)) return look_at_folder(w, &st, err);
    if (!S_ISREG(st.st_mode))
        w->counts.n_special++;
    else if (is_archive(w))
        return look_at_archive(w, err);
    else
        *is_file = is_accepted(w, LIMN_DIRWALK_FILE);
    return LIMN_OK;
}

/* ---- names ----------------------------------------------------------------------------- */

enum { HEAD_SIZE = 512 /* bytes that tell a file from a list */ };

/* At a list: *is_stream when it is a file itself, which is then all that there is. */
static limn_status look_at_list(limn_dirwalk *w, bool *is_stream, limn_error *err)
{
    const unsigned char *head;
    size_t size;
    w->is_in_list = true;
    if (!w->settings.is_content) return LIMN_OK;
    LIMN_TRY(limn_list_reader_peek(&w->list, &head, &size, HEAD_SIZE, err));
    *is_stream = w->settings.is_content(head, size);
    w->is_in_list = !*is_stream;
    return LIMN_OK;
}

/* The next name of the user or of a list; NULL at the end. */
static limn_status next_name(limn_dirwalk *w, const char **out, bool *is_stream, limn_error *err)
{
    *out = NULL;
    for (;;) {
        if (w->is_in_list) {
            const limn_status s = limn_list_reader_next(&w->list, out, err);
            if (s != LIMN_OK) return s == LIMN_E_IO ? lose(w, s) : s; /* else an entry of it */
            w->is_in_list = *out != NULL;
            if (*out) return LIMN_OK;
        }
        if (w->next_name == w->n_names) return LIMN_OK;
        *out = w->names[w->next_name++];
        if (w->settings.list_fd < 0 || strcmp(*out, "-")) return LIMN_OK;
        LIMN_TRY(look_at_list(w, is_stream, err));
        if (*is_stream) return LIMN_OK;
    }
}

/* Looks at w->path, which was named: *is_file unless it is a folder. */
static limn_status look_at_named(limn_dirwalk *w, bool *is_file, limn_error *err)
{
    struct stat st;
    if (!stat(w->path, &st) && S_ISDIR(st.st_mode)) return lose(w, enter(w, &st, err));
    if (is_archive(w)) return enter_archive(w, err);
    *is_file = is_accepted(w, LIMN_DIRWALK_FILE);
    return LIMN_OK;
}

/* Moves to the next name, found or named, and looks at it. `*is_end` when there is none. */
static limn_status step(limn_dirwalk *w, limn_dirwalk_entry *out, bool *is_file, bool *is_end,
                        limn_error *err)
{
    folder *f = w->n_folders ? &w->folders[w->n_folders - 1] : NULL;
    const char *name;
    size_t from = 0;
    *is_file = false;
    if (w->archive) return step_in_archive(w, out, is_file, err);
    *out = (limn_dirwalk_entry){ .path = "-", .relative = "-", .is_named = !f };
    if (f && f->next == f->n_names) {
        folder_finish(f);
        w->n_folders--;
        return LIMN_OK;
    }
    if (f) {
        name = f->names[f->next++];
        from = f->path_size;
    } else {
        LIMN_TRY(next_name(w, &name, &out->is_stream, err));
        *is_end = !name;
        if (!name) return LIMN_OK;
    }
    if (!set_path(w, from, name)) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    out->path = w->path;
    out->relative = relative_path(w);
    *is_file = out->is_stream;
    if (out->is_stream) return LIMN_OK;
    return f ? look_at_found(w, is_file, err) : look_at_named(w, is_file, err);
}

limn_status limn_dirwalk_read_stream(limn_dirwalk *w, unsigned char **bytes, size_t *size,
                                     size_t max_size, limn_error *err)
{
    return limn_list_reader_read_all(&w->list, bytes, size, max_size, err);
}

limn_status limn_dirwalk_next(limn_dirwalk *w, limn_dirwalk_entry *out, limn_error *err)
{
    bool is_file = false, is_end = false;
    while (!is_file && !is_end) {
        const limn_status s = step(w, out, &is_file, &is_end, err);
        if (s == LIMN_E_NOMEM || s == LIMN_E_INTERRUPTED) {
            leave_all(w);
            w->next_name = w->n_names;
            w->is_in_list = false;
        }
        if (s != LIMN_OK) return s;
    }
    if (is_end) out->path = NULL;
    return LIMN_OK;
}
