/* The rows behind limn_option_at, as an array: for models/ and the command line. Not installed. */
#ifndef LIMN_MODELS_OPTION_TABLE_H
#define LIMN_MODELS_OPTION_TABLE_H

#include <stddef.h>

#include "models/option.h"

extern const limn_option limn_option_rows[]; /* [limn_n_option_rows] */
extern const size_t limn_n_option_rows;

#endif
