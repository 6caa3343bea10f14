/* The tag slots of an image: its most probable objects, by the head LIMN_OBJECTS_SET of the model
 * file, most probable first, ties by lower number. */
#ifndef LIMN_MODELS_TAG_SLOTS_H
#define LIMN_MODELS_TAG_SLOTS_H

#include "common/base/arena.h"
#include "decoder/decoder.h"
#include "models/tagger.h"

/* Scratch memory of a worker. */
typedef struct limn_tag_slots limn_tag_slots;

/* Whether `tagger` (NULL: none) knows the tags that the decoder reads; without slots none are
 * needed. LIMN_E_FORMAT says how many are there and how many were expected. */
limn_status limn_tag_slots_check(const limn_decoder_config *config, const limn_tagger *tagger,
                                 limn_error *err);

/* Takes scratch memory from an arena, which may be counting (then NULL); NULL for a decoder without
 * slots. `tagger`, which was checked, must outlive it. */
limn_tag_slots *limn_tag_slots_take(const limn_decoder_config *config, const limn_tagger *tagger,
                                    limn_arena *arena);

/* The slots [n_tag_slots] of the image of features [n_positions, dim], valid until the next call;
 * NULL where `s` is NULL. Allocates nothing. */
const limn_tag_slot *limn_tag_slots_find(limn_tag_slots *s, const float *features);

#endif
