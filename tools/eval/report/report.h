/* A page to look at, all in one HTML file: scores, histograms, and the images with their
 * captions, sortable and searchable. It asks the network for nothing. */
#ifndef LIMN_TOOLS_EVAL_REPORT_REPORT_H
#define LIMN_TOOLS_EVAL_REPORT_REPORT_H

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "tools/annotate/annotate.h"
#include "tools/eval/eval_output.h"

typedef struct limn_report {
    const limn_eval_outcome *outcome;
    const char *refs, *hyps;    /* names of the files */
    const char *images;         /* folder of the images; NULL: no thumbnails */
    const char *page;           /* set by limn_report_write: where the page will be */
    limn_decoders *decoders;    /* of them; NULL: they are decoded in this process */
    size_t n_without_thumbnail; /* out: images to be shown that could not be read */
} limn_report;

/* Replaces the file at `path`. Images that can't be read are left without one. LIMN_E_IO,
 * LIMN_E_NOMEM. */
limn_status limn_report_write(limn_report *report, const char *path, limn_error *err);

/* ---- the parts of the page; all append, and `has_failed` of the buffer says when memory was
 * short ------------------------------------------------------------------------------------- */

void limn_report_scores(limn_buffer *out, const limn_eval_outcome *outcome);
void limn_report_notes(limn_buffer *out, const limn_eval_outcome *outcome);
void limn_report_diversity(limn_buffer *out, const limn_eval_outcome *outcome);
void limn_report_subsets(limn_buffer *out, const limn_eval_outcome *outcome);
void limn_report_objects(limn_buffer *out, const limn_eval_outcome *outcome);
void limn_report_histograms(limn_buffer *out, const limn_eval_outcome *outcome);
/* A section of its own; nothing where no caption has a confidence. */
void limn_report_reliability(limn_buffer *out, const limn_eval_outcome *outcome);

/* The JSON that report.js reads: {"keys", "first", "images": [{"id", "caption", "references",
 * "scores", "made_up", "link", "thumbnail"}], "thumbnails"}. The thirty best and worst of each key
 * have thumbnails. LIMN_E_NOMEM. */
limn_status limn_report_data(limn_buffer *out, limn_report *report, limn_error *err);

/* Appends a data: URI of the image in `folder` that is named `id` (as a whole, or by its last
 * component): a JPEG of at most 288 x 288. LIMN_E_IO and errors of decoding. */
limn_status limn_report_thumbnail(limn_buffer *out, const char *folder, const char *id,
                                  limn_decoders *decoders, limn_error *err);

#endif
