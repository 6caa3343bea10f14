/* What limn-eval writes: text, JSON, lines for each image. */
#ifndef LIMN_TOOLS_EVAL_EVAL_OUTPUT_H
#define LIMN_TOOLS_EVAL_EVAL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "models/eval/eval.h"
#include "models/eval/eval_diversity.h"
#include "models/eval/eval_objects.h"
#include "models/eval/eval_right.h"
#include "models/eval/eval_subsets.h"
#include "models/eval/eval_trials.h"

typedef struct limn_eval_outcome {
    const limn_eval_data *data;
    limn_eval_result *results; /* [n_results], one for each metric */
    size_t n_results;
    double (*oracles)[LIMN_EVAL_MAX_KEYS];           /* [n_results]; NULL without n-best lists */
    const limn_eval_diversity *diversity;            /* NULL when it was not asked for */
    const limn_eval_objects *objects;                /* likewise */
    const limn_eval_subsets *subsets;                /* of the results and of diversity */
    const limn_eval_reliability *reliability;        /* NULL where no caption has a confidence */
    const limn_eval_trials *confidence, *comparison; /* NULL when not asked for */
    const char *signature;
} limn_eval_outcome;

/* How the scores came about: "nrefs:5|case:lc|tok:ptb|bleu:coco,closest|version:limn-0.1.0". */
void limn_eval_sign(limn_buffer *out, const limn_eval_data *data, const limn_eval_result *results,
                    size_t n_results, const limn_eval_settings *settings);

/* All append to `out`, whose has_failed says when memory was short. */
void limn_eval_render_text(limn_buffer *out, const limn_eval_outcome *outcome);
void limn_eval_render_json(limn_buffer *out, const limn_eval_outcome *outcome);
void limn_eval_render_per_image(limn_buffer *out, const limn_eval_outcome *outcome);

/* The corpus score of a key [size bytes]. False when no metric has it. */
bool limn_eval_find_score(double *out, const limn_eval_outcome *outcome, const char *key,
                          size_t size);

#endif
