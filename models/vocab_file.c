#include "models/vocab_file.h"

#include <string.h>

#include "common/io/fileio.h"
#include "models/model_file.h"

/* A safetensors file has the size of its header, then the header, which is JSON. */
static limn_status is_model(bool *out, const char *path, limn_error *err)
{
    limn_file_bytes file;
    LIMN_TRY(limn_file_bytes_read(&file, path, SIZE_MAX, err));
    *out = file.size > 8 && file.bytes[8] == '{';
    limn_file_bytes_free(&file);
    return LIMN_OK;
}

limn_status limn_vocab_file_read(limn_vocab **out, const char *path, limn_error *err)
{
    limn_model_file model;
    bool has_model;
    *out = NULL;
    LIMN_TRY(is_model(&has_model, path, err));
    if (!has_model) return limn_vocab_read(out, path, err);
    LIMN_TRY(limn_model_file_open(&model, path, err));
    *out = model.vocab;
    model.vocab = NULL;
    limn_model_file_close(&model);
    if (!*out)
        return limn_fail(err, LIMN_E_FORMAT, "%s: an encoder-only model has no vocabulary", path);
    return LIMN_OK;
}
