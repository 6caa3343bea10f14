/* Loading images into a state, and captioning them. */
#include <math.h>
#include <string.h>

#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/detokenize.h"
#include "decoder/beam.h"
#include "models/captioner_state.h"

enum { MAX_FILE_SIZE = 1 << 30 }; /* bytes of an image file */
enum { FIRST_STEP = 2 };          /* of the search: n_steps counts the encoder as one */

/* ---- loading ------------------------------------------------------------------------------- */

static limn_status fit(limn_state *s, uint8_t *input, const uint8_t *pixels, uint32_t width,
                       uint32_t height, limn_error *err)
{
    const limn_image image = { .width = width,
                               .height = height,
                               .full_width = width,
                               .full_height = height,
                               .pixels = (uint8_t *)pixels, /* are only read */
                               .box = { 0, 0, (float)width, (float)height } };
    limn_input_plan plan;
    LIMN_TRY(limn_model_input_plan(&plan, s->model, s->options.max_pixels, err));
    return limn_input_plan_fit(input, &plan, &image, &s->resize, err);
}

/* Where the size of the whole image goes; NULL: nowhere. */
typedef struct image_size {
    uint32_t *width, *height;
} image_size;

static limn_status take_size(void *ctx, const limn_image *image, limn_error *err)
{
    const image_size *size = ctx;
    (void)err;
    if (size->width) *size->width = image->full_width;
    if (size->height) *size->height = image->full_height;
    return LIMN_OK;
}

static limn_status load(limn_state *s, const void *bytes, size_t size, uint8_t *input,
                        uint32_t *width, uint32_t *height, limn_error *err)
{
    image_size whole = { width, height };
    const limn_input_plan_hooks hooks = { .on_image = take_size, .ctx = &whole };
    limn_input_plan plan;
    LIMN_TRY(limn_model_input_plan(&plan, s->model, s->options.max_pixels, err));
    return limn_input_plan_load(input, &plan, bytes, size, &hooks, &s->resize, err);
}

/* Whether a state may be used: LIMN_E_ARG when it is NULL, or has threads that a fork() left in
 * the other process. */
static limn_status check_state(const limn_state *s, limn_error *err)
{
    if (!s) return limn_fail(err, LIMN_E_ARG, "state: NULL");
    if (limn_pool_is_own(s->pool)) return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG,
                     "the state has %zu threads, which are not in this process: they do not "
                     "survive fork(); create states after it",
                     limn_pool_n_threads(s->pool));
}

limn_status limn_state_load(limn_state *s, const void *bytes, size_t size, uint8_t *input,
                            uint32_t *width, uint32_t *height, limn_error *err)
{
    LIMN_TRY(check_state(s, err));
    if (!bytes || !input) return limn_fail(err, LIMN_E_ARG, "%s: NULL", bytes ? "input" : "bytes");
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = load(s, bytes, size, input, width, height, err);
    limn_float_env_leave(&env);
    return status;
}

/* ---- pixels -------------------------------------------------------------------------------- */

static limn_status check_pixels(const limn_state *s, const limn_pixels *p, limn_error *err)
{
    if (!p || !p->rows) return limn_fail(err, LIMN_E_ARG, "pixels: NULL");
    if (p->width < 1 || p->width > LIMN_IMAGE_MAX_SIDE || p->height < 1 ||
        p->height > LIMN_IMAGE_MAX_SIDE)
        return limn_fail(err, LIMN_E_ARG, "pixels: %u x %u is not in 1 x 1 … %u x %u", p->width,
                         p->height, LIMN_IMAGE_MAX_SIDE, LIMN_IMAGE_MAX_SIDE);
    if ((uint64_t)p->width * p->height > s->options.max_pixels)
        return limn_fail(err, LIMN_E_LIMIT, "%u x %u pixels are more than max-pixels, %llu",
                         p->width, p->height, (unsigned long long)s->options.max_pixels);
    if (p->stride && p->stride < (size_t)p->width * 3)
        return limn_fail(err, LIMN_E_ARG, "pixels: a stride of %zu bytes is less than %u pixels",
                         p->stride, p->width);
    if (p->order != LIMN_PIXELS_RGB && p->order != LIMN_PIXELS_BGR)
        return limn_fail(err, LIMN_E_ARG, "pixels: order %u is unknown", (unsigned)p->order);
    return LIMN_OK;
}

static void copy_row(uint8_t *out, const uint8_t *row, uint32_t width, limn_pixel_order order)
{
    const size_t red = order == LIMN_PIXELS_BGR ? 2 : 0;
    for (size_t i = 0; i < width; i++) {
        out[3 * i] = row[3 * i + red];
        out[3 * i + 1] = row[3 * i + 1];
        out[3 * i + 2] = row[3 * i + 2 - red];
    }
}

/* The pixels as dense RGB: as they are, or copied into the state. */
static limn_status make_dense(const uint8_t **out, limn_state *s, const limn_pixels *p,
                              limn_error *err)
{
    const size_t row = (size_t)p->width * 3, stride = p->stride ? p->stride : row;
    *out = p->rows;
    if (stride == row && p->order == LIMN_PIXELS_RGB) return LIMN_OK;
    if (!limn_grow((void **)&s->dense, &s->dense_capacity, row * p->height, 1))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %u x %u pixels", p->width, p->height);
    for (size_t y = 0; y < p->height; y++)
        copy_row(s->dense + y * row, p->rows + y * stride, p->width, p->order);
    *out = s->dense;
    return LIMN_OK;
}

limn_status limn_state_load_pixels(limn_state *s, const limn_pixels *pixels, uint8_t *input,
                                   limn_error *err)
{
    const uint8_t *dense;
    LIMN_TRY(check_state(s, err));
    if (!input) return limn_fail(err, LIMN_E_ARG, "input: NULL");
    LIMN_TRY(check_pixels(s, pixels, err));
    LIMN_TRY(make_dense(&dense, s, pixels, err));
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = fit(s, input, dense, pixels->width, pixels->height, err);
    limn_float_env_leave(&env);
    return status;
}

/* ---- captions ------------------------------------------------------------------------------ */

static bool has_prompt(const limn_state *s)
{
    size_t n;
    limn_decoding_prompt(s->decoding, &n);
    return n > 1;
}

/* Calls the progress callback; false: stop. */
static bool goes_on(limn_state *s)
{
    const limn_options *o = &s->options;
    const uint32_t n_before = s->n_steps++;
    return !o->progress ||
           o->progress(o->progress_ctx, n_before, (uint32_t)limn_decoding_max_steps(s->decoding));
}

/* The first step of limn's own searches after a prompt: it is read, and its last token is what the
 * rows begin with. */
static void step_prompt(limn_state *s, size_t n_rows, float *log_probs)
{
    static const uint32_t parents[LIMN_BEAM_MAX_ROWS] = { 0 };
    uint32_t last[LIMN_BEAM_MAX_ROWS];
    size_t n;
    const uint32_t *prompt = limn_decoding_prompt(s->decoding, &n);
    for (size_t i = 0; i + 1 < n; i++)
        limn_forward_step(s->forward, 1, parents, &prompt[i], log_probs);
    for (size_t i = 0; i < n_rows; i++) last[i] = prompt[n - 1];
    limn_forward_step(s->forward, n_rows, parents, last, log_probs);
}

/* Runs the model for what the search wants. */
static void step(limn_state *s, const limn_search_rows *rows)
{
    if (s->options.search != LIMN_SEARCH_LIMN) {
        limn_forward_logits(s->forward, rows->n_rows, rows->parents, rows->tokens, s->outputs);
        return;
    }
    if (s->n_steps == FIRST_STEP && has_prompt(s))
        step_prompt(s, rows->n_rows, s->outputs);
    else
        limn_forward_step(s->forward, rows->n_rows, rows->parents, rows->tokens, s->outputs);
    if (s->trace) limn_trace_step(s->trace, rows->n_rows, rows->parents, rows->tokens, s->outputs);
}

static double coverage_of(void *ctx, size_t row)
{
    const limn_state *s = ctx;
    return limn_forward_coverage(s->forward, row);
}

/* The tokens of a hypothesis [*n], with the prompt before them. */
static const uint32_t *ids_of(limn_state *s, size_t *n, const limn_hypothesis *h)
{
    size_t n_prompt;
    const uint32_t *prompt = limn_decoding_prompt(s->decoding, &n_prompt);
    *n = h->n_tokens;
    if (!has_prompt(s)) return h->tokens;
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

static limn_status run_search(limn_state *s, const char *name, limn_error *err)
{
    limn_search_rows rows;
    LIMN_TRY(limn_caption_search_begin(s->search, name, coverage_of, s, err));
    while ((rows = limn_caption_search_rows(s->search)).n_rows > 0) {
        if (!goes_on(s)) return limn_fail(err, LIMN_E_INTERRUPTED, "stopped by the program");
        step(s, &rows);
        limn_caption_search_take(s->search, s->outputs);
    }
    return LIMN_OK;
}

/* Captions the image whose features are loaded. */
static limn_status search(limn_state *s, const char *name, const limn_captions **out,
                          limn_error *err)
{
    const limn_hypothesis *found;
    size_t n_found;
    limn_forward_begin(s->forward);
    if (s->trace) limn_trace_begin(s->trace);
    LIMN_TRY(run_search(s, name, err));
    LIMN_TRY(limn_caption_search_end(s->search, &found, &n_found, err));
    take_captions(s, found, n_found < s->options.n_best ? n_found : s->options.n_best);
    if (s->tagging) take_tags(s);
    if (s->signals) take_confidence(s, found, n_found);
    *out = &s->captions;
    return LIMN_OK;
}

/* Captions an input, or, where that is NULL, the loaded features. */
static limn_status caption(limn_state *s, const char *name, const uint8_t *input,
                           const float *features, const limn_captions **out, limn_error *err)
{
    s->n_steps = 0;
    if (!goes_on(s)) return limn_fail(err, LIMN_E_INTERRUPTED, "stopped by the program");
    if (input)
        limn_forward_encode(s->forward, input);
    else
        limn_forward_set_features(s->forward, features);
    return search(s, name, out, err);
}

/* `what` is the name of the data in the public function, NULL when they are there. */
static limn_status check_call(const limn_state *s, const char *what, const limn_captions **out,
                              limn_error *err)
{
    LIMN_TRY(check_state(s, err));
    if (!out) return limn_fail(err, LIMN_E_ARG, "out: NULL");
    *out = NULL;
    return what ? limn_fail(err, LIMN_E_ARG, "%s: NULL", what) : LIMN_OK;
}

limn_status limn_state_caption_input(limn_state *s, const char *name, const uint8_t *input,
                                     const limn_captions **out, limn_error *err)
{
    LIMN_TRY(check_call(s, input ? NULL : "input", out, err));
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = caption(s, name, input, NULL, out, err);
    limn_float_env_leave(&env);
    return status;
}

limn_status limn_state_caption_features(limn_state *s, const char *name, const float *features,
                                        const limn_captions **out, limn_error *err)
{
    LIMN_TRY(check_call(s, features ? NULL : "features", out, err));
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = caption(s, name, NULL, features, out, err);
    limn_float_env_leave(&env);
    return status;
}

limn_status limn_state_encode(limn_state *s, const uint8_t *input, float *features, limn_error *err)
{
    LIMN_TRY(check_state(s, err));
    if (!input || !features)
        return limn_fail(err, LIMN_E_ARG, "%s: NULL", input ? "features" : "input");
    const limn_float_env env = limn_float_env_enter();
    limn_forward_encode(s->forward, input);
    limn_forward_get_features(features, s->forward);
    limn_float_env_leave(&env);
    return LIMN_OK;
}

limn_status limn_state_caption_bytes(limn_state *s, const char *name, const void *bytes,
                                     size_t size, const limn_captions **out, limn_error *err)
{
    LIMN_TRY(check_call(s, bytes ? NULL : "bytes", out, err));
    LIMN_TRY(limn_state_load(s, bytes, size, s->input, NULL, NULL, err));
    return limn_state_caption_input(s, name, s->input, out, err);
}

limn_status limn_state_caption_pixels(limn_state *s, const char *name, const uint8_t *pixels,
                                      uint32_t width, uint32_t height, const limn_captions **out,
                                      limn_error *err)
{
    const limn_pixels dense = { .rows = pixels, .width = width, .height = height };
    LIMN_TRY(check_call(s, pixels ? NULL : "pixels", out, err));
    LIMN_TRY(limn_state_load_pixels(s, &dense, s->input, err));
    return limn_state_caption_input(s, name, s->input, out, err);
}

limn_status limn_state_caption_file(limn_state *s, const char *path, const limn_captions **out,
                                    limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size;
    LIMN_TRY(check_call(s, path ? NULL : "path", out, err));
    LIMN_TRY(limn_file_read(&bytes, &size, path, MAX_FILE_SIZE, err));
    const limn_status status = limn_state_caption_bytes(s, path, bytes, size, out, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_free(bytes);
    return status;
}
