/* The job of `limn-score`: scores of the captions of each image of a pipeline. */
#ifndef LIMN_TOOLS_SCORE_SCORING_H
#define LIMN_TOOLS_SCORE_SCORING_H

#include "models/captioner.h"
#include "tools/output.h"
#include "tools/annotate/pipeline.h"
#include "tools/annotate/image_load.h"
#include "tools/score/caption_score.h"
#include "tools/score/score_captions.h"

typedef struct limn_scoring_totals {
    size_t n_captions, n_failed; /* with a score; without, though their image is fine */
    size_t n_words, n_unknown;
    size_t n_tokens; /* with a probability, ends included */
    double logprob, logprob_without;
} limn_scoring_totals;

typedef struct limn_scoring {
    const limn_model *model;
    const limn_score_captions *captions;
    const limn_score_format *format;
    limn_output *output;
    uint64_t max_pixels;
    limn_image_loader loader;
    uint32_t n_scorer_threads; /* more than 1: the work of one image is split */
    bool is_ranked;            /* nothing is put out before limn_scoring_put_ranked */
    limn_scoring_totals totals;
    struct limn_ranked_line *lines; /* [n_lines] what waits to be ranked */
    size_t n_lines, lines_capacity;
    limn_buffer text; /* of the lines; without ranking, of one image */
} limn_scoring;

/* For limn_pipeline_run with a limn_scoring as ctx. */
extern const limn_pipeline_stages limn_scoring_stages;

/* At the end of a job that is ranked: puts out the captions, first those that the image makes
 * least probable. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_scoring_put_ranked(limn_scoring *job, limn_error *err);
void limn_scoring_finish(limn_scoring *job);

#endif
