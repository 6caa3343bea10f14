#include "tests/unit/decoder_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tensor "decoder.PREFIX.SUFFIX" as doubles; the caller frees. */
static double *tensor(const limn_safetensors *file, const char *prefix, const char *suffix)
{
    char name[128];
    snprintf(name, sizeof name, "decoder.%s%s", prefix, suffix);
    const limn_tensor *t = limn_safetensors_find(file, name);
    const size_t n = t->size / limn_tensor_dtype_size(t->dtype);
    float *floats = malloc(n * sizeof *floats);
    double *out = malloc(n * sizeof *out);
    limn_tensor_to_f32(floats, t);
    for (size_t i = 0; i < n; i++) out[i] = (double)floats[i];
    free(floats);
    return out;
}

/* y [n_rows, n_outputs] = x [n_rows, n_inputs] Wᵀ + b; the caller frees. */
static double *linear(const limn_safetensors *file, const char *name, const double *x,
                      size_t n_rows, size_t n_outputs, size_t n_inputs)
{
    double *w = tensor(file, name, ".weight"), *b = tensor(file, name, ".bias");
    double *y = malloc(n_rows * n_outputs * sizeof *y);
    for (size_t r = 0; r < n_rows; r++)
        for (size_t o = 0; o < n_outputs; o++) {
            y[r * n_outputs + o] = b[o];
            for (size_t k = 0; k < n_inputs; k++)
                y[r * n_outputs + o] += x[r * n_inputs + k] * w[o * n_inputs + k];
        }
    free(w);
    free(b);
    return y;
}

/* Layer norm of x [n_rows, dim]; the caller frees. */
static double *norm(const limn_safetensors *file, const char *name, const double *x, size_t n_rows,
                    size_t dim)
{
    double *gamma = tensor(file, name, ".weight"), *beta = tensor(file, name, ".bias");
    double *y = malloc(n_rows * dim * sizeof *y);
    for (size_t r = 0; r < n_rows; r++, x += dim) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < dim; i++) mean += x[i] / (double)dim;
        for (size_t i = 0; i < dim; i++) variance += (x[i] - mean) * (x[i] - mean) / (double)dim;
        for (size_t i = 0; i < dim; i++)
            y[r * dim + i] = (x[i] - mean) / sqrt(variance + 1e-5) * gamma[i] + beta[i];
    }
    free(gamma);
    free(beta);
    return y;
}

/* One query of one head over n keys and values [n, dim]: writes y [head_dim], and the first n_looks
 * probabilities to looks. */
static void attend(double *y, double *looks, size_t n_looks, const double *q, const double *k,
                   const double *v, size_t n, size_t dim, size_t head_dim)
{
    double *weights = malloc(n * sizeof *weights), sum = 0;
    for (size_t p = 0; p < n; p++) {
        double score = 0;
        for (size_t i = 0; i < head_dim; i++) score += q[i] * k[p * dim + i];
        weights[p] = exp(score / sqrt((double)head_dim));
        sum += weights[p];
    }
    for (size_t i = 0; i < head_dim; i++) {
        y[i] = 0;
        for (size_t p = 0; p < n; p++) y[i] += weights[p] / sum * v[p * dim + i];
    }
    for (size_t p = 0; p < n_looks; p++) looks[p] = weights[p] / sum;
    free(weights);
}

/* x [n_rows, dim] += output(attention(LN(x), memory)); if memory is NULL, attends to x itself,
 * causally. `looks` [n_rows, n_layers, n_heads, n_memory_positions] starts at this layer, or is
 * NULL. */
static void attention(double *x, double *looks, const limn_safetensors *file,
                      const limn_decoder_config *c, const char *layer, const char *kind,
                      size_t n_rows, const double *memory)
{
    const size_t dim = c->dim, head_dim = dim / c->n_heads;
    const size_t n_keys = memory ? c->n_memory_positions + c->n_tag_slots : n_rows;
    const size_t n_looks = looks ? c->n_memory_positions : 0;
    const size_t row_size = c->n_layers * c->n_heads * n_looks;
    char name[5][64];
    static const char *const parts[] = { "_norm", ".query", ".key", ".value", ".output" };
    for (size_t i = 0; i < 5; i++)
        snprintf(name[i], sizeof name[i], "%s%s%s", layer, kind, parts[i]);
    double *h = norm(file, name[0], x, n_rows, dim);
    double *q = linear(file, name[1], h, n_rows, dim, dim);
    double *k = linear(file, name[2], memory ? memory : h, n_keys, dim, dim);
    double *v = linear(file, name[3], memory ? memory : h, n_keys, dim, dim);
    for (size_t r = 0; r < n_rows; r++)
        for (size_t at = 0; at < dim; at += head_dim)
            attend(h + r * dim + at, looks ? looks + r * row_size + at / head_dim * n_looks : NULL,
                   n_looks, q + r * dim + at, k + at, v + at, memory ? n_keys : r + 1, dim,
                   head_dim);
    double *y = linear(file, name[4], h, n_rows, dim, dim);
    for (size_t i = 0; i < n_rows * dim; i++) x[i] += y[i];
    free(h);
    free(q);
    free(k);
    free(v);
    free(y);
}

static void feed_forward(double *x, const limn_safetensors *file, const limn_decoder_config *c,
                         const char *layer, size_t n_rows)
{
    char name[3][64];
    static const char *const parts[] = { "_norm", ".up", ".down" };
    for (size_t i = 0; i < 3; i++)
        snprintf(name[i], sizeof name[i], "%sfeed_forward%s", layer, parts[i]);
    double *h = norm(file, name[0], x, n_rows, c->dim);
    double *up = linear(file, name[1], h, n_rows, c->feed_forward_dim, c->dim);
    for (size_t i = 0; i < n_rows * c->feed_forward_dim; i++)
        up[i] *= (1 + erf(up[i] / sqrt(2))) / 2;
    double *down = linear(file, name[2], up, n_rows, c->dim, c->feed_forward_dim);
    for (size_t i = 0; i < n_rows * c->dim; i++) x[i] += down[i];
    free(h);
    free(up);
    free(down);
}

/* Adds the rows of the slots after those of the positions in y. */
static void add_slots(double *y, const limn_safetensors *file, const limn_decoder_config *c,
                      const limn_tag_slot *slots)
{
    if (c->n_tag_slots == 0) return;
    double *embedding = tensor(file, "tag_embedding", "");
    double *probability = tensor(file, "tag_probability", "");
    for (size_t k = 0; k < c->n_tag_slots; k++)
        for (size_t i = 0; i < c->dim; i++)
            y[(c->n_memory_positions + k) * c->dim + i] =
                embedding[slots[k].tag * c->dim + i] +
                (double)slots[k].probability * probability[i];
    free(embedding);
    free(probability);
}

/* [n_memory_positions + n_tag_slots, dim]; the caller frees. */
static double *remember(const limn_safetensors *file, const limn_decoder_config *c,
                        const float *features, const limn_tag_slot *slots)
{
    const size_t n = (size_t)c->n_memory_positions * c->memory_dim;
    double *x = calloc(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (double)features[i];
    double *y = linear(file, "memory.project", x, c->n_memory_positions, c->dim, c->memory_dim);
    double *position = tensor(file, "memory.position_embedding", "");
    for (size_t i = 0; i < (size_t)c->n_memory_positions * c->dim; i++) y[i] += position[i];
    y = realloc(y, (c->n_memory_positions + c->n_tag_slots) * c->dim * sizeof *y);
    add_slots(y, file, c, slots);
    double *memory = norm(file, "memory.norm", y, c->n_memory_positions + c->n_tag_slots, c->dim);
    free(x);
    free(y);
    free(position);
    return memory;
}

/* [n_steps, dim]; the caller frees. */
static double *embed(const double *embedding, const limn_safetensors *file, size_t dim,
                     const uint32_t *tokens, size_t n_steps)
{
    double *position = tensor(file, "position_embedding", "");
    double *x = calloc(n_steps * dim, sizeof *x);
    for (size_t s = 0; s < n_steps; s++)
        for (size_t i = 0; i < dim; i++)
            x[s * dim + i] =
                embedding[tokens[s] * dim + i] * sqrt((double)dim) + position[s * dim + i];
    free(position);
    return x;
}

void decoder_reference_run(double *logits, double *looks, const limn_safetensors *file,
                           const limn_decoder_config *c, const float *features,
                           const limn_tag_slot *slots, const uint32_t *tokens, size_t n_steps)
{
    double *embedding = tensor(file, "token_embedding.weight", "");
    double *memory = remember(file, c, features, slots);
    double *x = embed(embedding, file, c->dim, tokens, n_steps);
    for (unsigned i = 0; i < c->n_layers; i++) {
        char layer[32];
        snprintf(layer, sizeof layer, "layers.%u.", i);
        attention(x, NULL, file, c, layer, "self_attention", n_steps, NULL);
        attention(x, looks ? looks + (size_t)i * c->n_heads * c->n_memory_positions : NULL, file, c,
                  layer, "cross_attention", n_steps, memory);
        feed_forward(x, file, c, layer, n_steps);
    }
    double *h = norm(file, "norm", x, n_steps, c->dim);
    for (size_t s = 0; s < n_steps; s++)
        for (size_t t = 0; t < c->n_tokens; t++) {
            double sum = 0;
            for (size_t i = 0; i < c->dim; i++)
                sum += h[s * c->dim + i] * embedding[t * c->dim + i];
            logits[s * c->n_tokens + t] = sum;
        }
    free(embedding);
    free(memory);
    free(x);
    free(h);
}
