#include "models/tagger.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/ranked.h"
#include "common/kernels/kernels.h"
#include "common/kernels/pack.h"

typedef struct head {
    char set[LIMN_TAGS_MAX_SET_SIZE + 1];
    bool is_exclusive, has_maximum;
    limn_packed hidden, output; /* hidden.n_outputs 0: none */
    char **names;               /* [n_tags] */
    size_t n_tags, first;       /* index of its first tag */
} head;

struct limn_tagger {
    head heads[LIMN_TAGS_MAX_HEADS]; /* [n_heads] */
    size_t n_heads, n_tags, n_positions, dim;
    const limn_kernels *kernels;
};

struct limn_tagger_scratch {
    float *pooled; /* [2, dim] mean and maximum */
    float *hidden; /* [the largest hidden layer] */
    float *pairs;  /* [the most tags of a head, 2] */
};

/* ---- opening ------------------------------------------------------------------------------ */

void limn_tagger_close(limn_tagger **t)
{
    if (!t || !*t) return;
    for (size_t i = 0; i < (*t)->n_heads; i++) {
        head *h = &(*t)->heads[i];
        for (size_t k = 0; h->names && k < h->n_tags; k++) limn_free(h->names[k]);
        limn_free(h->names);
        limn_packed_finish(&h->hidden);
        limn_packed_finish(&h->output);
    }
    limn_free(*t);
    *t = NULL;
}

static limn_status pack(limn_packed *out, const limn_tensor *weight, const limn_tensor *bias,
                        limn_error *err)
{
    const limn_dtype dtype = weight->dtype == LIMN_TENSOR_F16 ? LIMN_F16 : LIMN_F32;
    return limn_packed_init(out, weight->data, dtype, bias->data, weight->shape[0],
                            weight->shape[1], dtype, err);
}

static limn_status open_head(head *out, const limn_tag_head *from, limn_error *err)
{
    memcpy(out->set, from->set, sizeof out->set);
    out->is_exclusive = from->is_exclusive;
    out->has_maximum = from->has_maximum;
    out->n_tags = from->n_tags;
    out->names = limn_calloc(from->n_tags, sizeof *out->names);
    for (size_t i = 0; i < from->n_tags; i++)
        if (!out->names || !(out->names[i] = limn_strdup(from->names[i])))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for tags");
    if (from->n_hidden > 0)
        LIMN_TRY(pack(&out->hidden, &from->hidden_weight, &from->hidden_bias, err));
    return pack(&out->output, &from->output_weight, &from->output_bias, err);
}

limn_status limn_tagger_open(limn_tagger **out, const limn_tag_heads *heads, size_t n_positions,
                             size_t dim, const limn_kernels *kernels, limn_error *err)
{
    limn_tagger *t = *out = limn_calloc(1, sizeof *t);
    limn_status status = LIMN_OK;
    if (!t) return limn_fail(err, LIMN_E_NOMEM, "out of memory for tags");
    t->n_positions = n_positions;
    t->dim = dim;
    t->kernels = kernels;
    for (size_t i = 0; status == LIMN_OK && i < heads->n_items; i++) {
        head *h = &t->heads[t->n_heads++];
        status = open_head(h, &heads->items[i], err);
        h->first = t->n_tags;
        t->n_tags += h->n_tags;
    }
    if (status != LIMN_OK) limn_tagger_close(out);
    return status;
}

size_t limn_tagger_n_tags(const limn_tagger *t)
{
    return t->n_tags;
}

limn_tag limn_tagger_tag(const limn_tagger *t, size_t index)
{
    size_t i = 0;
    while (index >= t->heads[i].first + t->heads[i].n_tags) i++;
    return (limn_tag){ .name = t->heads[i].names[index - t->heads[i].first],
                       .set = t->heads[i].set };
}

bool limn_tagger_find_set(size_t *first, size_t *n, const limn_tagger *t, const char *set)
{
    for (size_t i = 0; i < t->n_heads; i++)
        if (strcmp(t->heads[i].set, set) == 0) {
            *first = t->heads[i].first;
            *n = t->heads[i].n_tags;
            return true;
        }
    return false;
}

/* ---- running ------------------------------------------------------------------------------ */

limn_tagger_scratch *limn_tagger_scratch_take(const limn_tagger *t, limn_arena *arena)
{
    limn_tagger_scratch *s = limn_arena_take(arena, 1, sizeof *s);
    size_t n_hidden = 0, n_tags = 0;
    for (size_t i = 0; i < t->n_heads; i++) {
        const head *h = &t->heads[i];
        if (h->hidden.n_outputs > n_hidden) n_hidden = h->hidden.n_outputs;
        if (h->n_tags > n_tags) n_tags = h->n_tags;
    }
    float *pooled = limn_arena_take(arena, 2 * t->dim, sizeof *pooled);
    float *hidden = limn_arena_take(arena, n_hidden, sizeof *hidden);
    float *pairs = limn_arena_take(arena, 2 * n_tags, sizeof *pairs);
    if (s) *s = (limn_tagger_scratch){ pooled, hidden, pairs };
    return s;
}

/* mean [dim]: sums over the positions in order, times 1 / n; maximum [dim] */
static void pool(float *mean, float *maximum, const float *features, size_t n, size_t dim)
{
    const float scale = 1 / (float)n;
    memcpy(mean, features, dim * sizeof *mean);
    memcpy(maximum, features, dim * sizeof *maximum);
    for (size_t p = 1; p < n; p++)
        for (size_t c = 0; c < dim; c++) {
            const float value = features[p * dim + c];
            mean[c] += value;
            maximum[c] = value > maximum[c] ? value : maximum[c];
        }
    for (size_t c = 0; c < dim; c++) mean[c] *= scale;
}

static void product(const limn_kernels *kernels, float *y, const float *x, const limn_packed *w,
                    limn_activation activation)
{
    const limn_linear_job job = {
        .y = y,
        .x = x,
        .n_rows = 1,
        .x_stride = w->n_inputs,
        .y_stride = w->n_outputs,
        .w = w,
        .panel_end = limn_n_panels(w->n_outputs),
        .activation = activation,
    };
    limn_linear(kernels, &job);
}

/* 1 / (1 + exp(-logit)) in place, computed as the softmax over the logit and 0. */
static void each_by_itself(const limn_tagger *t, float *pairs, float *logits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        pairs[2 * i] = logits[i];
        pairs[2 * i + 1] = 0;
    }
    t->kernels->softmax(pairs, n, 2, 2);
    for (size_t i = 0; i < n; i++) logits[i] = pairs[2 * i];
}

/* Probabilities [h->n_tags] of one head, from what is pooled. */
static void run_head(const limn_tagger *t, limn_tagger_scratch *s, const head *h, float *out)
{
    const float *x = s->pooled;
    if (h->hidden.n_outputs > 0) {
        product(t->kernels, s->hidden, x, &h->hidden, LIMN_ACT_RELU6);
        x = s->hidden;
    }
    product(t->kernels, out, x, &h->output, LIMN_ACT_NONE);
    if (h->is_exclusive)
        t->kernels->softmax(out, 1, h->n_tags, h->n_tags);
    else
        each_by_itself(t, s->pairs, out, h->n_tags);
}

void limn_tagger_run(const limn_tagger *t, limn_tagger_scratch *s, const float *features,
                     float *probabilities)
{
    pool(s->pooled, s->pooled + t->dim, features, t->n_positions, t->dim);
    for (size_t i = 0; i < t->n_heads; i++)
        run_head(t, s, &t->heads[i], probabilities + t->heads[i].first);
}

void limn_tagger_run_set(const limn_tagger *t, limn_tagger_scratch *s, size_t first,
                         const float *features, float *probabilities)
{
    pool(s->pooled, s->pooled + t->dim, features, t->n_positions, t->dim);
    for (size_t i = 0; i < t->n_heads; i++)
        if (t->heads[i].first == first) run_head(t, s, &t->heads[i], probabilities);
}

static bool is_more_probable(const void *a, const void *b)
{
    return ((const limn_tag *)a)->probability > ((const limn_tag *)b)->probability;
}

size_t limn_tagger_best(limn_tag *out, size_t n, const limn_tagger *t, const float *probabilities)
{
    size_t n_out = 0;
    for (size_t i = 0; i < t->n_tags; i++) {
        if (n_out == n && (n == 0 || !(probabilities[i] > out[n - 1].probability))) continue;
        limn_tag tag = limn_tagger_tag(t, i);
        tag.probability = probabilities[i];
        limn_ranked_insert(out, &n_out, n, sizeof tag, &tag, is_more_probable);
    }
    return n_out;
}
