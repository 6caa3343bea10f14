/* The contact sheet of a run (--report): a page of thumbnails with their captions, each with its
 * confidence or, where there is none, its score; then what failed and why.
 *
 * Memory is bounded: of more than SHEET_LOWEST + SHEET_SAMPLE images, those that are
 * least sure are kept, and a sample of the others by a hash of their names; of more than
 * SHEET_FAILURES failures, the first. The page says so. Which ones are kept depends neither on the
 * order of the calls nor on threads. */
#ifndef LIMN_TOOLS_LIMN_SHEET_CONTACT_SHEET_H
#define LIMN_TOOLS_LIMN_SHEET_CONTACT_SHEET_H

#include <stdint.h>

#include "models/captioner.h"
#include "tools/annotate/annotate.h"

enum { SHEET_LOWEST = 500, SHEET_SAMPLE = 500, SHEET_FAILURES = 1000, SHEET_THUMBNAIL_SIDE = 288 };

typedef struct contact_sheet contact_sheet;

/* The page will be at `path` (borrowed). A file there that is no page of limn's is not replaced:
 * LIMN_E_ARG. LIMN_E_IO: there can be none; LIMN_E_NOMEM. */
limn_status contact_sheet_create(contact_sheet **out, const char *path, limn_error *err);
void contact_sheet_destroy(contact_sheet **sheet); /* accepts NULL and *sheet == NULL; nulls it */

/* Any thread, each image once. LIMN_E_NOMEM. */
limn_status contact_sheet_add(contact_sheet *sheet, const char *name, const limn_caption *caption,
                              const limn_thumbnail *thumbnail, limn_error *err);
/* In input order, from one thread. LIMN_E_NOMEM. */
limn_status contact_sheet_add_failure(contact_sheet *sheet, const char *name,
                                      const limn_error *failure, limn_error *err);
/* Once, in the end. `n_before`: images of earlier runs, which are not on the page. LIMN_E_IO,
 * LIMN_E_NOMEM. */
limn_status contact_sheet_write(contact_sheet *sheet, size_t n_before, limn_error *err);

#endif
