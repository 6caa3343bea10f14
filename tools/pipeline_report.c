#include "tools/pipeline_report.h"

#include <unistd.h>

#include "common/base/buffer.h"
#include "common/text/plural.h"
#include "tools/cli.h"
#include "tools/message.h"

void limn_report_left_out(const limn_left_out *l)
{
    if (l->n_other || l->n_hidden || l->n_special)
        limn_message_note(
            "left out of folders: %zu %s, %zu hidden, %zu special", l->n_other,
            limn_plural(l->n_other, "file that is not an image", "files that are not images"),
            l->n_hidden, l->n_special);
    if (l->n_folders)
        limn_message_info("subfolders skipped: %zu (use -r to include them)", l->n_folders);
    if (l->n_archives)
        limn_message_info("archives in folders skipped: %zu (use -r to include them)",
                          l->n_archives);
    if (l->n_loops)
        limn_message_note("%zu %s to a parent folder not followed", l->n_loops,
                          limn_plural(l->n_loops, "link", "links"));
}

int limn_report_lost(const limn_left_out *l, int exit_code)
{
    if (!l->n_lost) return exit_code;
    limn_message_warning(
        "%zu %s could not be read to the end, so the output may be incomplete", l->n_lost,
        limn_plural(l->n_lost, "folder, archive or list", "folders, archives or lists"));
    return LIMN_EXIT_NOTHING;
}

static void tell_of_part(const char *output)
{
    limn_buffer part = { 0 };
    limn_buffer_printf(&part, "%s.part", output ? output : "");
    if (output && !part.has_failed && !access(part.bytes, F_OK))
        limn_message_warning("what was done is in %s", part.bytes);
    limn_buffer_finish(&part);
}

static int interrupted(const limn_pipeline_counts *c, const char *output)
{
    limn_message_warning("interrupted after %zu %s", c->n_done + c->n_failed,
                         limn_plural(c->n_done + c->n_failed, "image", "images"));
    tell_of_part(output);
    return LIMN_EXIT_INTERRUPTED;
}

int limn_pipeline_report(const limn_pipeline_counts *counts, limn_status status,
                         const limn_error *err, const char *output)
{
    limn_message_note("%zu done, %zu failed", counts->n_done, counts->n_failed);
    limn_report_left_out(&counts->left_out);
    if (status == LIMN_E_INTERRUPTED) return interrupted(counts, output);
    if (status != LIMN_OK) {
        limn_message_error("%s", err->text);
        tell_of_part(output);
        if (status == LIMN_E_ARG) return LIMN_EXIT_USAGE;
        return LIMN_EXIT_NOTHING;
    }
    if (!counts->n_done && !counts->n_failed) {
        limn_message_warning("no images found");
        return LIMN_EXIT_NOTHING;
    }
    if (counts->n_failed && counts->n_failed + counts->n_done > 1)
        limn_message_warning("%zu of %zu images failed", counts->n_failed,
                             counts->n_failed + counts->n_done);
    return limn_report_lost(&counts->left_out,
                            limn_cli_exit_code(counts->n_done, counts->n_failed));
}
