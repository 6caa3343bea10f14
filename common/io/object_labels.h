/* Objects that a detector found in each image: files of lines
 *
 *     name<TAB>class:score class:score …
 *
 * A class is one of the 80 of common/text/objects.h, with "_" or a space between its words
 * ("traffic_light", "traffic light"); a score is a decimal fraction from 0 to 1. A class stands
 * once for each box. An image without objects has only its name and a tab. Blank lines are
 * ignored; lines may end in CR LF. */
#ifndef LIMN_COMMON_IO_OBJECT_LABELS_H
#define LIMN_COMMON_IO_OBJECT_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/text/objects.h"
#include "common/text/string_table.h"

#define LIMN_OBJECT_LABELS_MAX_BOXES 1000             /* of one image */
#define LIMN_OBJECT_LABELS_MAX_SIZE ((size_t)1 << 30) /* bytes of a file */

typedef struct limn_object_box {
    uint8_t object; /* < LIMN_N_OBJECTS */
    float score;    /* 0 … 1 */
} limn_object_box;

typedef struct limn_object_labels {
    limn_string_table names; /* [n_images]: an image's number is its line's, counted from 0 */
    size_t *first_box;       /* [n_images + 1]: boxes first_box[i] … first_box[i + 1] - 1 */
    limn_object_box *boxes;  /* [first_box[n_images]] in the order of the file */
    size_t n_images;
    size_t images_capacity, boxes_capacity;
} limn_object_labels;

/* Reads a file. LIMN_E_IO; LIMN_E_FORMAT (no tab, empty or repeated name, unknown class, a score
 * that is none or out of 0 … 1, NUL, invalid UTF-8, no image at all), LIMN_E_LIMIT, LIMN_E_NOMEM;
 * the text begins with path and line. On failure `out` is zeroed. */
limn_status limn_object_labels_read(limn_object_labels *out, const char *path, limn_error *err);
void limn_object_labels_finish(limn_object_labels *labels); /* accepts a zeroed struct; zeroes it */

/* The classes of an image's boxes with scores of `min_score` and more. */
limn_object_set limn_object_labels_set(const limn_object_labels *labels, size_t image,
                                       float min_score);

#endif
