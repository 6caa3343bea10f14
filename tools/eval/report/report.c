#include "tools/eval/report/report.h"

#include <string.h>

#include "common/text/path.h"
#include "tools/page/page.h"

/* report.html, report.css and report.js, made into arrays at build */
extern const char limn_report_html[], limn_report_css[], limn_report_js[];

/* ---- the parts of the page ------------------------------------------------------------------ */

static limn_status append_title(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_report *r = ctx;
    (void)err;
    limn_buffer_append_text(out, "Captions of ");
    limn_page_escape(out, limn_path_last(r->hyps));
    return LIMN_OK;
}

static limn_status append_lead(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_report *r = ctx;
    const limn_eval_data *data = r->outcome->data;
    (void)err;
    limn_buffer_printf(out, "%zu images against %zu references of ", data->n_images, data->n_refs);
    limn_page_escape(out, limn_path_last(r->refs));
    return LIMN_OK;
}

static limn_status append_signature(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_report *r = ctx;
    (void)err;
    limn_page_escape(out, r->outcome->signature);
    return LIMN_OK;
}

static limn_status append_scores(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_report *r = ctx;
    (void)err;
    limn_report_scores(out, r->outcome);
    return LIMN_OK;
}

static limn_status append_notes(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_report *r = ctx;
    (void)err;
    limn_report_notes(out, r->outcome);
    limn_report_diversity(out, r->outcome);
    limn_report_subsets(out, r->outcome);
    return LIMN_OK;
}

static limn_status append_objects(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_report *r = ctx;
    (void)err;
    limn_report_objects(out, r->outcome);
    return LIMN_OK;
}

static limn_status append_histograms(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_report *r = ctx;
    (void)err;
    limn_report_histograms(out, r->outcome);
    return LIMN_OK;
}

static limn_status append_reliability(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_report *r = ctx;
    (void)err;
    limn_report_reliability(out, r->outcome);
    return LIMN_OK;
}

static limn_status append_data(limn_buffer *out, void *ctx, limn_error *err)
{
    return limn_report_data(out, ctx, err);
}

limn_status limn_report_write(limn_report *report, const char *path, limn_error *err)
{
    const limn_page_part parts[] = {
        { "title", NULL, append_title },
        { "lead", NULL, append_lead },
        { "scores", NULL, append_scores },
        { "notes", NULL, append_notes },
        { "objects", NULL, append_objects },
        { "histograms", NULL, append_histograms },
        { "reliability", NULL, append_reliability },
        { "signature", NULL, append_signature },
        { "data", NULL, append_data },
        { "css", limn_report_css, NULL },
        { "js", limn_report_js, NULL },
    };
    report->page = path;
    return limn_page_write(path, true, limn_report_html, parts, sizeof parts / sizeof *parts,
                           report, err);
}
