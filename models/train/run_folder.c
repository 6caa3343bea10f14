#include "models/train/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/place.h"
#include "common/io/json.h"

enum { N_KEPT = 3, MAX_CHECKPOINTS = 64 };
#define CHECKPOINT_FORMAT "checkpoint-%" PRIu64 ".safetensors"
#define MAX_LOG_SIZE ((size_t)1 << 30)

struct limn_run_folder {
    char *path;
    limn_buffer name; /* of limn_run_folder_file */
};

/* ---- the folder ------------------------------------------------------------------------------ */

typedef enum entry_kind { ENTRY_OTHER, ENTRY_CACHE, ENTRY_TEMPORARY } entry_kind;

/* What a run that was killed before it wrote run.json leaves: cache/, and temporary files. */
static entry_kind kind_of(const char *name)
{
    if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "cache")) return ENTRY_CACHE;
    return limn_file_is_temporary(name) ? ENTRY_TEMPORARY : ENTRY_OTHER;
}

/* Whether `path` is a folder with nothing but what was begun; `removes` what is temporary. */
static bool is_unused(limn_run_folder *f, const char *path, bool removes)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    bool is_so_far = dir != NULL;
    while (dir && is_so_far && (entry = readdir(dir))) {
        const entry_kind kind = kind_of(entry->d_name);
        is_so_far = kind != ENTRY_OTHER;
        if (removes && kind == ENTRY_TEMPORARY) unlink(limn_run_folder_file(f, entry->d_name));
    }
    if (dir) closedir(dir);
    return is_so_far;
}

static bool is_there(limn_run_folder *f, const char *name)
{
    const char *path = limn_run_folder_file(f, name);
    return access(path, F_OK) == 0;
}

static limn_status init(limn_run_folder **out, const char *path, limn_error *err)
{
    limn_run_folder *f = limn_calloc(1, sizeof *f);
    *out = f;
    if (f) f->path = limn_strdup(path);
    if (f && f->path) return LIMN_OK;
    limn_run_folder_close(out);
    return limn_fail(err, LIMN_E_NOMEM, "no memory for a run");
}

static limn_status create(limn_run_folder *f, limn_error *err)
{
    LIMN_TRY(limn_folder_make(f->path, true, err));
    if (is_there(f, "run.json"))
        return limn_fail(
            err, LIMN_E_ARG,
            "%s: already holds a run; use --resume %s to continue it, or another folder", f->path,
            f->path);
    if (!is_unused(f, f->path, false))
        return limn_fail(err, LIMN_E_ARG, "%s: is not an empty folder", f->path);
    LIMN_TRY(limn_folder_make(limn_run_folder_file(f, "cache"), false, err));
    if (!is_unused(f, limn_run_folder_file(f, "cache"), false))
        return limn_fail(err, LIMN_E_ARG, "%s/cache: is not an empty folder", f->path);
    (void)is_unused(f, f->path, true);
    return LIMN_OK;
}

limn_status limn_run_folder_create(limn_run_folder **out, const char *path, limn_error *err)
{
    LIMN_TRY(init(out, path, err));
    const limn_status status = create(*out, err);
    if (status != LIMN_OK) limn_run_folder_close(out);
    return status;
}

/* Whether the file is one that a process was writing which is no more. */
static bool is_abandoned(const char *name)
{
    long pid = 0;
    return limn_file_is_temporary(name) && sscanf(name, ".limn-%ld-", &pid) == 1 && pid > 0 &&
           kill((pid_t)pid, 0) && errno == ESRCH;
}

static void remove_abandoned(limn_run_folder *f)
{
    DIR *dir = opendir(f->path);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (is_abandoned(entry->d_name)) unlink(limn_run_folder_file(f, entry->d_name));
    if (dir) closedir(dir);
}

limn_status limn_run_folder_open(limn_run_folder **out, const char *path, limn_error *err)
{
    LIMN_TRY(init(out, path, err));
    if (is_there(*out, "run.json")) {
        remove_abandoned(*out);
        return LIMN_OK;
    }
    limn_run_folder_close(out);
    return limn_fail(err, LIMN_E_ARG,
                     "%s: is not the folder of a run (it has no run.json); use --run to start one",
                     path);
}

void limn_run_folder_close(limn_run_folder **p)
{
    limn_run_folder *f = p ? *p : NULL;
    if (!f) return;
    limn_buffer_finish(&f->name);
    limn_free(f->path);
    limn_free(f);
    *p = NULL;
}

const char *limn_run_folder_file(limn_run_folder *f, const char *name)
{
    limn_buffer_clear(&f->name);
    limn_buffer_printf(&f->name, "%s/%s", f->path, name);
    return f->name.has_failed ? "" : f->name.bytes;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static const char *checkpoint_path(limn_run_folder *f, uint64_t step)
{
    char name[64];
    snprintf(name, sizeof name, CHECKPOINT_FORMAT, step);
    return limn_run_folder_file(f, name);
}

/* The step of a checkpoint's file name; false for other names. */
static bool parse_name(uint64_t *step, const char *name)
{
    char again[64];
    if (sscanf(name, "checkpoint-%" SCNu64, step) != 1) return false;
    snprintf(again, sizeof again, CHECKPOINT_FORMAT, *step);
    return strcmp(again, name) == 0;
}

static int newest_first(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

size_t limn_run_folder_checkpoints(uint64_t *steps, size_t capacity, const limn_run_folder *f)
{
    DIR *dir = opendir(f->path);
    const struct dirent *entry;
    uint64_t step;
    size_t n = 0;
    while (dir && n < capacity && (entry = readdir(dir)))
        if (parse_name(&step, entry->d_name)) steps[n++] = step;
    if (dir) closedir(dir);
    qsort(steps, n, sizeof *steps, newest_first);
    return n;
}

limn_status limn_run_folder_save(limn_run_folder *f, uint64_t step, const limn_params *params,
                                 const limn_optimizer *optimizer, const char *state,
                                 limn_error *err)
{
    uint64_t steps[MAX_CHECKPOINTS];
    const char *path = checkpoint_path(f, step);
    LIMN_TRY(limn_checkpoint_write(path, params, optimizer, state, err));
    const size_t n = limn_run_folder_checkpoints(steps, MAX_CHECKPOINTS, f);
    for (size_t i = N_KEPT; i < n; i++) unlink(checkpoint_path(f, steps[i]));
    return LIMN_OK;
}

limn_status limn_run_folder_state(char **state, limn_run_folder *f, uint64_t step, limn_error *err)
{
    return limn_checkpoint_read_state(checkpoint_path(f, step), state, err);
}

limn_status limn_run_folder_load(limn_run_folder *f, uint64_t step, limn_params *params,
                                 limn_optimizer *optimizer, limn_error *err)
{
    const char *path = checkpoint_path(f, step);
    char *state = NULL;
    const limn_status status = limn_checkpoint_read(path, params, optimizer, &state, err);
    limn_free(state);
    return status;
}

/* ---- the log --------------------------------------------------------------------------------- */

static limn_status append(const char *path, const char *bytes, size_t size, limn_error *err)
{
    int fd;
    limn_status status = LIMN_OK;
    LIMN_TRY(limn_file_open_own(&fd, path, O_WRONLY | O_CREAT | O_APPEND, err));
    if (write(fd, bytes, size) != (ssize_t)size)
        status = limn_fail(err, LIMN_E_IO, "%s: can't write: %s", path, strerror(errno));
    if (close(fd) != 0 && status == LIMN_OK)
        status = limn_fail(err, LIMN_E_IO, "%s: can't write: %s", path, strerror(errno));
    return status;
}

limn_status limn_run_folder_log(limn_run_folder *f, const char *object, limn_error *err)
{
    limn_buffer line = { 0 };
    const char *path = limn_run_folder_file(f, "log.jsonl");
    limn_buffer_printf(&line, "%s\n", object);
    const limn_status status = !line.has_failed
                                   ? append(path, line.bytes, line.size, err)
                                   : limn_fail(err, LIMN_E_NOMEM, "no memory for a line");
    limn_buffer_finish(&line);
    return status;
}

/* Whether a line of the log was written after `step`. */
static limn_status is_later(bool *out, const char *line, size_t size, uint64_t step,
                            limn_error *err)
{
    json_t *document = NULL;
    LIMN_TRY(limn_json_parse(&document, line, size, err));
    const json_t *at = json_object_get(document, "step");
    *out = json_is_integer(at) && (uint64_t)json_integer_value(at) > step;
    json_decref(document);
    return LIMN_OK;
}

/* The bytes of the log to keep. */
static limn_status kept_size(size_t *out, const char *log, size_t size, uint64_t step,
                             limn_error *err)
{
    bool is_end = false;
    const char *end;
    *out = 0;
    while (!is_end && *out < size && (end = memchr(log + *out, '\n', size - *out))) {
        const char *line = log + *out;
        LIMN_TRY(is_later(&is_end, line, (size_t)(end - line), step, err));
        if (!is_end) *out = (size_t)(end - log) + 1;
    }
    return LIMN_OK;
}

limn_status limn_run_folder_trim_log(limn_run_folder *f, uint64_t step, limn_error *err)
{
    const char *path = limn_run_folder_file(f, "log.jsonl");
    unsigned char *log = NULL;
    size_t size = 0, kept = 0;
    if (access(path, F_OK) != 0) return LIMN_OK;
    LIMN_TRY(limn_file_read(&log, &size, path, MAX_LOG_SIZE, err));
    limn_status status = kept_size(&kept, (const char *)log, size, step, err);
    if (status != LIMN_OK)
        limn_error_prefix(err, "%s", path);
    else if (kept < size)
        status = limn_file_replace(path, log, kept, err);
    limn_free(log);
    return status;
}
