#include "common/image/image.h"

#include "common/base/mem.h"

limn_image_settings limn_image_settings_default(void)
{
    return (limn_image_settings){ .max_pixels = LIMN_DEFAULT_MAX_PIXELS,
                                  .max_side = LIMN_IMAGE_MAX_SIDE,
                                  .min_side = 2 };
}

void limn_image_finish(limn_image *image)
{
    limn_free(image->pixels);
    *image = (limn_image){ 0 };
}

limn_status limn_image_resize(uint8_t *dst, uint32_t dst_width, uint32_t dst_height,
                              const limn_image *image, limn_resize_filter filter,
                              limn_resize_scratch *scratch, limn_error *err)
{
    return limn_resize_part(dst, dst_width, dst_height, image->pixels, image->width, image->height,
                            &image->box, filter, scratch, err);
}
