#include "models/train/augment.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"

enum { N_CROP_DRAWS = 10 };

limn_augment_settings limn_augment_settings_default(void)
{
    return (limn_augment_settings){
        .min_area = 0.7f,
        .max_area = 1.0f,
        .min_aspect = 0.8f,
        .max_aspect = 1.25f,
        .flip = 0.5f,
        .brightness = 0.2f,
        .contrast = 0.2f,
        .saturation = 0.2f,
        .filter = LIMN_RESIZE_BICUBIC,
    };
}

/* ---- geometry ------------------------------------------------------------------------------ */

static double draw_between(limn_rng *rng, double low, double high)
{
    return low + (high - low) * limn_rng_uniform(rng);
}

/* Sides are rounded to whole pixels, so that the last bits of log, exp and sqrt, which differ
 * between C libraries, hardly ever matter. */
limn_resize_box limn_draw_crop(uint32_t size, const limn_augment_settings *settings, limn_rng *rng)
{
    const double low = log((double)settings->min_aspect), high = log((double)settings->max_aspect);
    for (int i = 0; i < N_CROP_DRAWS; i++) {
        const double area =
            (double)size * size *
            draw_between(rng, (double)settings->min_area, (double)settings->max_area);
        const double aspect = exp(draw_between(rng, low, high));
        const double width = nearbyint(sqrt(area * aspect)),
                     height = nearbyint(sqrt(area / aspect));
        if (width < 1 || height < 1 || width > size || height > size) continue;
        const uint64_t top = limn_rng_below(rng, size - (uint64_t)height + 1);
        const uint64_t left = limn_rng_below(rng, size - (uint64_t)width + 1);
        return (limn_resize_box){ (float)left, (float)top, (float)(left + (uint64_t)width),
                                  (float)(top + (uint64_t)height) };
    }
    return (limn_resize_box){ 0, 0, (float)size, (float)size };
}

void limn_flip_pixels(uint8_t *pixels, uint32_t size)
{
    for (uint32_t y = 0; y < size; y++) {
        uint8_t *left = pixels + (size_t)y * size * 3, *right = left + ((size_t)size - 1) * 3;
        for (; left < right; left += 3, right -= 3) {
            uint8_t swapped[3];
            memcpy(swapped, left, 3);
            memcpy(left, right, 3);
            memcpy(right, swapped, 3);
        }
    }
}

/* ---- colour -------------------------------------------------------------------------------- */

/* Pillow's Image.blend of two bytes: truncated, not rounded. */
static uint8_t blend(int from, int to, float factor)
{
    const float value = (float)from + factor * (float)(to - from);
    return value <= 0.0f ? 0 : value >= 255.0f ? 255 : (uint8_t)value;
}

/* Pillow's convert("L"). */
static int grey_of(const uint8_t *rgb)
{
    return (int)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

static void blend_all(uint8_t *pixels, size_t n_pixels, int from, float factor)
{
    uint8_t table[256];
    for (int i = 0; i < 256; i++) table[i] = blend(from, i, factor);
    for (size_t i = 0; i < n_pixels * 3; i++) pixels[i] = table[pixels[i]];
}

void limn_adjust_brightness(uint8_t *pixels, size_t n_pixels, float factor)
{
    blend_all(pixels, n_pixels, 0, factor);
}

void limn_adjust_contrast(uint8_t *pixels, size_t n_pixels, float factor)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n_pixels; i++) sum += (uint64_t)grey_of(pixels + 3 * i);
    if (n_pixels > 0)
        blend_all(pixels, n_pixels, (int)((double)sum / (double)n_pixels + 0.5), factor);
}

void limn_adjust_saturation(uint8_t *pixels, size_t n_pixels, float factor)
{
    for (size_t i = 0; i < n_pixels; i++) {
        uint8_t *rgb = pixels + 3 * i;
        const int grey = grey_of(rgb);
        for (int c = 0; c < 3; c++) rgb[c] = blend(grey, rgb[c], factor);
    }
}

/* ---- all of it ----------------------------------------------------------------------------- */

typedef void adjust_fn(uint8_t *pixels, size_t n_pixels, float factor);

typedef struct adjustment {
    adjust_fn *run;
    float strength;
} adjustment;

/* Each factor is drawn whether it is used or not, so that settings do not shift later draws. */
static void jitter(uint8_t *pixels, size_t n_pixels, const limn_augment_settings *settings,
                   limn_rng *rng)
{
    adjustment list[] = { { limn_adjust_brightness, settings->brightness },
                          { limn_adjust_contrast, settings->contrast },
                          { limn_adjust_saturation, settings->saturation } };
    for (size_t i = sizeof list / sizeof *list; i > 0; i--) {
        const size_t chosen = limn_rng_below(rng, i);
        const adjustment a = list[chosen];
        const double factor = draw_between(rng, 1 - (double)a.strength, 1 + (double)a.strength);
        list[chosen] = list[i - 1];
        if (a.strength > 0) a.run(pixels, n_pixels, (float)factor);
    }
}

limn_status limn_augment(uint8_t *dst, const uint8_t *src, uint32_t size,
                         const limn_augment_settings *settings, limn_rng *rng,
                         limn_resize_scratch *scratch, limn_error *err)
{
    if (size == 0 || size > 65535)
        return limn_fail(err, LIMN_E_ARG, "an image of %u pixels a side is not in 1 … 65535",
                         (unsigned)size);
    const limn_resize_box box = limn_draw_crop(size, settings, rng);
    const bool flips = limn_rng_uniform(rng) < (double)settings->flip;
    LIMN_TRY(
        limn_resize_part(dst, size, size, src, size, size, &box, settings->filter, scratch, err));
    if (flips) limn_flip_pixels(dst, size);
    jitter(dst, (size_t)size * size, settings, rng);
    return LIMN_OK;
}
