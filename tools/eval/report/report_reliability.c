/* The page's reliability diagram: of captions with a confidence, how many are right. */
#include "tools/eval/report/report.h"
#include "tools/page/page.h"

/* The upper part, shares from 0 to 1; below it, how many captions each bin has. */
enum {
    LEFT = 34,
    RIGHT = 354,
    TOP = 10,
    BASE = 250,
    COUNTS_TOP = 262,
    COUNTS_BASE = 312,
    WIDTH = 364,
    HEIGHT = 352
};

static double x_of(double confidence)
{
    return LEFT + confidence * (RIGHT - LEFT);
}

static double y_of(double share)
{
    return BASE - share * (BASE - TOP);
}

static void append_axes(limn_buffer *out)
{
    for (int i = 0; i <= 4; i++) {
        const double at = i / 4.0;
        limn_buffer_printf(out,
                           "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                           "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
                           LEFT, RIGHT, y_of(at), y_of(at), LEFT - 6, y_of(at) + 4, at);
        limn_buffer_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
                           x_of(at), COUNTS_BASE + 16, at);
    }
    limn_buffer_printf(out, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n",
                       LEFT, RIGHT, COUNTS_BASE, COUNTS_BASE);
    limn_buffer_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">confidence</text>\n",
                       (LEFT + RIGHT) / 2, HEIGHT - 6);
}

static void append_rectangle(limn_buffer *out, const char *kind, size_t bin, double top,
                             double bottom)
{
    const double left = x_of((double)bin / LIMN_EVAL_N_BINS);
    const double width = (double)(RIGHT - LEFT) / LIMN_EVAL_N_BINS;
    limn_buffer_printf(out,
                       "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                       "height=\"%.1f\"/>",
                       kind, left + 1, top, width - 2, bottom - top);
}

/* The mean confidence (a tick), the share that is right (the bar), and the number of captions. */
static void append_bin(limn_buffer *out, const limn_eval_reliability *r, size_t i, size_t largest)
{
    const limn_eval_bin *b = &r->bins[i];
    if (b->n == 0) return;
    const double share = (double)b->n_right / (double)b->n, said = b->sum / (double)b->n;
    const double part = (double)b->n / (double)largest;
    const double middle = x_of((i + 0.5) / LIMN_EVAL_N_BINS);
    limn_buffer_printf(out, "<g><title>%zu of %zu right (%.2f) at a confidence of %.2f</title>\n",
                       b->n_right, b->n, share, said);
    append_rectangle(out, "share", i, y_of(share), BASE);
    limn_buffer_printf(out,
                       "<line class=\"said\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
                       "y2=\"%.1f\"/>",
                       middle - 13, middle + 13, y_of(said), y_of(said));
    append_rectangle(out, "images", i, COUNTS_BASE - part * (COUNTS_BASE - COUNTS_TOP),
                     COUNTS_BASE);
    limn_buffer_append_text(out, "</g>\n");
}

static void append_figure(limn_buffer *out, const limn_eval_reliability *r)
{
    size_t largest = 1;
    for (size_t i = 0; i < LIMN_EVAL_N_BINS; i++)
        largest = r->bins[i].n > largest ? r->bins[i].n : largest;
    limn_buffer_printf(out,
                       "<figure>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Share "
                       "of right captions by confidence\">\n",
                       WIDTH, HEIGHT);
    append_axes(out);
    for (size_t i = 0; i < LIMN_EVAL_N_BINS; i++) append_bin(out, r, i, largest);
    limn_buffer_printf(out,
                       "<line class=\"ideal\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
                       "y2=\"%.1f\"/>\n</svg>\n</figure>\n",
                       x_of(0), y_of(0), x_of(1), y_of(1));
}

void limn_report_reliability(limn_buffer *out, const limn_eval_outcome *o)
{
    const limn_eval_reliability *r = o->reliability;
    if (!r) return;
    limn_buffer_append_text(out,
                            "<section class=\"reliability\" "
                            "aria-labelledby=\"reliability-title\">\n"
                            "<h2 id=\"reliability-title\">Calibration of the confidence</h2>\n");
    limn_buffer_printf(out, "<p>%zu of %zu captions with a confidence are right: ", r->n_right,
                       r->n);
    limn_page_escape(out, LIMN_EVAL_RIGHT);
    limn_buffer_append_text(out, ". Bars: the share that is right in each bin; ticks: its mean "
                                 "confidence; below: the number of captions in it.");
    limn_buffer_printf(out, " Expected calibration error <b>%.3f</b>, ROC AUC <b>%.3f</b>.</p>\n",
                       r->calibration_error, r->auc);
    append_figure(out, r);
    limn_buffer_append_text(out, "</section>\n");
}
