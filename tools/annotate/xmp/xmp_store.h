/* Captions in XMP: what a run of captions does with the packet of each image. */
#ifndef LIMN_TOOLS_ANNOTATE_XMP_XMP_STORE_H
#define LIMN_TOOLS_ANNOTATE_XMP_XMP_STORE_H

#include "tools/annotate/sinks/sidecar_file.h"
#include "tools/annotate/xmp/packet_worker.h"

typedef struct limn_xmp_store {
    limn_sidecar_merge merge; /* for a sink of sidecars */
    limn_xmp_worker *worker;
    limn_existing existing;
    const char *separator;
    bool is_embedded, is_renewed, has_alt_text;
    bool is_corrected; /* captions are a person's, and there is no model */
    char *model;       /* SHA-256 of the model's file, of several with blanks between */
} limn_xmp_store;      /* zero-initialise */

/* Starts a worker. Of `settings`, which are borrowed, LIMN_E_UNSUPPORTED: as
 * limn_xmp_worker_start; LIMN_E_IO: a model's file can't be read; LIMN_E_NOMEM. */
limn_status limn_xmp_store_open(limn_xmp_store *out, const limn_annotate_settings *settings,
                                limn_error *err);
void limn_xmp_store_close(limn_xmp_store *s); /* accepts a zeroed one */

#endif
