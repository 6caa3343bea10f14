/* The decoder modules: which formats each reads, whether this build has it, and opening it.
 *
 *     format of the bytes ─ limn_module_of_format ─▶ id ─ limn_module_get ─▶ limn_decoder_module
 *
 * In a sandbox a module is opened before a child is locked down: the first child that needs it asks
 * for it (limn_sandbox_need) and leaves the image to a child that has it. */
#ifndef LIMN_TOOLS_ANNOTATE_DECODERS_DECODER_MODULES_H
#define LIMN_TOOLS_ANNOTATE_DECODERS_DECODER_MODULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/image/format.h"
#include "tools/annotate/decoders/decoder_module.h"

typedef enum limn_module_id {
    LIMN_MODULE_TIFF,
    LIMN_MODULE_HEIF,
    LIMN_MODULE_JXL,
    LIMN_MODULE_RAW,
    LIMN_MODULE_ICC, /* no format: colour profiles */
    LIMN_N_MODULES,
    LIMN_MODULE_NONE = LIMN_N_MODULES,
} limn_module_id;

/* The module that reads this format; NONE for those of common/image and those that nothing reads.
 */
limn_module_id limn_module_of_format(const limn_image_format *format);
/* Whether this build has it. */
bool limn_module_is_built(limn_module_id id);
/* Whether a file of this format (NULL: unknown) can be decoded, by a module or by common/image. */
bool limn_format_is_read(const limn_image_format *format);

/* Opens it unless it is open; any thread. LIMN_E_UNSUPPORTED: it is not in this build, or can't be
 * opened, or not now. */
limn_status limn_module_get(const limn_decoder_module **out, limn_module_id id, limn_error *err);

/* From now on, in this process, modules are opened by limn_modules_prepare only. */
void limn_modules_only_prepared(void);
/* prepare of limn_sandbox_settings: opens the modules of the bits 1 << id. */
void limn_modules_prepare(uint32_t parts);

/* "libtiff 4.5.0" or why it is not there. */
void limn_module_describe(char *text, size_t size, limn_module_id id);

#endif
