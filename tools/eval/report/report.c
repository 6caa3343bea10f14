#include "tools/eval/report/report.h"

#include <string.h>

#include "common/io/fileio.h"

/* report.html, report.css and report.js, made into arrays at build */
extern const char limn_report_html[], limn_report_css[], limn_report_js[];

void limn_report_escape(limn_buffer *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': limn_buffer_append_text(out, "&lt;"); break;
        case '>': limn_buffer_append_text(out, "&gt;"); break;
        case '&': limn_buffer_append_text(out, "&amp;"); break;
        case '"': limn_buffer_append_text(out, "&quot;"); break;
        case '\'': limn_buffer_append_text(out, "&#39;"); break;
        default: limn_buffer_append(out, text, 1);
        }
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void append_title(limn_buffer *out, const limn_report *r)
{
    limn_buffer_append_text(out, "Captions of ");
    limn_report_escape(out, last_component(r->hyps));
}

static void append_lead(limn_buffer *out, const limn_report *r)
{
    const limn_eval_data *data = r->outcome->data;
    limn_buffer_printf(out, "%zu pictures against %zu references of ", data->n_images,
                       data->n_refs);
    limn_report_escape(out, last_component(r->refs));
}

/* A part of the page by the name that it has in report.html. */
static limn_status append_part(limn_buffer *out, limn_report *r, const char *name, size_t size,
                               limn_error *err)
{
    static const struct {
        const char *name;
        void (*append)(limn_buffer *, const limn_eval_outcome *);
    } parts[] = { { "scores", limn_report_scores },
                  { "notes", limn_report_notes },
                  { "diversity", limn_report_diversity },
                  { "objects", limn_report_objects },
                  { "histograms", limn_report_histograms } };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strlen(parts[i].name) == size && memcmp(parts[i].name, name, size) == 0)
            parts[i].append(out, r->outcome);
    if (strncmp(name, "title}}", size + 2) == 0)
        append_title(out, r);
    else if (strncmp(name, "lead}}", size + 2) == 0)
        append_lead(out, r);
    else if (strncmp(name, "signature}}", size + 2) == 0)
        limn_report_escape(out, r->outcome->signature);
    else if (strncmp(name, "css}}", size + 2) == 0)
        limn_buffer_append_text(out, limn_report_css);
    else if (strncmp(name, "js}}", size + 2) == 0)
        limn_buffer_append_text(out, limn_report_js);
    else if (strncmp(name, "data}}", size + 2) == 0)
        return limn_report_data(out, r, err);
    return LIMN_OK;
}

static limn_status fill_page(limn_buffer *out, limn_report *r, limn_error *err)
{
    const char *text = limn_report_html;
    for (const char *name; (name = strstr(text, "{{")); text = strstr(name, "}}") + 2) {
        limn_buffer_append(out, text, (size_t)(name - text));
        name += 2;
        LIMN_TRY(append_part(out, r, name, (size_t)(strstr(name, "}}") - name), err));
    }
    limn_buffer_append_text(out, text);
    return out->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory for the report") : LIMN_OK;
}

limn_status limn_report_write(limn_report *report, const char *path, limn_error *err)
{
    limn_buffer page = { 0 };
    limn_status s = fill_page(&page, report, err);
    if (s == LIMN_OK)
        s = limn_file_replace(path, page.bytes, page.size, err);
    limn_buffer_finish(&page);
    return s;
}
