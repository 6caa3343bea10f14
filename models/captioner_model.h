/* Inside of a limn_model: what captioner.h keeps opaque. Only the sources of models/ include
 * this, and the benchmark that times the parts. */
#ifndef LIMN_MODELS_CAPTIONER_MODEL_H
#define LIMN_MODELS_CAPTIONER_MODEL_H

#include "models/captioner.h"
#include "models/document_frequencies.h"
#include "models/model_file.h"

struct limn_model {
    limn_model_config config;
    limn_cpu_level level;
    limn_vocab *vocab;
    limn_encoder *encoder;
    limn_decoder *decoder;
    limn_document_frequencies *frequencies; /* NULL when the file has none */
    size_t max_text; /* bytes of the longest caption, NUL included */
};

#endif
