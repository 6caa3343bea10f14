#include "tools/tool_hooks.h"

#include <string.h>
#include <unistd.h>

#include "tools/interrupt.h"
#include "tools/message.h"
#include "tools/progress.h"

static bool is_on_terminal; /* results are, where the progress line may stand */

static bool keep_going(void *ctx)
{
    (void)ctx;
    return !limn_interrupt_is_set();
}

static void show_progress(void *ctx, const limn_annotate_progress *p)
{
    (void)ctx;
    limn_progress_update(p->n_done, p->n_failed, p->n_total);
}

static void say(void *ctx, limn_annotate_severity severity, const char *text)
{
    (void)ctx;
    if (severity == LIMN_ANNOTATE_ERROR)
        limn_message_error("%s", text);
    else if (severity == LIMN_ANNOTATE_WARNING)
        limn_message_warning("%s", text);
    else
        limn_message_note("%s", text);
}

/* A line is not torn by a signal, and on a terminal does not run into that of the progress. */
static void hold(void *ctx, bool is_writing)
{
    (void)ctx;
    if (is_writing) {
        if (is_on_terminal) limn_progress_erase();
        limn_interrupt_hold();
    } else {
        limn_interrupt_release();
    }
}

limn_annotate_hooks limn_tool_hooks(const char *output, void *ctx)
{
    const bool is_shown = limn_progress_is_wanted();
    if (is_shown) limn_progress_start("images");
    is_on_terminal = (!output || !strcmp(output, "-")) && isatty(STDOUT_FILENO);
    return (limn_annotate_hooks){ .ctx = ctx,
                                  .keep_going = keep_going,
                                  .progress = is_shown ? show_progress : NULL,
                                  .message = say,
                                  .writing = hold };
}
