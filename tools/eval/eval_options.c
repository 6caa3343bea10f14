#include "tools/eval/eval_options.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "models/eval/eval_right.h"
#include "models/option_value.h"
#include "tools/caption_input.h"
#include "tools/shared_options.h"

/* Where --metrics is not given, and where there is METEOR's data besides. */
static const char default_metrics[] = "bleu,rouge,cider,diversity";
static const char default_metrics_with_meteor[] = "bleu,meteor,rouge,cider,diversity";

static const char *const format_names[] = { "text", "json", NULL };

#define OPTION(field) .offset = offsetof(limn_eval_options, field)

static const limn_option options[] = {
    { "refs", 0, "FILE", "reference captions", .type = LIMN_OPT_TEXT, OPTION(refs),
      .group = "Input", .detail = LIMN_CAPTION_FORMATS },
    { "hyps", 0, "FILE", "hypotheses, e.g. the output of limn", .type = LIMN_OPT_TEXT, OPTION(hyps),
      .group = "Input",
      .detail =
          "Formats as for --refs. Names match if they are identical, or by their last components, "
          "or without extension and leading zeros: COCO_val2014_000000000042.jpg is 42. If a file "
          "has both image and image_id, the one that the other file has is used." },
    { "split", 0, "LIST", "only these splits of the references", .type = LIMN_OPT_TEXT,
      OPTION(split), .group = "Input", .detail = "Separated by commas. " LIMN_SPLIT_DETAIL },
    { "keep-rejected", 0, NULL, LIMN_KEEP_REJECTED_HELP, .type = LIMN_OPT_FLAG,
      OPTION(keep_rejected), .group = "Input", .detail = LIMN_KEEP_REJECTED_DETAIL },
    { "allow-missing", 0, NULL, "leave out images that only one file has", .type = LIMN_OPT_FLAG,
      OPTION(allow_missing), .group = "Input" },
    { "train", 0, "FILE", "training captions, to see how many are copied", .type = LIMN_OPT_TEXT,
      OPTION(train), .group = "Input" },
    { "metrics", 0, "LIST", "metrics, separated by commas", .type = LIMN_OPT_TEXT, OPTION(metrics),
      .default_value = default_metrics, .group = "Metrics",
      .detail =
          "bleu, rouge, cider, cider-plain, meteor, sacrebleu, objects, retrieval, diversity, or a "
          "score's name as in the output (CIDEr, Bleu_4), in upper or lower case. With "
          "--meteor-data, meteor is one of the default metrics. retrieval: how often the "
          "references prefer their image's caption to those of 100 other images, by CIDEr-D." },
    { "objects", 0, NULL, "objects that captions invent or miss, by class", .type = LIMN_OPT_FLAG,
      OPTION(has_objects), .group = "Metrics",
      .detail =
          "Adds the metric objects. False_person: share of captions that name a person, where no "
          "reference does. CHAIR_s and CHAIR_i (Rohrbach 2018): share of captions, and of "
          "mentions, with one of COCO's 80 classes that no reference names. Obj_recall: share of "
          "the references' classes that the caption names; Miss_object: share that it does not. "
          "Miss_person, Miss_person3: share of captions that name nobody, where at least one "
          "reference, or three, name a person. Person_F1, Object_F1: F1 scores. English only." },
    { "subset", 0, "FILE", "also score the images listed in FILE separately", .type = LIMN_OPT_LIST,
      OPTION(subsets), .group = "Metrics", .is_more = true, .detail = "One name per line." },
    { "tokenizer", 0, "NAME", "ptb, 13a, intl, char or none", .type = LIMN_OPT_CHOICE,
      OPTION(tokenizer), .choices = limn_eval_tokenizer_names, .group = "Metrics",
      .detail = "For all metrics. The default is ptb, as in coco-caption, and 13a for sacrebleu." },
    { "meteor-data", 0, "FOLDER", "METEOR's word lists", .type = LIMN_OPT_TEXT, OPTION(meteor_data),
      .group = "Metrics",
      .detail = "The folder meteor/ of PyPI's pycocoevalcap: meteor-1.5.jar and "
                "data/paraphrase-en.gz. Without the latter the metric is named METEOR "
                "(exact,stem,synonym)." },
    { "meteor-cache", 0, "FILE", "cache the paraphrase table in FILE", .type = LIMN_OPT_TEXT,
      OPTION(meteor_cache), .group = "Metrics", .is_more = true,
      .detail = "Created if missing (51 MB). It loads at once; the original table takes seconds." },
    { "smooth", 0, "NAME[:X]", "sacrebleu: exp, floor, add-k or none", .type = LIMN_OPT_TEXT,
      OPTION(smoothing), .default_value = "exp", .group = "Metrics", .is_more = true,
      .detail = "floor and add-k take a number, 0.1 and 1 by default: floor:0.01." },
    { "lowercase", 0, NULL, "sacrebleu: ignore case", .type = LIMN_OPT_FLAG, OPTION(is_lower_case),
      .group = "Metrics", .is_more = true },
    { "df", 0, "FILE", "document frequencies for CIDEr", .type = LIMN_OPT_TEXT, OPTION(df),
      .group = "Metrics",
      .detail = "FILE was written by --save-df. By default they are counted in the references." },
    { "save-df", 0, "FILE", "save the document frequencies to FILE", .type = LIMN_OPT_TEXT,
      OPTION(save_df), .group = "Metrics", .is_more = true },
    { "confidence", 0, NULL, "print 95 % confidence intervals", .type = LIMN_OPT_FLAG,
      OPTION(has_confidence), .group = "Metrics",
      .detail = "By bootstrap resampling of the images." },
    { "baseline", 0, "FILE", "compare with these hypotheses", .type = LIMN_OPT_TEXT,
      OPTION(baseline), .group = "Metrics",
      .detail = "Paired bootstrap: the difference of the scores, its 95 % interval, and p, the "
                "probability of a difference this large if there is none." },
    { "trials", 0, "N", "bootstrap samples", .type = LIMN_OPT_COUNT, OPTION(n_trials), .min = 1,
      .max = 1000000, .default_value = "1000", .group = "Metrics", .is_more = true },
    { "seed", 0, "N", "random seed of the bootstrap", .type = LIMN_OPT_SIZE, OPTION(seed), .min = 0,
      .max = LIMN_MAX_SEED, .default_value = "0", .group = "Metrics", .is_more = true },
    { "fit", 0, "FILE", "fit a confidence model to these captions", .type = LIMN_OPT_TEXT,
      OPTION(fit), .group = "Fit", .is_more = true,
      .detail = "Writes FILE for limn-convert --confidence, which adds it to a model; an existing "
                "FILE is replaced. The hypotheses must come from that model, by limn --signals "
                "--format jsonl. A caption counts as right with a " LIMN_EVAL_RIGHT
                ". The probability of that is fitted as a logistic function of the signals. Prints "
                "the weights, and the result of five-fold cross-validation." },
    { "also", 0, "REFS:HYPS", "more captions to fit to", .type = LIMN_OPT_LIST, OPTION(also),
      .group = "Fit", .is_more = true, .detail = "Each set has its own document frequencies." },
    { "format", 0, "NAME", "text or json", .type = LIMN_OPT_CHOICE, OPTION(format),
      .default_value = "text", .choices = format_names, .group = "Output" },
    { "per-image", 0, "FILE", "write the scores of each image, as JSONL", .type = LIMN_OPT_TEXT,
      OPTION(per_image), .group = "Output" },
    { "report", 0, "FILE.html", "write a report, as one self-contained page", .type = LIMN_OPT_TEXT,
      OPTION(report), .group = "Output",
      .detail = "Scores, histograms, the best and the worst images with their captions." },
    { "images", 0, "FOLDER", "folder of the images, for the report", .type = LIMN_OPT_TEXT,
      OPTION(images), .group = "Output" },
    LIMN_ROW_SANDBOX(OPTION(sandbox), .group = "Output", .detail = "As in limn(1).",
                     .is_more = true),
    { "assert", 0, "\"KEY>=X\"", "exit with code 4 unless this holds", .type = LIMN_OPT_LIST,
      OPTION(asserts), .group = "Output", .detail = "Relations: >= > <= <." },
    { "tokenize", 0, "FILE", "only print the tokens of the captions in FILE", .type = LIMN_OPT_TEXT,
      OPTION(tokenize), .group = "Output" },
    LIMN_ROW_QUIET(OPTION(is_quiet), .group = "Output"),
    { "verbose", 'v', NULL, "print more", .type = LIMN_OPT_FLAG, OPTION(is_verbose),
      .group = "Output" },
};

static const limn_cli_example examples[] = {
    { "limn-eval --refs captions.tsv --hyps out.jsonl", "BLEU, ROUGE-L and CIDEr of captions." },
    { "limn-eval --refs dataset_flickr8k.json --split test --hyps out.jsonl --format json",
      "The same for one split, as JSON." },
    { "limn-eval --refs r.tsv --hyps h.tsv --assert \"CIDEr>=0.55\"", "A check for CI." },
};

const limn_cli_tool limn_eval_tool = {
    .name = "limn-eval",
    .summary = "scores of captions against references",
    .description =
        "Computes the same scores as coco-caption, to the last printed digit, without Java. All "
        "scores are fractions; the signature line says how they were computed.",
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
    .options = options,
    .n_options = sizeof options / sizeof *options,
};

limn_eval_options limn_eval_options_default(void)
{
    return (limn_eval_options){ .tokenizer = LIMN_EVAL_NO_TOKENIZER };
}

limn_caption_reading limn_eval_reading_of_refs(const limn_eval_options *o)
{
    return (limn_caption_reading){ .split = o->split, .keep_rejected = o->keep_rejected };
}

limn_caption_reading limn_eval_reading_of_hyps(const limn_eval_options *o)
{
    return (limn_caption_reading){ .keep_rejected = o->keep_rejected };
}

const char *limn_eval_tokenizer_name(const limn_eval_options *o, const char *otherwise)
{
    return o->tokenizer == LIMN_EVAL_NO_TOKENIZER ? otherwise
                                                  : limn_eval_tokenizer_names[o->tokenizer];
}

limn_status limn_eval_smoothing_parse(limn_sacrebleu_settings *out, const char *text,
                                      limn_error *err)
{
    const size_t size = strcspn(text, ":");
    const bool has_value = text[size] == ':';
    char *end = NULL;
    size_t i = 0;
    while (limn_sacrebleu_smoothing_names[i] &&
           (strlen(limn_sacrebleu_smoothing_names[i]) != size ||
            memcmp(limn_sacrebleu_smoothing_names[i], text, size) != 0))
        i++;
    const bool takes_value = i == LIMN_SACREBLEU_FLOOR || i == LIMN_SACREBLEU_ADD_K;
    out->smoothing = (limn_sacrebleu_smoothing)i;
    out->value = has_value ? strtod(text + size + 1, &end) : -1;
    if (!limn_sacrebleu_smoothing_names[i] || (has_value && !takes_value) ||
        (has_value && (end == text + size + 1 || *end || !(out->value >= 0 && out->value <= 1e6))))
        return limn_fail(err, LIMN_E_ARG,
                         "--smooth \"%s\": expected exp, floor, add-k, none, floor:X or add-k:X",
                         text);
    return LIMN_OK;
}

limn_status limn_eval_assert_parse(limn_eval_assert *out, const char *text, limn_error *err)
{
    const size_t key_size = strcspn(text, "<>");
    const char *relation = text + key_size;
    const bool has_equal = relation[0] && relation[1] == '=';
    const char *number = relation + 1 + has_equal;
    char *end = NULL;
    *out = (limn_eval_assert){ .text = text, .key_size = key_size };
    if (relation[0] == '>')
        out->relation = has_equal ? LIMN_ASSERT_GE : LIMN_ASSERT_GT;
    else
        out->relation = has_equal ? LIMN_ASSERT_LE : LIMN_ASSERT_LT;
    if (relation[0]) out->bound = strtod(number, &end);
    if (key_size == 0 || !relation[0] || end == number || *end || !isfinite(out->bound))
        return limn_fail(err, LIMN_E_ARG, "--assert \"%s\": expected e.g. \"CIDEr>=0.55\"", text);
    return LIMN_OK;
}

bool limn_eval_assert_holds(const limn_eval_assert *a, double value)
{
    switch (a->relation) {
    case LIMN_ASSERT_GE: return value >= a->bound;
    case LIMN_ASSERT_GT: return value > a->bound;
    case LIMN_ASSERT_LE: return value <= a->bound;
    case LIMN_ASSERT_LT: return value < a->bound;
    }
    return false;
}

bool limn_eval_is_chosen(const limn_eval_choice *choice, const limn_eval_metric *metric)
{
    for (size_t i = 0; i < choice->n_metrics; i++)
        if (choice->metrics[i] == metric) return true;
    return false;
}

static limn_status fail_metric(const char *name, size_t size, limn_error *err)
{
    limn_buffer names = { 0 };
    for (size_t i = 0; limn_eval_metrics[i]; i++)
        limn_buffer_printf(&names, "%s, ", limn_eval_metrics[i]->name);
    limn_fail(err, LIMN_E_ARG, "--metrics: unknown metric \"%.*s\"; choose from %sdiversity",
              (int)size, name, names.bytes ? names.bytes : "");
    limn_buffer_finish(&names);
    return LIMN_E_ARG;
}

static limn_status choose_one(limn_eval_choice *out, const char *name, size_t size, limn_error *err)
{
    const limn_eval_metric *metric = limn_eval_find_metric(name, size);
    if (metric && !limn_eval_is_chosen(out, metric))
        out->metrics[out->n_metrics++] = metric;
    else if (limn_eval_is_named("diversity", name, size))
        out->has_diversity = true;
    else if (!metric)
        return fail_metric(name, size, err);
    return LIMN_OK;
}

limn_status limn_eval_choose(limn_eval_choice *out, const limn_eval_options *o, limn_error *err)
{
    *out = (limn_eval_choice){ 0 };
    const bool adds_meteor = o->metrics == default_metrics && o->meteor_data;
    for (const char *name = adds_meteor ? default_metrics_with_meteor : o->metrics; name;) {
        const char *next = strchr(name, ',');
        name += strspn(name, " ");
        size_t size = strcspn(name, ",");
        while (size > 0 && name[size - 1] == ' ') size--;
        LIMN_TRY(choose_one(out, name, size, err));
        name = next ? next + 1 : NULL;
    }
    if (o->has_objects && !limn_eval_is_chosen(out, &limn_eval_object_names))
        out->metrics[out->n_metrics++] = &limn_eval_object_names;
    return LIMN_OK;
}
