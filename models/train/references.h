/* Reference captions as word ids, image by image, laid out as in limn_training_set. */
#ifndef LIMN_MODELS_TRAIN_REFERENCES_H
#define LIMN_MODELS_TRAIN_REFERENCES_H

#include <stddef.h>
#include <stdint.h>

typedef struct limn_references {
    const uint32_t *tokens;       /* without start and end token */
    const size_t *offsets;        /* caption c is tokens[offsets[c]] … [offsets[c + 1] - 1] */
    const size_t *first_captions; /* [n_images + 1]; of image p: first_captions[p] …
                                   * [p + 1] - 1; never sample for an image without any */
    size_t n_images;
    uint32_t end; /* the end token, which follows every caption */
} limn_references;

#endif
