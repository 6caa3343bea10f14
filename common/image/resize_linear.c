#include "common/image/resize_linear.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { WEIGHT_BITS = 11, ONE = 1 << WEIGHT_BITS, COLOURS = 3 };

/* The two source positions of an output, and their weights. */
typedef struct tap {
    uint32_t first, second;
    int32_t weights[2];
} tap;

static int32_t to_fixed_point(float weight)
{
    return (int32_t)nearbyintf(weight * ONE);
}

static uint32_t clamp(float position, uint32_t n)
{
    return position < 0 ? 0 : position >= (float)n ? n - 1 : (uint32_t)position;
}

/* In doubles and floats as OpenCV has them. Beyond the outermost pixels, both positions are the
 * same: a column then counts once, a row twice with its two weights, which rounds otherwise. */
static tap tap_of(const limn_linear_axis *a, uint32_t i, bool is_row)
{
    const double scale = 1.0 / ((double)a->n_whole / ((double)a->to - a->from));
    const float at = (float)(a->from + (i + a->n_skipped + 0.5) * scale - 0.5);
    const float first = floorf(at);
    const bool is_inside = first >= 0 && first < (float)(a->n_in - 1);
    const float part = is_inside || is_row ? at - first : 0;
    return (tap){ .first = clamp(first, a->n_in),
                  .second = clamp(first + 1, a->n_in),
                  .weights = { to_fixed_point(1.0f - part), to_fixed_point(part) } };
}

static int32_t across(const uint8_t *row, const tap *x, uint32_t colour)
{
    return row[x->first * COLOURS + colour] * x->weights[0] +
           row[x->second * COLOURS + colour] * x->weights[1];
}

/* The lowest 4 of a sum's 19 bits are dropped before the product, 16 after it. */
static int32_t weigh(int32_t sum, int32_t weight)
{
    return ((sum >> 4) * weight) >> 16;
}

static void resize_pixel(uint8_t *out, const uint8_t *above, const uint8_t *below, const tap *x,
                         const tap *y)
{
    for (uint32_t c = 0; c < COLOURS; c++) {
        const int32_t sum =
            weigh(across(above, x, c), y->weights[0]) + weigh(across(below, x, c), y->weights[1]);
        out[c] = (uint8_t)((sum + 2) >> 2);
    }
}

void limn_resize_linear(uint8_t *dst, const uint8_t *src, const limn_linear_axis *x,
                        const limn_linear_axis *y)
{
    const size_t row = (size_t)x->n_in * COLOURS;
    for (uint32_t i = 0; i < y->n_out; i++) {
        const tap down = tap_of(y, i, true);
        for (uint32_t j = 0; j < x->n_out; j++, dst += COLOURS) {
            const tap right = tap_of(x, j, false);
            resize_pixel(dst, src + down.first * row, src + down.second * row, &right, &down);
        }
    }
}
