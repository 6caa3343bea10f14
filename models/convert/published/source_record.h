/* Where a converted model comes from: its source files with their SHA-256, and its licence, as
 * stored in the model file. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_SOURCE_RECORD_H
#define LIMN_MODELS_CONVERT_PUBLISHED_SOURCE_RECORD_H

#include <jansson.h>

#include "common/base/status.h"

/* Keys of the model file's metadata. */
#define SOURCE_FILES_KEY "limn.source"     /* JSON: [{"file": …, "sha256": …}, …] */
#define SOURCE_KIND_KEY "limn.source.kind" /* "BLIP" … */
#define SOURCE_LICENCE_KEY "limn.source.licence"

typedef struct source_record {
    json_t *files;     /* an array; NULL before the first */
    const char *known; /* whose file it is, by its SHA-256; NULL: unknown */
} source_record;       /* zero-initialise */

/* Reads the whole file. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status source_record_add(source_record *record, const char *path, limn_error *err);
/* The SHA-256 of a file that was added, by its name without folders; NULL when there is none. */
const char *source_record_sha256(const source_record *record, const char *name);
void source_record_finish(source_record *record); /* accepts a zeroed struct */

#endif
