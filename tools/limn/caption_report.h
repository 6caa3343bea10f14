/* The account that limn gives at the end of a run, and its exit code. */
#ifndef LIMN_TOOLS_LIMN_CAPTION_REPORT_H
#define LIMN_TOOLS_LIMN_CAPTION_REPORT_H

#include "tools/annotate/pipeline/pipeline.h"
#include "tools/annotate/run/picture_run.h"

/* Tells what became of the pictures: done, skipped, failed by cause, and what was left out; that
 * the run was interrupted and how it goes on; or what ended it, from `err`. Says nothing when all
 * was done and nobody asked (-v). Returns the exit code. */
int limn_caption_report(const limn_pipeline_counts *counts, const limn_account *account,
                        limn_status status, const limn_error *err);

/* The same after a dry run that found n_to_do pictures to caption. */
int limn_caption_report_dry(const limn_pipeline_counts *counts, const limn_account *account,
                            size_t n_to_do, limn_status status, const limn_error *err);

#endif
