/* The objects that a caption names: the 80 classes of COCO, and whether anybody is named.
 *
 * The words of each class are in objects_words.c. They follow the list of CHAIR (Rohrbach et al.
 * 2018, "Object Hallucination in Image Captioning"), with these differences:
 *   - longer phrases win: a hot dog is no dog, a teddy bear no bear, a wine glass no glass, a dirt
 *     bike no bicycle, a baby elephant nobody's child, and a bus stop, train tracks, a ski lift or
 *     a toy car are not the things their words name;
 *   - words that mostly mean something else are left out: container, notebook, bow, sub, turkey,
 *     pancake, street light;
 *   - "orange" is the fruit only where it is not a colour (see limn_objects_find);
 *   - more words for people, from captions of Flickr8k and COCO;
 *   - words that imply people (crowd, couple, family, someone, a hand) name a person, but are not
 *     objects of the class "person".
 * English only. */
#ifndef LIMN_COMMON_TEXT_OBJECTS_H
#define LIMN_COMMON_TEXT_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define LIMN_N_OBJECTS 80
#define LIMN_OBJECT_PERSON 0

/* The class's name in lower case, with spaces ("traffic light"); static storage.
 * object < LIMN_N_OBJECTS; the numbers are COCO's order without its gaps: person 0 … toothbrush 79.
 */
const char *limn_object_name(size_t object);
/* The class of a name [size bytes], in which "_" may stand for a space. False when there is none.
 */
bool limn_object_by_name(size_t *object, const char *name, size_t size);

/* ---- sets --------------------------------------------------------------------------------- */

typedef struct limn_object_set {
    uint64_t bits[2]; /* class c is bit c % 64 of bits[c / 64] */
} limn_object_set;

static inline bool limn_object_set_has(limn_object_set set, size_t object)
{
    return set.bits[object / 64] >> (object % 64) & 1;
}

static inline void limn_object_set_add(limn_object_set *set, size_t object)
{
    set->bits[object / 64] |= (uint64_t)1 << (object % 64);
}

/* Whether every class of `a` is in `b`. */
static inline bool limn_object_set_is_within(limn_object_set a, limn_object_set b)
{
    return !(a.bits[0] & ~b.bits[0]) && !(a.bits[1] & ~b.bits[1]);
}

static inline bool limn_object_set_is_empty(limn_object_set set)
{
    return !set.bits[0] && !set.bits[1];
}

/* ---- words of captions -------------------------------------------------------------------- */

/* The words of all classes, ready to be looked up: create it once, share it between threads. */
typedef struct limn_object_lexicon limn_object_lexicon;

limn_status limn_object_lexicon_create(limn_object_lexicon **out,
                                       limn_error *err);         /* LIMN_E_NOMEM */
void limn_object_lexicon_destroy(limn_object_lexicon **lexicon); /* accepts NULL; nulls it */

#define LIMN_OBJECTS_MAX_MENTIONS 64

typedef struct limn_object_mentions {
    limn_object_set objects; /* the classes named */
    bool names_person;       /* a person, people, or what means them */
    uint8_t
        mentions[LIMN_OBJECTS_MAX_MENTIONS]; /* [n_mentions] classes in the order of the words */
    size_t n_mentions; /* of a caption that names more, the first ones; `objects` has all */
} limn_object_mentions;

/* What `tokens` names: lower-case words with single spaces between, as limn_ptb_tokenize gives them
 * or as the words of a vocabulary put together; a hyphen separates words too. Singular and plural
 * are the same class. "orange" counts unless it stands as a colour: after "in", "bright", "and" …,
 * or before a noun or another colour ("an orange cat", "orange and white", but "an orange and an
 * apple", "an orange on a plate"). Pure. */
void limn_objects_find(limn_object_mentions *out, const limn_object_lexicon *lexicon,
                       const char *tokens);

#endif
