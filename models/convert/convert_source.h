/* The input of limn-convert: one of several kinds of file, distinguished by content, as a list of
 * tensors with their configuration. */
#ifndef LIMN_MODELS_CONVERT_CONVERT_SOURCE_H
#define LIMN_MODELS_CONVERT_CONVERT_SOURCE_H

#include <stdbool.h>

#include "common/io/pth.h"
#include "models/model_file.h"
#include "models/convert/encoder_names.h"
#include "models/convert/tensor_list.h"

typedef enum convert_kind {
    CONVERT_MODEL,     /* one of limn's model files */
    CONVERT_REFERENCE, /* the reference captioner: original names, batch norm unfolded */
    CONVERT_ENCODER,   /* published weights of an encoder: .pth, or the same in a .safetensors */
} convert_kind;

typedef struct convert_source {
    convert_kind kind;
    limn_model_config config;
    limn_vocab *vocab;                /* NULL without a decoder */
    const original_encoder *original; /* whose names its encoder has; not of CONVERT_MODEL */
    double batch_norm_eps;            /* not of CONVERT_MODEL */
    char prefix[64]; /* of the encoder's original names: "encoder.", "state_dict.", "" … */
    tensor_list tensors;
    limn_safetensors *file; /* one of the two holds the tensors */
    limn_pth *pth;
} convert_source;

/* Errors begin with the path; a file of another kind is LIMN_E_FORMAT, with the kinds it can be. */
limn_status convert_source_open(convert_source *out, const char *path, limn_error *err);
void convert_source_close(convert_source *s); /* accepts a zeroed struct */

/* A tensor by its name, marked as used; NULL when there is none. */
const limn_tensor *convert_source_use(convert_source *s, const char *name);

/* What it is, for messages. Static storage. */
const char *convert_source_kind(const convert_source *s);

#endif
