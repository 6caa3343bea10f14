/* The files of a model folder as on the Hugging Face Hub. Errors begin with the path. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_FOLDER_FILE_H
#define LIMN_MODELS_CONVERT_PUBLISHED_FOLDER_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

/* FOLDER/NAME, which the caller frees with limn_free(); NULL and LIMN_E_NOMEM in `err`. */
char *folder_file_path(const char *folder, const char *name, limn_error *err);
bool folder_file_is_there(const char *folder, const char *name);
/* All bytes, with a NUL after them; the caller frees `*out` with limn_free(). */
limn_status folder_file_read(unsigned char **out, size_t *size, const char *folder,
                             const char *name, limn_error *err);
typedef limn_status folder_file_parser(json_t **out, const void *bytes, size_t size,
                                       limn_error *err);
/* A JSON document, which the caller releases with json_decref(); `parse` is limn_json_parse or one
 * like it. */
limn_status folder_file_json(json_t **out, const char *folder, const char *name,
                             folder_file_parser *parse, limn_error *err);

#endif
