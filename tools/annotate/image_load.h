/* From the bytes of an image file to a model's input pixels, and to a thumbnail: in this process,
 * or in a child of a sandbox. */
#ifndef LIMN_TOOLS_ANNOTATE_IMAGE_LOAD_H
#define LIMN_TOOLS_ANNOTATE_IMAGE_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "encoder/input_plan.h"
#include "models/captioner.h"
#include "tools/annotate/annotate.h"
#include "tools/annotate/sandbox/sandbox.h"

typedef struct limn_image_load {
    limn_input_plan plan; /* one input, more for an ensemble whose models see images differently */
    uint32_t thumbnail_side; /* pixels of the longer side at most; 0: no thumbnail */
} limn_image_load;

/* As limn_state_load of this model does it, without a thumbnail. LIMN_E_LIMIT: it is an ensemble of
 * too many different ones. */
limn_status limn_image_load_for(limn_image_load *out, const limn_model *model, uint64_t max_pixels,
                                limn_error *err);
/* Bytes that limn_image_load_run writes: for each input, pixels [height, width, 3], and
 * after them, if one is wanted, room for the largest thumbnail. */
size_t limn_image_load_size(const limn_image_load *load);
/* The thumbnail among what it wrote. */
const limn_thumbnail *limn_image_load_thumbnail(const limn_image_load *load, const uint8_t *loaded);

/* Errors as limn_image_decode, and its notes. `scratch` belongs to one thread. */
limn_status limn_image_load_run(uint8_t *loaded, const void *bytes, size_t size,
                                const limn_image_load *load, limn_resize_scratch *scratch,
                                limn_error *err);

/* ---- for the workers of a pipeline --------------------------------------------------------- */

typedef struct limn_image_loader {
    limn_image_load load;
    limn_sandbox *sandbox;   /* NULL: images are decoded here */
    atomic_bool is_stopping; /* images in the sandbox have two more seconds */
} limn_image_loader;

/* What each worker needs for this, as its first member; zero-initialise, except `loader`. */
typedef struct limn_image_worker {
    const limn_image_loader *loader;
    limn_resize_scratch scratch;
} limn_image_worker;

void limn_image_worker_finish(limn_image_worker *w); /* accepts a zeroed one */
/* limn_pipeline_stages.load of a worker that begins with a limn_image_worker: limn_image_load_run,
 * here or in a child of the sandbox; then also as limn_sandbox_run. */
limn_status limn_image_worker_load(void *worker, const void *bytes, size_t size, uint8_t *loaded,
                                   limn_error *err);

#endif
