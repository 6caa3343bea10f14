/* Changes of a file that leave all its other bytes as they are: runs of bytes that give way to
 * others. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SPLICE_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SPLICE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"

typedef struct limn_splice {
    size_t at, old_size; /* of the file before */
    limn_buffer bytes;   /* in the place of those */
} limn_splice;

typedef struct limn_splices {
    limn_splice *items; /* [n_items], in order, not overlapping */
    size_t n_items, capacity;
} limn_splices; /* zero-initialise */

/* Adds an empty one behind the others, whose bytes the caller appends; NULL when memory is short.
 * Valid until the next call. */
limn_buffer *limn_splices_add(limn_splices *s, size_t at, size_t old_size);
/* A failure of any of their buffers: LIMN_E_NOMEM. */
limn_status limn_splices_check(const limn_splices *s, limn_error *err);
/* Calls `put` for the bytes of the new file, in order, until it returns something else than
 * LIMN_OK. `old` [size] is the file before, in which the splices lie. */
limn_status limn_splices_apply(const limn_splices *s, const uint8_t *old, size_t size,
                               limn_status (*put)(void *ctx, const void *bytes, size_t size),
                               void *ctx);
/* Appends the new file to `out`. LIMN_E_NOMEM; LIMN_E_IO: the splices are not for these bytes. */
limn_status limn_splices_append_file(limn_buffer *out, const limn_splices *s, const uint8_t *old,
                                     size_t size, limn_error *err);
void limn_splices_finish(limn_splices *s); /* accepts a zeroed one; zeroes it */

#endif
