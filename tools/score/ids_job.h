/* The job of `limn-score --ids`: log-probabilities of given token ids, and the logits that they are
 * of. */
#ifndef LIMN_TOOLS_SCORE_IDS_JOB_H
#define LIMN_TOOLS_SCORE_IDS_JOB_H

#include "models/captioner.h"
#include "tools/annotate/image_load.h"
#include "tools/annotate/pipeline.h"
#include "tools/output.h"
#include "common/io/ids_file.h"

typedef struct limn_ids_job {
    const limn_model *model;
    const limn_ids_file *ids;
    const char *logits; /* a folder for LINE.npy; NULL: none */
    limn_output *output;
    limn_image_loader loader;
    uint32_t n_forcing_threads; /* more than 1: the work of one image is split */
} limn_ids_job;

/* For limn_pipeline_run with a limn_ids_job as ctx. Of each record a line {"file", "ids",
 * "logprobs", "logprob", "logits"}. An image fails as a whole: also by ids that the model can't
 * read. */
extern const limn_pipeline_stages limn_ids_stages;

#endif
