#include "tools/eval/eval_output.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

void limn_eval_sign(limn_buffer *out, const limn_eval_data *data, const limn_eval_result *results,
                    size_t n_results, const limn_eval_settings *settings)
{
    size_t fewest = data->images[0].n_refs, most = fewest;
    for (size_t i = 0; i < data->n_images; i++) {
        const size_t n = data->images[i].n_refs;
        fewest = n < fewest ? n : fewest;
        most = n > most ? n : most;
    }
    if (fewest == most)
        limn_buffer_printf(out, "nrefs:%zu", most);
    else
        limn_buffer_printf(out, "nrefs:%zu-%zu", fewest, most);
    limn_buffer_printf(out, "|case:%s|tok:%s", data->tokenizer->is_lower_case ? "lc" : "mixed",
                       data->tokenizer->name);
    for (size_t i = 0; i < n_results; i++) {
        limn_buffer_append_text(out, "|");
        results[i].metric->sign(out, settings);
    }
    limn_buffer_append_text(out, "|version:limn-" LIMN_VERSION);
}

bool limn_eval_find_score(double *out, const limn_eval_outcome *outcome, const char *key,
                          size_t size)
{
    for (size_t i = 0; i < outcome->n_results; i++) {
        const limn_eval_metric *metric = outcome->results[i].metric;
        for (size_t k = 0; k < metric->n_keys; k++) {
            if (strlen(metric->keys[k]) == size && memcmp(metric->keys[k], key, size) == 0) {
                *out = outcome->results[i].scores[k];
                return true;
            }
        }
    }
    return false;
}

/* ---- text --------------------------------------------------------------------------------- */

static void render_names(limn_buffer *out, const char *what, const limn_eval_names *names)
{
    enum { SHOWN = 5 };
    if (names->n_items == 0) return;
    limn_buffer_printf(out, "%zu left out, %s:", names->n_items, what);
    for (size_t i = 0; i < names->n_items && i < SHOWN; i++)
        limn_buffer_printf(out, " %s", names->items[i]);
    limn_buffer_append_text(out, names->n_items > SHOWN ? " …\n" : "\n");
}

static bool is_count(const char *key)
{
    return strcmp(key, "testlen") == 0 || strcmp(key, "reflen") == 0;
}

static void render_score(limn_buffer *out, const char *key, double score)
{
    limn_buffer_printf(out, is_count(key) ? "%-12s %.0f\n" : "%-12s %.4f\n", key, score);
}

static void render_repetition(limn_buffer *out, const limn_eval_diversity *d, size_t n_images,
                              const char *indent)
{
    const double percent = 100.0 / (double)n_images;
    limn_buffer_printf(out, "%sdistinct     %zu of %zu captions, %.2f %%\n", indent, d->n_distinct,
                       n_images, (double)d->n_distinct * percent);
    limn_buffer_printf(out, "%smost often   %zu, %.2f %%: %s\n", indent, d->n_most,
                       (double)d->n_most * percent, d->most);
}

static void render_diversity(limn_buffer *out, const limn_eval_diversity *d, size_t n_images)
{
    render_repetition(out, d, n_images, "");
    limn_buffer_printf(out, "vocabulary   %zu words\n", d->n_vocabulary);
    render_score(out, "Div_1", d->div_1);
    render_score(out, "Div_2", d->div_2);
    limn_buffer_printf(out, "mean length  %.2f words\n", d->mean_length);
    limn_buffer_printf(out, "bad endings  %.2f %%\n", 100 * d->bad_endings);
    if (d->seen >= 0) limn_buffer_printf(out, "in training  %.2f %%\n", 100 * d->seen);
    if (d->n_lists > 0) {
        render_score(out, "list Div_1", d->list_div_1);
        render_score(out, "list Div_2", d->list_div_2);
        render_score(out, "self-CIDEr", d->self_cider);
    }
}

static void render_subset(limn_buffer *out, const limn_eval_subset *s, const limn_eval_outcome *o)
{
    limn_buffer_printf(out, "subset %s: %zu image%s\n", s->name, s->n_images,
                       s->n_images == 1 ? "" : "s");
    for (size_t i = 0; i < o->n_results; i++)
        for (size_t k = 0; k < o->results[i].metric->n_keys; k++) {
            limn_buffer_append_text(out, "  ");
            render_score(out, o->results[i].metric->keys[k], s->scores[i][k]);
        }
    if (o->diversity) render_repetition(out, &s->diversity, s->n_images, "  ");
}

void limn_eval_render_text(limn_buffer *out, const limn_eval_outcome *o)
{
    limn_buffer_printf(out, "%zu image%s, %zu reference%s\n", o->data->n_images,
                       o->data->n_images == 1 ? "" : "s", o->data->n_refs,
                       o->data->n_refs == 1 ? "" : "s");
    render_names(out, "without hypothesis", &o->data->without_hyp);
    render_names(out, "without reference", &o->data->without_ref);
    for (size_t i = 0; i < o->n_results; i++)
        for (size_t k = 0; k < o->results[i].metric->n_keys; k++)
            render_score(out, o->results[i].metric->keys[k], o->results[i].scores[k]);
    for (size_t i = 0; i < o->n_results; i++) {
        double sum[LIMN_EVAL_MAX_STATS];
        if (!o->results[i].metric->print) continue;
        limn_eval_sum(sum, &o->results[i], o->data->n_images);
        o->results[i].metric->print(out, sum, o->data, o->results[i].settings);
    }
    if (o->objects) limn_eval_objects_render_text(out, o->objects);
    if (o->reliability) limn_eval_reliability_render_text(out, o->reliability);
    if (o->confidence) limn_eval_trials_render_text(out, o->confidence, o->results, o->n_results);
    if (o->comparison) limn_eval_trials_render_text(out, o->comparison, o->results, o->n_results);
    for (size_t i = 0; o->oracles && i < o->n_results; i++) {
        const size_t best = o->results[i].metric->best_key;
        limn_buffer_printf(out, "%-12s %.4f with the best of each n-best list\n",
                           o->results[i].metric->keys[best], o->oracles[i][best]);
    }
    if (o->diversity) render_diversity(out, o->diversity, o->data->n_images);
    for (size_t i = 0; i < o->subsets->n_items; i++) render_subset(out, &o->subsets->items[i], o);
    limn_buffer_printf(out, "signature    %s\n", o->signature);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void set_score(json_t *object, const char *key, double score)
{
    json_object_set_new(object, key,
                        is_count(key) ? json_integer((json_int_t)score) : json_real(score));
}

static void set_scores(json_t *object, const limn_eval_metric *metric, const double *scores)
{
    for (size_t k = 0; k < metric->n_keys; k++) set_score(object, metric->keys[k], scores[k]);
}

static void set_count(json_t *object, const char *key, size_t count)
{
    json_object_set_new(object, key, json_integer((json_int_t)count));
}

static json_t *diversity_object(const limn_eval_diversity *d, size_t n_images)
{
    json_t *object = json_object();
    set_count(object, "distinct_captions", d->n_distinct);
    set_score(object, "distinct_share", (double)d->n_distinct / (double)n_images);
    set_score(object, "most_frequent_share", (double)d->n_most / (double)n_images);
    json_object_set_new(object, "most_frequent", json_string(d->most));
    set_count(object, "vocabulary", d->n_vocabulary);
    set_score(object, "mean_length", d->mean_length);
    set_score(object, "Div_1", d->div_1);
    set_score(object, "Div_2", d->div_2);
    set_score(object, "bad_endings", d->bad_endings);
    if (d->seen >= 0) set_score(object, "seen_in_training", d->seen);
    if (d->n_lists > 0) {
        set_count(object, "n_best_lists", d->n_lists);
        set_score(object, "list_Div_1", d->list_div_1);
        set_score(object, "list_Div_2", d->list_div_2);
        set_score(object, "self_CIDEr", d->self_cider);
    }
    return object;
}

/* Appends one line of JSON and releases it. */
static void append_json(limn_buffer *out, json_t *object, size_t flags)
{
    char *text = json_dumps(object, flags | JSON_REAL_PRECISION(17));
    if (text)
        limn_buffer_append_text(out, text);
    else
        out->has_failed = true;
    limn_buffer_append_text(out, "\n");
    free(text);
    json_decref(object);
}

static void set_names(json_t *object, const char *key, const limn_eval_names *names)
{
    json_t *array = json_array();
    for (size_t i = 0; i < names->n_items; i++)
        json_array_append_new(array, json_string(names->items[i]));
    json_object_set_new(object, key, array);
}

static json_t *subsets_object(const limn_eval_outcome *o)
{
    json_t *subsets = json_object();
    for (size_t i = 0; i < o->subsets->n_items; i++) {
        const limn_eval_subset *s = &o->subsets->items[i];
        json_t *object = json_object();
        set_count(object, "n_images", s->n_images);
        for (size_t r = 0; r < o->n_results; r++)
            set_scores(object, o->results[r].metric, s->scores[r]);
        if (o->diversity)
            json_object_set_new(object, "diversity", diversity_object(&s->diversity, s->n_images));
        json_object_set_new(subsets, s->name, object);
    }
    return subsets;
}

void limn_eval_render_json(limn_buffer *out, const limn_eval_outcome *o)
{
    json_t *object = json_object();
    for (size_t i = 0; i < o->n_results; i++)
        set_scores(object, o->results[i].metric, o->results[i].scores);
    set_count(object, "n_images", o->data->n_images);
    set_names(object, "without_hypothesis", &o->data->without_hyp);
    set_names(object, "without_reference", &o->data->without_ref);
    if (o->oracles) {
        json_t *oracle = json_object();
        for (size_t i = 0; i < o->n_results; i++)
            set_scores(oracle, o->results[i].metric, o->oracles[i]);
        json_object_set_new(object, "oracle", oracle);
    }
    if (o->diversity)
        json_object_set_new(object, "diversity", diversity_object(o->diversity, o->data->n_images));
    if (o->objects) json_object_set_new(object, "objects", limn_eval_objects_json(o->objects));
    if (o->subsets->n_items > 0) json_object_set_new(object, "subsets", subsets_object(o));
    if (o->reliability)
        json_object_set_new(object, "reliability", limn_eval_reliability_json(o->reliability));
    if (o->confidence)
        json_object_set_new(object, "confidence",
                            limn_eval_trials_json(o->confidence, o->results, o->n_results));
    if (o->comparison)
        json_object_set_new(object, "baseline",
                            limn_eval_trials_json(o->comparison, o->results, o->n_results));
    json_object_set_new(object, "signature", json_string(o->signature));
    append_json(out, object, JSON_INDENT(2));
}

void limn_eval_render_per_image(limn_buffer *out, const limn_eval_outcome *o)
{
    for (size_t i = 0; i < o->data->n_images && !out->has_failed; i++) {
        const limn_eval_image *image = &o->data->images[i];
        json_t *object = json_object(), *references = json_array();
        json_object_set_new(object, "id", json_string(image->id));
        json_object_set_new(object, "caption", json_string(limn_eval_hyp(o->data, i, 0)->raw));
        for (size_t r = 0; r < image->n_refs; r++)
            json_array_append_new(references, json_string(o->data->refs[image->first_ref + r].raw));
        json_object_set_new(object, "references", references);
        for (size_t m = 0; m < o->n_results; m++) {
            double scores[LIMN_EVAL_MAX_KEYS];
            limn_eval_image_scores(scores, &o->results[m], i);
            set_scores(object, o->results[m].metric, scores);
        }
        if (o->objects)
            json_object_set_new(object, "made_up", limn_eval_objects_made_up_json(o->objects, i));
        append_json(out, object, JSON_COMPACT);
    }
}
