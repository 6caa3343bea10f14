#include "tools/eval/eval_fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"
#include "common/text/plural.h"
#include "tools/caption_input.h"
#include "models/eval/eval_right.h"
#include "tools/message.h"

void limn_eval_fit_finish(limn_eval_fit *fit)
{
    limn_free(fit->examples);
    *fit = (limn_eval_fit){ .n_examples = 0 };
}

/* ---- examples ----------------------------------------------------------------------------- */

static limn_status read_signals(float *out, const char *text, limn_error *err)
{
    json_t *document = NULL;
    limn_status status = LIMN_OK;
    LIMN_TRY(limn_json_parse(&document, text, strlen(text), err));
    const limn_json_node root = limn_json_root(document);
    for (size_t i = 0; i < LIMN_N_SIGNALS && status == LIMN_OK; i++) {
        double value = 0;
        status = limn_json_number(&value, &root, limn_signal_names[i], -1e6, 1e6, err);
        out[i] = (float)value;
    }
    json_decref(document);
    return status;
}

static limn_status add_example(limn_eval_fit *fit, const limn_eval_data *data, size_t image,
                               bool is_right, limn_error *err)
{
    const limn_caption_record *record = limn_eval_hyp(data, image, 0)->record;
    limn_confidence_example *e;
    if (!record->signals) {
        fit->n_without++;
        return LIMN_OK;
    }
    if (!limn_grow((void **)&fit->examples, &fit->capacity, fit->n_examples + 1,
                   sizeof *fit->examples))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
    e = &fit->examples[fit->n_examples++];
    e->is_right = is_right;
    const limn_status status = read_signals(e->signals, record->signals, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s: signals", record->id);
    return status;
}

static limn_status add_data(limn_eval_fit *fit, const limn_eval_data *data,
                            const limn_eval_settings *settings, limn_error *err)
{
    bool *right = limn_alloc(data->n_images, sizeof *right);
    limn_status status = right ? limn_eval_find_right(right, data, settings, err)
                               : limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
    for (size_t i = 0; i < data->n_images && status == LIMN_OK; i++)
        status = add_example(fit, data, i, right[i], err);
    limn_free(right);
    return status;
}

static limn_status add_files(limn_eval_fit *fit, const limn_eval_options *o, const char *refs_path,
                             const char *hyps_path, const limn_eval_settings *settings,
                             limn_error *err)
{
    limn_caption_file refs = { 0 }, hyps = { 0 };
    limn_eval_data data = { 0 };
    const limn_caption_reading of_refs = limn_eval_reading_of_refs(o);
    const limn_caption_reading of_hyps = limn_eval_reading_of_hyps(o);
    limn_status status = limn_caption_input_read(&refs, refs_path, &of_refs, err);
    if (status == LIMN_OK) status = limn_caption_input_read(&hyps, hyps_path, &of_hyps, err);
    if (status == LIMN_OK)
        status = limn_eval_data_create(&data, &refs, &hyps, limn_eval_tokenizer_name(o, "ptb"),
                                       o->allow_missing, err);
    if (status == LIMN_OK) status = add_data(fit, &data, settings, err);
    limn_eval_data_finish(&data);
    limn_caption_file_finish(&refs);
    limn_caption_file_finish(&hyps);
    return status;
}

/* REFS:HYPS, parted at the last colon. */
static limn_status add_also(limn_eval_fit *fit, const limn_eval_options *o, const char *pair,
                            const limn_eval_settings *settings, limn_error *err)
{
    const char *colon = strrchr(pair, ':');
    if (!colon || colon == pair || !colon[1])
        return limn_fail(err, LIMN_E_ARG, "--also '%s': expected REFS:HYPS", pair);
    char *refs = limn_strndup(pair, (size_t)(colon - pair));
    const limn_status status = refs ? add_files(fit, o, refs, colon + 1, settings, err)
                                    : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_free(refs);
    return status;
}

static limn_status add_all(limn_eval_fit *fit, const limn_eval_options *o,
                           const limn_eval_settings *settings, limn_error *err)
{
    LIMN_TRY(add_files(fit, o, o->refs, o->hyps, settings, err));
    for (size_t i = 0; i < o->also.n_items; i++)
        LIMN_TRY(add_also(fit, o, o->also.items[i], settings, err));
    if (fit->n_examples == 0)
        return limn_fail(err, LIMN_E_ARG,
                         "no caption has \"signals\": write them with limn "
                         "--signals --format jsonl");
    if (fit->n_without > 0)
        limn_message_warning("%zu %s left out", fit->n_without,
                             limn_plural(fit->n_without, "caption without \"signals\" is",
                                         "captions without \"signals\" are"));
    return LIMN_OK;
}

/* ---- how good it is ----------------------------------------------------------------------- */

enum { N_PARTS = 5 }; /* caption i belongs to part i % N_PARTS */

/* A fit to all but one part, of which it then tells the confidences. `others` has room for all. */
static limn_status hold_out(double *confidences, limn_confidence_example *others,
                            const limn_eval_fit *fit, size_t part, limn_error *err)
{
    limn_confidence c;
    size_t n = 0;
    for (size_t i = 0; i < fit->n_examples; i++)
        if (i % N_PARTS != part) others[n++] = fit->examples[i];
    LIMN_TRY(limn_confidence_fit(&c, others, n, err));
    for (size_t i = part; i < fit->n_examples; i += N_PARTS)
        confidences[i] = limn_confidence_of(&c, fit->examples[i].signals);
    return LIMN_OK;
}

static limn_status cross_validate(limn_eval_reliability *out, const limn_eval_fit *fit,
                                  limn_error *err)
{
    const size_t n = fit->n_examples;
    double *confidences = limn_alloc(n, sizeof *confidences);
    bool *right = limn_alloc(n, sizeof *right);
    limn_confidence_example *others = limn_alloc(n, sizeof *others);
    limn_status status = confidences && right && others
                             ? LIMN_OK
                             : limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
    for (size_t part = 0; part < N_PARTS && status == LIMN_OK; part++)
        status = hold_out(confidences, others, fit, part, err);
    for (size_t i = 0; i < n && status == LIMN_OK; i++) right[i] = fit->examples[i].is_right;
    if (status == LIMN_OK) status = limn_eval_reliability_of(out, confidences, right, n, err);
    limn_free(confidences);
    limn_free(right);
    limn_free(others);
    return status;
}

/* ---- output ------------------------------------------------------------------------------- */

static void render(limn_buffer *out, const limn_confidence *c,
                   const limn_eval_reliability *held_out)
{
    limn_buffer_printf(out, "%zu captions, %zu right: %s\n", held_out->n, held_out->n_right,
                       c->right);
    limn_buffer_printf(out, "held out     calibration error %.4f, AUC %.4f\n",
                       held_out->calibration_error, held_out->auc);
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
        limn_buffer_printf(out, "%-12s %+.4f for each %.4g beyond %.4g\n", limn_signal_names[i],
                           c->signals[i].weight, c->signals[i].scale, c->signals[i].mean);
}

static limn_status write_fit(const char *path, const limn_confidence *c, limn_error *err)
{
    char *text = limn_confidence_text(c);
    limn_buffer line = { 0 };
    if (text) limn_buffer_printf(&line, "%s\n", text);
    const limn_status status = text && !line.has_failed
                                   ? limn_file_replace_given(path, line.bytes, line.size, err)
                                   : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_buffer_finish(&line);
    free(text);
    return status;
}

static limn_status fit_all(limn_buffer *out, const limn_eval_fit *fit, const char *path,
                           limn_error *err)
{
    limn_confidence c;
    limn_eval_reliability held_out;
    LIMN_TRY(limn_confidence_fit(&c, fit->examples, fit->n_examples, err));
    snprintf(c.right, sizeof c.right, "%s", LIMN_EVAL_RIGHT);
    LIMN_TRY(cross_validate(&held_out, fit, err));
    LIMN_TRY(write_fit(path, &c, err));
    render(out, &c, &held_out);
    return LIMN_OK;
}

limn_status limn_eval_fit_run(limn_buffer *out, const limn_eval_options *options,
                              const limn_eval_settings *settings, limn_error *err)
{
    limn_eval_fit fit = { 0 };
    limn_status status = add_all(&fit, options, settings, err);
    if (status == LIMN_OK) status = fit_all(out, &fit, options->fit, err);
    limn_eval_fit_finish(&fit);
    return status;
}
