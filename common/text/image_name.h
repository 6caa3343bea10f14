/* Names of image files: extensions, the numbers that datasets assign, and how two names of one
 * image differ. Pure; thread-safe. */
#ifndef LIMN_COMMON_TEXT_IMAGE_NAME_H
#define LIMN_COMMON_TEXT_IMAGE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"

/* Where an image's extension (".jpg", in any case) begins in a name [size bytes]; `size` when the
 * name has none. */
size_t limn_image_name_stem(const char *name, size_t size);
bool limn_image_name_has_ending(const char *name);

/* Replaces `out` by a key that a name shares with the other spellings in use: its last component
 * without an image's extension. For names of digits alone, and for COCO's, it is the number:
 * "val2014/COCO_val2014_000000391895.jpg", "coco_391895", "000000391895.jpg", "391895" and
 * "391895.0" have one key. (COCO_val2014_….jpg: cocodataset.org; coco_…: LAVIS' annotations; ….0:
 * pandas.) The query of a URL doesn't count. The numbers in VizWiz's names are not its image ids:
 * they are left as they are. */
void limn_image_name_key(limn_buffer *out, const char *name);

/* Whether two names with equal keys can be of one image: their extensions are equal except for
 * case, or one has none. */
bool limn_image_name_endings_agree(const char *a, const char *b);

/* Replaces `out` by a key that also ignores case, backslashes, Unicode normal forms and words in
 * front of a number: names with equal folds are similar, not the same. */
void limn_image_name_fold(limn_buffer *out, const char *name);

/* Replaces `out` by how two names with equal folds differ: "the extension", "case and zeros" …; ""
 * when nothing does. */
void limn_image_name_difference(limn_buffer *out, const char *a, const char *b);

#endif
