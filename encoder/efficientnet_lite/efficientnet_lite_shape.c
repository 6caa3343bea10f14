#include "encoder/efficientnet_lite/efficientnet_lite_shape.h"

#include <assert.h>
#include <string.h>

enum { N_STAGES = 7, N_STEM = 32, N_HEAD = 1280 };

/* Lite0: blocks, kernel and stride (of the first block), expansion, channels out. */
static const struct {
    uint32_t n_blocks, kernel, stride, expansion, n_outputs;
} stages[N_STAGES] = {
    { 1, 3, 1, 1, 16 },  { 2, 3, 2, 6, 24 },  { 2, 5, 2, 6, 40 },  { 3, 3, 2, 6, 80 },
    { 3, 5, 1, 6, 112 }, { 4, 5, 2, 6, 192 }, { 1, 3, 1, 6, 320 },
};

const char *const limn_efficientnet_lite_names[LIMN_N_EFFICIENTNET_LITES + 1] = {
    "efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2",
    "efficientnet-lite3", "efficientnet-lite4", NULL,
};

/* Multipliers in tenths, so that the rounding is exact. */
static const struct {
    uint32_t width, depth, input_size;
} families[LIMN_N_EFFICIENTNET_LITES] = {
    { 10, 10, 224 }, { 10, 11, 240 }, { 11, 12, 260 }, { 12, 14, 280 }, { 14, 18, 300 },
};

/* channels * width / 10 to the nearest multiple of 8, but not more than a tenth below. */
static uint32_t scale_width(uint32_t channels, uint32_t width)
{
    const uint32_t scaled = (channels * width + 40) / 80 * 8;
    return scaled * 100 < 9 * channels * width ? scaled + 8 : scaled;
}

/* The first and the last stage keep their number of blocks. */
static uint32_t scale_depth(size_t stage, uint32_t depth)
{
    const uint32_t n = stages[stage].n_blocks;
    return stage == 0 || stage == N_STAGES - 1 ? n : (n * depth + 9) / 10;
}

void limn_efficientnet_lite_shape_at(limn_efficientnet_lite_shape *out, size_t index)
{
    uint32_t n_inputs = N_STEM;
    *out = (limn_efficientnet_lite_shape){ .family = limn_efficientnet_lite_names[index],
                                           .n_stem = N_STEM,
                                           .n_head = N_HEAD,
                                           .input_size = families[index].input_size };
    for (size_t stage = 0; stage < N_STAGES; stage++) {
        const uint32_t n = scale_depth(stage, families[index].depth);
        const uint32_t n_outputs = scale_width(stages[stage].n_outputs, families[index].width);
        for (uint32_t i = 0; i < n; i++) {
            assert(out->n_blocks < LIMN_EFFICIENTNET_LITE_MAX_BLOCKS);
            out->blocks[out->n_blocks++] = (limn_mbconv_shape){
                n_inputs,
                n_inputs * stages[stage].expansion,
                n_outputs,
                stages[stage].kernel,
                i == 0 ? stages[stage].stride : 1,
            };
            n_inputs = n_outputs;
        }
    }
}

bool limn_efficientnet_lite_shape_find(limn_efficientnet_lite_shape *out, const char *family)
{
    for (size_t i = 0; i < LIMN_N_EFFICIENTNET_LITES; i++)
        if (strcmp(family, limn_efficientnet_lite_names[i]) == 0) {
            limn_efficientnet_lite_shape_at(out, i);
            return true;
        }
    return false;
}

limn_lite_map limn_efficientnet_lite_map(const limn_efficientnet_lite_shape *shape,
                                         size_t input_size, size_t stage)
{
    limn_lite_map map = { (input_size + 1) / 2, shape->n_stem };
    for (size_t i = 0; i < shape->n_blocks && i < stage; i++) {
        const limn_mbconv_shape *b = &shape->blocks[i];
        map.side = (map.side + b->stride - 1) / b->stride;
        map.n_channels = b->n_outputs;
    }
    if (stage > shape->n_blocks) map.n_channels = shape->n_head;
    return map;
}
