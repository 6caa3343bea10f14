/* limn-eval: scores of captions against references. */
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/plural.h"
#include "tools/caption_input.h"
#include "tools/cli.h"
#include "models/eval/eval.h"
#include "models/eval/eval_df.h"
#include "models/eval/eval_diversity.h"
#include "tools/eval/eval_fit.h"
#include "models/eval/eval_objects.h"
#include "tools/eval/eval_options.h"
#include "tools/eval/eval_output.h"
#include "tools/eval/report/report.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/standard_streams.h"
#include "tools/tool_hooks.h"

/* All that a run holds. */
typedef struct run {
    const limn_eval_options *options;
    limn_decoders *decoders; /* of the images of a report */
    limn_eval_settings settings;
    limn_eval_choice choice;
    limn_eval_assert *asserts; /* [options->asserts.n_items] */
    limn_caption_file refs, hyps, training;
    limn_eval_data data;
    limn_eval_result results[16]; /* [n_results] */
    limn_meteor_data *meteor;
    limn_eval_trials confidence, comparison;
    double oracles[16][LIMN_EVAL_MAX_KEYS];
    size_t n_results;
    limn_eval_diversity diversity;
    limn_eval_objects objects;
    limn_eval_subsets subsets;
    limn_eval_reliability reliability;
    limn_buffer signature, out;
} run;

static void finish(run *r)
{
    for (size_t i = 0; i < r->n_results; i++) limn_eval_result_finish(&r->results[i]);
    limn_eval_objects_finish(&r->objects);
    limn_eval_subsets_finish(&r->subsets);
    limn_eval_data_finish(&r->data);
    limn_meteor_data_close(&r->meteor);
    limn_caption_file_finish(&r->refs);
    limn_caption_file_finish(&r->hyps);
    limn_caption_file_finish(&r->training);
    limn_buffer_finish(&r->signature);
    limn_buffer_finish(&r->out);
    limn_free(r->asserts);
    limn_decoders_stop(&r->decoders);
}

static limn_status print(run *r, limn_error *err)
{
    limn_output output;
    if (r->out.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory for the output");
    LIMN_TRY(limn_output_open(&output, NULL, err));
    LIMN_TRY(limn_output_write(&output, r->out.bytes, r->out.size, err));
    return limn_output_close(&output, true, err);
}

/* ---- --tokenize --------------------------------------------------------------------------- */

static limn_status tokenize(run *r, limn_error *err)
{
    limn_eval_tokenizer tokenizer = { 0 };
    limn_status status = LIMN_OK;
    tokenizer.kind = limn_eval_find_tokenizer(limn_eval_tokenizer_name(r->options, "ptb"));
    tokenizer.is_lower_case = r->options->is_lower_case;
    const limn_caption_reading how = limn_eval_reading_of_refs(r->options);
    LIMN_TRY(limn_caption_input_read(&r->refs, r->options->tokenize, &how, err));
    for (size_t i = 0; status == LIMN_OK && i < r->refs.n_records; i++) {
        const limn_caption_record *record = &r->refs.records[i];
        const char *tokens;
        if (!record->caption) continue;
        status =
            tokenizer.kind->run(&tokens, &tokenizer, record->caption, strlen(record->caption), err);
        if (status != LIMN_OK) continue;
        limn_buffer_append_text(&r->out, record->id);
        if (record->number >= 0) limn_buffer_printf(&r->out, "#%ld", record->number);
        limn_buffer_printf(&r->out, "\t%s\n", tokens);
    }
    limn_eval_tokenizer_finish(&tokenizer);
    return status == LIMN_OK ? print(r, err) : status;
}

/* ---- evaluating --------------------------------------------------------------------------- */

/* More than half of the captions are one token each. */
static bool has_one_token_captions(const limn_eval_data *data)
{
    size_t n = 0;
    for (size_t i = 0; i < data->n_refs; i++) n += data->refs[i].words.n_words == 1;
    return 2 * n > data->n_refs;
}

static void warn_of_data(const run *r)
{
    const limn_eval_data *data = &r->data;
    const bool has_cider = limn_eval_is_chosen(&r->choice, &limn_eval_cider) ||
                           limn_eval_is_chosen(&r->choice, &limn_eval_cider_plain);
    if (data->n_by_number)
        limn_message_warning("%zu %s matched by the references' \"id\" (\"%s\"), since the files "
                             "share no other names",
                             data->n_by_number,
                             limn_plural(data->n_by_number, "hypothesis is", "hypotheses are"),
                             data->by_number);
    if (data->n_unfit)
        limn_message_warning("%zu %s whose references are all marked as unfit %s left out",
                             data->n_unfit, limn_plural(data->n_unfit, "image", "images"),
                             limn_plural(data->n_unfit, "is", "are"));
    if (data->n_images == 1 && has_cider && !r->options->df)
        limn_message_warning("CIDEr of a single image is always 0, as n-grams are weighted by how "
                             "few images have them; --df FILE takes the weights from elsewhere");
    if (r->options->tokenizer == LIMN_EVAL_NO_TOKENIZER && has_one_token_captions(data))
        limn_message_warning("most references are a single token; for languages without spaces "
                             "between words, use --tokenizer char");
}

static limn_status read_files(run *r, limn_error *err)
{
    const limn_eval_options *o = r->options;
    const limn_caption_reading of_refs = limn_eval_reading_of_refs(o);
    const limn_caption_reading of_hyps = limn_eval_reading_of_hyps(o);
    LIMN_TRY(limn_caption_input_read(&r->refs, o->refs, &of_refs, err));
    LIMN_TRY(limn_caption_input_read(&r->hyps, o->hyps, &of_hyps, err));
    if (o->train) LIMN_TRY(limn_caption_input_read(&r->training, o->train, &of_hyps, err));
    limn_message_note("%s is %s, %s is %s", o->refs, r->refs.format, o->hyps, r->hyps.format);
    LIMN_TRY(limn_eval_data_create(&r->data, &r->refs, &r->hyps, limn_eval_tokenizer_name(o, "ptb"),
                                   o->allow_missing, err));
    warn_of_data(r);
    return LIMN_OK;
}

static limn_status measure(run *r, limn_error *err)
{
    const bool has_lists = r->data.n_hyps > r->data.n_images;
    for (size_t i = 0; i < r->choice.n_metrics; i++) {
        LIMN_TRY(limn_eval_measure(&r->results[i], r->choice.metrics[i], &r->data, 0, &r->settings,
                                   err));
        r->n_results++;
        if (has_lists)
            LIMN_TRY(
                limn_eval_oracle(r->oracles[i], r->choice.metrics[i], &r->data, &r->settings, err));
    }
    if (limn_eval_is_chosen(&r->choice, &limn_eval_object_names))
        LIMN_TRY(limn_eval_objects_measure(&r->objects, &r->data, err));
    LIMN_TRY(limn_eval_subsets_measure(&r->subsets, (const char *const *)r->options->subsets.items,
                                       r->options->subsets.n_items, &r->data, r->results,
                                       r->n_results, &r->settings, err));
    LIMN_TRY(limn_eval_reliability_measure(&r->reliability, &r->data, &r->settings, err));
    if (!r->choice.has_diversity) return LIMN_OK;
    return limn_eval_diversity_measure(&r->diversity, &r->data,
                                       r->options->train ? &r->training : NULL, &r->settings, err);
}

/* Without data METEOR is left out, with a message; without the paraphrase table it has another
 * name. */
static limn_status open_meteor(run *r, limn_error *err)
{
    limn_eval_choice *c = &r->choice;
    size_t i = 0;
    while (i < c->n_metrics && c->metrics[i] != &limn_eval_meteor) i++;
    if (i == c->n_metrics) return LIMN_OK;
    if (!r->options->meteor_data && c->n_metrics == 1 && !c->has_diversity)
        return limn_fail(err, LIMN_E_ARG, "METEOR needs --meteor-data FOLDER");
    if (!r->options->meteor_data) {
        limn_message_warning("METEOR is left out: it needs --meteor-data");
        memmove(&c->metrics[i], &c->metrics[i + 1], (--c->n_metrics - i) * sizeof c->metrics[0]);
        return LIMN_OK;
    }
    LIMN_TRY(
        limn_meteor_data_open(&r->meteor, r->options->meteor_data, r->options->meteor_cache, err));
    r->settings.meteor = r->meteor;
    if (!limn_meteor_data_has_paraphrases(r->meteor))
        c->metrics[i] = &limn_eval_meteor_without_paraphrases;
    return LIMN_OK;
}

static limn_status measure_baseline(limn_eval_result results[16], size_t *n_results, run *r,
                                    const limn_eval_data *data, limn_error *err)
{
    for (; *n_results < r->n_results; ++*n_results)
        LIMN_TRY(limn_eval_measure(&results[*n_results], r->results[*n_results].metric, data, 0,
                                   &r->settings, err));
    r->comparison.baseline = r->options->baseline;
    return limn_eval_trials_run(&r->comparison, r->results, results, r->n_results, r->data.n_images,
                                err);
}

static limn_status compare(run *r, limn_error *err)
{
    limn_eval_result results[16];
    size_t n_results = 0;
    limn_caption_file file = { 0 };
    limn_eval_data data = { 0 };
    const limn_caption_reading how = limn_eval_reading_of_hyps(r->options);
    limn_status status = limn_caption_input_read(&file, r->options->baseline, &how, err);
    if (status == LIMN_OK) {
        status = limn_eval_baseline_create(&data, &r->data, &r->refs, &file,
                                           limn_eval_tokenizer_name(r->options, "ptb"),
                                           r->options->allow_missing, err);
        if (status == LIMN_OK) status = measure_baseline(results, &n_results, r, &data, err);
        if (status != LIMN_OK) limn_error_prefix(err, "--baseline %s", r->options->baseline);
    }
    for (size_t i = 0; i < n_results; i++) limn_eval_result_finish(&results[i]);
    limn_eval_data_finish(&data);
    limn_caption_file_finish(&file);
    return status;
}

static limn_status run_trials(run *r, limn_error *err)
{
    r->confidence.n_trials = r->comparison.n_trials = r->options->n_trials;
    r->confidence.seed = r->comparison.seed = r->options->seed;
    if (r->options->has_confidence)
        LIMN_TRY(limn_eval_trials_run(&r->confidence, r->results, NULL, r->n_results,
                                      r->data.n_images, err));
    return r->options->baseline ? compare(r, err) : LIMN_OK;
}

static limn_status save_df(const run *r, limn_error *err)
{
    const limn_eval_settings of_references = { 0 };
    limn_cider_df *df;
    limn_status status;
    LIMN_TRY(limn_eval_df_create(&df, &r->data, &of_references, err));
    status = limn_eval_df_save(r->options->save_df, df, &r->data, err);
    limn_cider_df_destroy(&df);
    return status;
}

static limn_status write_report(const run *r, const limn_eval_outcome *outcome, limn_error *err)
{
    limn_report report = { .outcome = outcome,
                           .refs = r->options->refs,
                           .hyps = r->options->hyps,
                           .images = r->options->images,
                           .decoders = r->decoders };
    LIMN_TRY(limn_report_write(&report, r->options->report, err));
    if (report.n_without_thumbnail)
        limn_message_warning(
            "%s: %zu %s could not be read from %s", r->options->report, report.n_without_thumbnail,
            limn_plural(report.n_without_thumbnail, "image", "images"), r->options->images);
    return LIMN_OK;
}

static limn_status write_results(run *r, const limn_eval_outcome *outcome, limn_error *err)
{
    limn_buffer lines = { 0 };
    limn_status status = LIMN_OK;
    if (r->options->per_image) {
        limn_eval_render_per_image(&lines, outcome);
        status = lines.has_failed
                     ? limn_fail(err, LIMN_E_NOMEM, "out of memory for the output")
                     : limn_file_replace_given(r->options->per_image, lines.bytes, lines.size, err);
        limn_buffer_finish(&lines);
    }
    if (status == LIMN_OK && r->options->save_df) status = save_df(r, err);
    if (status == LIMN_OK && r->options->report) status = write_report(r, outcome, err);
    if (status != LIMN_OK) return status;
    if (r->options->format == LIMN_EVAL_JSON)
        limn_eval_render_json(&r->out, outcome);
    else
        limn_eval_render_text(&r->out, outcome);
    return print(r, err);
}

/* Exit code of the assertions. */
static int check_asserts(const run *r, const limn_eval_outcome *outcome)
{
    int code = LIMN_EXIT_OK;
    for (size_t i = 0; i < r->options->asserts.n_items; i++) {
        const limn_eval_assert *a = &r->asserts[i];
        double score = 0;
        limn_eval_find_score(&score, outcome, a->text, a->key_size);
        if (limn_eval_assert_holds(a, score)) continue;
        limn_message_error("assertion %s does not hold: %.*s is %.6f", a->text, (int)a->key_size,
                           a->text, score);
        code = LIMN_EXIT_ASSERT;
    }
    return code;
}

static limn_status evaluate(run *r, int *exit_code, limn_error *err)
{
    limn_eval_outcome outcome;
    LIMN_TRY(open_meteor(r, err));
    LIMN_TRY(read_files(r, err));
    LIMN_TRY(measure(r, err));
    LIMN_TRY(run_trials(r, err));
    limn_eval_sign(&r->signature, &r->data, r->results, r->n_results, &r->settings);
    if (r->signature.has_failed)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for the signature");
    outcome = (limn_eval_outcome){
        .data = &r->data,
        .results = r->results,
        .n_results = r->n_results,
        .oracles = r->data.n_hyps > r->data.n_images ? r->oracles : NULL,
        .diversity = r->choice.has_diversity ? &r->diversity : NULL,
        .objects = r->objects.made_up ? &r->objects : NULL,
        .subsets = &r->subsets,
        .reliability = r->reliability.n ? &r->reliability : NULL,
        .confidence = r->options->has_confidence ? &r->confidence : NULL,
        .comparison = r->options->baseline ? &r->comparison : NULL,
        .signature = r->signature.bytes,
    };
    LIMN_TRY(write_results(r, &outcome, err));
    *exit_code = check_asserts(r, &outcome);
    return LIMN_OK;
}

static limn_status fit(run *r, limn_error *err)
{
    LIMN_TRY(limn_eval_fit_run(&r->out, r->options, &r->settings, err));
    return print(r, err);
}

/* ---- options ------------------------------------------------------------------------------ */

static bool has_key(const limn_eval_choice *choice, const limn_eval_assert *a)
{
    for (size_t i = 0; i < choice->n_metrics; i++) {
        const limn_eval_metric *metric = choice->metrics[i];
        for (size_t k = 0; k < metric->n_keys; k++)
            if (strlen(metric->keys[k]) == a->key_size &&
                memcmp(metric->keys[k], a->text, a->key_size) == 0)
                return true;
    }
    return false;
}

/* What must be right before a file is read. */
static limn_status check_options(run *r, limn_error *err)
{
    const limn_eval_options *o = r->options;
    LIMN_TRY(limn_eval_choose(&r->choice, o, err));
    if (o->tokenize) return LIMN_OK;
    if (!o->refs || !o->hyps)
        return limn_fail(err, LIMN_E_ARG,
                         "--refs FILE and --hyps FILE are required (or --tokenize FILE)");
    if (o->also.n_items && !o->fit) return limn_fail(err, LIMN_E_ARG, "--also: needs --fit");
    r->settings.df_path = o->df;
    r->settings.sacrebleu = (limn_sacrebleu_settings){
        .value = -1,
        .is_lower_case = o->is_lower_case,
        .tokenizer = limn_eval_tokenizer_name(o, "13a"),
    };
    LIMN_TRY(limn_eval_smoothing_parse(&r->settings.sacrebleu, o->smoothing, err));
    r->asserts = limn_calloc(o->asserts.n_items, sizeof *r->asserts);
    if (!r->asserts) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < o->asserts.n_items; i++) {
        LIMN_TRY(limn_eval_assert_parse(&r->asserts[i], o->asserts.items[i], err));
        if (!has_key(&r->choice, &r->asserts[i]))
            return limn_fail(err, LIMN_E_ARG,
                             "--assert \"%s\": no selected metric has this key; see --metrics",
                             o->asserts.items[i]);
    }
    return LIMN_OK;
}

/* Before there are threads, and captions in memory. */
static limn_status start_decoders(run *r, limn_error *err)
{
    const limn_eval_options *o = r->options;
    const limn_annotate_hooks hooks = limn_tool_hooks("", NULL);
    if (!o->report || !o->images) return LIMN_OK;
    return limn_decoders_start(&r->decoders, o->sandbox, 1, 0, &hooks, err);
}

int main(int argc, char **argv)
{
    limn_eval_options options = limn_eval_options_default();
    limn_cli_operands operands;
    limn_error err = { 0 };
    run r = { .options = &options };
    int code;
    limn_standard_streams_secure();
    if (!limn_cli_parse(&operands, &options, &limn_eval_tool, argc, argv, &code)) return code;
    limn_message_init(limn_eval_tool.name, limn_verbosity_of(options.is_quiet, options.is_verbose));
    code = LIMN_EXIT_OK;
    if (check_options(&r, &err) != LIMN_OK) {
        limn_message_error("%s", err.text);
        code = LIMN_EXIT_USAGE;
    } else if (start_decoders(&r, &err) != LIMN_OK) {
        limn_message_error("%s", err.text);
        code = LIMN_EXIT_NOTHING;
    } else if ((options.tokenize ? tokenize(&r, &err)
                : options.fit    ? fit(&r, &err)
                                 : evaluate(&r, &code, &err)) != LIMN_OK) {
        limn_message_error("%s", err.text);
        code = LIMN_EXIT_NOTHING;
    }
    finish(&r);
    limn_cli_finish(&options, &limn_eval_tool);
    return code;
}
