#include "tools/explain/seen_part.h"

#include <math.h>
#include <string.h>

#include "common/base/status.h"
#include "common/base/mem.h"

/* Pixels of a thumbnail's side that become `input` pixels where `shorter` become `shorter_side`. */
static uint32_t seen(uint32_t input, uint32_t shorter, uint32_t shorter_side, uint32_t side)
{
    const double n = round((double)input * shorter / shorter_side);
    return n < 1 ? 1 : n > side ? side : (uint32_t)n;
}

limn_status limn_seen_part(limn_thumbnail **out, const limn_thumbnail *image,
                           const limn_model_info *info, limn_error *err)
{
    *out = NULL;
    if (info->shorter_side == 0) return LIMN_OK;
    const uint32_t shorter = image->width < image->height ? image->width : image->height;
    const uint32_t width = seen(info->input_width, shorter, info->shorter_side, image->width);
    const uint32_t height = seen(info->input_height, shorter, info->shorter_side, image->height);
    const size_t left = (image->width - width) / 2, top = (image->height - height) / 2;
    limn_thumbnail *part = limn_alloc(1, sizeof *part + (size_t)width * height * 3);
    if (!part) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a part of an image");
    part->width = width;
    part->height = height;
    for (size_t y = 0; y < height; y++)
        memcpy(part->pixels + y * width * 3, image->pixels + ((top + y) * image->width + left) * 3,
               (size_t)width * 3);
    *out = part;
    return LIMN_OK;
}
