#include "models/train/self_training.h"

#include <math.h>

#include "common/base/mem.h"
#include "models/scorer.h"

/* Weights are exponentials of scores: a caption whose words are each e times as probable with the
 * image outweighs by e^4 one that is not. */
static const float AGREEMENT_FACTOR = 4.0F;

enum { N_JOBS = LIMN_AGREEMENT_MAX_CAPTIONS, IMAGES_A_REPORT = 64 };

/* One thread's. */
struct worker {
    limn_scorer *scorer;
    float *logprobs;    /* [N_JOBS, max_words + 1] */
    uint8_t *input;     /* [input_size, input_size, 3] */
    limn_status status; /* of the first of its items that failed */
    limn_error error;   /* of reading an image */
};

struct rater {
    const limn_opinion *opinion;
    struct worker *workers;             /* [n_workers] */
    size_t n_workers, max_words, first; /* first: of the items that are run now */
    /* By caption: */
    uint32_t *ids;
    size_t *offsets; /* [n_captions + 1] into ids */
    size_t ids_capacity;
    uint32_t *used; /* [n_used] captions to be rated */
    size_t n_used;
    float *unconditional; /* [n_captions] mean log-probability without an image */
    uint8_t *input;       /* stands in for no image */
    float *agreement;
};

/* ---- captions ------------------------------------------------------------------------------ */

static limn_status encode(struct rater *r, size_t caption, limn_error *err)
{
    limn_words words;
    const size_t at = r->offsets[caption];
    LIMN_TRY(limn_scorer_encode(&words, r->workers[0].scorer, r->opinion->captions[caption], err));
    if (!limn_grow((void **)&r->ids, &r->ids_capacity, at + words.n_words, sizeof *r->ids))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for the words of captions");
    for (size_t i = 0; i < words.n_words; i++) r->ids[at + i] = words.ids[i];
    r->offsets[caption + 1] = at + words.n_words;
    return LIMN_OK;
}

static size_t n_words(const struct rater *r, size_t caption)
{
    return r->offsets[caption + 1] - r->offsets[caption];
}

static size_t n_asked(const struct rater *r, size_t image, const uint32_t **captions)
{
    size_t n;
    *captions = limn_pairing_candidates(&n, r->opinion->pairing, image);
    return n < N_JOBS ? n : (size_t)N_JOBS;
}

/* The captions of all images, once each. */
static void find_used(struct rater *r)
{
    const uint32_t *captions;
    for (size_t p = 0; p < r->opinion->n_images; p++) {
        const size_t n = n_asked(r, p, &captions);
        for (size_t i = 0; i < n; i++) r->unconditional[captions[i]] = NAN;
    }
    for (size_t c = 0; c < r->opinion->n_captions; c++)
        if (isnan(r->unconditional[c])) r->used[r->n_used++] = (uint32_t)c;
}

/* ---- scores -------------------------------------------------------------------------------- */

static float mean(const float *logprobs, size_t n)
{
    double sum = 0;
    size_t n_known = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(logprobs[i])) {
            sum += logprobs[i];
            n_known++;
        }
    return (float)(sum / (double)n_known); /* the end is always known */
}

/* Mean log-probabilities [n] of captions [n] with the image of `input`, or without any. */
static limn_status rate(const struct rater *r, struct worker *w, const uint8_t *input,
                        const uint32_t *captions, size_t n, bool is_unconditional, float *means)
{
    limn_score_job jobs[N_JOBS] = { 0 };
    size_t numbers[N_JOBS], n_jobs = 0;
    for (size_t i = 0; i < n; i++) {
        float *out = w->logprobs + n_jobs * (r->max_words + 1);
        means[i] = -INFINITY;
        if (n_words(r, captions[i]) > r->max_words) continue;
        numbers[n_jobs] = i;
        jobs[n_jobs++] = (limn_score_job){
            .words = r->ids + r->offsets[captions[i]],
            .n_words = n_words(r, captions[i]),
            .logprobs = is_unconditional ? NULL : out,
            .logprobs_without = is_unconditional ? out : NULL,
        };
    }
    LIMN_TRY(limn_scorer_run(w->scorer, input, jobs, n_jobs, NULL));
    for (size_t k = 0; k < n_jobs; k++)
        means[numbers[k]] = mean(w->logprobs + k * (r->max_words + 1), jobs[k].n_words + 1);
    return LIMN_OK;
}

static void keep_failure(struct worker *w, limn_status status)
{
    if (w->status == LIMN_OK) w->status = status;
}

static void rate_unconditional(void *ctx, size_t item, size_t worker)
{
    struct rater *r = ctx;
    const size_t first = item * N_JOBS;
    const size_t n = r->n_used - first < N_JOBS ? r->n_used - first : (size_t)N_JOBS;
    float means[N_JOBS];
    const limn_status s = rate(r, &r->workers[worker], r->input, r->used + first, n, true, means);
    if (s != LIMN_OK) {
        keep_failure(&r->workers[worker], s);
        return;
    }
    for (size_t i = 0; i < n; i++) r->unconditional[r->used[first + i]] = means[i];
}

static void rate_image(void *ctx, size_t item, size_t worker)
{
    struct rater *r = ctx;
    const size_t image = r->first + item;
    const limn_image_source *source = &r->opinion->pixels;
    struct worker *w = &r->workers[worker];
    float *out = r->agreement + image * N_JOBS;
    const uint32_t *captions;
    const size_t n = n_asked(r, image, &captions);
    for (size_t i = n; i < N_JOBS; i++) out[i] = -INFINITY;
    if (n == 0) return;
    limn_status s = source->read(source->ctx, image, w->input, &w->error);
    if (s == LIMN_OK) s = rate(r, w, w->input, captions, n, false, out);
    if (s != LIMN_OK) {
        keep_failure(w, s);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = isinf(out[i]) ? out[i] : out[i] - r->unconditional[captions[i]];
}

static limn_status check(const struct rater *r, limn_error *err)
{
    for (size_t i = 0; i < r->n_workers; i++)
        if (r->workers[i].status != LIMN_OK)
            return limn_fail(err, r->workers[i].status, "%s",
                             r->workers[i].error.code ? r->workers[i].error.text
                                                      : "captions can't be scored");
    return LIMN_OK;
}

static limn_status rate_all(struct rater *r, limn_error *err)
{
    const limn_opinion *o = r->opinion;
    limn_pool_run(o->pool, (r->n_used + N_JOBS - 1) / N_JOBS, rate_unconditional, r);
    LIMN_TRY(check(r, err));
    for (r->first = 0; r->first < o->n_images; r->first += IMAGES_A_REPORT) {
        const size_t left = o->n_images - r->first;
        const size_t n = left < IMAGES_A_REPORT ? left : (size_t)IMAGES_A_REPORT;
        limn_pool_run(o->pool, n, rate_image, r);
        LIMN_TRY(check(r, err));
        if (o->progress.report && !o->progress.report(o->progress.ctx, r->first + n, o->n_images))
            return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    }
    return LIMN_OK;
}

/* ---- creation ------------------------------------------------------------------------------ */

static limn_status open_workers(struct rater *r, limn_error *err)
{
    limn_model_info info;
    limn_model_get_info(r->opinion->model, &info);
    r->n_workers = limn_pool_n_threads(r->opinion->pool);
    r->workers = limn_calloc(r->n_workers, sizeof *r->workers);
    if (!r->workers) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu threads", r->n_workers);
    for (size_t i = 0; i < r->n_workers; i++) {
        struct worker *w = &r->workers[i];
        LIMN_TRY(limn_scorer_create(&w->scorer, r->opinion->model, 0, 1, err));
        r->max_words = limn_scorer_max_words(w->scorer);
        w->logprobs = limn_alloc(N_JOBS * (r->max_words + 1), sizeof *w->logprobs);
        w->input = limn_alloc_aligned(info.input_bytes, 1);
        if (!w->logprobs || !w->input)
            return limn_fail(err, LIMN_E_NOMEM, "no memory for %d captions", N_JOBS);
    }
    return LIMN_OK;
}

static limn_status agree(struct rater *r, limn_error *err)
{
    const limn_opinion *o = r->opinion;
    limn_model_info info;
    limn_model_get_info(o->model, &info);
    LIMN_TRY(open_workers(r, err));
    r->offsets = limn_calloc(o->n_captions + 1, sizeof *r->offsets);
    r->used = limn_alloc(o->n_captions, sizeof *r->used);
    r->unconditional = limn_calloc(o->n_captions, sizeof *r->unconditional);
    r->input = limn_calloc(info.input_bytes, 1);
    if (!r->offsets || !r->used || !r->unconditional || !r->input)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu captions", o->n_captions);
    for (size_t i = 0; i < o->n_captions; i++) LIMN_TRY(encode(r, i, err));
    find_used(r);
    return rate_all(r, err);
}

limn_status limn_self_training_agree(float *agreement, const limn_opinion *opinion, limn_error *err)
{
    struct rater r = { .opinion = opinion, .agreement = agreement };
    const limn_status status = agree(&r, err);
    for (size_t i = 0; r.workers && i < r.n_workers; i++) {
        limn_scorer_destroy(&r.workers[i].scorer);
        limn_free(r.workers[i].logprobs);
        limn_free(r.workers[i].input);
    }
    limn_free(r.workers);
    limn_free(r.ids);
    limn_free(r.offsets);
    limn_free(r.used);
    limn_free(r.unconditional);
    limn_free(r.input);
    return status;
}

limn_status limn_self_training_apply(limn_pairing *pairing, size_t n_images, const float *agreement,
                                     size_t n_kept, limn_error *err)
{
    float *scores = limn_alloc(LIMN_PAIRING_MAX_CANDIDATES, sizeof *scores);
    if (!scores) return limn_fail(err, LIMN_E_NOMEM, "no memory for scores");
    for (size_t p = 0; p < n_images; p++) {
        size_t n;
        limn_pairing_candidates(&n, pairing, p);
        for (size_t i = 0; i < n; i++)
            scores[i] = i < N_JOBS ? AGREEMENT_FACTOR * agreement[p * N_JOBS + i] : -INFINITY;
        if (n > 0) limn_pairing_set_scores(pairing, p, scores, n_kept);
    }
    limn_free(scores);
    return LIMN_OK;
}
