/* The specification of weigh_pixels.h. */
#include "common/kernels/weigh_pixels.h"
#include "common/kernels/weigh_rows.h"

static uint8_t to_pixel(int32_t sum)
{
    const int32_t value = sum >> LIMN_WEIGH_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void weigh_row(uint8_t *restrict out, const uint8_t *restrict in,
                      const limn_weigh_pixels_job *job)
{
    for (size_t i = 0; i < job->n_out; i++) {
        const int32_t *weights = job->weights + i * job->stride;
        const uint8_t *pixel = in + (size_t)job->first[i] * 3;
        int32_t r = 1 << (LIMN_WEIGH_BITS - 1), g = r, b = r;
        for (uint32_t t = 0; t < job->n_taps[i]; t++, pixel += 3) {
            r += pixel[0] * weights[t];
            g += pixel[1] * weights[t];
            b += pixel[2] * weights[t];
        }
        out[i * 3] = to_pixel(r);
        out[i * 3 + 1] = to_pixel(g);
        out[i * 3 + 2] = to_pixel(b);
    }
}

void limn_weigh_pixels_c(const limn_weigh_pixels_job *job)
{
    for (size_t y = 0; y < job->n_rows; y++)
        weigh_row(job->out + y * job->n_out * 3, job->in + y * job->n_in * 3, job);
}
