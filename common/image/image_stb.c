#include "common/image/image_stb.h"

#include <limits.h>
#include <string.h>

#define STBI_ONLY_BMP
#define STBI_ONLY_TGA
#define STBI_ONLY_HDR
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS 65535
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
/* For the functions that this choice of formats leaves declared and never defined. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>

static limn_status fail(const char *format, limn_error *err)
{
    const char *reason = stbi_failure_reason(); /* thread-local */
    bool is_memory = reason && strcmp(reason, "outofmem") == 0;
    return limn_fail(err, is_memory ? LIMN_E_NOMEM : LIMN_E_FORMAT, "%s: %s", format,
                     reason ? reason : "broken");
}

limn_status limn_stb_decode(limn_image *out, const char *format, uint32_t width, uint32_t height,
                            bool has_alpha, const limn_codec_input *in, limn_error *err)
{
    int n_channels = has_alpha ? 4 : 3, w = 0, h = 0, n = 0;
    size_t n_pixels = (size_t)width * height;
    int size = in->size < INT_MAX ? (int)in->size : INT_MAX;
    uint8_t *pixels = stbi_load_from_memory(in->bytes, size, &w, &h, &n, n_channels);
    limn_status s;
    if (!pixels) return fail(format, err);
    if ((uint32_t)w != width || (uint32_t)h != height)
        s = limn_fail(err, LIMN_E_FORMAT, "%s: %d x %d pixels where the header says %u x %u",
                      format, w, h, width, height);
    else
        s = limn_image_reserve(out, format, width, height, err);
    if (s == LIMN_OK && has_alpha)
        limn_image_flatten(out->pixels, pixels, n_pixels);
    else if (s == LIMN_OK)
        memcpy(out->pixels, pixels, n_pixels * 3);
    stbi_image_free(pixels);
    return s;
}
