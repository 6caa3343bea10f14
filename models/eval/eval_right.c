#include "models/eval/eval_right.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/mem.h"

/* ---- right or wrong ----------------------------------------------------------------------- */

/* Clears `right` for images whose score of `key` is below `low` or above `high`. */
static limn_status keep_between(bool *right, const limn_eval_metric *metric, size_t key, double low,
                                double high, const limn_eval_data *data,
                                const limn_eval_settings *settings, limn_error *err)
{
    limn_eval_result result = { 0 };
    double scores[LIMN_EVAL_MAX_KEYS];
    LIMN_TRY(limn_eval_measure(&result, metric, data, 0, settings, err));
    for (size_t i = 0; i < data->n_images; i++) {
        limn_eval_image_scores(scores, &result, i);
        right[i] = right[i] && scores[key] >= low && scores[key] <= high;
    }
    limn_eval_result_finish(&result);
    return LIMN_OK;
}

limn_status limn_eval_find_right(bool *right, const limn_eval_data *data,
                                 const limn_eval_settings *settings, limn_error *err)
{
    enum { FALSE_PERSON = 0, FALSE_CLASS = 1 }; /* keys of limn_eval_object_names */
    for (size_t i = 0; i < data->n_images; i++) right[i] = true;
    LIMN_TRY(keep_between(right, &limn_eval_cider, limn_eval_cider.best_key, LIMN_EVAL_RIGHT_CIDER,
                          INFINITY, data, settings, err));
    LIMN_TRY(keep_between(right, &limn_eval_object_names, FALSE_PERSON, 0, 0, data, settings, err));
    return keep_between(right, &limn_eval_object_names, FALSE_CLASS, 0, 0, data, settings, err);
}

/* ---- reliability -------------------------------------------------------------------------- */

typedef struct outcome {
    double confidence;
    bool is_right;
} outcome;

static int compare(const void *a, const void *b)
{
    const double x = ((const outcome *)a)->confidence, y = ((const outcome *)b)->confidence;
    return (x > y) - (x < y);
}

/* By ranks, those of equal confidence sharing their mean (Mann and Whitney). Sorts. */
static double area_under_curve(outcome *all, size_t n, size_t n_right)
{
    double rank_sum = 0;
    if (n_right == 0 || n_right == n) return 0.5;
    qsort(all, n, sizeof *all, compare);
    for (size_t begin = 0, end; begin < n; begin = end) {
        size_t n_here = 0;
        for (end = begin; end < n && all[end].confidence == all[begin].confidence; end++)
            n_here += all[end].is_right;
        rank_sum += (double)n_here * ((double)(begin + end + 1) / 2);
    }
    const double right = (double)n_right, wrong = (double)(n - n_right);
    return (rank_sum - right * (right + 1) / 2) / (right * wrong);
}

static void add(limn_eval_reliability *out, double confidence, bool is_right)
{
    const size_t i = (size_t)(confidence * LIMN_EVAL_N_BINS);
    limn_eval_bin *bin = &out->bins[i < LIMN_EVAL_N_BINS ? i : LIMN_EVAL_N_BINS - 1];
    bin->n++;
    bin->n_right += is_right;
    bin->sum += confidence;
    out->n++;
    out->n_right += is_right;
}

limn_status limn_eval_reliability_of(limn_eval_reliability *out, const double *confidences,
                                     const bool *right, size_t n, limn_error *err)
{
    outcome *all = limn_alloc(n, sizeof *all);
    *out = (limn_eval_reliability){ .n = 0 };
    if (!all) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu captions", n);
    for (size_t i = 0; i < n; i++) {
        add(out, confidences[i], right[i]);
        all[i] = (outcome){ confidences[i], right[i] };
    }
    for (size_t i = 0; i < LIMN_EVAL_N_BINS && n > 0; i++)
        out->calibration_error += fabs((double)out->bins[i].n_right - out->bins[i].sum) / (double)n;
    out->auc = area_under_curve(all, n, out->n_right);
    limn_free(all);
    return LIMN_OK;
}

limn_status limn_eval_reliability_measure(limn_eval_reliability *out, const limn_eval_data *data,
                                          const limn_eval_settings *settings, limn_error *err)
{
    double *confidences = limn_alloc(data->n_images, sizeof *confidences);
    bool *right = limn_alloc(data->n_images, sizeof *right);
    limn_status status = confidences && right
                             ? LIMN_OK
                             : limn_fail(err, LIMN_E_NOMEM, "out of memory for confidences");
    size_t n = 0;
    *out = (limn_eval_reliability){ .n = 0 };
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++)
        n += !isnan(limn_eval_hyp(data, i, 0)->record->confidence);
    if (status == LIMN_OK && n > 0) status = limn_eval_find_right(right, data, settings, err);
    if (status == LIMN_OK && n > 0) {
        n = 0;
        for (size_t i = 0; i < data->n_images; i++) {
            const double confidence = limn_eval_hyp(data, i, 0)->record->confidence;
            if (isnan(confidence)) continue;
            confidences[n] = confidence;
            right[n++] = right[i];
        }
        status = limn_eval_reliability_of(out, confidences, right, n, err);
    }
    limn_free(confidences);
    limn_free(right);
    return status;
}

/* ---- output ------------------------------------------------------------------------------- */

void limn_eval_reliability_render_text(limn_buffer *out, const limn_eval_reliability *r)
{
    limn_buffer_printf(out,
                       "confidence   calibration error %.4f, AUC %.4f; %zu of %zu captions "
                       "are right\n",
                       r->calibration_error, r->auc, r->n_right, r->n);
}

json_t *limn_eval_reliability_json(const limn_eval_reliability *r)
{
    json_t *bins = json_array();
    for (size_t i = 0; i < LIMN_EVAL_N_BINS; i++) {
        const limn_eval_bin *b = &r->bins[i];
        json_t *bin =
            json_pack("{s:I, s:I}", "captions", (json_int_t)b->n, "right", (json_int_t)b->n_right);
        if (b->n > 0) json_object_set_new(bin, "confidence", json_real(b->sum / (double)b->n));
        json_array_append_new(bins, bin);
    }
    return json_pack("{s:I, s:I, s:s, s:f, s:f, s:o}", "captions", (json_int_t)r->n, "right",
                     (json_int_t)r->n_right, "right_is", LIMN_EVAL_RIGHT, "calibration_error",
                     r->calibration_error, "auc", r->auc, "bins", bins);
}
