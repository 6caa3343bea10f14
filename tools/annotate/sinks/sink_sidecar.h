/* A text file for each image. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SINK_SIDECAR_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SINK_SIDECAR_H

#include "tools/annotate/sinks/sidecar_file.h"
#include "tools/annotate/sinks/sidecar_path.h"
#include "tools/annotate/sinks/sidecar_plan.h"
#include "tools/annotate/sinks/sink.h"

typedef struct limn_sidecar_settings {
    limn_sidecar_naming naming;
    limn_existing existing;
    const char *separator; /* as in limn_sidecar_file */
    /* These determine the journal's name, .HASH.limn-run, in out_dir or else in the first input
     * folder (or the folder of the first input file). `names` are the pipeline's; `variant`
     * distinguishes concurrent runs over the same names, such as shards. */
    char *const *names;
    size_t n_names;
    const char *variant;
    bool is_dry;                     /* don't make out_dir */
    const limn_sidecar_plan *plan;   /* of the same names; borrowed */
    const limn_sidecar_merge *merge; /* NULL: lines of text; borrowed */
    bool has_backup;                 /* with naming.is_image */
} limn_sidecar_settings;

/* The path of the journal; the caller frees it with limn_free(). NULL when out of memory. */
char *limn_sink_sidecar_journal_path(const limn_sidecar_settings *settings);

/* Makes out_dir. `settings` is copied, what it points to borrowed. Results are the new content (or
 * the lines that are added). An image that is named twice gets its sidecar once. LIMN_E_IO,
 * LIMN_E_NOMEM. */
limn_status limn_sink_sidecar_create(limn_sink **out, const limn_sidecar_settings *settings,
                                     limn_error *err);

#endif
