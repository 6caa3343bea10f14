#include "tools/train/train_messages.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tools/interrupt.h"
#include "tools/message.h"
#include "tools/progress.h"
#include "tools/train/run_page.h"
#include "models/train/sample_images.h"

enum { SECONDS_A_PAGE = 5 };

static void say(void *ctx, limn_training_level level, const char *text)
{
    (void)ctx;
    switch (level) {
    case LIMN_TRAINING_NOTE: limn_message_note("%s", text); break;
    case LIMN_TRAINING_INFO: limn_message_info("%s", text); break;
    case LIMN_TRAINING_WARNING: limn_message_warning("%s", text); break;
    case LIMN_TRAINING_ERROR: limn_message_error("%s", text); break;
    }
}

/* A stage's first line of the log is shown at once. */
static void work(void *ctx, const char *what)
{
    limn_train_messages *m = ctx;
    m->page_written = 0;
    if (what)
        limn_progress_start(what);
    else
        limn_progress_erase();
}

static bool progress(void *ctx, size_t done, size_t total)
{
    (void)ctx;
    limn_progress_update(done, 0, total);
    return !limn_interrupt_is_set();
}

limn_status limn_train_messages_write_page(limn_train_messages *m, limn_error *err)
{
    char *page = limn_strdup(limn_run_folder_file(m->folder, "run.html"));
    const limn_status status =
        page ? limn_run_page_write(page, limn_run_folder_file(m->folder, "log.jsonl"), err)
             : limn_fail(err, LIMN_E_NOMEM, "no memory for a name");
    limn_free(page);
    return status;
}

/* A page that can't be written is no reason to stop. */
static void refresh_page(limn_train_messages *m)
{
    limn_error err = { 0 };
    if (limn_clock_seconds() - m->page_written <= SECONDS_A_PAGE) return;
    if (limn_sample_images_write(limn_run_folder_file(m->folder, "samples.json"), m->data, &err) !=
        LIMN_OK)
        limn_message_warning("%s", err.text);
    if (limn_train_messages_write_page(m, &err) != LIMN_OK) limn_message_warning("%s", err.text);
    m->page_written = limn_clock_seconds();
}

static bool step(void *ctx, limn_stage stage, const limn_run_report *report)
{
    char line[160], best[32] = "";
    if (report->has_new_log) refresh_page(ctx);
    if (report->best >= 0) snprintf(best, sizeof best, ", best CIDEr %.1f", 100 * report->best);
    snprintf(line, sizeof line,
             "%s: epoch %.1f of %.0f, step %" PRIu64 " of %" PRIu64 ", loss %.3f, %.0f tokens/s%s",
             limn_stage_names[stage], report->epoch, report->n_epochs, report->step,
             report->n_steps, report->loss, report->tokens_per_second, best);
    limn_progress_show(line);
    return !limn_interrupt_is_set();
}

limn_training_listener limn_train_messages_listener(limn_train_messages *m)
{
    return (limn_training_listener){ say, work, progress, step, m };
}
