#include "tools/limn/caption_report.h"

#include "common/text/plural.h"
#include "tools/cli.h"
#include "tools/message.h"
#include "tools/pipeline_report.h"

/* Sums over this run and the one that it went on with. */
typedef struct totals {
    size_t counts[LIMN_N_STATUSES];
    size_t n_done, n_failed, n_skipped;
} totals;

static totals sum_up(const limn_account *account)
{
    totals t = { .n_skipped = account->n_there };
    for (int s = 0; s < LIMN_N_STATUSES; s++) {
        t.counts[s] = account->counts[s] + account->counts_before[s];
        t.n_failed += s == LIMN_OK ? 0 : t.counts[s];
    }
    t.n_done = t.counts[LIMN_OK];
    return t;
}

/* "3 truncated, 1 unsupported" */
static void append_causes(limn_buffer *out, const totals *t)
{
    const char *comma = "";
    for (int s = LIMN_OK + 1; s < LIMN_N_STATUSES; s++) {
        if (!t->counts[s]) continue;
        limn_buffer_printf(out, "%s%zu %s", comma, t->counts[s], limn_status_name((limn_status)s));
        comma = ", ";
    }
}

static void warn_of_failures(const totals *t)
{
    limn_buffer causes = { 0 };
    append_causes(&causes, t);
    if (!causes.has_failed && t->n_done + t->n_failed > 1)
        limn_message_warning("%zu of %zu images failed: %s", t->n_failed, t->n_done + t->n_failed,
                             causes.bytes);
    limn_buffer_finish(&causes);
}

static void tell_of_earlier_work(const limn_account *account)
{
    size_t n_before = 0;
    for (int s = 0; s < LIMN_N_STATUSES; s++) n_before += account->counts_before[s];
    if (account->is_resumed)
        limn_message_info("resuming an interrupted run after %zu %s", n_before,
                          limn_plural(n_before, "image", "images"));
    if (account->n_there > account->n_siblings) {
        const size_t n = account->n_there - account->n_siblings;
        limn_message_info("skipped: %zu %s captions", n,
                          limn_plural(n, "image that already has", "images that already have"));
    }
}

static void tell_how_to_go_on(const limn_account *account, size_t n)
{
    if (account->can_go_on)
        limn_message_warning("interrupted after %zu %s; run the same command again to resume", n,
                             limn_plural(n, "image", "images"));
    else
        limn_message_warning("interrupted after %zu %s", n, limn_plural(n, "image", "images"));
}

/* The output is not complete, however much of it there is. */
static int failed(const limn_account *account, limn_status status, const limn_error *err)
{
    limn_message_error("%s", err->text);
    if (account->can_go_on)
        limn_message_info("what was done is kept; run the same command again to resume");
    return status == LIMN_E_ARG ? LIMN_EXIT_USAGE : LIMN_EXIT_NOTHING;
}

/* An empty part of what there is is no failure. */
static int found_nothing(const limn_account *account, bool is_part)
{
    if (is_part && account->left_out.n_refused) {
        limn_message_info("no images in this part");
        return LIMN_EXIT_OK;
    }
    limn_message_warning("no images found");
    return LIMN_EXIT_NOTHING;
}

int limn_caption_report(const limn_account *account, bool is_part, limn_status status,
                        const limn_error *err)
{
    const totals t = sum_up(account);
    tell_of_earlier_work(account);
    limn_message_note("%zu done, %zu failed", t.n_done, t.n_failed);
    limn_report_left_out(&account->left_out);
    if (account->n_left_out)
        limn_message_info("left without a caption because of low confidence: %zu of %zu %s",
                          account->n_left_out, t.n_done, limn_plural(t.n_done, "image", "images"));
    if (status == LIMN_E_INTERRUPTED) {
        tell_how_to_go_on(account, t.n_done + t.n_failed);
        return LIMN_EXIT_INTERRUPTED;
    }
    if (status != LIMN_OK) return failed(account, status, err);
    if (t.n_failed) warn_of_failures(&t);
    if (!t.n_done && !t.n_failed && !t.n_skipped) return found_nothing(account, is_part);
    const int code = limn_report_lost(&account->left_out,
                                      limn_cli_exit_code(t.n_done + t.n_skipped, t.n_failed));
    return account->is_incomplete ? LIMN_EXIT_NOTHING : code;
}

int limn_caption_report_dry(const limn_account *account, bool is_part, limn_status status,
                            const limn_error *err)
{
    const totals t = sum_up(account);
    const size_t n_known = account->n_to_do + t.n_done + t.n_skipped;
    size_t n_failed = 0; /* in this look; those before are done */
    for (int s = LIMN_OK + 1; s < LIMN_N_STATUSES; s++) n_failed += account->counts[s];
    tell_of_earlier_work(account);
    limn_report_left_out(&account->left_out);
    if (status == LIMN_E_INTERRUPTED) return LIMN_EXIT_INTERRUPTED;
    if (status != LIMN_OK) {
        limn_message_error("%s", err->text);
        return LIMN_EXIT_NOTHING;
    }
    limn_message_info("to do: %zu %s; nothing was done (--dry-run)", account->n_to_do,
                      limn_plural(account->n_to_do, "image", "images"));
    if (!n_known && !n_failed) return found_nothing(account, is_part);
    return limn_report_lost(&account->left_out, limn_cli_exit_code(n_known, n_failed));
}
