#include "models/forcing.h"

#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "models/captioner_model.h"
#include "models/tag_slots.h"

struct limn_forcing {
    const limn_model *model;
    limn_pool *pool; /* NULL for one thread */
    limn_encoder_state *encoder;
    limn_decoder_state *decoder;
    limn_arena arena;
    limn_tag_slots *slots; /* NULL without */
    float *features;       /* [n_positions, dim] */
    float *logits;         /* [n_tokens] */
    size_t max_ids;
};

static void plan(limn_forcing *f, limn_arena *a)
{
    const limn_model *m = f->model;
    f->features = limn_arena_take(a, limn_encoder_n_positions(m->encoder),
                                  limn_encoder_dim(m->encoder) * sizeof *f->features);
    f->slots = limn_tag_slots_take(&m->config.decoder, m->tagger, a);
    f->logits = limn_arena_take(a, m->config.decoder.n_tokens, sizeof *f->logits);
}

static limn_status build(limn_forcing *f, uint32_t n_threads, limn_error *err)
{
    const limn_model *m = f->model;
    limn_arena counting;
    if (f->max_ids > m->config.decoder.max_positions)
        return limn_fail(err, LIMN_E_LIMIT, "%zu ids are more than the model's %u positions",
                         f->max_ids, m->config.decoder.max_positions);
    limn_arena_init_counting(&counting);
    plan(f, &counting);
    if (counting.has_failed || !limn_arena_init(&f->arena, counting.high))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu bytes", counting.high);
    plan(f, &f->arena);
    if (n_threads > 1) LIMN_TRY(limn_pool_create(&f->pool, n_threads, err));
    LIMN_TRY(limn_encoder_state_create(&f->encoder, m->encoder, err));
    return limn_decoder_state_create(&f->decoder, m->decoder, 1, f->max_ids, err);
}

limn_status limn_forcing_create(limn_forcing **out, const limn_model *model, size_t max_ids,
                                uint32_t n_threads, limn_error *err)
{
    limn_forcing *f = *out = limn_calloc(1, sizeof *f);
    if (!f) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    f->model = model;
    f->max_ids = max_ids > 0 ? max_ids : 1;
    const limn_status s = build(f, n_threads, err);
    if (s != LIMN_OK) limn_forcing_destroy(out);
    return s;
}

void limn_forcing_destroy(limn_forcing **forcing)
{
    limn_forcing *f = forcing ? *forcing : NULL;
    if (!f) return;
    limn_encoder_state_destroy(&f->encoder);
    limn_decoder_state_destroy(&f->decoder);
    limn_pool_destroy(&f->pool);
    limn_arena_finish(&f->arena);
    limn_free(f);
    *forcing = NULL;
}

void limn_forcing_begin(limn_forcing *f, const uint8_t *input)
{
    const limn_float_env env = limn_float_env_enter();
    limn_encoder_run(f->model->encoder, f->encoder, f->pool, input, f->features);
    limn_decoder_begin(f->decoder, f->pool, f->features,
                       limn_tag_slots_find(f->slots, f->features));
    limn_float_env_leave(&env);
}

limn_status limn_forcing_check(const limn_forcing *f, const uint32_t *ids, size_t n,
                               limn_error *err)
{
    const limn_decoder_config *c = &f->model->config.decoder;
    if (n < 1 || n > f->max_ids)
        return limn_fail(err, LIMN_E_ARG, "ids: has %zu, expected 1 … %zu", n, f->max_ids);
    if (ids[0] != c->specials.start)
        return limn_fail(err, LIMN_E_ARG, "ids[0]: is %u, expected %u, the model's start token",
                         ids[0], c->specials.start);
    for (size_t i = 1; i < n; i++)
        if (ids[i] >= c->n_tokens)
            return limn_fail(err, LIMN_E_ARG, "ids[%zu]: is %u, the vocabulary has %u tokens", i,
                             ids[i], c->n_tokens);
    return LIMN_OK;
}

const float *limn_forcing_step(limn_forcing *f, uint32_t id)
{
    const uint32_t parent = 0;
    const limn_float_env env = limn_float_env_enter();
    limn_decoder_step(f->decoder, f->pool, 1, &parent, &id, f->logits);
    limn_float_env_leave(&env);
    return f->logits;
}

void limn_forcing_rewind(limn_forcing *f)
{
    limn_decoder_rewind(f->decoder);
}

float limn_forcing_logprob(const limn_forcing *f, uint32_t id)
{
    return f->logits[id] - limn_decoder_log_sum_exp(f->model->decoder, f->logits);
}
