#include "encoder/resnet/resnet_shape.h"

#include <assert.h>
#include <string.h>

enum { N_LAYERS = 4, N_STEM = 64, N_NETWORKS = 4 };

const char *const limn_resnet_names[] = { "resnet18", "resnet50", "resnet101", "wide_resnet50_2",
                                          NULL };

/* Blocks of each layer; whether they are bottlenecks, whose outputs are four times as many as a
 * plain one's inner channels; by how much these are widened. */
typedef struct network_row {
    size_t n_blocks[N_LAYERS];
    bool has_bottlenecks;
    size_t widening;
} network_row;

static const network_row networks[N_NETWORKS] = {
    { { 2, 2, 2, 2 }, false, 1 },
    { { 3, 4, 6, 3 }, true, 1 },
    { { 3, 4, 23, 3 }, true, 1 },
    { { 3, 4, 6, 3 }, true, 2 },
};

static void add_block(limn_resnet_shape *s, size_t layer, size_t index, size_t n_inputs,
                      const network_row *network)
{
    const bool is_bottleneck = network->has_bottlenecks;
    const size_t n_plain = (size_t)N_STEM << layer, width = n_plain * network->widening;
    const size_t n_outputs = is_bottleneck ? 4 * n_plain : n_plain;
    const size_t stride = layer > 0 && index == 0 ? 2 : 1;
    assert(s->n_blocks < LIMN_RESNET_MAX_BLOCKS);
    limn_resnet_block *b = &s->blocks[s->n_blocks++];
    *b = (limn_resnet_block){ .layer = layer + 1,
                              .index = index,
                              .n_convolutions = is_bottleneck ? 3 : 2,
                              .has_shortcut = stride > 1 || n_inputs != n_outputs,
                              .shortcut = { n_inputs, n_outputs, 1, stride } };
    if (is_bottleneck) {
        b->convolutions[0] = (limn_resnet_convolution){ n_inputs, width, 1, 1 };
        b->convolutions[1] = (limn_resnet_convolution){ width, width, 3, stride };
        b->convolutions[2] = (limn_resnet_convolution){ width, n_outputs, 1, 1 };
    } else {
        b->convolutions[0] = (limn_resnet_convolution){ n_inputs, width, 3, stride };
        b->convolutions[1] = (limn_resnet_convolution){ width, width, 3, 1 };
    }
}

static void fill_shape(limn_resnet_shape *out, size_t network)
{
    size_t n_inputs = N_STEM;
    *out = (limn_resnet_shape){ .stem = { 3, N_STEM, 7, 2 } };
    for (size_t layer = 0; layer < N_LAYERS; layer++)
        for (size_t i = 0; i < networks[network].n_blocks[layer]; i++) {
            add_block(out, layer, i, n_inputs, &networks[network]);
            n_inputs = out->blocks[out->n_blocks - 1].shortcut.n_outputs;
        }
}

bool limn_resnet_shape_find(limn_resnet_shape *out, const char *name)
{
    for (size_t i = 0; i < N_NETWORKS; i++)
        if (strcmp(name, limn_resnet_names[i]) == 0) {
            fill_shape(out, i);
            return true;
        }
    return false;
}
