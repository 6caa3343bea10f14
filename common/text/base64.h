/* Bytes as text: base64 (RFC 4648) with its padding. */
#ifndef LIMN_COMMON_TEXT_BASE64_H
#define LIMN_COMMON_TEXT_BASE64_H

#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/status.h"

void limn_base64_append(limn_buffer *out, const void *data, size_t size);

/* Appends the bytes of text [size]. LIMN_E_FORMAT names the character that can't stand where it
 * does, LIMN_E_NOMEM. */
limn_status limn_base64_read(limn_buffer *out, const char *text, size_t size, limn_error *err);

#endif
