/* The ids of limn-score --ids: captions as token ids, and the images that they are of. A line is a
 * JSON object {"file": NAME, "ids": [ID, …]}. */
#ifndef LIMN_COMMON_IO_IDS_FILE_H
#define LIMN_COMMON_IO_IDS_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

typedef struct limn_ids_record {
    char *name, *path; /* of the image: as the file has it, and in the folder of images */
    uint32_t *ids;     /* [n_ids] */
    size_t n_ids;
    size_t number; /* of its line, from 1 */
} limn_ids_record;

typedef struct limn_ids_file {
    limn_ids_record *records; /* [n_records], by path, those of one in the order of their lines */
    size_t n_records, capacity;
    size_t longest; /* ids of a record */
} limn_ids_file;

/* Reads a file, or /dev/stdin. Images are FOLDER/NAME. Errors name the line and the field:
 * LIMN_E_FORMAT, LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_ids_file_read(limn_ids_file *out, const char *path, const char *folder,
                               limn_error *err);
void limn_ids_file_finish(limn_ids_file *f); /* accepts a zeroed one */

/* The records of an image: the first, and how many. NULL when there is none. */
const limn_ids_record *limn_ids_file_find(const limn_ids_file *f, const char *path,
                                          size_t *n_records);

#endif
