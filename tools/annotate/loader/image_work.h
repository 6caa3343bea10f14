/* Loading images in a child of a sandbox. */
#ifndef LIMN_TOOLS_ANNOTATE_LOADER_IMAGE_WORK_H
#define LIMN_TOOLS_ANNOTATE_LOADER_IMAGE_WORK_H

#include "tools/annotate/sandbox/sandbox.h"

/* limn_sandbox_settings.work, whose `settings` are a limn_image_load and whose result is that of
 * limn_image_load_run. The decoder modules are its parts: limn_modules_prepare. */
limn_status limn_image_work(uint8_t *out, size_t out_size, const void *bytes, size_t size,
                            const void *settings, limn_error *err);

#endif
