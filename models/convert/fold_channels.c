#include "models/convert/fold_channels.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* Channels, what makes them, and the products that read them. */
typedef struct channel_group {
    size_t n_channels;
    const limn_tensor *makers[2]; /* [n_makers], [n_channels, …] each: a weight, and maybe a bias */
    size_t n_makers;
    const limn_tensor **readers; /* [n_readers], [n_outputs, n_channels] each */
    size_t n_readers;
    double *sizes, *sorted, *bounds; /* [n_channels] of scratch; bounds of the factors */
} channel_group;

/* ---- factors ------------------------------------------------------------------------------- */

/* The values of one channel in a tensor that makes it, *n of them. */
static float *values_of_channel(const limn_tensor *maker, size_t channel, size_t *n)
{
    *n = maker->size / sizeof(float) / maker->shape[0];
    return (float *)(uintptr_t)maker->data + channel * *n;
}

static double size_of(const channel_group *g, size_t channel)
{
    double sum = 0.0;
    size_t n;
    for (size_t i = 0; i < g->n_makers; i++) {
        const float *values = values_of_channel(g->makers[i], channel, &n);
        for (size_t k = 0; k < n; k++) sum += (double)values[k] * (double)values[k];
    }
    return sqrt(sum);
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* By what is usual. */
static void bound_by_size(channel_group *g)
{
    for (size_t j = 0; j < g->n_channels; j++) g->sizes[j] = g->sorted[j] = size_of(g, j);
    qsort(g->sorted, g->n_channels, sizeof *g->sorted, compare_doubles);
    const double median = g->sorted[g->n_channels / 2];
    for (size_t j = 0; j < g->n_channels; j++)
        g->bounds[j] = median > 0.0 ? g->sizes[j] / median : 1.0;
}

/* By the largest of the weights w [n_channels] of an output. */
static void bound_by_weights(channel_group *g, const float *w)
{
    float largest = 0.0f;
    for (size_t k = 0; k < g->n_channels; k++) largest = fmaxf(largest, fabsf(w[k]));
    for (size_t j = 0; j < g->n_channels; j++)
        if (w[j] != 0.0f) g->bounds[j] = fmin(g->bounds[j], (double)largest / fabs((double)w[j]));
}

/* Divides a channel by 2^exponent, and multiplies the weights that read it. */
static void scale_channel(const channel_group *g, size_t channel, int exponent)
{
    size_t n;
    for (size_t i = 0; i < g->n_makers; i++) {
        float *values = values_of_channel(g->makers[i], channel, &n);
        for (size_t k = 0; k < n; k++) values[k] = ldexpf(values[k], -exponent);
    }
    for (size_t i = 0; i < g->n_readers; i++) {
        float *w = (float *)(uintptr_t)g->readers[i]->data + channel;
        n = g->readers[i]->shape[0];
        for (size_t o = 0; o < n; o++, w += g->n_channels) *w = ldexpf(*w, exponent);
    }
}

/* Returns how many channels were scaled. */
static size_t fold(channel_group *g)
{
    size_t n = 0;
    bound_by_size(g);
    for (size_t i = 0; i < g->n_readers; i++)
        for (size_t o = 0; o < g->readers[i]->shape[0]; o++)
            bound_by_weights(g, (const float *)g->readers[i]->data + o * g->n_channels);
    for (size_t j = 0; j < g->n_channels; j++) {
        int exponent;
        if (!(g->bounds[j] >= CONVERT_LEAST_FOLD)) continue;
        frexp(g->bounds[j], &exponent); /* at least 2^(exponent - 1), less than 2^exponent */
        scale_channel(g, j, exponent - 1);
        n++;
    }
    return n;
}

/* ---- groups -------------------------------------------------------------------------------- */

/* A part of a layer, and all that read it. */
typedef struct layer_part {
    const char *maker;
    const char *readers[4]; /* NULL after the last */
} layer_part;

/* Attention gives means of values, which scale as these do. */
static const layer_part values[] = {
    { "attention.value", { "attention.output" } },
    { "self_attention.value", { "self_attention.output" } },
    { "cross_attention.value", { "cross_attention.output" } },
    { NULL, { NULL } },
};

/* In layers with the norm before. */
static const layer_part norms[] = {
    { "attention_norm", { "attention.query", "attention.key", "attention.value" } },
    { "self_attention_norm",
      { "self_attention.query", "self_attention.key", "self_attention.value" } },
    { "cross_attention_norm", { "cross_attention.query" } },
    { "feed_forward_norm", { "feed_forward.up" } },
    { NULL, { NULL } },
};

/* The channels of a result that are being scaled. */
typedef struct folding {
    convert_result *r;
    channel_group group; /* with room for any, and for all tensors as readers */
} folding;

/* NULL when there is none. */
static const limn_tensor *find(const folding *f, const char *prefix, const char *part,
                               const char *end)
{
    char name[LIMN_TENSOR_NAME_SIZE];
    snprintf(name, sizeof name, "%s%s%s", prefix, part, end);
    for (size_t i = 0; i < f->r->n_tensors; i++)
        if (strcmp(f->r->tensors[i].name, name) == 0) return &f->r->tensors[i];
    return NULL;
}

/* Returns false where a network has no such part. */
static bool begin_group(folding *f, const char *prefix, const char *maker)
{
    const limn_tensor *weight = find(f, prefix, maker, ".weight");
    const limn_tensor *bias = find(f, prefix, maker, ".bias");
    if (!weight) return false;
    f->group.n_channels = weight->shape[0];
    f->group.makers[0] = weight;
    f->group.makers[1] = bias;
    f->group.n_makers = bias ? 2 : 1;
    f->group.n_readers = 0;
    return true;
}

static void add_reader(folding *f, const char *prefix, const char *product)
{
    const limn_tensor *t = find(f, prefix, product, ".weight");
    if (t) f->group.readers[f->group.n_readers++] = t;
}

/* The parts of every layer. Returns how many channels were scaled. */
static size_t fold_layers(folding *f, const char *network, size_t n_layers, const layer_part *parts)
{
    char prefix[48];
    size_t n = 0;
    for (size_t i = 0; i < n_layers; i++) {
        snprintf(prefix, sizeof prefix, "%s.layers.%zu.", network, i);
        for (const layer_part *p = parts; p->maker; p++) {
            if (!begin_group(f, prefix, p->maker)) continue;
            for (const char *const *reader = p->readers; *reader; reader++)
                add_reader(f, prefix, *reader);
            n += fold(&f->group);
        }
    }
    return n;
}

/* The norm that cross-attention reads in every layer. Returns the same. */
static size_t fold_memory(folding *f, size_t n_layers)
{
    char prefix[48];
    if (!begin_group(f, "decoder.", "memory.norm")) return 0;
    for (size_t i = 0; i < n_layers; i++) {
        snprintf(prefix, sizeof prefix, "decoder.layers.%zu.cross_attention.", i);
        add_reader(f, prefix, "key");
        add_reader(f, prefix, "value");
    }
    return fold(&f->group);
}

/* Norms before values, whose sizes then tell more: what they are made of is of usual size. */
static void fold_all(folding *f)
{
    const limn_model_config *c = &f->r->config;
    const limn_decoder_layout *layout = &c->decoder.layout;
    limn_folded_channels *folded = &f->r->folded;
    folded->n_encoder += fold_layers(f, "encoder", c->encoder.vit.n_layers, norms);
    folded->n_encoder += fold_layers(f, "encoder", c->encoder.vit.n_layers, values);
    if (!c->has_decoder) return;
    if (layout->memory == LIMN_MEMORY_CROSS)
        folded->n_decoder += fold_memory(f, c->decoder.n_layers);
    if (layout->norm_position == LIMN_NORM_BEFORE)
        folded->n_decoder += fold_layers(f, "decoder", c->decoder.n_layers, norms);
    folded->n_decoder += fold_layers(f, "decoder", c->decoder.n_layers, values);
}

/* ---- both ---------------------------------------------------------------------------------- */

static bool has_int8_source(const convert_result *r)
{
    for (size_t i = 0; r->source_scales && i < r->n_tensors; i++)
        if (r->source_scales[i]) return true;
    return false;
}

/* Of all tensors: at least the channels of any group. */
static size_t largest_dim(const convert_result *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_tensors; i++)
        if (r->tensors[i].shape[0] > n) n = r->tensors[i].shape[0];
    return n;
}

limn_status convert_fold_channels(convert_result *r, limn_error *err)
{
    const size_t dim = largest_dim(r);
    folding f = { .r = r };
    if (has_int8_source(r)) return LIMN_OK;
    f.group.readers = limn_alloc(r->n_tensors, sizeof *f.group.readers);
    double *scratch = limn_alloc(dim, 3 * sizeof *scratch);
    const bool has_memory = f.group.readers && scratch;
    f.group.sizes = scratch;
    if (has_memory) {
        f.group.sorted = scratch + dim;
        f.group.bounds = scratch + 2 * dim;
        fold_all(&f);
    }
    limn_free(f.group.readers);
    limn_free(scratch);
    return has_memory ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}
