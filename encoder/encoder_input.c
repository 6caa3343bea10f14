#include "encoder/encoder_input.h"

#include <math.h>

#include "common/image/decode.h"

limn_input_spec limn_input_square(uint32_t side, limn_resize_filter filter, float mean, float scale)
{
    return (limn_input_spec){ .width = side,
                              .height = side,
                              .filter = filter,
                              .mean = { mean, mean, mean },
                              .scale = { scale, scale, scale } };
}

size_t limn_input_bytes(const limn_input_spec *spec)
{
    return (size_t)spec->width * spec->height * 3;
}

bool limn_input_is_alike(const limn_input_spec *a, const limn_input_spec *b)
{
    return a->width == b->width && a->height == b->height && a->filter == b->filter &&
           a->fit == b->fit && a->rounding == b->rounding && a->shorter_side == b->shorter_side &&
           a->decodes_whole == b->decodes_whole;
}

bool limn_input_has_one_mean(const limn_input_spec *s)
{
    return s->mean[0] == s->mean[1] && s->mean[0] == s->mean[2] && s->scale[0] == s->scale[1] &&
           s->scale[0] == s->scale[2];
}

/* Mean and scale are repeated to fill whole vectors: a loop over three colours is not
 * vectorised. */
void limn_normalise_values(float *restrict out, const uint8_t *restrict pixels, size_t n_values,
                           const float mean[3], const float scale[3])
{
    enum { PERIOD = 48 };
    float means[PERIOD], scales[PERIOD];
    size_t i = 0;
    for (size_t k = 0; k < PERIOD; k++) means[k] = mean[k % 3], scales[k] = scale[k % 3];
    for (; i + PERIOD <= n_values; i += PERIOD)
        for (size_t k = 0; k < PERIOD; k++)
            out[i + k] = ((float)pixels[i + k] - means[k]) * scales[k];
    for (; i < n_values; i++) out[i] = ((float)pixels[i] - mean[i % 3]) * scale[i % 3];
}

void limn_input_normalise(float *out, const uint8_t *pixels, const limn_input_spec *spec)
{
    limn_normalise_values(out, pixels, limn_input_bytes(spec), spec->mean, spec->scale);
}

const char *const limn_rounding_names[] = { "torchvision", "transformers", "albumentations", NULL };

/* Half of n to the nearest integer, halves to the even one, as Python's round. */
static uint32_t round_half(uint32_t n)
{
    return n / 2 + (n % 4 == 3);
}

/* What a side becomes when the shorter one becomes spec->shorter_side. */
static uint32_t resized(const limn_input_spec *s, uint32_t side, uint32_t shorter)
{
    if (s->rounding == LIMN_ROUND_ALBUMENTATIONS)
        return (uint32_t)nearbyint(side * ((double)s->shorter_side / shorter));
    return (uint32_t)((uint64_t)s->shorter_side * side / shorter);
}

static uint32_t offset(const limn_input_spec *s, uint32_t whole, uint32_t part)
{
    return s->rounding == LIMN_ROUND_TORCHVISION ? round_half(whole - part) : (whole - part) / 2;
}

static limn_resize_window window_of(const limn_input_spec *s, uint32_t width, uint32_t height)
{
    limn_resize_window w = {
        .whole_width = s->width, .whole_height = s->height, .width = s->width, .height = s->height
    };
    if (s->fit == LIMN_FIT_SQUASH) return w;
    const uint32_t shorter = width < height ? width : height;
    w.whole_width = resized(s, width, shorter);
    w.whole_height = resized(s, height, shorter);
    w.left = offset(s, w.whole_width, s->width);
    w.top = offset(s, w.whole_height, s->height);
    return w;
}

limn_status limn_input_fit(uint8_t *input, const limn_image *image, const limn_input_spec *spec,
                           limn_resize_scratch *scratch, limn_error *err)
{
    const limn_resize_window window = window_of(spec, image->full_width, image->full_height);
    return limn_resize_into_window(input, &window, image->pixels, image->width, image->height,
                                   &image->box, spec->filter, scratch, err);
}

/* Final size of the relevant side, in pixels; 0: decode at full scale. */
static uint32_t side_hint(const limn_input_spec *s)
{
    if (s->decodes_whole) return 0;
    if (s->fit == LIMN_FIT_CROP) return s->shorter_side;
    return s->width > s->height ? s->width : s->height;
}

limn_image_settings limn_encoder_input_decoding(const limn_encoder_input_settings *settings)
{
    limn_image_settings decoding = limn_image_settings_default();
    decoding.max_pixels = settings->max_pixels;
    decoding.min_side_hint = side_hint(&settings->spec);
    return decoding;
}

limn_status limn_encoder_input_decode(limn_image *out, const void *bytes, size_t size,
                                      const limn_encoder_input_settings *settings, limn_error *err)
{
    const limn_image_settings decoding = limn_encoder_input_decoding(settings);
    return limn_image_decode(out, bytes, size, &decoding, err);
}

bool limn_encoder_input_suits(const limn_image *image, const limn_encoder_input_settings *settings)
{
    return limn_image_suits_hint(image, side_hint(&settings->spec));
}

limn_status limn_encoder_input_load(uint8_t *input, const void *bytes, size_t size,
                                    const limn_encoder_input_settings *settings,
                                    limn_resize_scratch *scratch, uint32_t *width, uint32_t *height,
                                    limn_error *err)
{
    limn_image image = { 0 };
    limn_status s;
    LIMN_TRY(limn_encoder_input_decode(&image, bytes, size, settings, err));
    s = limn_input_fit(input, &image, &settings->spec, scratch, err);
    if (width) *width = image.full_width;
    if (height) *height = image.full_height;
    limn_image_finish(&image);
    return s;
}
