#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "common/base/status.h"
#include "models/captioner_state.h"
#include "models/options.h"

static bool keeps_search(const limn_options *o)
{
    return o->keeps_search || o->keeps_attention || o->n_alternatives > 0 || o->has_confidence;
}

static void plan_trace(limn_state *s, limn_arena *a)
{
    const limn_model *m = s->model;
    const limn_options *o = &s->options;
    const size_t n_tokens = m->config.decoder.n_tokens;
    const limn_trace_settings settings = {
        .max_rows = limn_caption_search_max_rows(s->decoding),
        .max_steps = m->config.max_steps,
        .n_tokens = n_tokens,
        .n_alternatives = o->n_alternatives < n_tokens ? o->n_alternatives : n_tokens,
        .attention_dim = o->keeps_attention ? limn_decoder_attention_dim(m->decoder) : 0,
    };
    s->trace = limn_trace_plan(a, &settings);
    s->predictions =
        limn_arena_take(a, (size_t)o->n_best * settings.max_steps, sizeof *s->predictions);
}

static void plan_tags(limn_state *s, limn_arena *a)
{
    const limn_tagger *tagger = s->model->tagger;
    s->tagging = limn_tagger_scratch_take(tagger, a);
    s->tag_probabilities =
        limn_arena_take(a, limn_tagger_n_tags(tagger), sizeof *s->tag_probabilities);
    s->tags = limn_arena_take(a, s->options.n_tags, sizeof *s->tags);
}

/* Takes what belongs to no module from `a`, which may be counting. */
static void plan(limn_state *s, limn_arena *a)
{
    const limn_model *m = s->model;
    s->input = limn_arena_take(a, limn_model_input_offset(m, 1 + m->n_others), 1);
    s->items = limn_arena_take(a, s->options.n_best, sizeof *s->items);
    s->texts = limn_arena_take(a, s->options.n_best, m->max_text);
    s->raw_text = limn_arena_take(a, m->max_text, 1);
    s->outputs = limn_arena_take(a, limn_caption_search_max_rows(s->decoding),
                                 m->config.decoder.n_tokens * sizeof *s->outputs);
    s->ids = limn_arena_take(a, limn_decoding_max_steps(s->decoding) + 1, sizeof *s->ids);
    if (keeps_search(&s->options)) plan_trace(s, a);
    if (s->options.n_tags > 0 || (s->options.has_confidence && m->tagger)) plan_tags(s, a);
    if (s->options.has_confidence)
        s->signal_values = limn_arena_take(a, (size_t)s->options.n_best * LIMN_N_SIGNALS,
                                           sizeof *s->signal_values);
}

/* Confidence needs all captions of a beam, for agreement and margin. */
static limn_options searched_options(const limn_options *o)
{
    limn_options searched = *o;
    if (o->has_confidence && o->method == LIMN_METHOD_BEAM && o->n_best < o->beam_size)
        searched.n_best = o->beam_size;
    return searched;
}

static limn_status build(limn_state *s, const limn_options *o, uint32_t n_threads, limn_error *err)
{
    limn_arena counting;
    const limn_options searched = searched_options(o);
    LIMN_TRY(limn_decoding_create(&s->decoding, s->model, &searched, err));
    LIMN_TRY(limn_caption_search_create(&s->search, s->decoding, err));
    limn_arena_init_counting(&counting);
    plan(s, &counting);
    if (counting.has_failed || !limn_arena_init(&s->arena, counting.high))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a state of %zu bytes", counting.high);
    plan(s, &s->arena);
    if (n_threads > 1) LIMN_TRY(limn_pool_create(&s->pool, n_threads, err));
    LIMN_TRY(limn_forward_create(
        &s->forward, s->model, s->pool, limn_caption_search_max_rows(s->decoding),
        limn_decoding_max_steps(s->decoding), o->coverage_penalty > 0, o->guidance, err));
    if (s->trace) limn_trace_attach(s->trace, limn_forward_decoder(s->forward));
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
    if (n_threads < 1 || n_threads > 1024)
        return limn_fail(err, LIMN_E_ARG, "n_threads: %u is not in 1 … 1024", n_threads);
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
    limn_caption_search_destroy(&s->search);
    limn_decoding_destroy(&s->decoding);
    limn_signals_destroy(&s->signals);
    limn_pool_destroy(&s->pool);
    limn_resize_scratch_finish(&s->resize);
    limn_free(s->dense);
    limn_arena_finish(&s->arena);
    limn_free(s);
    *state = NULL;
}
