#include "common/kernels/int8_lanes.h"

#include <string.h>

void limn_int8_clear(uint8_t *panels, size_t n_panels, size_t n_inputs)
{
    memset(panels, LIMN_INT8_ZERO, n_panels * limn_int8_n_blocks(n_inputs) * LIMN_INT8_BLOCK_BYTES);
}

void limn_int8_put_lane(uint8_t *panel, size_t lane, const int8_t *q, size_t n_inputs)
{
    for (size_t k = 0; k < n_inputs; k++)
        panel[limn_int8_place(k, lane)] = (uint8_t)(q[k] + LIMN_INT8_ZERO);
}

void limn_int8_get_lane(float *weights, const uint8_t *panel, size_t lane, size_t n_inputs,
                        float scale)
{
    for (size_t k = 0; k < n_inputs; k++)
        weights[k] = (float)(panel[limn_int8_place(k, lane)] - LIMN_INT8_ZERO) * scale;
}
