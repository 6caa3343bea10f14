/* Objects that a caption names although no reference of its image does (CHAIR: Rohrbach et al.
 * 2018), counted by class. People are one class, whatever word means them. */
#ifndef LIMN_MODELS_TRAIN_FALSE_OBJECTS_H
#define LIMN_MODELS_TRAIN_FALSE_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "decoder/vocab.h"
#include "models/train/references.h"

typedef struct limn_false_objects limn_false_objects; /* immutable; shared by threads */

/* Looks through all references once. `vocab` is borrowed. LIMN_E_NOMEM. */
limn_status limn_false_objects_create(limn_false_objects **out, const limn_vocab *vocab,
                                      const limn_references *references, limn_error *err);
void limn_false_objects_destroy(limn_false_objects **f); /* accepts NULL and *f == NULL; nulls it */

/* The classes that the caption of ids [n] names and no reference of `image` (< n_images) does.
 * Of a caption of more than 4095 bytes, those of its beginning. */
size_t limn_false_objects_count(const limn_false_objects *f, size_t image, const uint32_t *ids,
                                size_t n);

#endif
