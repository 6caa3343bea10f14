#include "models/lane.h"

#include <math.h>
#include <string.h>

#include "common/text/detokenize.h"

enum { FIRST_STEP = 2 }; /* of the search: n_steps counts the encoder as one */

/* ---- creating ------------------------------------------------------------------------------ */

static limn_trace_settings trace_settings(const limn_state *s)
{
    const limn_model *m = s->model;
    const limn_options *o = &s->options;
    const size_t n_tokens = m->config.decoder.n_tokens;
    return (limn_trace_settings){
        .max_rows = limn_caption_search_max_rows(s->decoding),
        .max_steps = m->config.max_steps,
        .n_tokens = n_tokens,
        .n_alternatives = o->n_alternatives < n_tokens ? o->n_alternatives : n_tokens,
        .attention_dim = o->keeps_attention ? limn_decoder_attention_dim(m->decoder) : 0,
    };
}

/* Takes what belongs to no module from `a`, which may be counting. */
static void plan(limn_lane *lane, const limn_state *s, limn_arena *a)
{
    if (s->keeps_search) {
        const limn_trace_settings settings = trace_settings(s);
        lane->trace = limn_trace_plan(a, &settings);
    }
    if (s->has_tags)
        lane->tag_probabilities = limn_arena_take(a, limn_tagger_n_tags(s->model->tagger),
                                                  sizeof *lane->tag_probabilities);
}

static size_t own_bytes(const limn_state *s)
{
    limn_lane lane = { 0 };
    limn_arena counting;
    limn_arena_init_counting(&counting);
    plan(&lane, s, &counting);
    return counting.has_failed ? SIZE_MAX : counting.high;
}

size_t limn_lane_bytes(const limn_state *s)
{
    const size_t n_own = own_bytes(s), n_search = limn_caption_search_bytes(s->decoding);
    const limn_forward_settings settings = limn_state_forward_settings(s);
    if (n_own == SIZE_MAX || n_search == SIZE_MAX) return SIZE_MAX;
    return n_own + n_search + limn_forward_lane_bytes(s->model, &settings);
}

limn_status limn_lane_init(limn_lane *lane, limn_state *s, size_t number, limn_error *err)
{
    const size_t n_bytes = own_bytes(s);
    lane->state = s;
    lane->number = number;
    LIMN_TRY(limn_caption_search_create(&lane->search, s->decoding, err));
    if (n_bytes == SIZE_MAX || !limn_arena_init(&lane->arena, n_bytes))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a search of %zu bytes", n_bytes);
    plan(lane, s, &lane->arena);
    if (lane->trace) limn_trace_attach(lane->trace, limn_forward_decoder(s->forward, number));
    return LIMN_OK;
}

void limn_lane_finish(limn_lane *lane)
{
    limn_caption_search_destroy(&lane->search);
    limn_arena_finish(&lane->arena);
    *lane = (limn_lane){ 0 };
}

/* ---- beginning ----------------------------------------------------------------------------- */

static double coverage_of(void *ctx, size_t row)
{
    const limn_lane *lane = ctx;
    return limn_forward_coverage(lane->state->forward, lane->number, row);
}

/* Reads a prompt up to its last token, which is what the first row of limn's own searches begins
 * with. */
static void read_prompt(const limn_lane *lane)
{
    static const uint32_t parent = 0;
    size_t n;
    const uint32_t *prompt = limn_decoding_prompt(lane->state->decoding, &n);
    for (size_t i = 0; i + 1 < n; i++) {
        const limn_forward_turn turn = { lane->number, { 1, &parent, &prompt[i] } };
        limn_forward_step(lane->state->forward, &turn, 1);
    }
}

bool limn_lane_goes_on(limn_lane *lane)
{
    const limn_options *o = &lane->state->options;
    const uint32_t n_before = lane->n_steps++;
    return !o->progress || o->progress(o->progress_ctx, n_before,
                                       (uint32_t)limn_decoding_max_steps(lane->state->decoding));
}

limn_status limn_lane_begin(limn_lane *lane, const limn_source_image *image, limn_error *err)
{
    limn_state *s = lane->state;
    lane->n_steps = 0;
    if (!image->input && !image->features) return limn_fail(err, LIMN_E_ARG, "input: NULL");
    if (!limn_lane_goes_on(lane))
        return limn_fail(err, LIMN_E_INTERRUPTED, "stopped by the program");
    if (image->input)
        limn_forward_encode(s->forward, image->input);
    else
        limn_forward_set_features(s->forward, image->features);
    if (lane->tag_probabilities)
        limn_tagger_run(s->model->tagger, s->tagging, limn_forward_features(s->forward),
                        lane->tag_probabilities);
    limn_forward_begin(s->forward, lane->number);
    if (lane->trace) limn_trace_begin(lane->trace);
    LIMN_TRY(limn_caption_search_begin(lane->search, image->name, coverage_of, lane, err));
    if (s->options.search == LIMN_SEARCH_LIMN) read_prompt(lane);
    return LIMN_OK;
}

/* ---- searching ----------------------------------------------------------------------------- */

limn_search_rows limn_lane_rows(const limn_lane *lane)
{
    const limn_state *s = lane->state;
    limn_search_rows rows = limn_caption_search_rows(lane->search);
    if (lane->n_steps == FIRST_STEP && s->options.search == LIMN_SEARCH_LIMN) {
        size_t n;
        const uint32_t *prompt = limn_decoding_prompt(s->decoding, &n);
        rows.tokens = prompt + n - 1; /* instead of the start token: there is one row */
    }
    return rows;
}

bool limn_lane_is_over(const limn_lane *lane)
{
    return limn_caption_search_rows(lane->search).n_rows == 0;
}

void limn_lane_take(limn_lane *lane, float *outputs)
{
    if (lane->trace && lane->state->options.search == LIMN_SEARCH_LIMN) {
        const limn_search_rows rows = limn_caption_search_rows(lane->search);
        limn_trace_step(lane->trace, rows.n_rows, rows.parents, rows.tokens, outputs);
    }
    limn_caption_search_take(lane->search, outputs);
}

/* ---- captions ------------------------------------------------------------------------------ */

/* The tokens of a hypothesis [*n], with the prompt before them. */
static const uint32_t *ids_of(limn_state *s, size_t *n, const limn_hypothesis *h)
{
    size_t n_prompt;
    const uint32_t *prompt = limn_decoding_prompt(s->decoding, &n_prompt);
    *n = h->n_tokens;
    if (!limn_decoding_has_prompt(s->decoding)) return h->tokens;
    memcpy(s->ids, prompt, n_prompt * sizeof *s->ids);
    memcpy(s->ids + n_prompt, h->tokens, h->n_tokens * sizeof *s->ids);
    *n += n_prompt;
    return s->ids;
}

/* The text of a hypothesis, in the memory of caption i. */
static const char *text_of(limn_state *s, size_t i, const limn_hypothesis *h)
{
    size_t n;
    const uint32_t *ids = ids_of(s, &n, h);
    const size_t size = s->model->max_text;
    char *text = s->texts + i * size;
    if (s->options.style == LIMN_STYLE_RAW) {
        limn_vocab_join(text, size, s->model->vocab, ids, n);
    } else {
        limn_vocab_join(s->raw_text, size, s->model->vocab, ids, n);
        limn_detokenize(text, size, s->raw_text);
    }
    return text;
}

/* What each token of caption i was chosen from; NULL unless that is kept. */
static const limn_prediction *const *predictions_of(const limn_lane *lane, size_t i,
                                                    const limn_hypothesis *h)
{
    const limn_state *s = lane->state;
    if (!lane->trace) return NULL;
    const limn_prediction **out = s->predictions + i * s->model->config.max_steps;
    limn_trace_predictions(out, lane->trace, h->rows, h->n_tokens);
    return out;
}

static void take_captions(const limn_lane *lane, const limn_hypothesis *found, size_t n)
{
    limn_state *s = lane->state;
    for (size_t i = 0; i < n; i++)
        s->items[i] = (limn_caption){ .text = text_of(s, i, &found[i]),
                                      .tokens = found[i].tokens,
                                      .token_logprobs = found[i].token_logprobs,
                                      .n_tokens = found[i].n_tokens,
                                      .predictions = predictions_of(lane, i, &found[i]),
                                      .logprob = found[i].logprob,
                                      .score = found[i].score,
                                      .n_drawn = found[i].n_drawn,
                                      .confidence = NAN };
    s->captions = (limn_captions){ .items = s->items,
                                   .n_items = n,
                                   .tags = s->tags,
                                   .search = lane->trace ? limn_trace_search(lane->trace) : NULL };
}

static void take_confidence(const limn_lane *lane, const limn_hypothesis *found, size_t n_found)
{
    limn_state *s = lane->state;
    for (size_t i = 0; i < s->captions.n_items; i++) {
        float *values = s->signal_values + i * LIMN_N_SIGNALS;
        limn_signals_measure(values, s->signals, found, n_found, i, s->items[i].predictions,
                             lane->tag_probabilities);
        s->items[i].signals = values;
        if (s->model->has_confidence)
            s->items[i].confidence = limn_confidence_of(&s->model->confidence, values);
    }
}

static void take_tags(const limn_lane *lane)
{
    limn_state *s = lane->state;
    s->captions.n_tags =
        limn_tagger_best(s->tags, s->options.n_tags, s->model->tagger, lane->tag_probabilities);
}

limn_status limn_lane_end(limn_lane *lane, const limn_captions **out, limn_error *err)
{
    limn_state *s = lane->state;
    const limn_hypothesis *found;
    size_t n_found;
    LIMN_TRY(limn_caption_search_end(lane->search, &found, &n_found, err));
    take_captions(lane, found, n_found < s->options.n_best ? n_found : s->options.n_best);
    if (lane->tag_probabilities) take_tags(lane);
    if (s->signals) take_confidence(lane, found, n_found);
    *out = &s->captions;
    return LIMN_OK;
}
