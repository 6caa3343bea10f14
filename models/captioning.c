/* A picture into a state, and captions out of it. */
#include <math.h>
#include <string.h>

#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/detokenize.h"
#include "models/captioner_state.h"

enum { MAX_FILE_SIZE = 1 << 30 }; /* bytes of a picture file */

/* ---- loading ------------------------------------------------------------------------------- */

/* Where member `i` of an ensemble has its pixels, when no member before it sees pictures alike;
 * NULL when one does. */
static uint8_t *own_input(const limn_model *m, size_t i, uint8_t *input)
{
    const size_t offset = limn_model_input_offset(m, i);
    for (size_t k = 0; k < i; k++)
        if (limn_model_input_offset(m, k) == offset) return NULL;
    return input + offset;
}

static limn_status squash(limn_state *s, uint8_t *input, const uint8_t *pixels, uint32_t width,
                          uint32_t height, limn_error *err)
{
    for (size_t i = 0; limn_model_member(s->model, i); i++) {
        const limn_model_config *c = &limn_model_member(s->model, i)->config;
        uint8_t *out = own_input(s->model, i, input);
        if (out)
            LIMN_TRY(limn_resize(out, c->encoder.input_size, c->encoder.input_size, pixels, width,
                                 height, c->resize, &s->resize, err));
    }
    return LIMN_OK;
}

static limn_status load(limn_state *s, const void *bytes, size_t size, uint8_t *input,
                        uint32_t *width, uint32_t *height, limn_error *err)
{
    for (size_t i = 0; limn_model_member(s->model, i); i++) {
        const limn_encoder_input_settings settings =
            limn_model_input_settings(limn_model_member(s->model, i), s->options.max_pixels);
        uint8_t *out = own_input(s->model, i, input);
        if (out)
            LIMN_TRY(limn_encoder_input_load(out, bytes, size, &settings, &s->resize, width, height,
                                             err));
    }
    return LIMN_OK;
}

limn_status limn_state_load(limn_state *s, const void *bytes, size_t size, uint8_t *input,
                            uint32_t *width, uint32_t *height, limn_error *err)
{
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = load(s, bytes, size, input, width, height, err);
    limn_float_env_leave(&env);
    return status;
}

/* ---- captions ------------------------------------------------------------------------------ */

/* The model as a search sees it. */
static void step(void *ctx, size_t n_rows, const uint32_t *parents, const uint32_t *tokens,
                 float *log_probs)
{
    limn_state *s = ctx;
    limn_forward_step(s->forward, n_rows, parents, tokens, log_probs);
    if (s->trace) limn_trace_step(s->trace, n_rows, parents, tokens, log_probs);
}

static double coverage_of(void *ctx, size_t row)
{
    const limn_state *s = ctx;
    return limn_forward_coverage(s->forward, row);
}

/* The text of a hypothesis, in the memory of caption i. */
static const char *text_of(limn_state *s, size_t i, const limn_hypothesis *h)
{
    const size_t size = s->model->max_text;
    char *text = s->texts + i * size;
    if (s->options.style == LIMN_STYLE_RAW) {
        limn_vocab_join(text, size, s->model->vocab, h->tokens, h->n_tokens);
    } else {
        limn_vocab_join(s->raw_text, size, s->model->vocab, h->tokens, h->n_tokens);
        limn_detokenize(text, size, s->raw_text);
    }
    return text;
}

/* What each token of caption i was chosen from; NULL unless that is kept. */
static const limn_prediction *const *predictions_of(limn_state *s, size_t i,
                                                    const limn_hypothesis *h)
{
    if (!s->trace) return NULL;
    const limn_prediction **out = s->predictions + i * s->model->config.max_steps;
    limn_trace_predictions(out, s->trace, h->rows, h->n_tokens);
    return out;
}

static void take_captions(limn_state *s, const limn_hypothesis *found, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->items[i] = (limn_caption){ .text = text_of(s, i, &found[i]),
                                      .tokens = found[i].tokens,
                                      .token_logprobs = found[i].token_logprobs,
                                      .n_tokens = found[i].n_tokens,
                                      .predictions = predictions_of(s, i, &found[i]),
                                      .logprob = found[i].logprob,
                                      .score = found[i].score,
                                      .n_drawn = found[i].n_drawn,
                                      .confidence = NAN };
    s->captions = (limn_captions){ .items = s->items,
                                   .n_items = n,
                                   .tags = s->tags,
                                   .search = s->trace ? limn_trace_search(s->trace) : NULL };
}

static void take_confidence(limn_state *s, const limn_hypothesis *found, size_t n_found)
{
    for (size_t i = 0; i < s->captions.n_items; i++) {
        float *values = s->signal_values + i * LIMN_N_SIGNALS;
        limn_signals_measure(values, s->signals, found, n_found, i, s->items[i].predictions,
                             s->tag_probabilities);
        s->items[i].signals = values;
        if (s->model->has_confidence)
            s->items[i].confidence = limn_confidence_of(&s->model->confidence, values);
    }
}

static void take_tags(limn_state *s)
{
    const limn_tagger *tagger = s->model->tagger;
    limn_tagger_run(tagger, s->tagging, limn_forward_features(s->forward), s->tag_probabilities);
    s->captions.n_tags = limn_tagger_best(s->tags, s->options.n_tags, tagger, s->tag_probabilities);
}

static limn_status caption(limn_state *s, const char *name, const uint8_t *input,
                           const limn_captions **out, limn_error *err)
{
    const limn_hypothesis *found;
    size_t n_found;
    limn_forward_begin(s->forward, input);
    if (s->trace) limn_trace_begin(s->trace);
    LIMN_TRY(limn_decoding_run(s->decoding, name, step, coverage_of, s, &found, &n_found, err));
    take_captions(s, found, n_found < s->options.n_best ? n_found : s->options.n_best);
    if (s->tagging) take_tags(s);
    if (s->signals) take_confidence(s, found, n_found);
    *out = &s->captions;
    return LIMN_OK;
}

limn_status limn_state_caption_input(limn_state *s, const char *name, const uint8_t *input,
                                     const limn_captions **out, limn_error *err)
{
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = caption(s, name, input, out, err);
    limn_float_env_leave(&env);
    return status;
}

limn_status limn_state_caption_bytes(limn_state *s, const char *name, const void *bytes,
                                     size_t size, const limn_captions **out, limn_error *err)
{
    LIMN_TRY(limn_state_load(s, bytes, size, s->input, NULL, NULL, err));
    return limn_state_caption_input(s, name, s->input, out, err);
}

limn_status limn_state_caption_pixels(limn_state *s, const char *name, const uint8_t *pixels,
                                      uint32_t width, uint32_t height, const limn_captions **out,
                                      limn_error *err)
{
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = squash(s, s->input, pixels, width, height, err);
    limn_float_env_leave(&env);
    if (status != LIMN_OK) return status;
    return limn_state_caption_input(s, name, s->input, out, err);
}

limn_status limn_state_caption_file(limn_state *s, const char *path, const limn_captions **out,
                                    limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size;
    LIMN_TRY(limn_file_read(&bytes, &size, path, MAX_FILE_SIZE, err));
    const limn_status status = limn_state_caption_bytes(s, path, bytes, size, out, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_free(bytes);
    return status;
}
