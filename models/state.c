#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/image/image.h"
#include "common/io/fileio.h"
#include "decoder/beam.h"
#include "encoder/encoder_input.h"
#include "models/captioner_model.h"

enum { MAX_FILE_SIZE = 1 << 30 }; /* bytes of a picture file */

struct limn_state {
    const limn_model *model;
    limn_options options; /* banned_words is not kept: `banned` holds them */
    limn_pool *pool;      /* NULL for one thread */
    limn_arena arena;
    limn_encoder_state *encoder;
    limn_decoder_state *decoder;
    limn_beam *beam;
    limn_resize_scratch resize;
    uint32_t *banned;      /* [options.n_banned_words] */
    float *features;       /* [n_positions, dim] */
    uint8_t *input;        /* [input_size, input_size, 3] */
    limn_caption *items;   /* [n_best] */
    char *texts;           /* [n_best, max_text] */
    limn_captions captions;
};

/* ---- options ------------------------------------------------------------------------------- */

limn_options limn_options_default(void)
{
    return (limn_options){ .beam_size = 3, .n_best = 1, .length_penalty = NAN,
                           .max_pixels = limn_image_settings_default().max_pixels };
}

static limn_status check_count(const char *name, uint32_t value, uint32_t low, uint32_t high,
                               limn_error *err)
{
    if (value < low || value > high)
        return limn_fail(err, LIMN_E_ARG, "%s: %u is not in %u … %u", name, value, low, high);
    return LIMN_OK;
}

static limn_status check_options(const limn_options *o, const limn_model *m, limn_error *err)
{
    const uint32_t max_words = m->config.max_steps;
    LIMN_TRY(check_count("beam_size", o->beam_size, 1, LIMN_BEAM_MAX, err));
    LIMN_TRY(check_count("n_best", o->n_best, 1, o->beam_size, err));
    LIMN_TRY(check_count("min_words", o->min_words, 0, max_words - 1, err));
    LIMN_TRY(check_count("max_words", o->max_words, 0, max_words, err));
    if (o->max_words > 0 && o->min_words > o->max_words)
        return limn_fail(err, LIMN_E_ARG, "min_words: %u is more than max_words, %u", o->min_words,
                         o->max_words);
    if (!isnan(o->length_penalty) && !(o->length_penalty >= -10 && o->length_penalty <= 10))
        return limn_fail(err, LIMN_E_ARG, "length_penalty: %g is not in -10 … 10",
                         (double)o->length_penalty);
    return LIMN_OK;
}

static limn_status ban_words(limn_state *s, const limn_options *o, limn_error *err)
{
    for (size_t i = 0; i < o->n_banned_words; i++) {
        const char *word = o->banned_words[i];
        const uint32_t id = limn_vocab_find(s->model->vocab, word, strlen(word));
        if (id <= LIMN_TOKEN_UNKNOWN)
            return limn_fail(err, LIMN_E_ARG, "banned word '%s' is not in the vocabulary", word);
        s->banned[i] = id;
    }
    return LIMN_OK;
}

/* ---- state --------------------------------------------------------------------------------- */

/* Takes what belongs to no module from `a`, which may be counting. */
static void plan(limn_state *s, limn_arena *a)
{
    const limn_model *m = s->model;
    const size_t side = m->config.encoder.input_size, n_tokens = m->config.decoder.n_tokens;
    s->beam = limn_beam_plan(a, s->options.beam_size, m->config.max_steps, n_tokens);
    s->banned = limn_arena_take(a, s->options.n_banned_words, sizeof *s->banned);
    s->features = limn_arena_take(a, limn_encoder_n_positions(m->encoder),
                                  limn_encoder_dim(m->encoder) * sizeof *s->features);
    s->input = limn_arena_take(a, side * side, 3);
    s->items = limn_arena_take(a, s->options.n_best, sizeof *s->items);
    s->texts = limn_arena_take(a, s->options.n_best, m->max_text);
}

static limn_status build(limn_state *s, const limn_options *o, uint32_t n_threads, limn_error *err)
{
    limn_arena counting;
    limn_arena_init_counting(&counting);
    plan(s, &counting);
    if (counting.has_failed || !limn_arena_init(&s->arena, counting.high))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a state of %zu bytes", counting.high);
    plan(s, &s->arena);
    LIMN_TRY(ban_words(s, o, err));
    if (n_threads > 1)
        LIMN_TRY(limn_pool_create(&s->pool, n_threads, err));
    LIMN_TRY(limn_encoder_state_create(&s->encoder, s->model->encoder, err));
    return limn_decoder_state_create(&s->decoder, s->model->decoder, o->beam_size,
                                     s->model->config.max_steps, err);
}

limn_status limn_state_create(limn_state **out, const limn_model *model,
                              const limn_options *options, uint32_t n_threads, limn_error *err)
{
    *out = NULL;
    LIMN_TRY(check_options(options, model, err));
    LIMN_TRY(check_count("n_threads", n_threads, 1, 1024, err));
    limn_state *s = limn_calloc(1, sizeof *s);
    if (!s)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a state");
    s->model = model;
    s->options = *options;
    s->options.banned_words = NULL;
    if (isnan(s->options.length_penalty))
        s->options.length_penalty = model->config.length_penalty;
    const limn_status status = build(s, options, n_threads, err);
    if (status != LIMN_OK)
        limn_state_destroy(&s);
    *out = s;
    return status;
}

void limn_state_destroy(limn_state **state)
{
    limn_state *s = state ? *state : NULL;
    if (!s)
        return;
    limn_encoder_state_destroy(&s->encoder);
    limn_decoder_state_destroy(&s->decoder);
    limn_pool_destroy(&s->pool);
    limn_resize_scratch_finish(&s->resize);
    limn_arena_finish(&s->arena);
    limn_free(s);
    *state = NULL;
}

/* ---- loading ------------------------------------------------------------------------------- */

static limn_status squash(limn_state *s, uint8_t *input, const uint8_t *pixels, uint32_t width,
                          uint32_t height, limn_error *err)
{
    const uint32_t side = s->model->config.encoder.input_size;
    return limn_resize(input, side, side, pixels, width, height, s->model->config.resize,
                       &s->resize, err);
}

limn_status limn_state_load(limn_state *s, const void *bytes, size_t size, uint8_t *input,
                            uint32_t *width, uint32_t *height, limn_error *err)
{
    const limn_encoder_input_settings settings = {
        .input_size = s->model->config.encoder.input_size,
        .resize = s->model->config.resize,
        .max_pixels = s->options.max_pixels,
    };
    return limn_encoder_input_load(input, bytes, size, &settings, &s->resize, width, height, err);
}

/* ---- captions ------------------------------------------------------------------------------ */

/* The decoder as beam search sees it: log-probabilities from logits, over the tokens that a caption
 * can hold: the share of those that are never written goes to the others. */
static void beam_step(void *ctx, size_t n_rows, const uint32_t *parents, const uint32_t *tokens,
                      float *log_probs)
{
    limn_state *s = ctx;
    const size_t n = s->model->config.decoder.n_tokens;
    limn_decoder_step(s->decoder, s->pool, n_rows, parents, tokens, log_probs);
    for (size_t r = 0; r < n_rows; r++) {
        float *row = log_probs + r * n;
        row[LIMN_TOKEN_PAD] = row[LIMN_TOKEN_START] = row[LIMN_TOKEN_UNKNOWN] = -INFINITY;
        const float log_sum = limn_decoder_log_sum_exp(s->model->decoder, row);
        for (size_t t = 0; t < n; t++)
            row[t] -= log_sum;
    }
}

static void take_captions(limn_state *s, const limn_hypothesis *found, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *text = s->texts + i * s->model->max_text;
        limn_vocab_join(text, s->model->max_text, s->model->vocab, found[i].tokens,
                        found[i].n_tokens);
        s->items[i] = (limn_caption){ .text = text, .tokens = found[i].tokens,
                                      .token_logprobs = found[i].token_logprobs,
                                      .n_tokens = found[i].n_tokens,
                                      .logprob = found[i].logprob, .score = found[i].score };
    }
    s->captions = (limn_captions){ s->items, n };
}

limn_status limn_state_caption_input(limn_state *s, const uint8_t *input,
                                     const limn_captions **out, limn_error *err)
{
    const limn_model *m = s->model;
    const limn_options *o = &s->options;
    const limn_beam_settings settings = {
        .beam_size = o->beam_size, .n_best = o->n_best, .max_steps = m->config.max_steps,
        .length_penalty = o->length_penalty, .n_tokens = m->config.decoder.n_tokens,
        .start_token = LIMN_TOKEN_START, .end_token = LIMN_TOKEN_END,
        .constraints = { .min_words = o->min_words, .max_words = o->max_words,
                         .no_repeat_ngram = o->no_repeat_ngram, .banned = s->banned,
                         .n_banned = o->n_banned_words },
    };
    const limn_hypothesis *found;
    size_t n_found;
    limn_encoder_run(m->encoder, s->encoder, s->pool, input, s->features);
    limn_decoder_begin(s->decoder, s->pool, s->features);
    LIMN_TRY(limn_beam_search(s->beam, &settings, beam_step, s, &found, &n_found, err));
    take_captions(s, found, n_found);
    *out = &s->captions;
    return LIMN_OK;
}

limn_status limn_state_caption_bytes(limn_state *s, const void *bytes, size_t size,
                                     const limn_captions **out, limn_error *err)
{
    LIMN_TRY(limn_state_load(s, bytes, size, s->input, NULL, NULL, err));
    return limn_state_caption_input(s, s->input, out, err);
}

limn_status limn_state_caption_pixels(limn_state *s, const uint8_t *pixels, uint32_t width,
                                      uint32_t height, const limn_captions **out, limn_error *err)
{
    LIMN_TRY(squash(s, s->input, pixels, width, height, err));
    return limn_state_caption_input(s, s->input, out, err);
}

limn_status limn_state_caption_file(limn_state *s, const char *path, const limn_captions **out,
                                    limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size;
    LIMN_TRY(limn_file_read(&bytes, &size, path, MAX_FILE_SIZE, err));
    const limn_status status = limn_state_caption_bytes(s, bytes, size, out, err);
    if (status != LIMN_OK)
        limn_error_prefix(err, "%s", path);
    limn_free(bytes);
    return status;
}
