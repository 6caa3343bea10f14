/* Links from a page to files beside or above it. */
#ifndef LIMN_TOOLS_PAGE_PAGE_LINK_H
#define LIMN_TOOLS_PAGE_PAGE_LINK_H

#include <stdbool.h>

#include "common/base/buffer.h"

/* Appends the relative URL of the file `path` as seen from the page `page` (which may not exist
 * yet; its folder does), percent-encoded: it stays right when both move together. False, and
 * nothing is appended, when `path` is not a regular file. A failure of memory is
 * out->has_failed. */
bool limn_page_append_link(limn_buffer *out, const char *page, const char *path);

#endif
