/* Document frequencies of the captions of files, for a model file. */
#ifndef LIMN_MODELS_CONVERT_REFERENCE_FREQUENCIES_H
#define LIMN_MODELS_CONVERT_REFERENCE_FREQUENCIES_H

#include "common/io/captions.h"
#include "models/document_frequencies.h"

typedef struct limn_reference_settings {
    const char *const *paths; /* [n_paths] caption files (common/io/captions.h) */
    size_t n_paths;
    const char *only; /* a list of the images that count, one a line; NULL: all */
    limn_caption_reading how;
    /* limn_caption_file_read, or a function that also reports what was left out */
    limn_status (*read)(limn_caption_file *out, const char *path, const limn_caption_reading *how,
                        limn_error *err);
} limn_reference_settings;

/* Counts in lower-case Penn Treebank tokens without punctuation, as the metrics do; the captions of
 * one id in one file are those of one image. Errors name the path. LIMN_E_ARG when no caption is
 * left; LIMN_E_NOMEM; those of reading. */
limn_status limn_reference_frequencies_count(limn_document_frequencies **out,
                                             const limn_reference_settings *settings,
                                             limn_error *err);

#endif
