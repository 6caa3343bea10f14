#include "common/image/codec.h"

#include <inttypes.h>

#include "common/base/mem.h"

static limn_status check_side(const char *format, const char *name, uint64_t side,
                              const limn_image_settings *settings, limn_error *err)
{
    uint32_t max_side =
        settings->max_side < LIMN_IMAGE_MAX_SIDE ? settings->max_side : LIMN_IMAGE_MAX_SIDE;
    if (side == 0) return limn_fail(err, LIMN_E_FORMAT, "%s: %s is 0", format, name);
    if (side > max_side)
        return limn_fail(err, LIMN_E_LIMIT, "%s: %s %" PRIu64 " exceeds the limit of %" PRIu32,
                         format, name, side, max_side);
    if (side < settings->min_side)
        return limn_fail(err, LIMN_E_LIMIT, "%s: %s %" PRIu64 " is below the limit of %" PRIu32,
                         format, name, side, settings->min_side);
    return LIMN_OK;
}

limn_status limn_image_check_size(const char *format, uint64_t width, uint64_t height,
                                  const limn_image_settings *settings, limn_error *err)
{
    LIMN_TRY(check_side(format, "width", width, settings, err));
    LIMN_TRY(check_side(format, "height", height, settings, err));
    if (width * height > settings->max_pixels)
        return limn_fail(err, LIMN_E_LIMIT,
                         "%s: %" PRIu64 " x %" PRIu64 " pixels exceed the limit of %" PRIu64
                         " pixels",
                         format, width, height, settings->max_pixels);
    return LIMN_OK;
}

limn_status limn_image_reserve(limn_image *out, const char *format, uint32_t width, uint32_t height,
                               limn_error *err)
{
    size_t n_pixels;
    if (limn_size_mul(&n_pixels, width, height)) out->pixels = limn_alloc(n_pixels, 3);
    if (!out->pixels)
        return limn_fail(err, LIMN_E_NOMEM, "%s: no memory for %" PRIu32 " x %" PRIu32 " pixels",
                         format, width, height);
    out->width = out->full_width = width;
    out->height = out->full_height = height;
    out->box = (limn_resize_box){ 0, 0, (float)width, (float)height };
    return LIMN_OK;
}

void limn_image_flatten(uint8_t *rgb, const uint8_t *rgba, size_t n_pixels)
{
    for (size_t i = 0; i < n_pixels; i++, rgb += 3, rgba += 4) {
        unsigned alpha = rgba[3], white = 255 * (255 - alpha) + 127; /* 127: round the division */
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)((rgba[c] * alpha + white) / 255);
    }
}

void limn_image_flatten_inks(uint8_t *rgb, const uint8_t *cmyk, size_t n_pixels)
{
    for (size_t i = 0; i < n_pixels; i++, rgb += 3, cmyk += 4)
        for (int c = 0; c < 3; c++) {
            unsigned product = (255u - cmyk[c]) * cmyk[3] + 128; /* divided by 255 with rounding */
            rgb[c] = (uint8_t)(cmyk[3] - ((product + (product >> 8)) >> 8));
        }
}
