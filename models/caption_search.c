#include "models/caption_search.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/text/path.h"
#include "decoder/beam.h"
#include "decoder/generate.h"
#include "decoder/sample_search.h"
#include "decoder/virtex_search.h"
#include "models/decoding_parts.h"

struct limn_caption_search {
    limn_decoding *decoding;
    limn_arena arena;
    limn_beam *beam; /* one of these four, the others are NULL */
    limn_sample_search *samples;
    limn_generate *generate;
    limn_virtex_search *virtex;
    limn_hypothesis *found; /* [max_found] views of what was found, to be ranked; NULL = not */
    size_t max_found;       /* captions that a search gives */
};

/* ---- settings of the searches ------------------------------------------------------------- */

static limn_constraints constraints_of(const limn_decoding *d)
{
    const limn_options *o = &d->options;
    return (limn_constraints){ .min_words = o->min_words,
                               .max_words = o->max_words,
                               .no_repeat_ngram = o->no_repeat_ngram,
                               .banned_phrases = d->banned,
                               .start = d->start.tokens,
                               .n_start = d->start.n_tokens,
                               .bad_endings = d->bad_endings,
                               .twins = limn_vocab_twins(d->model->vocab),
                               .classes = limn_vocab_classes(d->model->vocab) };
}

static limn_token_values values_of(const limn_options *o)
{
    return (limn_token_values){ .repetition = o->repetition_penalty,
                                .filter = o->filter,
                                .filter_ctx = o->filter_ctx };
}

static limn_beam_settings beam_settings(const limn_decoding *d)
{
    const limn_options *o = &d->options;
    limn_beam_settings s = {
        .beam_size = o->beam_size,
        .max_steps = d->max_steps,
        .length_penalty = o->length_penalty,
        .n_tokens = d->model->config.decoder.n_tokens,
        .start_token = d->model->config.decoder.specials.start,
        .end_token = d->model->config.decoder.specials.end,
        .constraints = constraints_of(d),
        .n_groups = o->n_groups,
        .diversity = o->diversity,
        .required = d->required,
        .values = values_of(o),
        .length_reward = o->length_reward,
        .coverage = o->coverage_penalty,
        .patience = o->n_candidates ? (float)o->n_candidates / (float)o->beam_size : o->patience,
    };
    const size_t max_finished = limn_beam_max_finished(&s);
    s.n_best = o->rerank || o->n_best > max_finished ? max_finished : o->n_best;
    return s;
}

static limn_sample_settings sample_settings(const limn_decoding *d)
{
    const limn_options *o = &d->options;
    return (limn_sample_settings){
        .n_samples = o->n_candidates ? o->n_candidates : o->n_best,
        .is_distinct = o->method == LIMN_METHOD_SAMPLE_DISTINCT,
        .max_steps = d->max_steps,
        .n_tokens = d->model->config.decoder.n_tokens,
        .start_token = d->model->config.decoder.specials.start,
        .end_token = d->model->config.decoder.specials.end,
        .constraints = constraints_of(d),
        .values = values_of(o),
        .sampling = { .temperature = o->temperature,
                      .top_k = o->top_k,
                      .top_p = o->top_p,
                      .min_p = o->min_p,
                      .typical = o->typical },
        .scoring = { .length_penalty = o->length_penalty,
                     .length_reward = o->length_reward,
                     .coverage = o->coverage_penalty },
        .softmax = d->model->kernels.softmax,
    };
}

static limn_generate_settings generate_settings(const limn_decoding *d)
{
    const limn_options *o = &d->options;
    const size_t n_prompt = d->prompt.n_tokens;
    const size_t min_new = o->min_length > n_prompt ? o->min_length - n_prompt : 0;
    return (limn_generate_settings){
        .beam_size = o->beam_size,
        .n_best = o->n_best,
        .max_new = d->max_steps,
        .min_new = min_new > o->min_new_tokens ? min_new : o->min_new_tokens,
        .length_penalty = o->length_penalty,
        .repetition_penalty = o->repetition_penalty,
        .prompt = d->prompt.tokens,
        .n_prompt = n_prompt,
        .n_tokens = d->model->config.decoder.n_tokens,
        .end_token = d->model->config.decoder.specials.end,
        .log_sum_exp = d->model->kernels.log_sum_exp,
    };
}

static limn_virtex_settings virtex_settings(const limn_decoding *d)
{
    return (limn_virtex_settings){
        .beam_size = d->options.beam_size,
        .n_best = d->options.n_best,
        .max_steps = d->max_steps,
        .n_tokens = d->model->config.decoder.n_tokens,
        .start_token = d->model->config.decoder.specials.start,
        .end_token = d->model->config.decoder.specials.end,
        .log_sum_exp = d->model->kernels.log_sum_exp,
    };
}

/* ---- creating ------------------------------------------------------------------------------ */

/* Takes the scratch of the search from `a`, which may be counting. */
static void plan(limn_caption_search *c, limn_arena *a)
{
    const limn_decoding *d = c->decoding;
    if (d->options.search == LIMN_SEARCH_TRANSFORMERS) {
        const limn_generate_settings s = generate_settings(d);
        c->generate = limn_generate_plan(a, &s);
        c->max_found = s.n_best;
    } else if (d->options.search == LIMN_SEARCH_VIRTEX) {
        const limn_virtex_settings s = virtex_settings(d);
        c->virtex = limn_virtex_search_plan(a, &s);
        c->max_found = s.n_best;
    } else if (d->options.method == LIMN_METHOD_BEAM) {
        const limn_beam_settings s = beam_settings(d);
        c->beam = limn_beam_plan(a, &s);
        c->max_found = s.n_best;
    } else {
        const limn_sample_settings s = sample_settings(d);
        c->samples = limn_sample_plan(a, &s);
        c->max_found = s.n_samples;
    }
    if (d->options.rerank) c->found = limn_arena_take(a, c->max_found, sizeof *c->found);
}

size_t limn_caption_search_bytes(limn_decoding *d)
{
    limn_caption_search c = { .decoding = d };
    limn_arena counting;
    limn_arena_init_counting(&counting);
    plan(&c, &counting);
    return counting.has_failed ? SIZE_MAX : counting.high;
}

static limn_status build(limn_caption_search *c, limn_error *err)
{
    limn_decoding *d = c->decoding;
    const size_t n_bytes = limn_caption_search_bytes(d);
    if (n_bytes == SIZE_MAX || !limn_arena_init(&c->arena, n_bytes))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a search of %zu bytes", n_bytes);
    plan(c, &c->arena);
    if (!d->options.rerank || d->consensus) return LIMN_OK;
    return limn_consensus_create(&d->consensus, c->max_found, d->max_steps, d->model->frequencies,
                                 d->model->vocab, err);
}

limn_status limn_caption_search_create(limn_caption_search **out, limn_decoding *d, limn_error *err)
{
    limn_caption_search *c = limn_calloc(1, sizeof *c);
    *out = NULL;
    if (!c) return limn_fail(err, LIMN_E_NOMEM, "no memory for a search");
    c->decoding = d;
    const limn_status status = build(c, err);
    if (status != LIMN_OK) limn_caption_search_destroy(&c);
    *out = c;
    return status;
}

void limn_caption_search_destroy(limn_caption_search **p)
{
    limn_caption_search *c = p ? *p : NULL;
    if (!c) return;
    limn_arena_finish(&c->arena);
    limn_free(c);
    *p = NULL;
}

size_t limn_caption_search_max_rows(const limn_decoding *d)
{
    if (d->options.search != LIMN_SEARCH_LIMN) return d->options.beam_size;
    if (d->options.method != LIMN_METHOD_BEAM) return sample_settings(d).n_samples;
    const limn_beam_settings s = beam_settings(d);
    return limn_beam_max_rows(&s);
}

/* ---- searching ----------------------------------------------------------------------------- */

limn_status limn_caption_search_begin(limn_caption_search *c, const char *name,
                                      limn_coverage_fn *coverage_of, void *ctx, limn_error *err)
{
    const limn_decoding *d = c->decoding;
    const char *last = limn_path_last(name ? name : "");
    if (c->beam) {
        limn_beam_settings s = beam_settings(d);
        s.coverage_of = coverage_of;
        s.coverage_ctx = ctx;
        return limn_beam_begin(c->beam, &s, err);
    }
    if (c->samples) {
        limn_sample_settings s = sample_settings(d);
        s.scoring.coverage_of = coverage_of;
        s.scoring.coverage_ctx = ctx;
        return limn_sample_begin(c->samples, &s, d->options.seed, last, strlen(last), err);
    }
    if (c->generate) {
        const limn_generate_settings s = generate_settings(d);
        limn_generate_begin(c->generate, &s);
    } else {
        const limn_virtex_settings s = virtex_settings(d);
        limn_virtex_search_begin(c->virtex, &s);
    }
    return LIMN_OK;
}

limn_search_rows limn_caption_search_rows(const limn_caption_search *c)
{
    if (c->beam) return limn_beam_rows(c->beam);
    if (c->samples) return limn_sample_rows(c->samples);
    return c->generate ? limn_generate_rows(c->generate) : limn_virtex_search_rows(c->virtex);
}

void limn_caption_search_take(limn_caption_search *c, float *outputs)
{
    if (c->beam)
        limn_beam_take(c->beam, outputs);
    else if (c->samples)
        limn_sample_take(c->samples, outputs);
    else if (c->generate)
        limn_generate_take(c->generate, outputs);
    else
        limn_virtex_search_take(c->virtex, outputs);
}

static limn_status end(limn_caption_search *c, const limn_hypothesis **out, size_t *n_out,
                       limn_error *err)
{
    if (c->beam) return limn_beam_end(c->beam, out, n_out, err);
    if (c->samples) return limn_sample_end(c->samples, out, n_out, err);
    if (c->generate) return limn_generate_end(c->generate, out, n_out, err);
    return limn_virtex_search_end(c->virtex, out, n_out, err);
}

limn_status limn_caption_search_end(limn_caption_search *c, const limn_hypothesis **out,
                                    size_t *n_out, limn_error *err)
{
    const limn_decoding *d = c->decoding;
    LIMN_TRY(end(c, out, n_out, err));
    if (c->found) {
        memcpy(c->found, *out, *n_out * sizeof *c->found);
        LIMN_TRY(limn_consensus_rank(d->consensus, c->found, *n_out, c->samples != NULL, err));
        *out = c->found;
    }
    *n_out = *n_out < d->options.n_best ? *n_out : d->options.n_best;
    return LIMN_OK;
}
