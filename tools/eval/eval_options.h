/* The command line of limn-eval. */
#ifndef LIMN_TOOLS_EVAL_EVAL_OPTIONS_H
#define LIMN_TOOLS_EVAL_EVAL_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "tools/cli.h"
#include "models/eval/eval.h"

enum { LIMN_EVAL_TEXT = 0, LIMN_EVAL_JSON };

typedef struct limn_eval_options {
    const char *refs, *hyps, *split, *train;
    const char *metrics, *df, *save_df, *per_image, *tokenize;
    const char *meteor_data, *meteor_cache; /* folder and file; NULL: not given */
    const char *baseline, *smoothing;       /* smoothing: "floor:0.1" */
    const char *report, *images, *fit;
    limn_option_list asserts, also, subsets;
    unsigned format;    /* LIMN_EVAL_TEXT … */
    unsigned sandbox;   /* a limn_sandbox_use */
    unsigned tokenizer; /* index in limn_eval_tokenizer_names, or LIMN_EVAL_NO_TOKENIZER */
    uint64_t seed;
    uint32_t n_trials;
    bool allow_missing, keep_rejected, is_lower_case, has_objects, has_confidence, is_quiet,
        is_verbose;
} limn_eval_options;

/* Not given: each metric has its own, ptb or, for sacreBLEU, 13a. */
#define LIMN_EVAL_NO_TOKENIZER UINT_MAX

limn_eval_options limn_eval_options_default(void);

/* How references are read, and how hypotheses are. */
limn_caption_reading limn_eval_reading_of_refs(const limn_eval_options *o);
limn_caption_reading limn_eval_reading_of_hyps(const limn_eval_options *o);

/* The tokenizer's name: the one given, or `otherwise`. */
const char *limn_eval_tokenizer_name(const limn_eval_options *o, const char *otherwise);

extern const limn_cli_tool limn_eval_tool;

/* "exp", "floor:0.01": sets smoothing and value. LIMN_E_ARG when the text is none. */
limn_status limn_eval_smoothing_parse(limn_sacrebleu_settings *out, const char *text,
                                      limn_error *err);

/* "CIDEr>=0.55" */
typedef struct limn_eval_assert {
    const char *text;
    size_t key_size; /* bytes of `text` that are the key */
    enum { LIMN_ASSERT_GE, LIMN_ASSERT_GT, LIMN_ASSERT_LE, LIMN_ASSERT_LT } relation;
    double bound;
} limn_eval_assert;

/* LIMN_E_ARG when the text is no assertion. */
limn_status limn_eval_assert_parse(limn_eval_assert *out, const char *text, limn_error *err);
bool limn_eval_assert_holds(const limn_eval_assert *a, double value);

/* What is asked for: [n_metrics], and whether diversity is. */
typedef struct limn_eval_choice {
    const limn_eval_metric *metrics[16];
    size_t n_metrics;
    bool has_diversity;
} limn_eval_choice;

/* By o->metrics, a list of names with commas between; NULL: the default, with METEOR when its
 * data are given. --objects adds its metric. LIMN_E_ARG names what is unknown. */
limn_status limn_eval_choose(limn_eval_choice *out, const limn_eval_options *o, limn_error *err);

/* Whether a metric is among the chosen. */
bool limn_eval_is_chosen(const limn_eval_choice *choice, const limn_eval_metric *metric);

#endif
