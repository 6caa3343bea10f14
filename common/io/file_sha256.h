/* The SHA-256 of a file, as sha256sum prints it. */
#ifndef LIMN_COMMON_IO_FILE_SHA256_H
#define LIMN_COMMON_IO_FILE_SHA256_H

#include "common/base/status.h"

#define LIMN_SHA256_TEXT 65 /* 64 digits and NUL */

/* LIMN_E_IO; the text [LIMN_SHA256_TEXT]. */
limn_status limn_file_sha256(char *text, const char *path, limn_error *err);

#endif
