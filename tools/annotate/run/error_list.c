#include "tools/annotate/run/error_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/text/file_name.h"

/* Whether `line` [size], without its line end, is NAME, a cause and a detail. */
static bool is_entry(const char *line, size_t size)
{
    const char *cause = memchr(line, '\t', size), *end = line + size;
    const char *detail = cause ? memchr(cause + 1, '\t', (size_t)(end - cause) - 1) : NULL;
    for (int s = LIMN_OK + 1; detail && s <= LIMN_E_CRASHED; s++) {
        const char *name = limn_status_name((limn_status)s);
        const size_t n = (size_t)(detail - cause) - 1;
        if (strlen(name) == n && !memcmp(name, cause + 1, n)) return true;
    }
    return false;
}

/* Whether the lines at the beginning of an open file are those of such a list. */
static bool has_entries(FILE *f)
{
    char block[1 << 16];
    const size_t size = fread(block, 1, sizeof block, f);
    for (const char *line = block, *end = block + size, *stop;
         (stop = memchr(line, '\n', (size_t)(end - line))); line = stop + 1)
        if (!is_entry(line, (size_t)(stop - line))) return false;
    return !size || memchr(block, '\n', size) || size == sizeof block;
}

limn_status limn_error_list_check(const char *path, limn_error *err)
{
    struct stat st;
    if (stat(path, &st))
        return errno == ENOENT ? LIMN_OK
                               : limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
    FILE *f = S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    const bool is_list = f && has_entries(f);
    if (f) fclose(f);
    return is_list ? LIMN_OK
                   : limn_fail(
                         err, LIMN_E_ARG,
                         "%s: exists and is not a list of errors; remove it or choose another name",
                         path);
}

limn_status limn_error_list_open(limn_error_list *list, const char *path, const char *state,
                                 limn_error *err)
{
    if (state) return limn_part_file_resume(&list->file, path, state, err);
    LIMN_TRY(limn_error_list_check(path, err));
    return limn_part_file_create(&list->file, path, 0, err);
}

limn_status limn_error_list_add(limn_error_list *list, const char *name, const limn_error *error,
                                limn_error *err)
{
    limn_buffer_clear(&list->line);
    limn_file_name_append_line(&list->line, name);
    limn_buffer_printf(&list->line, "\t%s\t", limn_status_name(error->code));
    limn_file_name_append_line(&list->line, error->text);
    limn_buffer_append_text(&list->line, "\n");
    if (list->line.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return limn_part_file_write(&list->file, list->line.bytes, list->line.size, err);
}

void limn_error_list_finish(limn_error_list *list)
{
    limn_part_file_close(&list->file);
    limn_buffer_finish(&list->line);
}
