/* The upper part of the page: scores, how sure they are, what scores hide, histograms. */
#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "tools/eval/report/report.h"
#include "tools/page/page.h"

static bool is_count(const char *key)
{
    return strcmp(key, "testlen") == 0 || strcmp(key, "reflen") == 0;
}

/* ---- scores --------------------------------------------------------------------------------- */

static void append_difference(limn_buffer *out, const limn_interval *d, bool is_lower_better)
{
    const bool is_higher = d->low > 0, is_lower = d->high < 0;
    const bool is_worse = is_lower_better ? is_higher : is_lower;
    const char *kind = is_higher == is_lower ? "same" : is_worse ? "loss" : "gain";
    limn_buffer_printf(out, "<dd class=\"detail\"><span class=\"%s\">%+.4f</span> vs baseline",
                       kind, d->value);
    limn_buffer_printf(out, "<br>%+.4f … %+.4f<br>p = %.4f</dd>\n", d->low, d->high, d->p);
}

static void append_score(limn_buffer *out, const limn_eval_outcome *o, size_t result, size_t key)
{
    const char *name = o->results[result].metric->keys[key];
    limn_buffer_append_text(out, "<div><dt>");
    limn_page_escape(out, name);
    limn_buffer_printf(out, "</dt><dd class=\"value\">%.4f</dd>\n", o->results[result].scores[key]);
    if (o->confidence) {
        const limn_interval *v = &o->confidence->intervals[result][key];
        limn_buffer_printf(out, "<dd class=\"detail\">%.4f … %.4f</dd>\n", v->low, v->high);
    }
    if (o->comparison)
        append_difference(out, &o->comparison->intervals[result][key],
                          key < o->results[result].metric->n_lower_better);
    limn_buffer_append_text(out, "</div>\n");
}

void limn_report_scores(limn_buffer *out, const limn_eval_outcome *o)
{
    for (size_t i = 0; i < o->n_results; i++)
        for (size_t k = 0; k < o->results[i].metric->n_keys; k++)
            if (!is_count(o->results[i].metric->keys[k])) append_score(out, o, i, k);
}

void limn_report_notes(limn_buffer *out, const limn_eval_outcome *o)
{
    const limn_eval_trials *t = o->confidence ? o->confidence : o->comparison;
    if (t)
        limn_buffer_printf(out, "<p>95 %% intervals by bootstrap over the images, %zu trials.",
                           t->n_trials);
    if (o->comparison) {
        limn_buffer_append_text(out, " The baseline is ");
        limn_page_escape(out, o->comparison->baseline);
        limn_buffer_append_text(out, ".");
    }
    if (t) limn_buffer_append_text(out, "</p>\n");
    if (o->data->without_hyp.n_items || o->data->without_ref.n_items)
        limn_buffer_printf(out,
                           "<p>Left out: %zu images without caption, %zu without "
                           "reference.</p>\n",
                           o->data->without_hyp.n_items, o->data->without_ref.n_items);
}

static void append_share(limn_buffer *out, size_t n, size_t n_images)
{
    limn_buffer_printf(out, "<td>%.1f&nbsp;%%</td>", 100.0 * (double)n / (double)n_images);
}

/* Images, and how much captions repeat, of each subset. */
static void append_subset_counts(limn_buffer *out, const limn_eval_outcome *o)
{
    const limn_eval_subset *all = o->subsets->items;
    const size_t n = o->subsets->n_items;
    limn_buffer_append_text(out, "</tr>\n<tr><th scope=\"row\">images</th>");
    for (size_t i = 0; i < n; i++) limn_buffer_printf(out, "<td>%zu</td>", all[i].n_images);
    limn_buffer_append_text(out, "</tr>\n<tr><th scope=\"row\">distinct captions</th>");
    for (size_t i = 0; i < n; i++) append_share(out, all[i].diversity.n_distinct, all[i].n_images);
    limn_buffer_append_text(out, "</tr>\n<tr><th scope=\"row\">most frequent caption</th>");
    for (size_t i = 0; i < n; i++) append_share(out, all[i].diversity.n_most, all[i].n_images);
    limn_buffer_append_text(out, "</tr>\n");
}

static void append_subset_scores(limn_buffer *out, const limn_eval_outcome *o, size_t result,
                                 size_t key)
{
    limn_buffer_append_text(out, "<tr><th scope=\"row\">");
    limn_page_escape(out, o->results[result].metric->keys[key]);
    limn_buffer_append_text(out, "</th>");
    for (size_t i = 0; i < o->subsets->n_items; i++)
        limn_buffer_printf(out, "<td>%.4f</td>", o->subsets->items[i].scores[result][key]);
    limn_buffer_append_text(out, "</tr>\n");
}

void limn_report_diversity(limn_buffer *out, const limn_eval_outcome *o)
{
    const limn_eval_diversity *d = o->diversity;
    if (!d) return;
    limn_buffer_append_text(out, "<ul class=\"facts\">\n");
    const double percent = 100.0 / (double)o->data->n_images;
    limn_buffer_printf(out, "<li><b>%zu</b> of %zu captions are distinct, %.1f&nbsp;%%</li>\n",
                       d->n_distinct, o->data->n_images, (double)d->n_distinct * percent);
    limn_buffer_printf(
        out, "<li>most frequent caption, <b>%.1f&nbsp;%%</b>: ", (double)d->n_most * percent);
    limn_page_escape(out, d->most);
    limn_buffer_append_text(out, "</li>\n");
    limn_buffer_printf(out, "<li><b>%zu</b> different words</li>\n", d->n_vocabulary);
    limn_buffer_printf(out, "<li><b>%.1f</b> words per caption</li>\n", d->mean_length);
    limn_buffer_printf(out, "<li>Div-1 <b>%.3f</b>, Div-2 <b>%.3f</b></li>\n", d->div_1, d->div_2);
    limn_buffer_printf(out, "<li><b>%.1f&nbsp;%%</b> end badly</li>\n", 100 * d->bad_endings);
    if (d->seen >= 0)
        limn_buffer_printf(out, "<li><b>%.1f&nbsp;%%</b> are copies of training captions</li>\n",
                           100 * d->seen);
    limn_buffer_append_text(out, "</ul>\n");
}

void limn_report_objects(limn_buffer *out, const limn_eval_outcome *o)
{
    if (o->objects) limn_eval_objects_render_html(out, o->objects);
}

void limn_report_subsets(limn_buffer *out, const limn_eval_outcome *o)
{
    if (o->subsets->n_items == 0) return;
    limn_buffer_append_text(out, "<table>\n<tr><th scope=\"col\">subset</th>");
    for (size_t i = 0; i < o->subsets->n_items; i++) {
        limn_buffer_append_text(out, "<th scope=\"col\">");
        limn_page_escape(out, o->subsets->items[i].name);
        limn_buffer_append_text(out, "</th>");
    }
    append_subset_counts(out, o);
    for (size_t r = 0; r < o->n_results; r++)
        for (size_t k = 0; k < o->results[r].metric->n_keys; k++)
            if (!is_count(o->results[r].metric->keys[k])) append_subset_scores(out, o, r, k);
    limn_buffer_append_text(out, "</table>\n");
}

/* ---- histograms ----------------------------------------------------------------------------- */

enum { N_BINS = 24, WIDTH = 360, HEIGHT = 150, BASE = 126, TOP = 10 };

typedef struct histogram {
    size_t counts[N_BINS], largest;
    double max, mean; /* the axis goes from 0 to max */
} histogram;

static double image_score(const limn_eval_result *r, size_t image)
{
    double scores[LIMN_EVAL_MAX_KEYS];
    limn_eval_image_scores(scores, r, image);
    return scores[r->metric->best_key];
}

/* 1, or what the largest score needs: 2, 5, 10 */
static double axis_end(double largest)
{
    static const double ends[] = { 1, 2, 5, 10 };
    size_t i = 0;
    while (i + 1 < sizeof ends / sizeof *ends && largest > ends[i]) i++;
    return ends[i];
}

static histogram count_scores(const limn_eval_result *r, size_t n_images)
{
    histogram h = { 0 };
    double largest = 0;
    for (size_t i = 0; i < n_images; i++) {
        const double score = image_score(r, i);
        largest = score > largest ? score : largest;
        h.mean += score / (double)n_images;
    }
    h.max = axis_end(largest);
    for (size_t i = 0; i < n_images; i++) {
        size_t bin = (size_t)(image_score(r, i) / h.max * N_BINS);
        bin = bin < N_BINS ? bin : N_BINS - 1;
        if (++h.counts[bin] > h.largest) h.largest = h.counts[bin];
    }
    return h;
}

static void append_bars(limn_buffer *out, const histogram *h)
{
    const double width = (double)WIDTH / N_BINS, step = h->max / N_BINS;
    for (size_t i = 0; i < N_BINS; i++) {
        const double height = (double)h->counts[i] / (double)h->largest * (BASE - TOP);
        if (h->counts[i] == 0) continue;
        limn_buffer_printf(out,
                           "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"1.5\">"
                           "<title>%.2f to %.2f: %zu</title></rect>\n",
                           (double)i * width + 0.5, BASE - height, width - 1, height,
                           (double)i * step, (double)(i + 1) * step, h->counts[i]);
    }
}

static void append_histogram(limn_buffer *out, const char *key, const histogram *h)
{
    const double mean = h->mean / h->max * WIDTH;
    limn_buffer_append_text(out, "<figure><figcaption>");
    limn_page_escape(out, key);
    limn_buffer_printf(out, "<span>mean %.3f</span></figcaption>\n", h->mean);
    limn_buffer_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Histogram of ",
                       WIDTH, HEIGHT);
    limn_page_escape(out, key);
    limn_buffer_append_text(out, "\">\n");
    append_bars(out, h);
    limn_buffer_printf(out, "<line class=\"axis\" x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n",
                       WIDTH, BASE, BASE);
    limn_buffer_printf(out, "<line class=\"mean\" x1=\"%.1f\" x2=\"%.1f\" y1=\"6\" y2=\"%d\"/>\n",
                       mean, mean, BASE);
    limn_buffer_printf(out, "<text x=\"0\" y=\"%d\">0</text>\n", HEIGHT - 7);
    limn_buffer_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%g</text>\n", WIDTH / 2,
                       HEIGHT - 7, h->max / 2);
    limn_buffer_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%g</text>\n", WIDTH,
                       HEIGHT - 7, h->max);
    limn_buffer_append_text(out, "</svg></figure>\n");
}

void limn_report_histograms(limn_buffer *out, const limn_eval_outcome *o)
{
    for (size_t i = 0; i < o->n_results; i++) {
        const limn_eval_metric *metric = o->results[i].metric;
        const histogram h = count_scores(&o->results[i], o->data->n_images);
        append_histogram(out, metric->keys[metric->best_key], &h);
    }
}
