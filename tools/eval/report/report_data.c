/* The images as JSON, and which of them get a thumbnail. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tools/eval/report/report.h"
#include "tools/page/page.h"
#include "tools/page/page_link.h"

enum { N_SHOWN = 30 }; /* best, and as many worst */

typedef struct ranked {
    double score;
    size_t image;
} ranked;

typedef struct table {
    double *scores;     /* [n_images, n_results] each metric's best_key */
    ranked *ranks;      /* [n_images] */
    size_t *thumbnails; /* [n_images] 1 for those that get one */
} table;

static int compare(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    return (x->image > y->image) - (x->image < y->image);
}

static void finish_table(table *t)
{
    limn_free(t->scores);
    limn_free(t->ranks);
    limn_free(t->thumbnails);
}

static limn_status fill_table(table *t, const limn_eval_outcome *o, limn_error *err)
{
    const size_t n = o->data->n_images, n_results = o->n_results;
    t->scores = limn_calloc(n, (n_results ? n_results : 1) * sizeof *t->scores);
    t->ranks = limn_calloc(n, sizeof *t->ranks);
    t->thumbnails = limn_calloc(n, sizeof *t->thumbnails);
    if (!t->scores || !t->ranks || !t->thumbnails)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for the report");
    for (size_t r = 0; r < n_results; r++) {
        for (size_t i = 0; i < n; i++) {
            double scores[LIMN_EVAL_MAX_KEYS];
            limn_eval_image_scores(scores, &o->results[r], i);
            t->scores[i * n_results + r] = scores[o->results[r].metric->best_key];
            t->ranks[i] = (ranked){ t->scores[i * n_results + r], i };
        }
        qsort(t->ranks, n, sizeof *t->ranks, compare);
        for (size_t i = 0; i < n; i++)
            if (i < N_SHOWN || i + N_SHOWN >= n) t->thumbnails[t->ranks[i].image] = 1;
    }
    return LIMN_OK;
}

/* The number of the new thumbnail, or none when the image can't be read. */
static void add_thumbnail(json_t *object, json_t *thumbnails, limn_report *r, const char *id)
{
    limn_buffer uri = { 0 };
    if (limn_report_thumbnail(&uri, r->images, id, r->decoders, NULL) == LIMN_OK &&
        !uri.has_failed) {
        json_object_set_new(object, "thumbnail",
                            json_integer((json_int_t)json_array_size(thumbnails)));
        json_array_append_new(thumbnails, json_stringn(uri.bytes, uri.size));
    } else {
        r->n_without_thumbnail++;
    }
    limn_buffer_finish(&uri);
}

/* The image itself, named by the whole id or its last component. */
static void add_link(json_t *object, const limn_report *r, const char *id)
{
    const char *slash = strrchr(id, '/');
    const char *const names[] = { id, slash ? slash + 1 : NULL };
    bool is_there = false;
    for (size_t i = 0; i < 2 && names[i] && !is_there; i++) {
        limn_buffer path = { 0 }, link = { 0 };
        limn_buffer_printf(&path, "%s/%s", r->images, names[i]);
        is_there = !path.has_failed && limn_page_append_link(&link, r->page, path.bytes);
        if (is_there && !link.has_failed)
            json_object_set_new(object, "link", json_string(link.bytes));
        limn_buffer_finish(&path);
        limn_buffer_finish(&link);
    }
}

static json_t *image_object(const limn_eval_data *data, size_t image, const double *scores,
                            size_t n_scores)
{
    const limn_eval_image *m = &data->images[image];
    json_t *object = json_object(), *references = json_array(), *values = json_array();
    json_object_set_new(object, "id", json_string(m->id));
    json_object_set_new(object, "caption", json_string(limn_eval_hyp(data, image, 0)->raw));
    for (size_t i = 0; i < m->n_refs; i++)
        json_array_append_new(references, json_string(data->refs[m->first_ref + i].raw));
    for (size_t i = 0; i < n_scores; i++) json_array_append_new(values, json_real(scores[i]));
    json_object_set_new(object, "references", references);
    json_object_set_new(object, "scores", values);
    return object;
}

/* CIDEr if it is there: it tells good captions from bad ones better than the others. */
static size_t first_key(const limn_eval_outcome *o)
{
    for (size_t r = 0; r < o->n_results; r++)
        if (o->results[r].metric == &limn_eval_cider) return r;
    return 0;
}

static json_t *page_object(limn_report *report, const table *t)
{
    const limn_eval_outcome *o = report->outcome;
    json_t *page = json_object(), *keys = json_array(), *images = json_array();
    json_t *thumbnails = json_array();
    for (size_t r = 0; r < o->n_results; r++) {
        const limn_eval_metric *metric = o->results[r].metric;
        json_array_append_new(keys, json_string(metric->keys[metric->best_key]));
    }
    for (size_t i = 0; i < o->data->n_images; i++) {
        json_t *image = image_object(o->data, i, t->scores + i * o->n_results, o->n_results);
        if (o->objects)
            json_object_set_new(image, "made_up", limn_eval_objects_made_up_json(o->objects, i));
        if (report->images) add_link(image, report, o->data->images[i].id);
        if (report->images && t->thumbnails[i])
            add_thumbnail(image, thumbnails, report, o->data->images[i].id);
        json_array_append_new(images, image);
    }
    json_object_set_new(page, "keys", keys);
    json_object_set_new(page, "first", json_integer((json_int_t)first_key(o)));
    json_object_set_new(page, "images", images);
    json_object_set_new(page, "thumbnails", thumbnails);
    return page;
}

limn_status limn_report_data(limn_buffer *out, limn_report *report, limn_error *err)
{
    table t = { 0 };
    char *text = NULL;
    limn_status s = fill_table(&t, report->outcome, err);
    if (s == LIMN_OK) {
        json_t *page = page_object(report, &t);
        text = json_dumps(page, JSON_COMPACT | JSON_REAL_PRECISION(6));
        json_decref(page);
        if (text)
            limn_page_append_json(out, text);
        else
            s = limn_fail(err, LIMN_E_NOMEM, "out of memory for the report");
    }
    free(text);
    finish_table(&t);
    return s;
}
