#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "common/base/status.h"
#include "models/lane.h"
#include "models/options.h"

/* Bytes that the lanes of a state after the first may take. */
enum { LANES_BUDGET = (LIMN_MAX_LANES - 1) * 1250000 };

static bool keeps_search(const limn_options *o)
{
    return o->keeps_search || o->keeps_attention || o->n_alternatives > 0 || o->has_confidence;
}

/* Takes what belongs to no module from `a`, which may be counting. */
static void plan(limn_state *s, limn_arena *a)
{
    const limn_model *m = s->model;
    const limn_options *o = &s->options;
    const size_t n_best = o->n_best;
    s->input = limn_arena_take(a, limn_model_input_offset(m, 1 + m->n_others), 1);
    s->items = limn_arena_take(a, n_best, sizeof *s->items);
    s->texts = limn_arena_take(a, n_best, m->max_text);
    s->raw_text = limn_arena_take(a, m->max_text, 1);
    s->ids = limn_arena_take(a, limn_decoding_max_steps(s->decoding) + 1, sizeof *s->ids);
    if (s->keeps_search)
        s->predictions = limn_arena_take(a, n_best * m->config.max_steps, sizeof *s->predictions);
    if (s->has_tags) {
        s->tagging = limn_tagger_scratch_take(m->tagger, a);
        s->tags = limn_arena_take(a, o->n_tags, sizeof *s->tags);
    }
    if (o->has_confidence)
        s->signal_values = limn_arena_take(a, n_best * LIMN_N_SIGNALS, sizeof *s->signal_values);
}

/* Confidence needs all captions of a beam, for agreement and margin. */
static limn_options searched_options(const limn_options *o)
{
    limn_options searched = *o;
    if (o->has_confidence && o->method == LIMN_METHOD_BEAM && o->n_best < o->beam_size)
        searched.n_best = o->beam_size;
    return searched;
}

limn_forward_settings limn_state_forward_settings(const limn_state *s)
{
    return (limn_forward_settings){ .max_rows = limn_caption_search_max_rows(s->decoding),
                                    .max_steps = limn_decoding_max_steps(s->decoding),
                                    .has_coverage = s->options.coverage_penalty > 0,
                                    .guidance = limn_decoding_guidance(s->decoding) };
}

/* The forward has the lane already. */
static limn_status init_lane(limn_state *s, limn_error *err)
{
    limn_lane *lane = &s->lanes[s->n_lanes];
    const limn_status status = limn_lane_init(lane, s, s->n_lanes, err);
    if (status != LIMN_OK)
        limn_lane_finish(lane);
    else
        s->n_lanes++;
    return status;
}

limn_status limn_state_add_lane(limn_state *s, limn_error *err)
{
    if (limn_forward_n_lanes(s->forward) == s->n_lanes)
        LIMN_TRY(limn_forward_add_lane(s->forward, err));
    return init_lane(s, err);
}

static size_t max_lanes_of(const limn_state *s)
{
    const size_t n = LANES_BUDGET / limn_lane_bytes(s);
    return 1 + (n < LIMN_MAX_LANES - 1 ? n : LIMN_MAX_LANES - 1);
}

static limn_status build(limn_state *s, const limn_options *o, uint32_t n_threads, limn_error *err)
{
    limn_arena counting;
    const limn_options searched = searched_options(o);
    LIMN_TRY(limn_decoding_create(&s->decoding, s->model, &searched, err));
    s->keeps_search = keeps_search(o);
    s->has_tags = o->n_tags > 0 || (o->has_confidence && s->model->tagger);
    limn_arena_init_counting(&counting);
    plan(s, &counting);
    if (counting.has_failed || !limn_arena_init(&s->arena, counting.high))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a state of %zu bytes", counting.high);
    plan(s, &s->arena);
    if (n_threads > 1) LIMN_TRY(limn_pool_create(&s->pool, n_threads, err));
    const limn_forward_settings settings = limn_state_forward_settings(s);
    LIMN_TRY(limn_forward_create(&s->forward, s->model, s->pool, &settings, err));
    s->max_lanes = max_lanes_of(s);
    LIMN_TRY(limn_state_add_lane(s, err));
    return o->has_confidence ? limn_signals_create(&s->signals, s->model, s->pool, err) : LIMN_OK;
}

static limn_status create(limn_state **out, const limn_model *model, const limn_options *options,
                          uint32_t n_threads, limn_error *err)
{
    limn_options all;
    if (!out) return limn_fail(err, LIMN_E_ARG, "out: NULL");
    *out = NULL;
    if (!model) return limn_fail(err, LIMN_E_ARG, "model: NULL");
    LIMN_TRY(limn_options_take(&all, options, err));
    LIMN_TRY(limn_options_check(&all, "", err));
    LIMN_TRY(limn_options_check_for(&all, model, err));
    if (n_threads < 1 || n_threads > LIMN_MAX_WORKER_THREADS)
        return limn_fail(err, LIMN_E_ARG, "n_threads: %u is not in 1 … %d", n_threads,
                         LIMN_MAX_WORKER_THREADS);
    limn_state *s = limn_calloc(1, sizeof *s);
    if (!s) return limn_fail(err, LIMN_E_NOMEM, "no memory for a state");
    s->model = model;
    s->options = all;
    s->options.banned_words = s->options.required = NULL;
    s->options.start = s->options.prompt = NULL;
    s->options.memory = NULL;
    const limn_status status = build(s, &all, n_threads, err);
    if (status != LIMN_OK) limn_state_destroy(&s);
    *out = s;
    return status;
}

limn_status limn_state_create(limn_state **out, const limn_model *model,
                              const limn_options *options, uint32_t n_threads, limn_error *err)
{
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = create(out, model, options, n_threads, err);
    limn_float_env_leave(&env);
    return status;
}

void limn_state_destroy(limn_state **state)
{
    limn_state *s = state ? *state : NULL;
    if (!s) return;
    limn_forward_destroy(&s->forward);
    for (size_t i = 0; i < s->n_lanes; i++) limn_lane_finish(&s->lanes[i]);
    limn_decoding_destroy(&s->decoding);
    limn_signals_destroy(&s->signals);
    limn_pool_destroy(&s->pool);
    limn_resize_scratch_finish(&s->resize);
    limn_free(s->dense);
    limn_arena_finish(&s->arena);
    limn_free(s);
    *state = NULL;
}
