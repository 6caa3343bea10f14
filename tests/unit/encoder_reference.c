#include "tests/unit/encoder_reference.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/efficientnet_lite/efficientnet_lite_shape.h"

typedef struct map {
    float *x; /* [size, size, n_channels] */
    size_t size, n_channels;
} map;

typedef struct convolution {
    size_t kernel, stride;
    bool is_depthwise, has_relu6;
} convolution;

static float *load(const limn_safetensors *file, const char *name, const char *suffix)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", name, suffix);
    const limn_tensor *t = limn_safetensors_find(file, full);
    float *x = t ? malloc(t->size * 2) : NULL;
    if (!x) abort();
    limn_tensor_to_f32(x, t);
    return x;
}

/* One output: weights [outputs, channels (1 if depthwise), kernel, kernel]. */
static float output_at(const map *in, const convolution *c, const float *w, float bias, size_t o,
                       size_t row, size_t column)
{
    const size_t out_size = (in->size + c->stride - 1) / c->stride;
    const long covered = (long)((out_size - 1) * c->stride + c->kernel);
    const long before = covered > (long)in->size ? (covered - (long)in->size) / 2 : 0;
    const size_t first = c->is_depthwise ? o : 0, n = c->is_depthwise ? 1 : in->n_channels;
    double sum = bias;
    for (size_t i = 0; i < n; i++)
        for (size_t ky = 0; ky < c->kernel; ky++)
            for (size_t kx = 0; kx < c->kernel; kx++) {
                const long y = (long)(row * c->stride + ky) - before;
                const long x = (long)(column * c->stride + kx) - before;
                if (y < 0 || x < 0 || y >= (long)in->size || x >= (long)in->size) continue;
                const size_t at = ((size_t)y * in->size + (size_t)x) * in->n_channels + first + i;
                sum += (double)in->x[at] * w[((o * n + i) * c->kernel + ky) * c->kernel + kx];
            }
    return (float)(c->has_relu6 ? fmin(fmax(sum, 0.0), 6.0) : sum);
}

/* The convolution `name` of `in`, whose memory it frees. */
static map convolve(map in, const limn_safetensors *file, const char *name, size_t n_outputs,
                    convolution c)
{
    map out = { NULL, (in.size + c.stride - 1) / c.stride, n_outputs };
    float *w = load(file, name, "weight"), *bias = load(file, name, "bias"), *y;
    out.x = y = malloc(out.size * out.size * n_outputs * sizeof *out.x);
    if (!y) abort();
    for (size_t row = 0; row < out.size; row++)
        for (size_t column = 0; column < out.size; column++)
            for (size_t o = 0; o < n_outputs; o++)
                *y++ = output_at(&in, &c, w, bias[o], o, row, column);
    free(w);
    free(bias);
    free(in.x);
    return out;
}

static map copy_of(const map *m)
{
    map copy = *m;
    const size_t size = m->size * m->size * m->n_channels * sizeof *m->x;
    copy.x = malloc(size);
    if (!copy.x) abort();
    memcpy(copy.x, m->x, size);
    return copy;
}

static map block(map x, const limn_safetensors *file, size_t index, const limn_mbconv_shape *shape)
{
    map shortcut = copy_of(&x);
    char name[64];
    if (shape->n_expanded != shape->n_inputs) {
        snprintf(name, sizeof name, "encoder.blocks.%zu.expand", index);
        x = convolve(x, file, name, shape->n_expanded, (convolution){ 1, 1, false, true });
    }
    snprintf(name, sizeof name, "encoder.blocks.%zu.depthwise", index);
    x = convolve(x, file, name, shape->n_expanded,
                 (convolution){ shape->kernel, shape->stride, true, true });
    snprintf(name, sizeof name, "encoder.blocks.%zu.project", index);
    x = convolve(x, file, name, shape->n_outputs, (convolution){ 1, 1, false, false });
    if (shape->stride == 1 && shape->n_inputs == shape->n_outputs)
        for (size_t i = 0; i < x.size * x.size * x.n_channels; i++) x.x[i] += shortcut.x[i];
    free(shortcut.x);
    return x;
}

static map input_map(const limn_encoder_config *config, const uint8_t *pixels)
{
    map m = { NULL, config->input.width, 3 };
    m.x = malloc(m.size * m.size * 3 * sizeof *m.x);
    if (!m.x) abort();
    for (size_t i = 0; i < m.size * m.size * 3; i++)
        m.x[i] = ((float)pixels[i] - config->input.mean[i % 3]) * config->input.scale[i % 3];
    return m;
}

void reference_encoder_run(const limn_safetensors *file, const limn_encoder_config *config,
                           const uint8_t *pixels, limn_encoder_tap_fn *tap, void *ctx)
{
    limn_efficientnet_lite_shape shape;
    if (!limn_efficientnet_lite_shape_find(&shape, config->family)) abort();
    map x = input_map(config, pixels);
    x = convolve(x, file, "encoder.stem", shape.n_stem, (convolution){ 3, 2, false, true });
    tap(ctx, "stem", x.x, x.size, x.size, x.n_channels);
    for (size_t i = 0; i < shape.n_blocks; i++) {
        char stage[32];
        x = block(x, file, i, &shape.blocks[i]);
        snprintf(stage, sizeof stage, "block%zu", i);
        tap(ctx, stage, x.x, x.size, x.size, x.n_channels);
    }
    x = convolve(x, file, "encoder.head", shape.n_head, (convolution){ 1, 1, false, true });
    tap(ctx, "features", x.x, x.size, x.size, x.n_channels);
    free(x.x);
}
