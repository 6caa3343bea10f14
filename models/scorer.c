#include "models/scorer.h"

#include <math.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "common/base/status.h"
#include "common/image/image.h"
#include "models/captioner_model.h"
#include "models/tag_slots.h"

enum {
    MAX_ROWS = 8,    /* captions that go through the decoder together */
    FIRST_STEPS = 16 /* that the decoders have room for at first: for all positions of GPT-2, 600 MB
                      * would be needed */
};

struct limn_scorer {
    const limn_model *model;
    uint64_t max_pixels;
    limn_pool *pool; /* NULL for one thread */
    limn_arena arena;
    limn_encoder_state *encoder;
    limn_decoder_state *conditional;
    limn_decoder_state *unconditional; /* with features of zero, begun once */
    size_t max_steps;                  /* of both */
    limn_resize_scratch resize;
    float *features;       /* [n_positions, dim] */
    limn_tag_slots *slots; /* NULL without */
    float *log_probs;      /* [MAX_ROWS, n_tokens] */
    limn_caption_tokenizer tokenizer;
    uint32_t *ids; /* [ids_capacity] of the caption encoded last */
    size_t ids_capacity;
};

static void plan(limn_scorer *s, limn_arena *a)
{
    const limn_model *m = s->model;
    s->features = limn_arena_take(a, limn_encoder_n_positions(m->encoder),
                                  limn_encoder_dim(m->encoder) * sizeof *s->features);
    s->slots = limn_tag_slots_take(&m->config.decoder, m->tagger, a);
    s->log_probs =
        limn_arena_take(a, MAX_ROWS * (size_t)m->config.decoder.n_tokens, sizeof *s->log_probs);
}

/* No image at all. */
static void begin_unconditional(limn_scorer *s)
{
    const limn_encoder *e = s->model->encoder;
    for (size_t i = 0; i < limn_encoder_n_positions(e) * limn_encoder_dim(e); i++)
        s->features[i] = 0;
    limn_decoder_begin(s->unconditional, s->pool, s->features, NULL);
}

/* Room for captions of n_steps tokens with the end. After an error what was there is there. */
static limn_status make_room(limn_scorer *s, size_t n_steps, limn_error *err)
{
    const limn_model *m = s->model;
    const size_t most = m->config.decoder.max_positions;
    limn_decoder_state *conditional, *unconditional;
    if (n_steps <= s->max_steps) return LIMN_OK;
    if (n_steps < 2 * s->max_steps) n_steps = 2 * s->max_steps;
    if (n_steps > most) n_steps = most;
    LIMN_TRY(limn_decoder_state_create(&conditional, m->decoder, MAX_ROWS, n_steps, err));
    const limn_status status =
        limn_decoder_state_create(&unconditional, m->decoder, MAX_ROWS, n_steps, err);
    if (status != LIMN_OK) {
        limn_decoder_state_destroy(&conditional);
        return status;
    }
    limn_decoder_state_destroy(&s->conditional);
    limn_decoder_state_destroy(&s->unconditional);
    s->conditional = conditional;
    s->unconditional = unconditional;
    s->max_steps = n_steps;
    begin_unconditional(s);
    return LIMN_OK;
}

static limn_status build(limn_scorer *s, uint32_t n_threads, limn_error *err)
{
    const limn_model *m = s->model;
    limn_arena counting;
    limn_arena_init_counting(&counting);
    plan(s, &counting);
    if (counting.has_failed || !limn_arena_init(&s->arena, counting.high))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a scorer of %zu bytes", counting.high);
    plan(s, &s->arena);
    if (n_threads > 1) LIMN_TRY(limn_pool_create(&s->pool, n_threads, err));
    LIMN_TRY(limn_encoder_state_create(&s->encoder, m->encoder, err));
    return make_room(s, FIRST_STEPS, err);
}

limn_status limn_scorer_create(limn_scorer **out, const limn_model *model, uint64_t max_pixels,
                               uint32_t n_threads, limn_error *err)
{
    if (!out) return limn_fail(err, LIMN_E_ARG, "out: NULL");
    *out = NULL;
    if (!model) return limn_fail(err, LIMN_E_ARG, "model: NULL");
    if (n_threads < 1 || n_threads > LIMN_MAX_WORKER_THREADS)
        return limn_fail(err, LIMN_E_ARG, "n_threads: %u is not in 1 … %d", n_threads,
                         LIMN_MAX_WORKER_THREADS);
    limn_scorer *s = limn_calloc(1, sizeof *s);
    if (!s) return limn_fail(err, LIMN_E_NOMEM, "no memory for a scorer");
    s->model = model;
    s->max_pixels = max_pixels ? max_pixels : limn_image_settings_default().max_pixels;
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = build(s, n_threads, err);
    limn_float_env_leave(&env);
    if (status != LIMN_OK) limn_scorer_destroy(&s);
    *out = s;
    return status;
}

void limn_scorer_destroy(limn_scorer **scorer)
{
    limn_scorer *s = scorer ? *scorer : NULL;
    if (!s) return;
    limn_encoder_state_destroy(&s->encoder);
    limn_decoder_state_destroy(&s->conditional);
    limn_decoder_state_destroy(&s->unconditional);
    limn_pool_destroy(&s->pool);
    limn_resize_scratch_finish(&s->resize);
    limn_arena_finish(&s->arena);
    limn_caption_tokenizer_finish(&s->tokenizer);
    limn_free(s->ids);
    limn_free(s);
    *scorer = NULL;
}

uint32_t limn_scorer_max_words(const limn_scorer *s)
{
    return s ? s->model->config.decoder.max_positions - 1 : 0;
}

/* LIMN_E_ARG for a scorer that is NULL, or whose threads a fork() left behind; `what` is the name
 * of an argument that is NULL, or NULL. */
static limn_status check_call(const limn_scorer *s, const char *what, limn_error *err)
{
    if (!s) return limn_fail(err, LIMN_E_ARG, "scorer: NULL");
    if (what) return limn_fail(err, LIMN_E_ARG, "%s: NULL", what);
    if (limn_pool_is_own(s->pool)) return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG,
                     "the scorer has %zu threads, which are not in this process: they do not "
                     "survive fork(); create scorers after it",
                     limn_pool_n_threads(s->pool));
}

limn_status limn_scorer_load(limn_scorer *s, const void *bytes, size_t size, uint8_t *input,
                             limn_error *err)
{
    LIMN_TRY(check_call(s, !bytes ? "bytes" : !input ? "input" : NULL, err));
    const limn_encoder_input_settings settings = limn_model_input_settings(s->model, s->max_pixels);
    const limn_float_env env = limn_float_env_enter();
    const limn_status status =
        limn_encoder_input_load(input, bytes, size, &settings, &s->resize, NULL, NULL, err);
    limn_float_env_leave(&env);
    return status;
}

limn_status limn_scorer_encode(limn_words *out, limn_scorer *s, const char *caption,
                               limn_error *err)
{
    const char *tokens;
    LIMN_TRY(check_call(s, !out ? "out" : !caption ? "caption" : NULL, err));
    const limn_vocab *vocab = s->model->vocab;
    LIMN_TRY(limn_vocab_tokenize(&tokens, &s->tokenizer, vocab, caption, strlen(caption), err));
    const size_t n = limn_vocab_encode(NULL, 0, vocab, tokens);
    if (!limn_grow((void **)&s->ids, &s->ids_capacity, n, sizeof *s->ids))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu words", n);
    limn_vocab_encode(s->ids, n, vocab, tokens);
    for (size_t i = 0; i < n; i++)
        if (s->ids[i] == limn_vocab_specials(vocab)->unknown) s->ids[i] = LIMN_UNKNOWN_TOKEN;
    *out = (limn_words){ s->ids, tokens, n };
    return LIMN_OK;
}

/* ---- scoring ------------------------------------------------------------------------------- */

static const limn_specials *specials_of(const limn_scorer *s)
{
    return &s->model->config.decoder.specials;
}

/* LIMN_UNKNOWN_TOKEN is one where the model has a token for it. */
static bool is_word(const limn_scorer *s, uint32_t token)
{
    if (token == LIMN_UNKNOWN_TOKEN) return specials_of(s)->unknown != LIMN_NO_TOKEN;
    return token < s->model->config.decoder.n_tokens &&
           !limn_specials_is_silent(specials_of(s), token);
}

static limn_status check(const limn_scorer *s, const limn_score_job *job, limn_error *err)
{
    if (!job->logprobs && !job->logprobs_without)
        return limn_fail(err, LIMN_E_ARG, "a job has no place for its scores");
    if (job->n_words > 0 && !job->words) return limn_fail(err, LIMN_E_ARG, "words: NULL");
    if (job->n_words > limn_scorer_max_words(s))
        return limn_fail(err, LIMN_E_ARG, "%zu words are more than %u, the longest caption",
                         job->n_words, limn_scorer_max_words(s));
    for (size_t i = 0; i < job->n_words; i++)
        if (!is_word(s, job->words[i]))
            return limn_fail(err, LIMN_E_ARG, "token %u is not a word of the model", job->words[i]);
    return LIMN_OK;
}

/* What follows `n` words of a caption: a word, or the end. */
static uint32_t next_token(const limn_scorer *s, const limn_score_job *job, size_t n)
{
    const uint32_t token = n < job->n_words ? job->words[n] : specials_of(s)->end;
    return token == LIMN_UNKNOWN_TOKEN ? specials_of(s)->unknown : token;
}

/* Tokens of the longest caption, with its end. */
static size_t n_steps_of(const limn_score_job *jobs, size_t n_jobs)
{
    size_t n = 0;
    for (size_t i = 0; i < n_jobs; i++)
        if (jobs[i].n_words + 1 > n) n = jobs[i].n_words + 1;
    return n;
}

/* Runs captions through the decoder side by side; one that has ended repeats its end token, to no
 * effect. */
static void force(limn_scorer *s, limn_decoder_state *decoder, const limn_score_job *jobs,
                  size_t n_jobs, bool is_unconditional)
{
    const size_t n_tokens = s->model->config.decoder.n_tokens;
    uint32_t parents[MAX_ROWS], tokens[MAX_ROWS];
    const size_t n_steps = n_steps_of(jobs, n_jobs);
    for (size_t r = 0; r < n_jobs; r++) {
        parents[r] = (uint32_t)r;
        tokens[r] = specials_of(s)->start;
    }
    limn_decoder_rewind(decoder);
    for (size_t step = 0; step < n_steps; step++) {
        limn_decoder_step(decoder, s->pool, n_jobs, parents, tokens, s->log_probs);
        limn_model_log_probs(s->model, s->log_probs, n_jobs);
        for (size_t r = 0; r < n_jobs; r++) {
            float *out = is_unconditional ? jobs[r].logprobs_without : jobs[r].logprobs;
            tokens[r] = next_token(s, &jobs[r], step);
            if (out && step <= jobs[r].n_words)
                out[step] = tokens[r] == specials_of(s)->unknown
                                ? NAN
                                : s->log_probs[r * n_tokens + tokens[r]];
        }
    }
}

static bool needs_unconditional(const limn_score_job *jobs, size_t n_jobs)
{
    for (size_t i = 0; i < n_jobs; i++)
        if (jobs[i].logprobs_without) return true;
    return false;
}

static void score(limn_scorer *s, const uint8_t *input, const limn_score_job *jobs, size_t n_jobs)
{
    limn_encoder_run(s->model->encoder, s->encoder, s->pool, input, s->features);
    limn_decoder_begin(s->conditional, s->pool, s->features,
                       limn_tag_slots_find(s->slots, s->features));
    for (size_t i = 0; i < n_jobs; i += MAX_ROWS) {
        const size_t n = n_jobs - i < MAX_ROWS ? n_jobs - i : (size_t)MAX_ROWS;
        force(s, s->conditional, jobs + i, n, false);
        if (needs_unconditional(jobs + i, n)) force(s, s->unconditional, jobs + i, n, true);
    }
}

limn_status limn_scorer_run(limn_scorer *s, const uint8_t *input, const limn_score_job *jobs,
                            size_t n_jobs, limn_error *err)
{
    LIMN_TRY(check_call(s, !input ? "input" : n_jobs > 0 && !jobs ? "jobs" : NULL, err));
    for (size_t i = 0; i < n_jobs; i++) LIMN_TRY(check(s, &jobs[i], err));
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = make_room(s, n_steps_of(jobs, n_jobs), err);
    if (status == LIMN_OK) score(s, input, jobs, n_jobs);
    limn_float_env_leave(&env);
    return status;
}
