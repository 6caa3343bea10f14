#include "encoder/vit/vit.h"

#include <stdio.h>
#include <string.h>

#include "common/kernels/attention.h"
#include "common/kernels/product.h"
#include "encoder/vit/vit_network.h"

static const char *const names[] = { "vit", NULL };

/* S positions, D dim, F feed-forward. */
typedef struct scratch {
    float *pixels;  /* [height, width, 3], normalised */
    float *patches; /* of the convolution */
    float *x, *h;   /* [S, D]: the residual stream; its norm, or what attention gives */
    float *qkv;     /* [S, 3 * D] */
    float *hidden;  /* [S, F] */
    float *attention;
    float *widened; /* [n_widened] */
    size_t n_widened;
} scratch;

/* ---- the network --------------------------------------------------------------------------- */

static size_t n_stages(const limn_encoder_config *config)
{
    return config->vit.n_layers + 1;
}

static limn_feature_shape stage_shape(const limn_encoder_config *config, size_t stage)
{
    (void)stage;
    return (limn_feature_shape){ .n_prefix = 1,
                                 .grid_width = config->input.width / config->vit.patch,
                                 .grid_height = config->input.height / config->vit.patch,
                                 .dim = config->vit.dim };
}

/* ---- memory -------------------------------------------------------------------------------- */

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool has_halves(const limn_vit_network *net)
{
    for (size_t i = 0; i < net->config.vit.n_layers; i++) {
        const limn_vit_layer *l = &net->layers[i];
        if (l->qkv.dtype == LIMN_F16 || l->output.dtype == LIMN_F16 || l->up.dtype == LIMN_F16 ||
            l->down.dtype == LIMN_F16)
            return true;
    }
    return false;
}

static size_t count_widened(const limn_vit_network *net)
{
    const limn_vit_config *v = &net->config.vit;
    const size_t n = max_size(limn_widened_floats(3 * (size_t)v->dim, v->dim),
                              max_size(limn_widened_floats(v->feed_forward_dim, v->dim),
                                       limn_widened_floats(v->dim, v->feed_forward_dim)));
    return has_halves(net) ? n : 0;
}

static void take_parts(const limn_vit_network *net, scratch *s, limn_arena *arena)
{
    const limn_vit_config *v = &net->config.vit;
    const size_t n_positions = limn_vit_n_positions(&net->config);
    const size_t row = v->dim * sizeof(float);
    s->pixels = limn_arena_take(arena, limn_input_bytes(&net->config.input), sizeof *s->pixels);
    s->patches =
        limn_arena_take(arena, limn_convolution_patch_floats(&net->patches), sizeof *s->patches);
    s->x = limn_arena_take(arena, n_positions, row);
    s->h = limn_arena_take(arena, n_positions, row);
    s->qkv = limn_arena_take(arena, n_positions, 3 * row);
    s->hidden = limn_arena_take(arena, n_positions, v->feed_forward_dim * sizeof *s->hidden);
    s->attention =
        limn_arena_take(arena, limn_attention_floats(n_positions, v->n_heads, v->dim / v->n_heads),
                        sizeof *s->attention);
    s->n_widened = count_widened(net);
    s->widened = limn_arena_take(arena, s->n_widened, sizeof *s->widened);
}

static void *take_scratch(const void *network, limn_arena *arena)
{
    scratch counted, *s = limn_arena_take(arena, 1, sizeof *s);
    take_parts(network, s ? s : &counted, arena);
    return s;
}

/* ---- running ------------------------------------------------------------------------------- */

/* A run in progress. */
typedef struct run {
    const limn_vit_network *net;
    const scratch *s;
    const limn_encoder_job *job;
    limn_runner runner;
    size_t n_positions;
} run;

static void norm(const run *r, float *y, const float *x, const limn_norm_weights *w)
{
    const limn_vit_config *v = &r->net->config.vit;
    limn_norm_rows(&r->runner, y, x, w->gamma, w->beta, v->eps, r->n_positions, v->dim);
}

/* x = class position and patches, with their positions. */
static void embed(const run *r)
{
    const limn_vit_network *net = r->net;
    const size_t dim = net->config.vit.dim;
    float *x = r->s->x;
    limn_input_normalise(r->s->pixels, r->job->pixels, &net->config.input);
    for (size_t i = 0; i < dim; i++) x[i] = net->class_position[i] + net->position_embedding[i];
    limn_convolution_run(r->runner.kernels, r->runner.pool,
                         &(limn_convolution_job){ .shape = &net->patches,
                                                  .y = x + dim,
                                                  .x = r->s->pixels,
                                                  .residual = net->position_embedding + dim,
                                                  .w = &net->patch_weights,
                                                  .patches = r->s->patches });
    if (net->config.vit.has_embedding_norm) norm(r, x, x, &net->embedding_norm);
}

/* x += input Wᵀ + b */
static void add_product(const run *r, const float *input, const limn_packed *w)
{
    limn_linear_job job = limn_dense_job(r->s->x, input, r->n_positions, w);
    job.residual = r->s->x;
    limn_product(&r->runner, job);
}

static void attend(const run *r, const limn_vit_layer *l)
{
    const limn_vit_config *v = &r->net->config.vit;
    const size_t dim = v->dim;
    const float *qkv = r->s->qkv;
    norm(r, r->s->h, r->s->x, &l->attention_norm);
    limn_product(&r->runner, limn_dense_job(r->s->qkv, r->s->h, r->n_positions, &l->qkv));
    limn_attention_run(&r->runner,
                       &(limn_attention){ .n_rows = r->n_positions,
                                          .n_keys = r->n_positions,
                                          .n_heads = v->n_heads,
                                          .head_dim = dim / v->n_heads,
                                          .q = qkv,
                                          .k = qkv + dim,
                                          .v = qkv + 2 * dim,
                                          .q_stride = 3 * dim,
                                          .kv_stride = 3 * dim,
                                          .y = r->s->h },
                       r->s->attention);
    add_product(r, r->s->h, &l->output);
}

static void feed_forward(const run *r, const limn_vit_layer *l)
{
    norm(r, r->s->h, r->s->x, &l->feed_forward_norm);
    limn_linear_job up = limn_dense_job(r->s->hidden, r->s->h, r->n_positions, &l->up);
    up.activation = r->net->config.vit.activation;
    limn_product(&r->runner, up);
    add_product(r, r->s->hidden, &l->down);
}

static void tap(const run *r, const char *stage, const float *x)
{
    if (r->job->tap)
        r->job->tap(r->job->tap_ctx, stage, x, r->n_positions, 1, r->net->config.vit.dim);
}

static void run_layer(const run *r, size_t i)
{
    char stage[32];
    attend(r, &r->net->layers[i]);
    feed_forward(r, &r->net->layers[i]);
    snprintf(stage, sizeof stage, "block%zu", i);
    tap(r, stage, r->s->x);
}

static void run_network(const void *network, void *scratch_memory, const limn_encoder_job *job)
{
    const limn_vit_network *net = network;
    const scratch *s = scratch_memory;
    const run r = { .net = net,
                    .s = s,
                    .job = job,
                    .runner = { job->kernels, job->pool, s->widened, s->n_widened },
                    .n_positions = limn_vit_n_positions(&net->config) };
    embed(&r);
    tap(&r, "stem", s->x);
    for (size_t i = 0; i < job->last_stage; i++) run_layer(&r, i);
    if (job->last_stage < net->config.vit.n_layers) {
        memcpy(job->map, s->x, r.n_positions * net->config.vit.dim * sizeof *s->x);
        return;
    }
    norm(&r, job->map, s->x, &net->norm);
    tap(&r, "features", job->map);
}

const limn_encoder_family limn_vit = {
    .names = names,
    .check = limn_vit_check,
    .n_stages = n_stages,
    .shape = stage_shape,
    .tensors = limn_vit_tensors,
    .size = sizeof(limn_vit_network),
    .plan = limn_vit_plan,
    .scratch_take = take_scratch,
    .run = run_network,
};
