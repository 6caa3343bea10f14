/* What `limn` writes beside captions to show how they came about: a page, attention. */
#ifndef LIMN_TOOLS_EXPLAIN_EXPLANATION_FILES_H
#define LIMN_TOOLS_EXPLAIN_EXPLANATION_FILES_H

#include "common/io/dirwalk.h"
#include "models/captioner.h"
#include "tools/annotate/annotate.h"

enum { LIMN_EXPLAIN_PHOTO_SIDE = 640 }; /* pixels of the longer side of the photo on the page */

typedef struct limn_explain_settings {
    const char *page_dir;      /* DIR/NAME.html of each image; NULL: none */
    const char *attention_dir; /* DIR/NAME/… of each image (attention_files.h), of several
                                * captions DIR/NAME/1/… and so on; NULL: none */
    const char *model_path;    /* said on the page */
    uint32_t n_best;           /* captions that the user asked for */
} limn_explain_settings;

bool limn_explain_is_wanted(const limn_explain_settings *s);

/* Options that keep what is to be shown; the best captions stay the same. The page shows all
 * hypotheses that finished, so there may be more than n_best. */
limn_options limn_explain_options(const limn_explain_settings *s, const limn_options *options);

/* Writes the files of an image; `options` are those of the captions. LIMN_E_IO, also when others
 * are there; LIMN_E_NOMEM. Any thread. */
limn_status limn_explain_write(const limn_explain_settings *s, const limn_dirwalk_entry *input,
                               const limn_captions *captions, const limn_model *model,
                               const limn_options *options, const limn_thumbnail *image,
                               limn_error *err);

#endif
