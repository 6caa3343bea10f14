/* The job of `limn`: captions for the pictures of a pipeline, put out by a writer. */
#ifndef LIMN_TOOLS_LIMN_CAPTION_JOB_H
#define LIMN_TOOLS_LIMN_CAPTION_JOB_H

#include "models/captioner.h"
#include "tools/explain/explanation_files.h"
#include "tools/limn/left_out.h"
#include "tools/limn/sheet/contact_sheet.h"
#include "tools/annotate/loader/picture_load.h"
#include "tools/annotate/pipeline/pipeline.h"
#include "tools/annotate/run/picture_run.h"
#include "tools/annotate/writers/writer.h"

typedef struct limn_caption_job {
    const limn_model *model;
    const limn_options *options;
    const limn_writer *writer;
    const char *output;               /* as -o gave it; NULL for none */
    const char *prefix, *suffix;      /* around each caption; may be NULL */
    float min_confidence;             /* NAN: all captions are written */
    bool has_confidence, has_signals; /* these are written too */
    left_out_list left_out;
    limn_explain_settings explain;
    limn_picture_run *run;
    limn_picture_loader loader;
    contact_sheet *sheet;     /* NULL: none; else the loader makes thumbnails */
    uint32_t n_state_threads; /* more than 1: the work of one picture is split */
    size_t n_to_do;           /* counted by a dry run */
    limn_buffer scratch;      /* of put; freed by whoever made the job */
} limn_caption_job;

/* For limn_pipeline_run with a limn_caption_job as ctx. */
extern const limn_pipeline_stages limn_caption_stages;
/* The same for --dry-run, with one thread: names of pictures that are to be captioned go to
 * standard output, one a line (escaped as in the text format), and are counted. */
extern const limn_pipeline_stages limn_caption_dry_stages;

#endif
