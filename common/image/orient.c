#include "common/image/codec.h"

#include <string.h>

#include "common/base/mem.h"

#define TILE 32 /* pixels: a tile's rows of source and target stay in the first-level cache */

/* Where the upright image finds its pixels: (x, y) is at source pixel start + x * dx + y * dy. */
typedef struct walk {
    ptrdiff_t start, dx, dy;
} walk;

static walk plan_walk(unsigned orientation, ptrdiff_t width, ptrdiff_t height)
{
    ptrdiff_t right = width - 1, bottom = (height - 1) * width;
    switch (orientation) {
    case 2: return (walk){ right, -1, width };           /* mirrored left to right */
    case 3: return (walk){ bottom + right, -1, -width }; /* half a turn */
    case 4: return (walk){ bottom, 1, -width };          /* mirrored top to bottom */
    case 5: return (walk){ 0, width, 1 };                /* transposed */
    case 6: return (walk){ bottom, -width, 1 };          /* a quarter turn clockwise */
    case 7: return (walk){ bottom + right, -width, -1 }; /* transposed on the other diagonal */
    case 8: return (walk){ right, width, -1 };           /* a quarter turn anticlockwise */
    default: return (walk){ 0, 1, width };
    }
}

static limn_resize_box turn_box(limn_resize_box b, const walk *w, const limn_image *upright,
                                bool is_transposed)
{
    float width = (float)upright->width, height = (float)upright->height;
    if (is_transposed) b = (limn_resize_box){ b.top, b.left, b.bottom, b.right };
    if (w->dx < 0) b = (limn_resize_box){ width - b.right, b.top, width - b.left, b.bottom };
    if (w->dy < 0) b = (limn_resize_box){ b.left, height - b.bottom, b.right, height - b.top };
    return b;
}

static void copy_tile(limn_image *to, const uint8_t *from, const walk *w, uint32_t x0, uint32_t y0)
{
    uint32_t x1 = to->width - x0 < TILE ? to->width : x0 + TILE;
    uint32_t y1 = to->height - y0 < TILE ? to->height : y0 + TILE;
    for (uint32_t y = y0; y < y1; y++) {
        uint8_t *out = to->pixels + ((size_t)y * to->width + x0) * 3;
        const uint8_t *in = from + (w->start + (ptrdiff_t)x0 * w->dx + (ptrdiff_t)y * w->dy) * 3;
        for (uint32_t x = x0; x < x1; x++, out += 3, in += w->dx * 3) {
            out[0] = in[0];
            out[1] = in[1];
            out[2] = in[2];
        }
    }
}

limn_status limn_image_orient(limn_image *image, unsigned orientation, limn_error *err)
{
    bool is_transposed = orientation >= 5 && orientation <= 8;
    walk w = plan_walk(orientation, image->width, image->height);
    limn_image upright = { 0 };
    if (orientation < 2 || orientation > 8) return LIMN_OK;
    LIMN_TRY(limn_image_reserve(&upright, "EXIF orientation",
                                is_transposed ? image->height : image->width,
                                is_transposed ? image->width : image->height, err));
    for (uint32_t y = 0; y < upright.height; y += TILE)
        for (uint32_t x = 0; x < upright.width; x += TILE)
            copy_tile(&upright, image->pixels, &w, x, y);
    upright.full_width = is_transposed ? image->full_height : image->full_width;
    upright.denominator = image->denominator;
    upright.full_height = is_transposed ? image->full_width : image->full_height;
    upright.box = turn_box(image->box, &w, &upright, is_transposed);
    limn_image_finish(image);
    *image = upright;
    return LIMN_OK;
}
