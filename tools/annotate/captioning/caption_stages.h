/* What a run does with each image: captions in a pipeline, as records of a writer. */
#ifndef LIMN_TOOLS_ANNOTATE_CAPTIONING_CAPTION_STAGES_H
#define LIMN_TOOLS_ANNOTATE_CAPTIONING_CAPTION_STAGES_H

#include "tools/annotate/image_load.h"
#include "tools/annotate/run/image_run.h"
#include "tools/annotate/writers/writer.h"

typedef struct limn_caption_job {
    const limn_annotate_settings *settings;
    limn_options options; /* of the states */
    const limn_writer *writer;
    limn_image_run *run;
    limn_image_loader loader;
    uint32_t n_state_threads;           /* more than 1: the work of one image is split */
    size_t n_to_do;                     /* counted by a dry run, */
    size_t dry_counts[LIMN_N_STATUSES]; /* as failures, by cause */
    limn_buffer scratch;                /* of `put`; freed by the job's creator */
} limn_caption_job;

/* `failed` of limn_image_run_settings, with a limn_caption_job as ctx. Only sinks that write files
 * beside the images let an image fail late; no name is in those files, so `name` is the image's
 * path. */
limn_status limn_caption_failed_late(void *job, const char *name, const limn_error *failure,
                                     limn_error *err);

/* For limn_pipeline_run with a limn_caption_job as ctx. */
extern const limn_pipeline_stages limn_caption_stages;
/* The same for a dry run, with one thread: images that would be captioned are reported and
 * counted. */
extern const limn_pipeline_stages limn_caption_dry_stages;

#endif
