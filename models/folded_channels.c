#include "models/folded_channels.h"

#include <stdio.h>
#include <string.h>

#define FORMAT "encoder %zu, decoder %zu"

limn_status limn_folded_channels_read(limn_folded_channels *out, const limn_safetensors *file,
                                      limn_error *err)
{
    const char *text = limn_safetensors_metadata(file, LIMN_FOLDED_KEY);
    unsigned n_encoder, n_decoder;
    char same[LIMN_FOLDED_TEXT_SIZE];
    *out = (limn_folded_channels){ 0 };
    if (!text) return LIMN_OK;
    if (sscanf(text, "encoder %9u, decoder %9u", &n_encoder, &n_decoder) == 2) {
        *out = (limn_folded_channels){ n_encoder, n_decoder };
        snprintf(same, sizeof same, FORMAT, out->n_encoder, out->n_decoder);
        if (strcmp(text, same) == 0) return LIMN_OK;
    }
    return limn_fail(
        err, LIMN_E_FORMAT,
        LIMN_FOLDED_KEY " is \"%.40s\", not two numbers as in \"encoder 8, decoder 0\"", text);
}

size_t limn_folded_channels_metadata(limn_metadata_item *item, char text[LIMN_FOLDED_TEXT_SIZE],
                                     const limn_folded_channels *f)
{
    if (f->n_encoder + f->n_decoder == 0) return 0;
    snprintf(text, LIMN_FOLDED_TEXT_SIZE, FORMAT, f->n_encoder, f->n_decoder);
    *item = (limn_metadata_item){ LIMN_FOLDED_KEY, text };
    return 1;
}
