#include "tools/limn/undo_run.h"

#include <stdio.h>

#include "common/text/file_name.h"
#include "common/text/plural.h"
#include "tools/interrupt.h"
#include "tools/limn/output_settings.h"
#include "tools/message.h"
#include "tools/standard_streams.h"
#include "tools/tool_hooks.h"

static void to_do(void *ctx, const char *path)
{
    limn_buffer line = { 0 };
    (void)ctx;
    limn_file_name_append_line(&line, path);
    if (!line.has_failed) puts(line.bytes);
    limn_buffer_finish(&line);
}

static void tell(const limn_undo_account *a, bool is_dry)
{
    if (!a->n_restored && !a->n_removed && !a->n_stripped) {
        limn_message_info("nothing to undo");
        return;
    }
    limn_message_info("%s: %zu %s, %zu %s, and limn's properties removed from %zu that another "
                      "program changed, since or between two runs%s",
                      is_dry ? "to do" : "undone", a->n_restored,
                      limn_plural(a->n_restored, "file restored", "files restored"), a->n_removed,
                      limn_plural(a->n_removed, "sidecar removed", "sidecars removed"),
                      a->n_stripped, is_dry ? " (--dry-run)" : "");
}

int undo_run(const caption_settings *s, const limn_cli_operands *paths)
{
    limn_annotate_settings settings = output_settings_of(s);
    limn_undo_account account;
    limn_error err = { 0 };
    if (!limn_interrupt_start()) {
        limn_message_error("can't install signal handlers");
        return LIMN_EXIT_NOTHING;
    }
    settings.inputs.names = paths->items;
    settings.inputs.n_names = paths->n_items;
    settings.hooks = limn_tool_hooks("-", NULL);
    settings.hooks.progress = NULL;
    settings.to_do = to_do;
    limn_status status =
        limn_annotate_undo_xmp(&account, &settings, (limn_sandbox_use)s->run.sandbox, &err);
    if (status == LIMN_OK) status = limn_standard_output_flush(&err);
    if (status != LIMN_OK) limn_message_error("%s", err.text);
    if (status == LIMN_OK || status == LIMN_E_INTERRUPTED) tell(&account, settings.is_dry_run);
    if (status == LIMN_E_INTERRUPTED) return LIMN_EXIT_INTERRUPTED;
    if (status != LIMN_OK) return LIMN_EXIT_NOTHING;
    return account.n_failed ? LIMN_EXIT_SOME_FAILED : LIMN_EXIT_OK;
}
