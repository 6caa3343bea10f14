#include "encoder/encoder.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/weights/weights.h"
#include "encoder/efficientnet_lite/efficientnet_lite.h"
#include "encoder/network_family.h"
#include "encoder/resnet/resnet.h"
#include "encoder/vit/vit.h"

struct limn_encoder {
    const limn_encoder_family *family;
    limn_encoder_config config;
    limn_tensor_table tensors;
    void *net;
    const limn_kernels *kernels;
};

struct limn_encoder_state {
    limn_arena arena;
    void *scratch;
};

/* ---- families ---- */

static const limn_encoder_family *const families[] = {
    &limn_efficientnet_lite,
    &limn_resnet,
    &limn_vit,
};
enum { N_FAMILIES = sizeof families / sizeof *families };

const limn_encoder_family *limn_encoder_family_find(const char *name)
{
    for (size_t i = 0; i < N_FAMILIES; i++)
        for (const char *const *known = families[i]->names; *known; known++)
            if (strcmp(*known, name) == 0) return families[i];
    return NULL;
}

bool limn_encoder_is_known(const char *family)
{
    return limn_encoder_family_find(family) != NULL;
}

static limn_status fail_unknown(const char *name, limn_error *err)
{
    limn_buffer known = { 0 };
    for (size_t i = 0; i < N_FAMILIES; i++)
        for (const char *const *n = families[i]->names; *n; n++)
            limn_buffer_printf(&known, "%s%s", known.size > 0 ? ", " : "", *n);
    const limn_status status =
        limn_fail(err, LIMN_E_UNSUPPORTED, "encoder family '%s' is unknown; known are %s", name,
                  known.has_failed ? "others" : known.bytes);
    limn_buffer_finish(&known);
    return status;
}

limn_status limn_encoder_check(const limn_encoder_config *config, limn_error *err)
{
    const limn_encoder_family *family = limn_encoder_family_find(config->family);
    const uint32_t width = config->input.width, height = config->input.height;
    const uint32_t least = width < height ? width : height, most = width > height ? width : height;
    if (!family) return fail_unknown(config->family, err);
    if (least < LIMN_MIN_INPUT_SIDE || most > LIMN_MAX_INPUT_SIDE)
        return limn_fail(err, LIMN_E_LIMIT, "encoder input of %u x %u: sides are not in %d … %d",
                         (unsigned)width, (unsigned)height, LIMN_MIN_INPUT_SIDE,
                         LIMN_MAX_INPUT_SIDE);
    if (family->needs_square && width != height)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "encoder family '%s' takes square input, not %u x %u", config->family,
                         (unsigned)width, (unsigned)height);
    return family->check ? family->check(config, err) : LIMN_OK;
}

size_t limn_encoder_count_stages(const limn_encoder_config *config)
{
    return limn_encoder_family_find(config->family)->n_stages(config);
}

limn_feature_shape limn_encoder_stage_shape(const limn_encoder_config *config, size_t stage)
{
    const size_t last = limn_encoder_count_stages(config) - 1;
    return limn_encoder_family_find(config->family)->shape(config, stage < last ? stage : last);
}

limn_feature_shape limn_encoder_feature_shape(const limn_encoder_config *config)
{
    return limn_encoder_stage_shape(config, SIZE_MAX);
}

void limn_encoder_tensors(limn_tensor_table *table, const limn_encoder_config *config)
{
    limn_encoder_family_find(config->family)->tensors(table, config);
}

/* ---- opening ---- */

static limn_status load(limn_encoder *e, const limn_safetensors *file, limn_error *err)
{
    e->net = limn_calloc(1, e->family->size);
    if (!e->net) return limn_fail(err, LIMN_E_NOMEM, "no memory for a network");
    e->family->plan(e->net, &e->config);
    limn_encoder_tensors(&e->tensors, &e->config);
    LIMN_TRY(limn_tensor_table_check(&e->tensors, err));
    return limn_weights_load(e->net, &e->tensors, file, err);
}

limn_status limn_encoder_open(limn_encoder **out, const limn_safetensors *file,
                              const limn_encoder_config *config, const limn_kernels *kernels,
                              limn_error *err)
{
    *out = NULL;
    LIMN_TRY(limn_encoder_check(config, err));
    limn_encoder *e = limn_calloc(1, sizeof *e);
    if (!e) return limn_fail(err, LIMN_E_NOMEM, "no memory for an encoder");
    e->family = limn_encoder_family_find(config->family);
    e->config = *config;
    e->kernels = kernels;
    const limn_status status = load(e, file, err);
    if (status != LIMN_OK) limn_encoder_close(&e);
    *out = e;
    return status;
}

void limn_encoder_close(limn_encoder **p)
{
    limn_encoder *e = p ? *p : NULL;
    if (!e) return;
    if (e->net) limn_weights_finish(e->net, &e->tensors);
    limn_tensor_table_finish(&e->tensors);
    limn_free(e->net);
    limn_free(e);
    *p = NULL;
}

const limn_encoder_config *limn_encoder_get_config(const limn_encoder *e)
{
    return &e->config;
}

size_t limn_encoder_n_positions(const limn_encoder *e)
{
    return limn_feature_positions(limn_encoder_feature_shape(&e->config));
}

size_t limn_encoder_dim(const limn_encoder *e)
{
    return limn_encoder_feature_shape(&e->config).dim;
}

const limn_packed *limn_encoder_product(const limn_encoder *e, const char *name)
{
    return limn_weights_product(e->net, &e->tensors, name);
}

size_t limn_encoder_weight_bytes(const limn_encoder *e)
{
    return limn_weights_bytes(e->net, &e->tensors);
}

/* ---- running ---- */

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

static size_t last_stage_of(const limn_encoder *e)
{
    return limn_encoder_count_stages(&e->config) - 1;
}

void limn_encoder_run(const limn_encoder *e, limn_encoder_state *s, limn_pool *pool,
                      const uint8_t *pixels, float *features)
{
    limn_encoder_run_stages(e, s, pool, pixels, last_stage_of(e), features);
}

void limn_encoder_run_stages(const limn_encoder *e, limn_encoder_state *s, limn_pool *pool,
                             const uint8_t *pixels, size_t last_stage, float *map)
{
    const limn_encoder_job job = {
        .kernels = e->kernels, .pool = pool, .pixels = pixels, .last_stage = last_stage, .map = map
    };
    e->family->run(e->net, s->scratch, &job);
}

void limn_encoder_run_tapped(const limn_encoder *e, limn_encoder_state *s, const uint8_t *pixels,
                             float *features, limn_encoder_tap_fn *tap, void *ctx)
{
    const limn_encoder_job job = { .kernels = e->kernels,
                                   .pixels = pixels,
                                   .last_stage = last_stage_of(e),
                                   .map = features,
                                   .tap = tap,
                                   .tap_ctx = ctx };
    e->family->run(e->net, s->scratch, &job);
}
