/* The job of `limn-preprocess`: pixels or features of the images of a pipeline, into a cache. */
#ifndef LIMN_TOOLS_PREPROCESS_FEATURE_JOB_H
#define LIMN_TOOLS_PREPROCESS_FEATURE_JOB_H

#include "common/io/cache_writer.h"
#include "encoder/encoder.h"
#include "tools/annotate/image_load.h"
#include "tools/annotate/pipeline.h"

typedef struct limn_feature_job {
    limn_image_loader loader;
    const limn_encoder *encoder; /* NULL: the pixels themselves */
    bool keeps_floats;           /* features are written as f32, not f16 */
    limn_cache_writer *cache;
} limn_feature_job;

/* For limn_pipeline_run with a limn_feature_job as ctx. */
extern const limn_pipeline_stages limn_feature_stages;

#endif
