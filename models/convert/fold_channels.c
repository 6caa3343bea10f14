#include "models/convert/fold_channels.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/text/plural.h"

/* A norm and the products that read it. */
typedef struct norm_group {
    float *gamma, *beta; /* [dim] */
    size_t dim;
    const limn_tensor **readers; /* [n_readers], [n_outputs, dim] each */
    size_t n_readers;
    double *bounds; /* [dim]: of the factors */
    double *sorted; /* [dim] of scratch */
} norm_group;

/* ---- factors ------------------------------------------------------------------------------- */

static double size_of(const norm_group *g, size_t channel)
{
    return hypot(g->gamma[channel], g->beta[channel]);
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* By what is usual. */
static void bound_by_size(norm_group *g)
{
    for (size_t j = 0; j < g->dim; j++) g->sorted[j] = size_of(g, j);
    qsort(g->sorted, g->dim, sizeof *g->sorted, compare_doubles);
    const double median = g->sorted[g->dim / 2];
    for (size_t j = 0; j < g->dim; j++) g->bounds[j] = median > 0.0 ? size_of(g, j) / median : 1.0;
}

/* By the largest of the weights w [dim] of an output. */
static void bound_by_weights(norm_group *g, const float *w)
{
    float largest = 0.0f;
    for (size_t k = 0; k < g->dim; k++) largest = fmaxf(largest, fabsf(w[k]));
    for (size_t j = 0; j < g->dim; j++)
        if (w[j] != 0.0f) g->bounds[j] = fmin(g->bounds[j], (double)largest / fabs((double)w[j]));
}

/* Multiplies the weights that read a channel by 2^exponent. */
static void scale_weights(const norm_group *g, size_t channel, int exponent)
{
    for (size_t i = 0; i < g->n_readers; i++) {
        float *w = (float *)(uintptr_t)g->readers[i]->data + channel;
        for (size_t o = 0; o < g->readers[i]->shape[0]; o++, w += g->dim) *w = ldexpf(*w, exponent);
    }
}

/* Returns how many channels were scaled. */
static size_t fold(norm_group *g)
{
    size_t n = 0;
    bound_by_size(g);
    for (size_t i = 0; i < g->n_readers; i++)
        for (size_t o = 0; o < g->readers[i]->shape[0]; o++)
            bound_by_weights(g, (const float *)g->readers[i]->data + o * g->dim);
    for (size_t j = 0; j < g->dim; j++) {
        int exponent;
        if (!(g->bounds[j] >= CONVERT_LEAST_FOLD)) continue;
        frexp(g->bounds[j], &exponent); /* at least 2^(exponent - 1), less than 2^exponent */
        g->gamma[j] = ldexpf(g->gamma[j], 1 - exponent);
        g->beta[j] = ldexpf(g->beta[j], 1 - exponent);
        scale_weights(g, j, exponent - 1);
        n++;
    }
    return n;
}

/* ---- norms --------------------------------------------------------------------------------- */

/* Parts of layers with the norm before, each of which only these products read. */
typedef struct norm_part {
    const char *norm;
    const char *readers[4]; /* NULL after the last */
} norm_part;

static const norm_part encoder_parts[] = {
    { "attention_norm", { "attention.query", "attention.key", "attention.value" } },
    { "feed_forward_norm", { "feed_forward.up" } },
    { NULL, { NULL } },
};

static const norm_part decoder_parts[] = {
    { "self_attention_norm",
      { "self_attention.query", "self_attention.key", "self_attention.value" } },
    { "cross_attention_norm", { "cross_attention.query" } },
    { "feed_forward_norm", { "feed_forward.up" } },
    { NULL, { NULL } },
};

/* The channels of a result that are being scaled. */
typedef struct folding {
    const convert_result *r;
    norm_group group; /* with room for any norm and all tensors */
    size_t n_folded;
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

/* Returns false where a layout has no such norm. */
static bool begin_norm(folding *f, const char *prefix, const char *norm)
{
    const limn_tensor *gamma = find(f, prefix, norm, ".weight");
    const limn_tensor *beta = find(f, prefix, norm, ".bias");
    if (!gamma || !beta) return false;
    f->group.gamma = (float *)(uintptr_t)gamma->data;
    f->group.beta = (float *)(uintptr_t)beta->data;
    f->group.dim = gamma->shape[0];
    f->group.n_readers = 0;
    return true;
}

static void add_reader(folding *f, const char *prefix, const char *product)
{
    const limn_tensor *t = find(f, prefix, product, ".weight");
    if (t) f->group.readers[f->group.n_readers++] = t;
}

static void fold_layers(folding *f, const char *network, size_t n_layers, const norm_part *parts)
{
    char prefix[48];
    for (size_t i = 0; i < n_layers; i++) {
        snprintf(prefix, sizeof prefix, "%s.layers.%zu.", network, i);
        for (const norm_part *p = parts; p->norm; p++) {
            if (!begin_norm(f, prefix, p->norm)) continue;
            for (const char *const *reader = p->readers; *reader; reader++)
                add_reader(f, prefix, *reader);
            f->n_folded += fold(&f->group);
        }
    }
}

/* The norm that cross-attention reads in every layer. */
static void fold_memory(folding *f, size_t n_layers)
{
    char prefix[48];
    if (!begin_norm(f, "decoder.", "memory.norm")) return;
    for (size_t i = 0; i < n_layers; i++) {
        snprintf(prefix, sizeof prefix, "decoder.layers.%zu.cross_attention.", i);
        add_reader(f, prefix, "key");
        add_reader(f, prefix, "value");
    }
    f->n_folded += fold(&f->group);
}

static void fold_all(folding *f)
{
    const limn_model_config *c = &f->r->config;
    const limn_decoder_layout *layout = &c->decoder.layout;
    fold_layers(f, "encoder", c->encoder.vit.n_layers, encoder_parts);
    if (!c->has_decoder) return;
    if (layout->memory == LIMN_MEMORY_CROSS) fold_memory(f, c->decoder.n_layers);
    if (layout->norm_position == LIMN_NORM_BEFORE)
        fold_layers(f, "decoder", c->decoder.n_layers, decoder_parts);
}

/* ---- both ---------------------------------------------------------------------------------- */

static bool has_int8_source(const convert_result *r)
{
    for (size_t i = 0; r->source_scales && i < r->n_tensors; i++)
        if (r->source_scales[i]) return true;
    return false;
}

/* The longest dimension of any tensor: at least that of every norm. */
static size_t largest_dim(const convert_result *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_tensors; i++)
        if (r->tensors[i].n_dims == 1 && r->tensors[i].shape[0] > n) n = r->tensors[i].shape[0];
    return n;
}

limn_status convert_fold_channels(convert_result *r, limn_error *err)
{
    const size_t dim = largest_dim(r);
    folding f = { .r = r };
    if (has_int8_source(r)) return LIMN_OK;
    f.group.readers = limn_alloc(r->n_tensors, sizeof *f.group.readers);
    f.group.bounds = limn_alloc(dim, sizeof *f.group.bounds);
    f.group.sorted = limn_alloc(dim, sizeof *f.group.sorted);
    const bool has_memory = f.group.readers && f.group.bounds && f.group.sorted;
    if (has_memory) fold_all(&f);
    if (f.n_folded > 0)
        snprintf(r->folded, sizeof r->folded, "%zu %s", f.n_folded,
                 limn_plural(f.n_folded, "channel", "channels"));
    limn_free(f.group.readers);
    limn_free(f.group.bounds);
    limn_free(f.group.sorted);
    return has_memory ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}
