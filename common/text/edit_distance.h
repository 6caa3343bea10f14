/* Edit distance, for "did you mean" in messages. */
#ifndef LIMN_COMMON_TEXT_EDIT_DISTANCE_H
#define LIMN_COMMON_TEXT_EDIT_DISTANCE_H

#include <stddef.h>

#define LIMN_EDIT_DISTANCE_MAX_SIZE 64 /* bytes */

/* Bytes to insert, delete, replace or swap with their neighbour (each costs 1) to turn `a` into
 * `b` (optimal string alignment). SIZE_MAX when either is longer than LIMN_EDIT_DISTANCE_MAX_SIZE.
 * Pure. */
size_t limn_edit_distance(const char *a, const char *b);

#endif
