/* Resizing, bit for bit as Pillow's Image.resize on 8-bit RGB (antialiased: the filter widens with
 * the scale; two passes in 8-bit fixed point). The order of the passes follows Pillow 13; up to
 * version 12 the horizontal pass was always first, so some pixels differ slightly for images that
 * lose many more rows than columns. */
#ifndef LIMN_COMMON_IMAGE_RESIZE_H
#define LIMN_COMMON_IMAGE_RESIZE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

typedef enum limn_resize_filter {
    LIMN_RESIZE_BILINEAR = 0,
    LIMN_RESIZE_BICUBIC, /* Keys' cubic, a = -0.5 */
    LIMN_RESIZE_LINEAR,  /* not antialiased: OpenCV's INTER_LINEAR (resize_linear.h) */
} limn_resize_filter;
extern const char *const limn_resize_filter_names[]; /* by number, NULL after the last */

/* Scratch memory that grows to the largest image seen and is then reused. Zero-initialise. */
typedef struct limn_resize_scratch {
    void *block;
    size_t size;
} limn_resize_scratch;
void limn_resize_scratch_finish(limn_resize_scratch *s);

/* A rectangle in pixels of the source, which may begin and end within a pixel. */
typedef struct limn_resize_box {
    float left, top, right, bottom;
} limn_resize_box;

/* dst [dst_height, dst_width, 3] from src [src_height, src_width, 3], dense. Sides from 1 to 65535.
 * LIMN_E_NOMEM, LIMN_E_ARG (a side out of range). Allocates only when `scratch` must grow. */
limn_status limn_resize(uint8_t *dst, uint32_t dst_width, uint32_t dst_height, const uint8_t *src,
                        uint32_t src_width, uint32_t src_height, limn_resize_filter filter,
                        limn_resize_scratch *scratch, limn_error *err);

/* The same of a part of the source, as Pillow does it with `box`. LIMN_E_ARG also when the box is
 * empty or reaches out of the source. */
limn_status limn_resize_part(uint8_t *dst, uint32_t dst_width, uint32_t dst_height,
                             const uint8_t *src, uint32_t src_width, uint32_t src_height,
                             const limn_resize_box *box, limn_resize_filter filter,
                             limn_resize_scratch *scratch, limn_error *err);

/* The part of the resized image to compute. */
typedef struct limn_resize_window {
    uint32_t whole_width, whole_height; /* of the resized image */
    uint32_t left, top, width, height;  /* of the part; within the whole */
} limn_resize_window;

/* dst [window.height, window.width, 3]: the window of what limn_resize_part makes of
 * [whole_height, whole_width], the rest of which is not computed. LIMN_E_ARG also for a window that
 * reaches out of the whole. The whole may be larger than 65535. */
limn_status limn_resize_into_window(uint8_t *dst, const limn_resize_window *window,
                                    const uint8_t *src, uint32_t src_width, uint32_t src_height,
                                    const limn_resize_box *box, limn_resize_filter filter,
                                    limn_resize_scratch *scratch, limn_error *err);

#endif
