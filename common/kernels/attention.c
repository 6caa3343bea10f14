#include "common/kernels/attention.h"

#include <math.h>

/* Queries whose scores are computed together (a multiple of a tile's rows), and the number of parts
 * into which a head's queries are split among threads. */
enum { ROWS = 28, PARTS = 4 };

/* One attention in progress, shared by all threads. */
typedef struct attention_run {
    const limn_kernels *kernels;
    const limn_attention *a;
    float *scratch;
} attention_run;

static size_t key_floats(size_t n_keys, size_t head_dim)
{
    return limn_packed_floats(n_keys, head_dim);
}

static size_t value_floats(size_t n_keys, size_t head_dim)
{
    return limn_packed_floats(head_dim, n_keys);
}

static size_t score_floats(size_t n_keys)
{
    return ROWS * limn_padded_outputs(n_keys);
}

/* A head's scratch: keys, values, and the scores of each part. */
static size_t head_floats(size_t n_keys, size_t head_dim)
{
    return key_floats(n_keys, head_dim) + value_floats(n_keys, head_dim) +
           PARTS * score_floats(n_keys);
}

size_t limn_attention_floats(size_t n_keys, size_t n_heads, size_t head_dim)
{
    return n_heads * head_floats(n_keys, head_dim);
}

static float *head_of(const attention_run *run, size_t head)
{
    return run->scratch + head * head_floats(run->a->n_keys, run->a->head_dim);
}

static limn_packed keys_of(const attention_run *run, size_t head)
{
    return limn_packed_over(head_of(run, head), run->a->n_keys, run->a->head_dim);
}

static limn_packed values_of(const attention_run *run, size_t head)
{
    const limn_attention *a = run->a;
    return limn_packed_over(head_of(run, head) + key_floats(a->n_keys, a->head_dim), a->head_dim,
                            a->n_keys);
}

static void pack_head(void *ctx, size_t head, size_t worker)
{
    const attention_run *run = ctx;
    const limn_attention *a = run->a;
    const limn_packed keys = keys_of(run, head), values = values_of(run, head);
    const size_t at = head * a->head_dim;
    (void)worker;
    limn_packed_fill_strided(&keys, a->k + at, a->kv_stride, 1, 1.0f / sqrtf((float)a->head_dim));
    limn_packed_fill_strided(&values, a->v + at, 1, a->kv_stride, 1.0f);
}

/* Queries first … first + n_rows - 1 of a head. */
static void attend_rows(const attention_run *run, size_t head, size_t first, size_t n_rows,
                        float *scores)
{
    const limn_attention *a = run->a;
    const limn_packed keys = keys_of(run, head), values = values_of(run, head);
    const size_t stride = limn_padded_outputs(a->n_keys), dim = a->n_heads * a->head_dim;
    limn_linear(run->kernels,
                &(limn_linear_job){ .y = scores,
                                    .x = a->q + first * a->q_stride + head * a->head_dim,
                                    .n_rows = n_rows,
                                    .x_stride = a->q_stride,
                                    .y_stride = stride,
                                    .w = &keys,
                                    .panel_end = limn_n_panels(a->n_keys) });
    run->kernels->softmax(scores, n_rows, a->n_keys, stride);
    limn_linear(run->kernels, &(limn_linear_job){ .y = a->y + first * dim + head * a->head_dim,
                                                  .x = scores,
                                                  .n_rows = n_rows,
                                                  .x_stride = stride,
                                                  .y_stride = dim,
                                                  .w = &values,
                                                  .panel_end = limn_n_panels(a->head_dim) });
}

static void attend_part(void *ctx, size_t item, size_t worker)
{
    const attention_run *run = ctx;
    const limn_attention *a = run->a;
    const size_t head = item / PARTS, part = item % PARTS;
    const size_t end = a->n_rows * (part + 1) / PARTS;
    float *scores = head_of(run, head) + key_floats(a->n_keys, a->head_dim) +
                    value_floats(a->n_keys, a->head_dim) + part * score_floats(a->n_keys);
    (void)worker;
    for (size_t first = a->n_rows * part / PARTS; first < end; first += ROWS)
        attend_rows(run, head, first, end - first < ROWS ? end - first : ROWS, scores);
}

void limn_attention_run(const limn_runner *r, const limn_attention *attention, float *scratch)
{
    attention_run run = { r->kernels, attention, scratch };
    limn_pool_run(r->pool, attention->n_heads, pack_head, &run);
    limn_pool_run(r->pool, attention->n_heads * PARTS, attend_part, &run);
}
