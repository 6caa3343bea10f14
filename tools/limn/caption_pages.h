/* What `limn` makes beside captions while it captions: the contact sheet, explanations, and the
 * names that a dry run tells. */
#ifndef LIMN_TOOLS_LIMN_CAPTION_PAGES_H
#define LIMN_TOOLS_LIMN_CAPTION_PAGES_H

#include "common/base/buffer.h"
#include "tools/annotate/annotate.h"
#include "tools/explain/explanation_files.h"
#include "tools/limn/sheet/contact_sheet.h"

typedef struct caption_pages {
    const limn_model *model;
    limn_options options;          /* of the run, with what explanations need */
    limn_explain_settings explain; /* nothing is wanted: none */
    contact_sheet *sheet;          /* NULL: none */
    limn_buffer line;              /* scratch */
} caption_pages;

/* Sets the hooks of `settings`, whose ctx is `pages`, and its options. Both are borrowed until the
 * run is over. */
void caption_pages_follow(caption_pages *pages, limn_annotate_settings *settings);
/* After the run: writes the sheet, also of one that ended early with `status`. Returns `status`, or
 * what failed here: LIMN_E_IO, LIMN_E_NOMEM. */
limn_status caption_pages_write(caption_pages *pages, const limn_account *account,
                                limn_status status, limn_error *err);
void caption_pages_finish(caption_pages *pages);

#endif
