/* A row of an option table, the one place where an option is described. The command line, --help,
 * man pages, shell completions and limn_options_set (models/captioner.h) are generated from such
 * rows. */
#ifndef LIMN_MODELS_OPTION_H
#define LIMN_MODELS_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The kind of an option's value, and the type of the field that takes it. */
typedef enum limn_option_type {
    LIMN_OPT_FLAG = 0, /* bool; the command line gives it no value */
    LIMN_OPT_COUNT,    /* uint32_t, a whole number in min … max */
    LIMN_OPT_SIZE,     /* uint64_t, a whole number in min … max; max at most 2^53 */
    LIMN_OPT_REAL,     /* float, in min … max; never NaN or infinite */
    LIMN_OPT_TEXT,     /* const char * */
    LIMN_OPT_CHOICE,   /* unsigned: index into `choices` */
    LIMN_OPT_LIST,     /* limn_option_list: one item each time the option is given */
    LIMN_OPT_BIT,      /* like FLAG, but sets `bit` of an unsigned */
} limn_option_type;

/* In limn_options a list is two fields, the pointer and then the count. */
typedef struct limn_option_list {
    const char **items; /* [n_items] */
    size_t n_items;
} limn_option_list;

typedef struct limn_option {
    const char *name;     /* long name without dashes */
    char letter;          /* short name, 0 for none */
    const char *argument; /* name of the value in --help; NULL for a flag */
    const char *help;     /* one line, at most about 50 characters, no full stop */
    const char *detail;   /* more sentences, for the man page only; may be NULL */
    const char *group;    /* heading in --help; options of a group are adjacent */
    limn_option_type type;
    size_t offset;              /* of the field in the struct that takes the values */
    double min, max;            /* COUNT, SIZE, REAL: bounds, inclusive */
    const char *const *choices; /* CHOICE: names, NULL after the last */
    unsigned bit;               /* BIT */
    const char *default_value; /* as text: the field's value if the option is not given; NULL: there
                                * is none, it is the model's, or `help` states it, because the tool
                                * must know whether the option was given */
    bool is_neutral;           /* does not affect results */
    bool is_optional;          /* TEXT: the value may be omitted (it is then ""); if given, it
                                * follows "=" */
    bool is_more;              /* shown only in --help all, the --help of its group, and the man
                                * page */
} limn_option;

/* The captioning options, in the order of their groups; NULL past the last. Static storage;
 * returned by pointer, since rows may get more fields at their end. */
LIMN_API const limn_option *limn_option_at(size_t index);
/* NULL if there is no such name; '_' matches '-' ("length_penalty"). NULL for NULL. */
LIMN_API const limn_option *limn_option_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif
