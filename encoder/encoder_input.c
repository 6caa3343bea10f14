#include "encoder/encoder_input.h"

limn_status limn_encoder_input_decode(limn_image *out, const void *bytes, size_t size,
                                      const limn_encoder_input_settings *settings, limn_error *err)
{
    limn_image_settings decoding = limn_image_settings_default();
    decoding.max_pixels = settings->max_pixels;
    decoding.min_side_hint = settings->input_size;
    return limn_image_decode(out, bytes, size, &decoding, err);
}

limn_status limn_encoder_input_load(uint8_t *input, const void *bytes, size_t size,
                                    const limn_encoder_input_settings *settings,
                                    limn_resize_scratch *scratch, uint32_t *width, uint32_t *height,
                                    limn_error *err)
{
    limn_image image = { 0 };
    limn_status s;
    LIMN_TRY(limn_encoder_input_decode(&image, bytes, size, settings, err));
    s = limn_image_resize(input, settings->input_size, settings->input_size, &image,
                          settings->resize, scratch, err);
    if (width) *width = image.full_width;
    if (height) *height = image.full_height;
    limn_image_finish(&image);
    return s;
}
