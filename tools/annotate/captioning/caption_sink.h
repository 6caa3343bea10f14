/* The sink that the settings of a run ask for. */
#ifndef LIMN_TOOLS_ANNOTATE_CAPTIONING_CAPTION_SINK_H
#define LIMN_TOOLS_ANNOTATE_CAPTIONING_CAPTION_SINK_H

#include "tools/annotate/input/list_spool.h"
#include "tools/annotate/sinks/sink_sidecar.h"
#include "tools/annotate/writers/writer.h"
#include "tools/annotate/xmp/xmp_store.h"

typedef struct caption_sink {
    limn_sink *sink;
    limn_sidecar_plan plan;          /* for sidecars */
    limn_output_owners tar_siblings; /* for copies of tars: images without members of their own */
    limn_xmp_store xmp;              /* for XMP */
    limn_list_spool list;            /* for a list that is read both before and during the run */
} caption_sink;                      /* zero-initialise */

/* How a record looks. */
const limn_writer *caption_sink_writer(const limn_annotate_settings *settings);

/* For sidecars, first walks all inputs, and for copies of tars reads through these; for that,
 * inputs->list_fd may be replaced by a rereadable copy of the list. LIMN_E_ARG when this shows that
 * the outputs can't be written as requested; LIMN_E_INTERRUPTED, LIMN_E_IO, LIMN_E_NOMEM. */
limn_status caption_sink_make(caption_sink *out, const limn_annotate_settings *settings,
                              limn_inputs *inputs, limn_error *err);
void caption_sink_finish(caption_sink *s); /* accepts a zeroed one */

#endif
