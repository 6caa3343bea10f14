/* Compares the objects that a caption names with those that its image's references name: false ones
 * (CHAIR: Rohrbach et al. 2018), missed ones, and both combined as F1. People are one class,
 * whatever the word for them. */
#ifndef LIMN_MODELS_TRAIN_OBJECT_MATCH_H
#define LIMN_MODELS_TRAIN_OBJECT_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "decoder/vocab.h"
#include "models/train/references.h"

typedef struct limn_object_match {
    size_t n_false; /* classes, people too, that the caption names and no reference does */
    /* Of the classes other than people: 2 n_both / (n_named + n_shown), where the caption names
     * n_named, the references n_shown and both n_both. 1 where neither names any. */
    double object_f1;
    double person_f1; /* the same for people alone: 1 where both name somebody or neither does */
} limn_object_match;

/* What references name; immutable, shared by threads. */
typedef struct limn_shown_objects limn_shown_objects;

/* Looks through all references once. `vocab` is borrowed. LIMN_E_NOMEM. */
limn_status limn_shown_objects_create(limn_shown_objects **out, const limn_vocab *vocab,
                                      const limn_references *references, limn_error *err);
void limn_shown_objects_destroy(limn_shown_objects **s); /* accepts NULL and *s == NULL; nulls it */

/* Compares the caption of ids [n] with the references of `image` (< n_images). Of a caption longer
 * than 4095 bytes, only the beginning counts. */
limn_object_match limn_shown_objects_match(const limn_shown_objects *s, size_t image,
                                           const uint32_t *ids, size_t n);

#endif
