/* Values of options as text: reading, writing, near names. The same for the library's options and
 * for those of a tool. Not installed. */
#ifndef LIMN_MODELS_OPTION_VALUE_H
#define LIMN_MODELS_OPTION_VALUE_H

#include "common/base/buffer.h"
#include "models/option.h"

#define LIMN_MAX_SEED 9007199254740992.0 /* 2^53, the largest of a LIMN_OPT_SIZE */

/* Reads `value` into the row's field in `settings`; NULL sets a flag or bit. A text and the items
 * of a list are borrowed; the array of a list is limn_realloc's. LIMN_E_ARG, which begins with the
 * name: "beam: 99 is not in 1 … 64"; LIMN_E_NOMEM. */
limn_status limn_option_read(void *settings, const limn_option *row, const char *value,
                             limn_error *err);

/* "NAME VALUE\n" of the field. Of a list, a line for each item; a flag is yes or no; a text that is
 * not set is empty, and a number or choice out of range (not set by anyone) is "default". In texts,
 * backslash, tab and line ends are \\ \t \n \r. */
void limn_option_append_value(limn_buffer *out, const void *settings, const limn_option *row);

/* The number in the field of a COUNT, SIZE, REAL, CHOICE or BIT. */
double limn_option_number(const void *settings, const limn_option *row);

/* Whether the row has the name [size]; '_' is '-'. */
bool limn_option_has_name(const limn_option *row, const char *name, size_t size);

/* The name that is nearest to a mistaken one, among rows with help; start with { NULL, 3 }. */
typedef struct limn_near_name {
    const char *name; /* NULL: none is near */
    size_t distance;
} limn_near_name;

void limn_near_name_consider(limn_near_name *best, const limn_option *row, const char *mistaken);

#endif
