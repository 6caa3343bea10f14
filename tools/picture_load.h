/* From the bytes of a picture file to the pixels that a model gets, and to a thumbnail: here, or in
 * the child of a sandbox. */
#ifndef LIMN_TOOLS_PICTURE_LOAD_H
#define LIMN_TOOLS_PICTURE_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "encoder/encoder_input.h"
#include "tools/sandbox/sandbox.h"

typedef struct limn_picture_load {
    limn_encoder_input_settings input;
    uint32_t thumbnail_side; /* pixels of the longer side at most; 0: no thumbnail */
} limn_picture_load;

/* A small picture of the whole, upright, in its own shape. */
typedef struct limn_thumbnail {
    uint32_t width, height;
    uint8_t pixels[]; /* [height, width, 3] RGB */
} limn_thumbnail;

/* Bytes that limn_picture_load_run writes: pixels [input_size, input_size, 3], and after them, when
 * there is to be one, room for the largest thumbnail. */
size_t limn_picture_load_size(const limn_picture_load *load);
/* The thumbnail among what it wrote. */
const limn_thumbnail *limn_picture_load_thumbnail(const limn_picture_load *load,
                                                  const uint8_t *loaded);

/* Errors as limn_image_decode, and its notes. `scratch` belongs to one thread. */
limn_status limn_picture_load_run(uint8_t *loaded, const void *bytes, size_t size,
                                  const limn_picture_load *load, limn_resize_scratch *scratch,
                                  limn_error *err);

/* ---- in a sandbox -------------------------------------------------------------------------- */

typedef enum limn_sandbox_use {
    LIMN_SANDBOX_AUTO = 0, /* where there can be one */
    LIMN_SANDBOX_ON,       /* or a failure */
    LIMN_SANDBOX_OFF,
} limn_sandbox_use;

extern const char *const limn_sandbox_uses[]; /* their names, NULL after the last */

/* A sandbox whose children load pictures; *out is NULL where there is none and none is needed: a
 * note says why. Call it before there are threads. As limn_sandbox_start. */
limn_status limn_picture_sandbox_start(limn_sandbox **out, limn_sandbox_use use, size_t n_children,
                                       uint64_t max_pixels, limn_error *err);
/* limn_picture_load_run in a child. */
limn_status limn_picture_sandbox_load(limn_sandbox *sandbox, size_t child, uint8_t *loaded,
                                      const void *bytes, size_t size,
                                      const limn_picture_load *load, limn_error *err);

#endif
