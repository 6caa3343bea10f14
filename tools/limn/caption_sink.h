/* The sink that the options of limn ask for. */
#ifndef LIMN_TOOLS_LIMN_CAPTION_SINK_H
#define LIMN_TOOLS_LIMN_CAPTION_SINK_H

#include "tools/limn/caption_settings.h"
#include "tools/annotate/pipeline/pipeline.h"
#include "tools/annotate/sinks/sink_sidecar.h"

typedef struct caption_sink {
    limn_sink *sink;
    limn_sidecar_plan plan; /* for sidecars */
} caption_sink;             /* zero-initialise */

/* For sidecars, looks at all inputs first. LIMN_E_ARG when that shows that they can't be written as
 * they are asked for; LIMN_E_INTERRUPTED, LIMN_E_IO, LIMN_E_NOMEM. */
limn_status caption_sink_make(caption_sink *out, const caption_settings *settings,
                              const limn_pipeline_settings *pipeline, limn_error *err);
void caption_sink_finish(caption_sink *s); /* accepts a zeroed one */

#endif
