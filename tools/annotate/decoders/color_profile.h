/* Colour profiles (ICC) in files of common/image's formats, and whether one means more than sRGB.
 */
#ifndef LIMN_TOOLS_ANNOTATE_DECODERS_COLOR_PROFILE_H
#define LIMN_TOOLS_ANNOTATE_DECODERS_COLOR_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"

/* Appends the profile of a JPEG, PNG or WebP file, or nothing: where it has none, or one that is
 * incomplete or has more than 16 MiB. */
void limn_color_profile_find(limn_buffer *out, const uint8_t *bytes, size_t size);

/* Whether pixels with this profile are to be converted: it is for RGB, and its primaries or its
 * curve are not those of sRGB. (A profile without primaries, which is made of tables, is
 * converted.) Of grey and CMYK the answer is no: those pixels were made RGB without it. */
bool limn_color_profile_is_other(const uint8_t *icc, size_t size);
/* The same of primaries by their number in ITU-T H.273. */
bool limn_color_primaries_are_other(unsigned primaries);

#endif
