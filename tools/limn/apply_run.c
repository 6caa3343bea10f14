#include "tools/limn/apply_run.h"

#include <stdio.h>

#include "tools/interrupt.h"
#include "tools/limn/caption_report.h"
#include "tools/limn/output_settings.h"
#include "tools/message.h"
#include "tools/standard_streams.h"
#include "tools/tool_hooks.h"

static void to_do(void *ctx, const char *path)
{
    (void)ctx;
    puts(path);
}

static int run(limn_annotate_settings *settings, bool is_part)
{
    limn_account account;
    limn_error err = { 0 };
    limn_status status = limn_annotate(&account, settings, &err);
    if (status == LIMN_E_ARG) {
        limn_message_error("%s", err.text);
        return LIMN_EXIT_USAGE;
    }
    if (settings->is_dry_run && status == LIMN_OK) status = limn_standard_output_flush(&err);
    return settings->is_dry_run ? limn_caption_report_dry(&account, is_part, status, &err)
                                : limn_caption_report(&account, is_part, status, &err);
}

int apply_run(const caption_settings *s, const limn_cli_operands *paths)
{
    limn_annotate_settings settings = output_settings_of(s);
    limn_buffer identity = { 0 };
    limn_error err = { 0 };
    int code = LIMN_EXIT_NOTHING;
    settings.inputs.names = paths->items;
    settings.inputs.n_names = paths->n_items;
    settings.hooks = limn_tool_hooks("-", NULL);
    settings.hooks.progress = NULL;
    settings.to_do = to_do;
    limn_cli_append_values(&identity, s, &caption_cli_tool);
    settings.identity = identity.bytes;
    if (!limn_interrupt_start())
        limn_message_error("can't install signal handlers");
    else if (limn_decoders_start(&settings.decoders, s->run.sandbox, 1, 0, &settings.hooks, &err))
        limn_message_error("%s", err.text);
    else
        code = run(&settings, s->in.shard != NULL);
    limn_decoders_stop(&settings.decoders);
    limn_buffer_finish(&identity);
    return code;
}
