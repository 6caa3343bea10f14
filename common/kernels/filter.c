#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/pack.h"

enum { GROUP = LIMN_FILTER_GROUP };

size_t limn_filter_n_groups(const limn_filter *f)
{
    return f->n_channels / GROUP + (f->n_channels % GROUP != 0);
}

static size_t n_taps(const limn_filter *f)
{
    return f->size * f->size;
}

limn_status limn_filter_init(limn_filter *out, const float *w, const float *bias, size_t n_channels,
                             size_t size, limn_error *err)
{
    *out = (limn_filter){ .n_channels = n_channels, .size = size };
    const size_t n_lanes = limn_filter_n_groups(out) * GROUP, taps = n_taps(out);
    out->taps = limn_alloc_aligned(n_lanes, taps * sizeof *out->taps);
    out->bias = limn_alloc_aligned(n_lanes, sizeof *out->bias);
    if (!out->taps || !out->bias) {
        limn_filter_finish(out);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a depthwise filter of %zu channels",
                         n_channels);
    }
    for (size_t c = 0; c < n_lanes; c++) {
        float *lane = out->taps + c / GROUP * taps * GROUP + c % GROUP;
        out->bias[c] = bias && c < n_channels ? bias[c] : 0.0f;
        for (size_t tap = 0; tap < taps; tap++)
            lane[tap * GROUP] = c < n_channels ? w[c * taps + tap] : 0.0f;
    }
    return LIMN_OK;
}

void limn_filter_finish(limn_filter *f)
{
    limn_free(f->taps);
    limn_free(f->bias);
    *f = (limn_filter){ 0 };
}

const float *limn_filter_taps(const limn_filter *f, size_t group)
{
    return f->taps + group * n_taps(f) * GROUP;
}

size_t limn_filter_bytes(const limn_filter *f)
{
    return limn_filter_n_groups(f) * GROUP * (n_taps(f) + 1) * sizeof(float);
}
