/* Internals of a limn_model, which captioner.h keeps opaque. Only the sources of models/ include
 * this, and the benchmark that times the parts. */
#ifndef LIMN_MODELS_CAPTIONER_MODEL_H
#define LIMN_MODELS_CAPTIONER_MODEL_H

#include "encoder/input_plan.h"
#include "models/captioner.h"
#include "models/confidence.h"
#include "models/document_frequencies.h"
#include "models/model_file.h"
#include "models/tagger.h"

#define LIMN_MAX_WORKER_THREADS 1024 /* of a limn_state, and of a limn_scorer */

struct limn_model {
    limn_model_config config;
    limn_kernels kernels; /* of the encoder, decoder, tagger and searches */
    limn_vocab *vocab;
    limn_encoder *encoder;
    limn_decoder *decoder;
    limn_document_frequencies *frequencies; /* NULL when the file has none */
    limn_tagger *tagger;                    /* NULL when the file has no tags */
    limn_confidence confidence;             /* with has_confidence */
    bool has_confidence;
    size_t max_text;     /* bytes of the longest caption, NUL included */
    limn_model **others; /* [n_others] the other models of an ensemble, of the same vocabulary */
    size_t n_others;
};

/* Model `i` of an ensemble, 0 being the model itself; NULL past the last. */
const limn_model *limn_model_member(const limn_model *model, size_t i);
/* How images become input of the model (of an ensemble: of the first). */
limn_encoder_input_settings limn_model_input_settings(const limn_model *model, uint64_t max_pixels);
/* The same for all models of an ensemble. LIMN_E_LIMIT, but never for a model that was opened. */
limn_status limn_model_input_plan(limn_input_plan *out, const limn_model *model,
                                  uint64_t max_pixels, limn_error *err);
/* Where the pixels of member `i` begin in the input of an ensemble: models that see an image alike
 * share them. With i the number of members, the bytes of the whole input. */
size_t limn_model_input_offset(const limn_model *model, size_t i);

/* Floats of an image's features: of the model itself, and of all models of an ensemble. */
size_t limn_model_own_features(const limn_model *model);
size_t limn_model_n_features(const limn_model *model);

/* Logits [n_rows, n_tokens] to log-probabilities over the tokens that a caption can hold: the share
 * of those that are never written goes to the others. */
void limn_model_log_probs(const limn_model *model, float *logits, size_t n_rows);

#endif
