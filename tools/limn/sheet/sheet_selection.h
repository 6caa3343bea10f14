/* Which images are on a contact sheet: two heaps. Of all that were offered, `lowest` holds those
 * that rank lowest, and `sample`, of the rest, those whose names have the smallest hashes.
 * Both are the same in whatever order images are offered: what falls out of the one is offered to
 * the other, and what fell out of both would never get in again. One thread at a time. */
#ifndef LIMN_TOOLS_LIMN_SHEET_SHEET_SELECTION_H
#define LIMN_TOOLS_LIMN_SHEET_SHEET_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"

typedef struct sheet_image {
    char *name, *caption;     /* owned; the name as it is in the output */
    double score, confidence; /* NAN: there is none */
    double rank;              /* the confidence where there is one, else the score */
    uint64_t hash;            /* of the name */
    limn_buffer thumbnail;    /* a data: URI */
} sheet_image;

void sheet_image_finish(sheet_image *p); /* accepts a zeroed one */

typedef struct sheet_heap {
    sheet_image *items; /* [n_items], room for `capacity`; the first is the next to fall out */
    size_t n_items, capacity;
} sheet_heap;

typedef struct sheet_selection {
    sheet_heap lowest, sample;
} sheet_selection;

/* False when memory is short; finish it then too. */
bool sheet_selection_init(sheet_selection *s, size_t n_lowest, size_t n_sample);
void sheet_selection_finish(sheet_selection *s); /* accepts a zeroed one */

/* Whether an image with this rank and hash would be kept now. */
bool sheet_selection_wants(const sheet_selection *s, double rank, uint64_t hash);
/* Takes the image, and frees what falls out. */
void sheet_selection_add(sheet_selection *s, sheet_image image);

#endif
