#include "models/eval/eval_trials.h"

#include <string.h>

typedef struct score_context {
    const limn_eval_metric *metric;
    const limn_eval_settings *settings;
} score_context;

static void score(const void *context, double *out, const double *sum, size_t n_images)
{
    const score_context *c = context;
    c->metric->score(out, sum, n_images, c->settings);
}

limn_status limn_eval_trials_run(limn_eval_trials *out, const limn_eval_result *results,
                                 const limn_eval_result *baseline, size_t n_results,
                                 size_t n_images, limn_error *err)
{
    for (size_t i = 0; i < n_results; i++) {
        const limn_eval_metric *metric = results[i].metric;
        const score_context context = { metric, results[i].settings };
        const limn_bootstrap b = { .stats = results[i].stats,
                                   .other = baseline ? baseline[i].stats : NULL,
                                   .n_images = n_images,
                                   .n_stats = metric->n_stats,
                                   .n_scores = metric->n_keys,
                                   .score = score,
                                   .context = &context,
                                   .n_trials = out->n_trials,
                                   .seed = out->seed };
        LIMN_TRY(limn_bootstrap_run(out->intervals[i], &b, err));
    }
    return LIMN_OK;
}

limn_status limn_eval_baseline_create(limn_eval_data *out, const limn_eval_data *data,
                                      const limn_caption_file *refs,
                                      const limn_caption_file *baseline, const char *tokenizer,
                                      bool allow_missing, limn_error *err)
{
    LIMN_TRY(limn_eval_data_create(out, refs, baseline, tokenizer, allow_missing, err));
    bool is_same = out->n_images == data->n_images;
    for (size_t i = 0; is_same && i < data->n_images; i++)
        is_same = strcmp(out->images[i].id, data->images[i].id) == 0;
    if (!is_same)
        return limn_fail(err, LIMN_E_ARG,
                         "has captions of other images than --hyps: %zu, not "
                         "%zu",
                         out->n_images, data->n_images);
    return LIMN_OK;
}

/* Lengths are not scores. */
static bool is_score(const char *key)
{
    return strcmp(key, "testlen") != 0 && strcmp(key, "reflen") != 0;
}

void limn_eval_trials_render_text(limn_buffer *out, const limn_eval_trials *t,
                                  const limn_eval_result *results, size_t n_results)
{
    if (t->baseline)
        limn_buffer_printf(out, "difference from %s, 95 %% intervals of %zu trials\n", t->baseline,
                           t->n_trials);
    else
        limn_buffer_printf(out, "95 %% intervals of %zu trials\n", t->n_trials);
    for (size_t i = 0; i < n_results; i++)
        for (size_t k = 0; k < results[i].metric->n_keys; k++) {
            const char *key = results[i].metric->keys[k];
            const limn_interval *v = &t->intervals[i][k];
            if (!is_score(key)) continue;
            if (t->baseline)
                limn_buffer_printf(out, "%-12s %+.4f  %+.4f … %+.4f  p %.4f\n", key, v->value,
                                   v->low, v->high, v->p);
            else
                limn_buffer_printf(out, "%-12s %.4f … %.4f\n", key, v->low, v->high);
        }
}

static json_t *interval_object(const limn_interval *v, bool is_difference)
{
    if (!is_difference) return json_pack("{s:f, s:f}", "low", v->low, "high", v->high);
    return json_pack("{s:f, s:f, s:f, s:f}", "difference", v->value, "low", v->low, "high", v->high,
                     "p", v->p);
}

json_t *limn_eval_trials_json(const limn_eval_trials *t, const limn_eval_result *results,
                              size_t n_results)
{
    json_t *object = json_object(), *scores = json_object();
    if (t->baseline) json_object_set_new(object, "file", json_string(t->baseline));
    json_object_set_new(object, "trials", json_integer((json_int_t)t->n_trials));
    json_object_set_new(object, "seed", json_integer((json_int_t)t->seed));
    for (size_t i = 0; i < n_results; i++)
        for (size_t k = 0; k < results[i].metric->n_keys; k++)
            if (is_score(results[i].metric->keys[k]))
                json_object_set_new(scores, results[i].metric->keys[k],
                                    interval_object(&t->intervals[i][k], t->baseline != NULL));
    json_object_set_new(object, t->baseline ? "differences" : "scores", scores);
    return object;
}
