/* Names of image files: endings, the numbers that datasets give, and what tells two names of one
 * image apart. Pure; thread-safe. */
#ifndef LIMN_COMMON_TEXT_IMAGE_NAME_H
#define LIMN_COMMON_TEXT_IMAGE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"

/* Where the ending of an image (".jpg", in any case) begins in a name [size bytes]; `size` when
 * the name has none. */
size_t limn_image_name_stem(const char *name, size_t size);
bool limn_image_name_has_ending(const char *name);

/* Replaces `out` by what a name has in common with the other ways to write it that are in use: its
 * last component without an image's ending. Of digits, and of COCO's names, it is the number:
 * "val2014/COCO_val2014_000000391895.jpg", "coco_391895", "000000391895.jpg", "391895" and
 * "391895.0" have one key. (COCO_val2014_….jpg: cocodataset.org; coco_…: LAVIS' annotations; ….0:
 * pandas.) The query of a URL doesn't count. The numbers in VizWiz's names are not its image ids:
 * they are left as they are. */
void limn_image_name_key(limn_buffer *out, const char *name);

/* Whether two names with equal keys can be of one image: their endings are equal but for case, or
 * one has none. */
bool limn_image_name_endings_agree(const char *a, const char *b);

/* Replaces `out` by a key that also ignores case, backslashes, Unicode normal forms and words in
 * front of a number: names of equal folds are near, not equal. */
void limn_image_name_fold(limn_buffer *out, const char *name);

/* Replaces `out` by what tells two names with equal folds apart: "the ending", "case and zeros" …;
 * "" when nothing does. */
void limn_image_name_difference(limn_buffer *out, const char *a, const char *b);

#endif
