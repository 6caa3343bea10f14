/* A run that writes captions of a file instead of making them. */
#ifndef LIMN_TOOLS_ANNOTATE_CAPTIONING_APPLY_CAPTIONS_H
#define LIMN_TOOLS_ANNOTATE_CAPTIONING_APPLY_CAPTIONS_H

#include "tools/annotate/captioning/caption_stages.h"

/* In place of limn_pipeline_run: gives each image among the inputs its caption of
 * job->settings->applied, to the stages `want` and `put` of the job. Images without a caption there
 * are left out, and a message counts them. LIMN_E_ARG: no image has one; errors of
 * limn_caption_file_read and of `put`; LIMN_E_INTERRUPTED (hooks). */
limn_status limn_apply_captions(limn_pipeline_counts *counts, limn_caption_job *job,
                                const limn_inputs *inputs, limn_error *err);

#endif
