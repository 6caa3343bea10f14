/* Names of images in order, and looking up which of them a name refers to. Caption files, lists and
 * caches give more or less of an image's path: "a.jpg" and "photos/a.jpg" are one image where this
 * is unambiguous. */
#ifndef LIMN_MODELS_TRAIN_IMAGE_NAMES_H
#define LIMN_MODELS_TRAIN_IMAGE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/rng.h"
#include "common/base/status.h"
#include "common/io/captions.h"
#include "common/text/string_table.h"

#define LIMN_NO_IMAGE UINT32_MAX

/* Zero-initialise; limn_image_names_finish frees. Adding is for one thread at a time; names that
 * are no longer added to may be read by many. */
typedef struct limn_image_names {
    limn_string_table names; /* the number of a name is the number of its image */
    limn_string_table lasts; /* last parts of the names' paths */
    uint32_t *newest;        /* [lasts.n_strings] the newest name with it */
    uint32_t *older;         /* [names.n_strings] the next older name with the same last part, or
                              * LIMN_NO_IMAGE */
    size_t newest_capacity, older_capacity;
} limn_image_names;

void limn_image_names_finish(limn_image_names *n); /* accepts a zeroed one; zeroes it */

/* Adds a name unless it is already there. LIMN_E_NOMEM, LIMN_E_LIMIT beyond 2^31 names. */
limn_status limn_image_names_add(limn_image_names *n, const char *name, limn_error *err);
/* Adds all of `from`. */
limn_status limn_image_names_add_all(limn_image_names *n, const limn_image_names *from,
                                     limn_error *err);
/* Adds the lines of the list file at `path`; empty lines are skipped, a name that occurs twice
 * counts once. Errors name path and line. LIMN_E_IO, LIMN_E_FORMAT (a NUL, no name at all),
 * LIMN_E_LIMIT, LIMN_E_NOMEM. */
limn_status limn_image_names_read(limn_image_names *n, const char *path, limn_error *err);
/* Adds the images of a caption file in the order of first occurrence: by id or alias, whichever
 * looks like a file name (has an extension), else the id. LIMN_E_NOMEM, LIMN_E_LIMIT. */
limn_status limn_image_names_add_captions(limn_image_names *n, const limn_caption_file *file,
                                          limn_error *err);

size_t limn_image_names_count(const limn_image_names *n);
const char *limn_image_names_get(const limn_image_names *n, size_t index); /* index < count */

/* The image with exactly this name; else the only one whose path ends in `name`, or whose name is
 * the end of the path `name`; LIMN_NO_IMAGE when there is none or more than one. */
uint32_t limn_image_names_find(const limn_image_names *n, const char *name);
/* The image of a caption, by id or else alias. */
uint32_t limn_image_names_find_record(const limn_image_names *n, const limn_caption_record *record);

/* The random stream of an image for one use of it: a function of (seed, last part of its name,
 * use, number) alone, so that neither the order, nor the other images, nor the folder changes what
 * is drawn. */
limn_rng limn_image_rng(uint64_t seed, const char *name, const char *use, uint64_t number);

/* Splits the names into `train` and `dev` (both zeroed), each keeping their order. An image's side
 * depends on (seed, last part of its name) alone, so that adding images does not move the others.
 * `dev_share` in 0 … 1 is the chance to be in dev. LIMN_E_NOMEM. */
limn_status limn_image_names_split(limn_image_names *train, limn_image_names *dev,
                                   const limn_image_names *all, double dev_share, uint64_t seed,
                                   limn_error *err);

/* "folder/name", or `name` itself when it begins with a slash; the caller frees it. LIMN_E_NOMEM.
 */
limn_status limn_image_path(char **out, const char *folder, const char *name, limn_error *err);
/* Which of `all` are regular files in `folder`: `present` (zeroed) gets their names, in order.
 * LIMN_E_NOMEM. */
limn_status limn_image_names_present(limn_image_names *present, const limn_image_names *all,
                                     const char *folder, limn_error *err);

#endif
