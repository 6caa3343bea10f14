#include "tools/score/scoring.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "models/scorer.h"
#include "tools/message.h"

/* ---- workers -------------------------------------------------------------------------------- */

typedef struct score_worker {
    limn_image_worker image;
    const limn_scoring *job;
    limn_scorer *scorer;
    limn_buffer ids, tokens, floats, text; /* of the captions of an image, one after another */
} score_worker;

/* What a worker tells of a caption: this, then `text_size` bytes of output, then, when it failed,
 * `message_size` bytes of why. */
typedef struct score_part {
    double logprob, logprob_without, pmi;
    size_t n_words, n_unknown;
    size_t text_size, message_size;
    bool has_failed;
} score_part;

static void close_worker(void *worker)
{
    score_worker *w = worker;
    if (!w) return;
    limn_image_worker_finish(&w->image);
    limn_scorer_destroy(&w->scorer);
    limn_buffer_finish(&w->ids);
    limn_buffer_finish(&w->tokens);
    limn_buffer_finish(&w->floats);
    limn_buffer_finish(&w->text);
    limn_free(w);
}

static limn_status open_worker(void **out, void *ctx, limn_error *err)
{
    const limn_scoring *job = ctx;
    score_worker *w = limn_calloc(1, sizeof *w);
    if (!w) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    w->job = job;
    w->image.loader = &job->loader;
    const limn_status s =
        limn_scorer_create(&w->scorer, job->model, job->max_pixels, job->n_scorer_threads, err);
    if (s != LIMN_OK) {
        close_worker(w);
        return s;
    }
    *out = w;
    return LIMN_OK;
}

/* A caption on its way through the scorer. */
typedef struct scored {
    limn_caption_score score;
    size_t first_id, first_token; /* where its ids and tokens begin in the worker's buffers */
    limn_error error;             /* .code when it can't be scored */
} scored;

static limn_status encode(score_worker *w, scored *c, limn_error *err)
{
    limn_words words;
    c->first_id = w->ids.size / sizeof *words.ids;
    c->first_token = w->tokens.size;
    LIMN_TRY(limn_scorer_encode(&words, w->scorer, c->score.record->caption, err));
    if (words.n_words > limn_scorer_max_words(w->scorer))
        return limn_fail(err, LIMN_E_LIMIT,
                         "the caption has %zu words; the longest that this "
                         "model scores has %u",
                         words.n_words, (unsigned)limn_scorer_max_words(w->scorer));
    c->score.n_words = words.n_words;
    for (size_t i = 0; i < words.n_words; i++)
        c->score.n_unknown += words.ids[i] == LIMN_UNKNOWN_TOKEN;
    limn_buffer_append(&w->ids, words.ids, words.n_words * sizeof *words.ids);
    limn_buffer_append(&w->tokens, words.texts, strlen(words.texts) + 1);
    return LIMN_OK;
}

/* Room for the scores of all captions, in w->floats. Captions that failed have none. */
static float *make_floats(score_worker *w, const scored *captions, size_t n)
{
    const float none = NAN;
    limn_buffer_clear(&w->floats);
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; !captions[i].error.code && f < 2 * (captions[i].score.n_words + 1); f++)
            limn_buffer_append(&w->floats, &none, sizeof none);
    return (float *)(void *)w->floats.bytes;
}

static limn_status run_scorer(score_worker *w, const uint8_t *pixels, scored *captions,
                              limn_score_job *jobs, size_t n, limn_error *err)
{
    size_t n_jobs = 0;
    float *floats = make_floats(w, captions, n);
    if (w->ids.has_failed || w->tokens.has_failed || w->floats.has_failed)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for scores");
    for (size_t i = 0; i < n; i++) {
        limn_caption_score *s = &captions[i].score;
        if (captions[i].error.code) continue;
        jobs[n_jobs++] = (limn_score_job){
            .words = (const uint32_t *)(const void *)w->ids.bytes + captions[i].first_id,
            .n_words = s->n_words,
            .logprobs = floats,
            .logprobs_without = floats + s->n_words + 1,
        };
        s->tokens = w->tokens.bytes + captions[i].first_token;
        s->with = floats;
        s->without = floats + s->n_words + 1;
        floats += 2 * (s->n_words + 1);
    }
    return limn_scorer_run(w->scorer, pixels, jobs, n_jobs, err);
}

static void add_up(limn_caption_score *s)
{
    for (size_t i = 0; i <= s->n_words; i++)
        if (!isnan(s->with[i])) {
            s->logprob += (double)s->with[i];
            s->logprob_without += (double)s->without[i];
        }
}

static void append_part(score_worker *w, limn_buffer *out, scored *c)
{
    score_part part = { .n_words = c->score.n_words, .n_unknown = c->score.n_unknown };
    limn_buffer_clear(&w->text);
    if (c->error.code) {
        w->job->format->failure(&w->text, c->score.record, true, &c->error);
        part.has_failed = true;
        part.message_size = strlen(c->error.text) + 1;
    } else {
        add_up(&c->score);
        w->job->format->score(&w->text, &c->score);
        part.logprob = c->score.logprob;
        part.logprob_without = c->score.logprob_without;
        part.pmi = limn_caption_score_pmi(&c->score);
    }
    part.text_size = w->text.size;
    limn_buffer_append(out, &part, sizeof part);
    limn_buffer_append(out, w->text.bytes, w->text.size);
    limn_buffer_append(out, c->error.text, part.message_size);
    out->has_failed = out->has_failed || w->text.has_failed;
}

static limn_status score_all(score_worker *w, const limn_score_image *image, const uint8_t *pixels,
                             limn_buffer *out, scored *captions, limn_score_job *jobs,
                             limn_error *err)
{
    limn_buffer_clear(&w->ids);
    limn_buffer_clear(&w->tokens);
    for (size_t i = 0; i < image->n_captions; i++) {
        captions[i].score.record = image->captions[i];
        const limn_status s = encode(w, &captions[i], &captions[i].error);
        if (s == LIMN_E_NOMEM) return limn_fail(err, s, "%s", captions[i].error.text);
    }
    LIMN_TRY(run_scorer(w, pixels, captions, jobs, image->n_captions, err));
    for (size_t i = 0; i < image->n_captions; i++) append_part(w, out, &captions[i]);
    return LIMN_OK;
}

static limn_status run(void *worker, const limn_dirwalk_entry *input, const uint8_t *pixels,
                       limn_pipeline_output *out, limn_error *err)
{
    score_worker *w = worker;
    const limn_score_image *image = limn_score_captions_find(w->job->captions, input->path);
    if (!image) return limn_fail(err, LIMN_E_ARG, "no caption names it");
    scored *captions = limn_calloc(image->n_captions, sizeof *captions);
    limn_score_job *jobs = limn_calloc(image->n_captions, sizeof *jobs);
    const limn_status s = captions && jobs
                              ? score_all(w, image, pixels, &out->bytes, captions, jobs, err)
                              : limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
    limn_free(captions);
    limn_free(jobs);
    return s;
}

/* ---- putting out ---------------------------------------------------------------------------- */

typedef struct limn_ranked_line {
    double pmi;
    size_t begin, size; /* in the job's text */
} limn_ranked_line;

static limn_status add_line(limn_scoring *job, double pmi, size_t begin, limn_error *err)
{
    if (!limn_grow((void **)&job->lines, &job->lines_capacity, job->n_lines + 1,
                   sizeof *job->lines))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu captions", job->n_lines + 1);
    job->lines[job->n_lines++] = (limn_ranked_line){ pmi, begin, job->text.size - begin };
    return LIMN_OK;
}

static void count(limn_scoring_totals *t, const score_part *p)
{
    if (p->has_failed) {
        t->n_failed++;
        return;
    }
    t->n_captions++;
    t->n_words += p->n_words;
    t->n_unknown += p->n_unknown;
    t->n_tokens += p->n_words + 1 - p->n_unknown;
    t->logprob += p->logprob;
    t->logprob_without += p->logprob_without;
}

/* The parts of an image that worked. Captions that failed come last in a ranking. */
static limn_status take_parts(limn_scoring *job, const limn_pipeline_result *result,
                              limn_error *err)
{
    const char *at = result->out->bytes, *end = at + result->out->size;
    while (at < end) {
        const size_t begin = job->text.size;
        score_part p;
        memcpy(&p, at, sizeof p);
        at += sizeof p;
        limn_buffer_append(&job->text, at, p.text_size);
        at += p.text_size;
        if (p.has_failed) limn_message_error("%s: %s", result->input->path, at);
        at += p.message_size;
        count(&job->totals, &p);
        if (job->is_ranked) LIMN_TRY(add_line(job, p.has_failed ? INFINITY : p.pmi, begin, err));
    }
    return LIMN_OK;
}

static limn_status take_failure(limn_scoring *job, const limn_pipeline_result *result,
                                limn_error *err)
{
    const limn_score_image *image = limn_score_captions_find(job->captions, result->input->path);
    const size_t begin = job->text.size;
    limn_message_error("%s: %s", result->input->path, result->error->text);
    if (image) job->format->failure(&job->text, image->captions[0], false, result->error);
    return job->is_ranked ? add_line(job, INFINITY, begin, err) : LIMN_OK;
}

static limn_status put(void *ctx, const limn_pipeline_result *result, limn_error *err)
{
    limn_scoring *job = ctx;
    if (!job->is_ranked) limn_buffer_clear(&job->text);
    LIMN_TRY(result->error ? take_failure(job, result, err) : take_parts(job, result, err));
    if (job->text.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (job->is_ranked) return LIMN_OK;
    return limn_output_write(job->output, job->text.bytes, job->text.size, err);
}

const limn_pipeline_stages limn_scoring_stages = {
    .open = open_worker,
    .close = close_worker,
    .load = limn_image_worker_load,
    .run = run,
    .put = put,
};

static int compare_lines(const void *a, const void *b)
{
    const limn_ranked_line *x = a, *y = b;
    if (x->pmi != y->pmi) return x->pmi < y->pmi ? -1 : 1;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

limn_status limn_scoring_put_ranked(limn_scoring *job, limn_error *err)
{
    limn_buffer out = { 0 };
    qsort(job->lines, job->n_lines, sizeof *job->lines, compare_lines);
    for (size_t i = 0; i < job->n_lines; i++)
        limn_buffer_append(&out, job->text.bytes + job->lines[i].begin, job->lines[i].size);
    const limn_status s = out.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
                                         : limn_output_write(job->output, out.bytes, out.size, err);
    limn_buffer_finish(&out);
    return s;
}

void limn_scoring_finish(limn_scoring *job)
{
    limn_free(job->lines);
    limn_buffer_finish(&job->text);
}
