#include "encoder/encoder.h"

#include "common/base/mem.h"
#include "encoder/efficientnet_lite.h"
#include "encoder/encoder_family.h"

enum { MIN_INPUT_SIZE = 32, MAX_INPUT_SIZE = 1024 };

struct limn_encoder {
    const limn_encoder_family *family;
    void *net;
    limn_kernels kernels;
};

struct limn_encoder_state {
    limn_arena arena;
    void *scratch;
};

static const limn_encoder_family *const families[] = { &limn_efficientnet_lite };

static const limn_encoder_family *find_family(const char *name)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (families[i]->has(name)) return families[i];
    return NULL;
}

limn_status limn_encoder_open(limn_encoder **out, const limn_safetensors *file,
                              const limn_encoder_config *config, limn_cpu_level level,
                              limn_error *err)
{
    const limn_encoder_family *family = find_family(config->family);
    *out = NULL;
    if (!family)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "encoder family '%s' is unknown; known are efficientnet-lite0 … lite4",
                         config->family);
    if (config->input_size < MIN_INPUT_SIZE || config->input_size > MAX_INPUT_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "encoder input_size %u is not in %d … %d",
                         (unsigned)config->input_size, MIN_INPUT_SIZE, MAX_INPUT_SIZE);
    limn_encoder *e = limn_calloc(1, sizeof *e);
    if (!e) return limn_fail(err, LIMN_E_NOMEM, "no memory for an encoder");
    e->family = family;
    limn_kernels_init(&e->kernels, level);
    const limn_status status = family->open(&e->net, file, config, err);
    if (status != LIMN_OK) limn_encoder_close(&e);
    *out = e;
    return status;
}

void limn_encoder_close(limn_encoder **e)
{
    if (!e || !*e) return;
    (*e)->family->close((*e)->net);
    limn_free(*e);
    *e = NULL;
}

static size_t last_stage(const limn_encoder *e)
{
    return e->family->n_stages(e->net) - 1;
}

size_t limn_encoder_n_stages(const limn_encoder *e)
{
    return e->family->n_stages(e->net);
}

limn_encoder_map limn_encoder_stage_map(const limn_encoder *e, size_t stage)
{
    return e->family->map(e->net, stage);
}

size_t limn_encoder_n_positions(const limn_encoder *e)
{
    const size_t side = limn_encoder_stage_map(e, last_stage(e)).side;
    return side * side;
}

size_t limn_encoder_dim(const limn_encoder *e)
{
    return limn_encoder_stage_map(e, last_stage(e)).n_channels;
}

size_t limn_encoder_weight_bytes(const limn_encoder *e)
{
    return e->family->weight_bytes(e->net);
}

static size_t count_scratch(const limn_encoder *e)
{
    limn_arena counting;
    limn_arena_init_counting(&counting);
    e->family->scratch_take(e->net, &counting);
    return counting.high;
}

limn_status limn_encoder_state_create(limn_encoder_state **out, const limn_encoder *e,
                                      limn_error *err)
{
    limn_encoder_state *s = limn_calloc(1, sizeof *s);
    *out = s;
    if (s && limn_arena_init(&s->arena, count_scratch(e)))
        s->scratch = e->family->scratch_take(e->net, &s->arena);
    if (s && s->scratch) return LIMN_OK;
    limn_encoder_state_destroy(out);
    return limn_fail(err, LIMN_E_NOMEM, "no memory for an encoder's scratch of %zu bytes",
                     limn_encoder_state_bytes(e));
}

void limn_encoder_state_destroy(limn_encoder_state **s)
{
    if (!s || !*s) return;
    limn_arena_finish(&(*s)->arena);
    limn_free(*s);
    *s = NULL;
}

size_t limn_encoder_state_bytes(const limn_encoder *e)
{
    return sizeof(limn_encoder_state) + count_scratch(e);
}

void limn_encoder_run(const limn_encoder *e, limn_encoder_state *s, limn_pool *pool,
                      const uint8_t *pixels, float *features)
{
    limn_encoder_run_stages(e, s, pool, pixels, last_stage(e), features);
}

void limn_encoder_run_stages(const limn_encoder *e, limn_encoder_state *s, limn_pool *pool,
                             const uint8_t *pixels, size_t last_stage, float *map)
{
    const limn_encoder_job job = {
        .kernels = &e->kernels, .pool = pool, .pixels = pixels, .last_stage = last_stage, .map = map
    };
    e->family->run(e->net, s->scratch, &job);
}

void limn_encoder_run_tapped(const limn_encoder *e, limn_encoder_state *s, const uint8_t *pixels,
                             float *features, limn_encoder_tap_fn *tap, void *ctx)
{
    const limn_encoder_job job = { .kernels = &e->kernels,
                                   .pixels = pixels,
                                   .last_stage = last_stage(e),
                                   .map = features,
                                   .tap = tap,
                                   .tap_ctx = ctx };
    e->family->run(e->net, s->scratch, &job);
}
