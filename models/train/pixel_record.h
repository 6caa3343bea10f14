/* PATH.json of a pixel cache: what its rows were made from. */
#ifndef LIMN_MODELS_TRAIN_PIXEL_RECORD_H
#define LIMN_MODELS_TRAIN_PIXEL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "encoder/encoder_input.h"

/* An image's file as it was when it was read. */
typedef struct limn_file_stamp {
    int64_t size; /* bytes */
    int64_t time; /* of its last change, in nanoseconds since 1970 */
} limn_file_stamp;

typedef struct limn_unreadable_image {
    char *name, *error; /* owned by the record or the cache that holds it */
} limn_unreadable_image;

typedef struct limn_pixel_record {
    limn_encoder_input_settings input;
    uint64_t
        names; /* checksum of the names of the rows, in their order (limn_pixel_record_hash_name) */
    limn_file_stamp *stamps; /* [n_rows] */
    uint64_t *checksums;     /* [n_rows] of the pixels */
    size_t n_rows;
    limn_unreadable_image *unreadable;  /* [n_unreadable] */
    limn_file_stamp *unreadable_stamps; /* [n_unreadable] */
    size_t n_unreadable;
    size_t rows_capacity, checksums_capacity, unreadable_capacity, unreadable_stamps_capacity;
} limn_pixel_record; /* zero-initialise */

void limn_pixel_record_finish(limn_pixel_record *r); /* accepts a zeroed one; zeroes it */

limn_status limn_pixel_record_add(limn_pixel_record *r, limn_file_stamp stamp, uint64_t checksum,
                                  limn_error *err); /* LIMN_E_NOMEM */
/* Copies both texts. LIMN_E_NOMEM. */
limn_status limn_pixel_record_add_unreadable(limn_pixel_record *r, limn_file_stamp stamp,
                                             const char *name, const char *error, limn_error *err);

/* Adds one name to the checksum: the file of names can be altered as easily as the pixels. */
uint64_t limn_pixel_record_hash_name(uint64_t names, const char *name);

/* Errors begin with the path. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_pixel_record_write(const char *path, const limn_pixel_record *r, limn_error *err);
/* Into a zeroed one. Errors begin with the path and name the field. LIMN_E_IO, LIMN_E_FORMAT,
 * LIMN_E_LIMIT, LIMN_E_NOMEM. */
limn_status limn_pixel_record_read(limn_pixel_record *r, const char *path, limn_error *err);

#endif
