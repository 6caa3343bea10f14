/* Captions without images, read for pairing: which objects they name, and how much they say beyond
 * the objects. */
#ifndef LIMN_MODELS_TRAIN_POOL_CAPTIONS_H
#define LIMN_MODELS_TRAIN_POOL_CAPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/text/objects.h"

typedef struct limn_pool_caption {
    limn_object_set objects;
    bool names_person;
    uint8_t number; /* the largest that its words say, up to 3, see below; else 1 */
    float details;  /* see below; 0 … */
} limn_pool_caption;

/* Reads captions [n], lower-case words with single spaces between, into out [n].
 *
 * `number` is 2 for a couple, a pair, both, two; 3 for three … ten, dozen, several, many, few,
 * multiple, numerous, group, herd, flock, crowd and their plurals.
 *
 * `details` is the sum over a caption's words of log(share / p) where p < share: p is the part of
 * the captions that name one of the same objects (the largest over these objects) which have the
 * word too. "a giraffe standing in a field" has none with share 0.05: one giraffe caption in 20 has
 * each of its words; "a giraffe named sophie" has. A caption that names no object gets 0: it is not
 * paired. LIMN_E_NOMEM, LIMN_E_LIMIT. */
limn_status limn_pool_captions_read(limn_pool_caption *out, const char *const *captions, size_t n,
                                    float share, limn_error *err);

#endif
