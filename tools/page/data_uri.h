/* Images and numbers inside a page: no other file is needed to look at it. */
#ifndef LIMN_TOOLS_PAGE_DATA_URI_H
#define LIMN_TOOLS_PAGE_DATA_URI_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/status.h"

/* pixels [height, width, 3] RGB as a JPEG of quality 1 … 100, "data:image/jpeg;base64,…".
 * LIMN_E_NOMEM. */
limn_status limn_page_append_jpeg(limn_buffer *out, const uint8_t *pixels, uint32_t width,
                                  uint32_t height, int quality, limn_error *err);

#endif
