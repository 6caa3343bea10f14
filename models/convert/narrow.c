#include "models/convert/narrow.h"

#include <stdint.h>
#include <string.h>

#include "common/kernels/pack.h"

limn_status narrow_to_f16(float *values, size_t n, const char *name, limn_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const uint16_t half = limn_f32_to_f16(values[i]);
        if ((half & 0x7c00) == 0x7c00)
            return limn_fail(
                err, LIMN_E_LIMIT,
                "tensor %s: value %zu is %g, beyond the range of F16 (65504): use --dtype f32",
                name, i, (double)values[i]);
        memcpy((unsigned char *)values + i * sizeof half, &half, sizeof half);
    }
    return LIMN_OK;
}
