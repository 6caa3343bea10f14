#include "tools/annotate/sinks/sink_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/place.h"
#include "common/text/path.h"
#include "tools/annotate/input/path_names.h"
#include "tools/annotate/journal/part_file.h"
#include "tools/annotate/sinks/direct_output.h"
#include "tools/annotate/sinks/existing_lines.h"

typedef struct file_sink {
    limn_sink sink;
    const limn_writer *writer;
    const char *given_path; /* as the user wrote it */
    char *path;             /* where it is; NULL: `direct` */
    int given_fd;           /* without a path */
    limn_direct_output direct;
    bool had_journal; /* from the start */
    limn_part_file part;
    bool has_records;
    limn_buffer line;
} file_sink;

/* ---- beginning -------------------------------------------------------------------------- */

static char *with_suffix(const char *path, const char *suffix)
{
    const size_t size = strlen(path) + strlen(suffix) + 1;
    char *out = limn_alloc(size, 1);
    if (out) snprintf(out, size, "%s%s", path, suffix);
    return out;
}

/* A PATH.part without a journal is an incomplete PATH, and is taken over if there is no PATH. */
static limn_status take_over_part(const file_sink *f, limn_error *err)
{
    char *part = with_suffix(f->path, ".part");
    struct stat st;
    limn_status s = LIMN_OK;
    if (!part) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (lstat(part, &st) || f->had_journal)
        s = LIMN_OK;
    else if (limn_file_is_foreign(part))
        s = limn_fail(err, LIMN_E_ARG, "%s: is a link or not a regular file; remove it", part);
    else if (!access(f->path, F_OK))
        s = limn_fail(err, LIMN_E_ARG,
                      "%s: exists without a journal, and so does %s; move one of them away", part,
                      f->path);
    else if (st.st_size)
        s = limn_file_take_name(part, f->path, err);
    limn_free(part);
    return s;
}

static limn_status peek(limn_sink *s, limn_name_set *before, limn_error *err)
{
    file_sink *f = (file_sink *)s;
    limn_existing_lines existing;
    if (!f->path || access(f->path, F_OK)) return LIMN_OK;
    return limn_existing_lines_read(&existing, before, f->path, f->writer, err);
}

static limn_status begin_file(file_sink *f, limn_name_set *before, limn_error *err)
{
    limn_existing_lines existing = { 0 };
    LIMN_TRY(take_over_part(f, err));
    if (!access(f->path, F_OK))
        LIMN_TRY(limn_existing_lines_read(&existing, before, f->path, f->writer, err));
    f->has_records = existing.has_records;
    LIMN_TRY(limn_part_file_create(&f->part, f->path, existing.size, err));
    if (existing.lacks_line_end) LIMN_TRY(limn_part_file_write(&f->part, "\n", 1, err));
    return limn_part_file_sync(&f->part, err);
}

/* The state: whether there are records, a space, and the file's. */
static limn_status resume_file(file_sink *f, const char *state, limn_error *err)
{
    if ((state[0] != '0' && state[0] != '1') || state[1] != ' ')
        return limn_fail(err, LIMN_E_FORMAT, "'%s' is not the state of a file", state);
    f->has_records = state[0] == '1';
    return limn_part_file_resume(&f->part, f->path, state + 2, err);
}

static limn_status begin(limn_sink *s, const char *state, limn_name_set *before, limn_error *err)
{
    file_sink *f = (file_sink *)s;
    if (!f->path) return limn_direct_output_open(&f->direct, f->given_path, f->given_fd, err);
    return state ? resume_file(f, state, err) : begin_file(f, before, err);
}

/* ---- results ---------------------------------------------------------------------------- */

static void append_text(limn_buffer *out, const char *text)
{
    if (text) limn_buffer_append_text(out, text);
}

/* Writes what is in f->line. */
static limn_status write_line(file_sink *f, limn_error *err)
{
    limn_status s;
    if (f->line.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (f->path) return limn_part_file_write(&f->part, f->line.bytes, f->line.size, err);
    s = limn_direct_output_write(&f->direct, f->line.bytes, f->line.size, err);
    f->sink.is_pipe_closed = f->direct.is_pipe_closed;
    return s;
}

static limn_status put(limn_sink *s, const limn_pipeline_result *result, limn_error *err)
{
    file_sink *f = (file_sink *)s;
    if (!result->out->size) return LIMN_OK;
    limn_buffer_clear(&f->line);
    append_text(&f->line, f->has_records ? f->writer->separator : f->writer->head);
    limn_buffer_append(&f->line, result->out->bytes, result->out->size);
    LIMN_TRY(write_line(f, err));
    f->has_records = true;
    return LIMN_OK;
}

static limn_status checkpoint(limn_sink *s, limn_journal *journal, limn_buffer *state,
                              limn_error *err)
{
    file_sink *f = (file_sink *)s;
    (void)journal;
    LIMN_TRY(limn_part_file_sync(&f->part, err));
    limn_buffer_printf(state, "%d ", f->has_records);
    limn_part_file_append_state(&f->part, state);
    return LIMN_OK;
}

static limn_status end(limn_sink *s, limn_error *err)
{
    file_sink *f = (file_sink *)s;
    if (!f->has_records || !f->writer->foot) return LIMN_OK;
    limn_buffer_clear(&f->line);
    append_text(&f->line, f->writer->foot);
    return write_line(f, err);
}

static limn_status complete(limn_sink *s, const char *state, limn_error *err)
{
    file_sink *f = (file_sink *)s;
    if (!f->path) return limn_direct_output_close(&f->direct, err);
    if (!f->part.part_path) /* killed just before */
        return limn_part_file_recommit(&f->part, f->path, state[0] ? state + 2 : state, err);
    if (f->has_records || f->part.has_base) return limn_part_file_commit(&f->part, err);
    limn_part_file_remove(&f->part);
    return LIMN_OK;
}

static limn_status leave(limn_sink *s, limn_error *err)
{
    file_sink *f = (file_sink *)s;
    limn_part_file_close(&f->part);
    return limn_direct_output_close(&f->direct, err);
}

static void discard(limn_sink *s)
{
    file_sink *f = (file_sink *)s;
    limn_part_file_remove(&f->part);
    (void)limn_direct_output_close(&f->direct, NULL);
}

static void destroy(limn_sink *s)
{
    file_sink *f = (file_sink *)s;
    limn_part_file_close(&f->part);
    (void)limn_direct_output_close(&f->direct, NULL);
    limn_buffer_finish(&f->line);
    limn_free(f->path);
    limn_free(f);
}

static const limn_sink_methods methods = {
    .begin = begin,
    .peek = peek,
    .put = put,
    .checkpoint = checkpoint,
    .end = end,
    .complete = complete,
    .leave = leave,
    .discard = discard,
    .destroy = destroy,
};

/* ---- making one ------------------------------------------------------------------------- */

/* Whether results go to a file of their own, not to a pipe or a device. */
static limn_status look_at_path(bool *is_file, const char *path, limn_error *err)
{
    struct stat st;
    *is_file = path && (stat(path, &st) || S_ISREG(st.st_mode));
    if (path && !*is_file && !stat(path, &st) && S_ISDIR(st.st_mode))
        return limn_fail(err, LIMN_E_ARG, "%s: is a folder", path);
    return LIMN_OK;
}

/* Checks the folder, so that an error names it rather than the first file that can't be made in
 * it. */
static limn_status check_folder(const char *path, limn_error *err)
{
    const size_t size = limn_path_folder_size(path);
    char *folder = size > 1 ? limn_strndup(path, size) : NULL;
    limn_status s = LIMN_OK;
    if (folder && access(folder, F_OK))
        s = limn_fail(err, LIMN_E_IO, "%s: the folder %s: %s", path, folder, strerror(errno));
    limn_free(folder);
    return s;
}

static limn_status make_paths(file_sink *f, limn_error *err)
{
    f->path = limn_file_resolve(f->given_path);
    if (f->path) LIMN_TRY(check_folder(f->path, err));
    f->sink.journal_path = f->path ? with_suffix(f->path, ".limn-run") : NULL;
    if (!f->sink.journal_path) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    f->had_journal = !access(f->sink.journal_path, F_OK);
    return LIMN_OK;
}

limn_status limn_sink_file_create(limn_sink **out, const char *path, int fd,
                                  const limn_writer *writer, limn_error *err)
{
    file_sink *f;
    limn_status s = LIMN_OK;
    bool is_file;
    *out = NULL;
    if (path && !strcmp(path, "-")) path = NULL;
    LIMN_TRY(look_at_path(&is_file, path, err));
    f = limn_calloc(1, sizeof *f);
    if (!f) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    f->sink.methods = &methods;
    f->writer = writer;
    f->given_path = path;
    f->given_fd = fd;
    f->direct.fd = -1;
    *out = &f->sink;
    if (is_file) s = make_paths(f, err);
    if (s != LIMN_OK) limn_sink_destroy(out);
    return s;
}
