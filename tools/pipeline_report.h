/* The final messages of a tool that runs a pipeline, and its exit code. */
#ifndef LIMN_TOOLS_PIPELINE_REPORT_H
#define LIMN_TOOLS_PIPELINE_REPORT_H

#include "tools/annotate/pipeline.h"

/* With -v: what was left out of folders; in any case, a hint where folders were. */
void limn_report_left_out(const limn_left_out *left_out);
/* The exit code, which is LIMN_EXIT_NOTHING, and a warning says why, when a folder, an archive or a
 * list failed: then nobody knows what its other images are, and they have no results. */
int limn_report_lost(const limn_left_out *left_out, int exit_code);

/* `status` and `err` as limn_pipeline_run (or what followed it) gave them; `output` is the path
 * that -o named, NULL for none. Counts are reported with -v, failures unless -q. */
int limn_pipeline_report(const limn_pipeline_counts *counts, limn_status status,
                         const limn_error *err, const char *output);

#endif
