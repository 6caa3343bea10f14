#include "encoder/encoder_input.h"

#include "common/image/image.h"

limn_status limn_encoder_input_load(uint8_t *input, const void *bytes, size_t size,
                                    const limn_encoder_input_settings *settings,
                                    limn_resize_scratch *scratch, uint32_t *width, uint32_t *height,
                                    limn_error *err)
{
    limn_image_settings decoding = limn_image_settings_default();
    limn_image image = { 0 };
    limn_status s;
    decoding.max_pixels = settings->max_pixels;
    decoding.min_side_hint = settings->input_size;
    LIMN_TRY(limn_image_decode(&image, bytes, size, &decoding, err));
    s = limn_image_resize(input, settings->input_size, settings->input_size, &image,
                          settings->resize, scratch, err);
    if (width)
        *width = image.full_width;
    if (height)
        *height = image.full_height;
    limn_image_finish(&image);
    return s;
}
