/* Where a converted model comes from, as limn-convert notes it (source_record.h). */
#ifndef LIMN_TOOLS_INSPECT_ORIGIN_H
#define LIMN_TOOLS_INSPECT_ORIGIN_H

#include <stdbool.h>

#include "common/io/safetensors.h"

/* Writes "made from", "licence" and a line for each source file to standard output; nothing for a
 * model that was trained here. */
void limn_origin_print(const limn_safetensors *file);
/* Whether a key of the metadata is among what it writes. */
bool limn_origin_has_key(const char *key);

#endif
