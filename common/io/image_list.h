/* Names of images, as in a list that says which count (--only). */
#ifndef LIMN_COMMON_IO_IMAGE_LIST_H
#define LIMN_COMMON_IO_IMAGE_LIST_H

#include <stdbool.h>

#include "common/base/status.h"

typedef struct limn_image_list limn_image_list;

/* Reads one name per line; empty lines are skipped. Names are compared by what follows their last
 * '/'. Errors name the path. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_image_list_read(limn_image_list **out, const char *path, limn_error *err);
void limn_image_list_destroy(limn_image_list **list); /* accepts NULL, nulls it */

/* Whether it has an image with either of these names (may be NULL). */
bool limn_image_list_has(const limn_image_list *list, const char *id, const char *alias);

#endif
