#include "tools/annotate/run/error_list.h"

#include <unistd.h>

#include "common/text/file_name.h"

limn_status limn_error_list_open(limn_error_list *list, const char *path, const char *state,
                                 limn_error *err)
{
    if (state) return limn_part_file_resume(&list->file, path, state, err);
    if (!access(path, F_OK))
        return limn_fail(err, LIMN_E_ARG, "%s: exists already; limn overwrites nothing", path);
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
