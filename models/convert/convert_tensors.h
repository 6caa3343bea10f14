/* The tensors of a model file, made from those of a convert_source: batch norm folded in double
 * precision, everything stored as asked. */
#ifndef LIMN_MODELS_CONVERT_CONVERT_TENSORS_H
#define LIMN_MODELS_CONVERT_CONVERT_TENSORS_H

#include <stdbool.h>

#include "common/weights/feedback.h"
#include "models/document_frequencies.h"
#include "models/folded_channels.h"
#include "models/model_tensors.h"
#include "models/tag_heads.h"
#include "models/convert/convert_source.h"

/* Metadata of a file whose encoder was calibrated (calibrate.h): with what. */
#define CONVERT_CALIBRATION_KEY "limn.int8_calibration"

/* Of one I8 tensor. */
typedef struct convert_scales {
    char name[LIMN_TENSOR_NAME_SIZE + sizeof LIMN_TENSOR_SCALES];
    float *values; /* [n_outputs], owned; NULL for a tensor that isn't I8 */
} convert_scales;

typedef struct convert_result {
    limn_model_config config;
    const limn_vocab *vocab; /* the source's; NULL for an encoder alone */
    limn_tensor_spec *specs; /* [n_tensors]; names of the tensors */
    limn_tensor *tensors;    /* [n_tensors]; data owned */
    convert_scales *scales;  /* [n_tensors]; NULL when there is no I8 */
    float **source_scales;   /* [n_tensors] of those that the source has as I8, owned; else NULL */
    size_t n_tensors;
    limn_document_frequencies *frequencies; /* of a source that was a model; NULL without */
    limn_tag_heads tags;                    /* of the source */
    char *confidence;            /* its JSON (models/confidence.h), from limn_alloc; NULL without */
    char calibration[32];        /* what I8 was calibrated with, "256 images"; "" without */
    limn_folded_channels folded; /* those of the source, and what was scaled since */
} convert_result;

/* All in F32. LIMN_E_FORMAT names the tensor that is missing, has another shape, is not finite or
 * is not used; LIMN_E_UNSUPPORTED (family, dtype); LIMN_E_ARG (a decoder is requested but missing);
 * LIMN_E_NOMEM. */
limn_status convert_tensors(convert_result *out, convert_source *source, bool is_encoder_only,
                            limn_error *err);
void convert_result_finish(convert_result *r); /* accepts a zeroed struct */

/* Weights to F16; the others stay as they are. LIMN_E_LIMIT names a value that F16 can't hold. */
limn_status convert_result_narrow(convert_result *r, limn_error *err);

/* Room for the scales of I8 tensors. LIMN_E_NOMEM. */
limn_status convert_result_begin_int8(convert_result *r, limn_error *err);
/* After that: tensor `index`, which is F32, to I8 (common/kernels/int8.h); with `feedback` (may be
 * NULL) from the moments of its inputs. LIMN_E_NOMEM; LIMN_E_INTERRUPTED when `feedback` is
 * stopping; the result is then unusable. */
limn_status convert_result_quantize_one(convert_result *r, size_t index,
                                        const limn_feedback *feedback, limn_error *err);
/* All to I8 where allowed and not done yet, the others to F16: what the source has as I8 is the
 * same again. LIMN_E_NOMEM, and as convert_result_narrow. */
limn_status convert_result_quantize(convert_result *r, limn_error *err);

/* Forgets how the source was quantised: its values are no longer the result's, or are to be
 * quantised anew. */
void convert_result_forget_int8(convert_result *r);

/* How a source stored the weights: F32 where it was no model. */
limn_tensor_dtype convert_source_dtype(const convert_result *r, const convert_source *source);

/* Writes the model file, with the notes (metadata) of a source that was one. */
limn_status convert_result_write(const char *path, convert_result *r, const convert_source *source,
                                 limn_error *err);

#endif
