/* The table behind objects.h: which words name which class. */
#ifndef LIMN_COMMON_TEXT_OBJECTS_WORDS_H
#define LIMN_COMMON_TEXT_OBJECTS_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "common/text/objects.h"

enum {
    LIMN_OBJECT_NONE = 255,  /* the phrase names no object, though its words do */
    LIMN_OBJECT_HINT = 254,  /* people, but no object of the class "person" */
    LIMN_OBJECT_BEAST = 253, /* an animal of no class */
};

typedef struct limn_object_words {
    uint8_t object;    /* a class, or one of the above */
    const char *words; /* singular forms, and plurals that are not regular; ", " between two */
} limn_object_words;

/* The first LIMN_N_OBJECTS entries are the classes in order; the first word is the class's name. */
extern const limn_object_words limn_object_words_table[];
extern const size_t limn_object_n_words; /* entries */

#endif
