#include "models/train/pairing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "models/train/pool_captions.h"

/* What was seen in an image. */
typedef struct seen {
    float scores[LIMN_N_OBJECTS];    /* of the best box; 0 when there is none */
    uint8_t n_boxes[LIMN_N_OBJECTS]; /* up to 3 */
    limn_object_set objects;
} seen;

typedef struct photo {
    limn_rng rng;    /* the stream of its name */
    size_t first, n; /* its candidates */
    double repeats;
} photo;

struct limn_pairing {
    photo *photos; /* [n_photos] */
    size_t n_photos, n_without_object, n_captions;
    /* [n_candidates] in the order of the photos */
    uint32_t *candidates;
    float *weights; /* their logarithms, without scores */
    float *scores;
    float *probabilities; /* not summing to 1; 0 for those that are not kept */
    size_t n_candidates;
};

limn_pairing_settings limn_pairing_settings_default(void)
{
    return (limn_pairing_settings){
        .min_score = 0.3F,
        .sure_score = 0.6F,
        .person_score = 0.45F,
        .details_share = 0.03F,
        .max_details = 5,
        .details_cost = 0.5F,
        .miss_cost = 0.7F,
        .sharpness = 1.5F,
        .commonness_cost = 0.5F,
        .balance_share = 0.02F,
        .max_repeats = 4,
        .people_share = 0.3F,
        .n_candidates = 64,
    };
}

void limn_pairing_destroy(limn_pairing **p)
{
    if (!p || !*p) return;
    limn_free((*p)->photos);
    limn_free((*p)->candidates);
    limn_free((*p)->weights);
    limn_free((*p)->scores);
    limn_free((*p)->probabilities);
    limn_free(*p);
    *p = NULL;
}

/* ---- what was seen ------------------------------------------------------------------------ */

static seen see(const limn_object_labels *labels, size_t image, float min_score)
{
    seen s = { .scores = { 0 } };
    s.objects = limn_object_labels_set(labels, image, min_score);
    for (size_t i = labels->first_box[image]; i < labels->first_box[image + 1]; i++) {
        const limn_object_box *box = &labels->boxes[i];
        if (box->score < min_score) continue;
        if (box->score > s.scores[box->object]) s.scores[box->object] = box->score;
        if (s.n_boxes[box->object] < 3) s.n_boxes[box->object]++;
    }
    return s;
}

/* 0 at `low` and below, 1 at `high` and above */
static double ramp(double value, double low, double high)
{
    return value <= low ? 0 : value >= high ? 1 : (value - low) / (high - low);
}

/* All that building needs. */
typedef struct builder {
    const limn_pairing_settings *settings;
    const limn_object_labels *labels;
    seen *seen;                  /* [n_photos] */
    limn_pool_caption *captions; /* [n_captions] */
    uint32_t *n_fits;            /* [n_captions] photos that a caption fits */
    size_t n_photos, n_captions;
    double rarity[LIMN_N_OBJECTS]; /* log(photos / photos that show it) */
    double share[LIMN_N_OBJECTS];  /* photos that surely show it / photos */
    limn_pairing *out;
    size_t capacity; /* of the candidates */
} builder;

static void measure_rarity(builder *b)
{
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++) {
        size_t n = 0, n_sure = 0;
        for (size_t i = 0; i < b->n_photos; i++) {
            n += limn_object_set_has(b->seen[i].objects, c);
            n_sure += b->seen[i].scores[c] >= b->settings->sure_score;
        }
        /* what is in half of the photos or more still counts */
        b->rarity[c] = n > 0 ? fmax(log((double)b->n_photos / (double)n), 0.5) : 0;
        b->share[c] = (double)n_sure / (double)b->n_photos;
    }
}

static double repeats_of(const builder *b, const seen *s)
{
    const limn_pairing_settings *t = b->settings;
    bool has_thing = false;
    double most = 1;
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++) {
        if (s->scores[c] >= t->sure_score)
            most = fmax(most, sqrt((double)t->balance_share / b->share[c]));
        if (c != LIMN_OBJECT_PERSON && s->scores[c] > (t->min_score + t->sure_score) / 2)
            has_thing = true;
    }
    if (!has_thing && s->scores[LIMN_OBJECT_PERSON] > 0) return t->people_share;
    return fmin(most, t->max_repeats);
}

/* ---- what fits ---------------------------------------------------------------------------- */

static bool names(const limn_pool_caption *caption, size_t object)
{
    return limn_object_set_has(caption->objects, object) ||
           (object == LIMN_OBJECT_PERSON && caption->names_person);
}

static bool has_number(const seen *s, const limn_pool_caption *caption)
{
    if (caption->number <= 1) return true;
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++)
        if (names(caption, c) && s->n_boxes[c] >= caption->number) return true;
    return false;
}

static bool fits(const builder *b, const seen *s, const limn_pool_caption *caption)
{
    return !limn_object_set_is_empty(caption->objects) &&
           limn_object_set_is_within(caption->objects, s->objects) &&
           (!caption->names_person || s->scores[LIMN_OBJECT_PERSON] >= b->settings->person_score) &&
           caption->details <= b->settings->max_details && has_number(s, caption);
}

static double agreement(const builder *b, const seen *s, const limn_pool_caption *caption)
{
    const double low = (double)b->settings->min_score, high = (double)b->settings->sure_score;
    double sum = 0;
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++) {
        const double score = (double)s->scores[c];
        if (score <= 0) continue;
        sum += b->rarity[c] * (names(caption, c) ? ramp(score, low, high)
                                                 : -(double)b->settings->miss_cost *
                                                       ramp(score, (low + high) / 2, high));
    }
    return sum;
}

typedef struct candidate {
    uint32_t caption;
    float weight;
} candidate;

static int compare_candidates(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
    return (x->caption > y->caption) - (x->caption < y->caption);
}

static float weigh(const builder *b, const seen *s, size_t i)
{
    const limn_pairing_settings *t = b->settings;
    const limn_pool_caption *caption = &b->captions[i];
    const double quality =
        agreement(b, s, caption) - (double)t->details_cost * (double)caption->details;
    return (float)((double)t->sharpness * quality -
                   (double)t->commonness_cost * log((double)b->n_fits[i]));
}

static limn_status keep_candidates(builder *b, const candidate *items, size_t n, limn_error *err)
{
    limn_pairing *p = b->out;
    if (p->n_candidates + n > b->capacity) {
        size_t capacities[2] = { b->capacity, b->capacity };
        if (!limn_grow((void **)&p->candidates, &capacities[0], p->n_candidates + n,
                       sizeof *p->candidates) ||
            !limn_grow((void **)&p->weights, &capacities[1], p->n_candidates + n,
                       sizeof *p->weights))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for candidates");
        b->capacity = capacities[0];
    }
    for (size_t i = 0; i < n; i++) {
        p->candidates[p->n_candidates] = items[i].caption;
        p->weights[p->n_candidates++] = items[i].weight;
    }
    return LIMN_OK;
}

/* `items` [n_captions] is scratch. */
static limn_status find_candidates(builder *b, candidate *items, size_t number, limn_error *err)
{
    const seen *s = &b->seen[number];
    photo *out = &b->out->photos[number];
    size_t n = 0;
    for (size_t i = 0; i < b->n_captions; i++)
        if (fits(b, s, &b->captions[i])) items[n++] = (candidate){ (uint32_t)i, weigh(b, s, i) };
    qsort(items, n, sizeof *items, compare_candidates);
    if (n > b->settings->n_candidates) n = b->settings->n_candidates;
    *out = (photo){ out->rng, b->out->n_candidates, n, n > 0 ? repeats_of(b, s) : 0 };
    b->out->n_without_object += limn_object_set_is_empty(s->objects);
    return keep_candidates(b, items, n, err);
}

static void count_fits(builder *b)
{
    for (size_t k = 0; k < b->n_photos; k++)
        for (size_t i = 0; i < b->n_captions; i++)
            b->n_fits[i] += fits(b, &b->seen[k], &b->captions[i]);
}

/* How many captions are a candidate: n_fits is used as a mark. */
static size_t count_captions(builder *b)
{
    size_t n = 0;
    memset(b->n_fits, 0, b->n_captions * sizeof *b->n_fits);
    for (size_t i = 0; i < b->out->n_candidates; i++) {
        uint32_t *mark = &b->n_fits[b->out->candidates[i]];
        n += !*mark;
        *mark = 1;
    }
    return n;
}

/* ---- building ----------------------------------------------------------------------------- */

static bool is_share(float value)
{
    return value >= 0 && value <= 1;
}

static bool is_cost(float value)
{
    return value >= 0 && value <= 1000;
}

static limn_status check_settings(const limn_pairing_settings *s, limn_error *err)
{
    if (!is_share(s->min_score) || !is_share(s->sure_score) || s->min_score >= s->sure_score ||
        !is_share(s->person_score))
        return limn_fail(err, LIMN_E_ARG, "scores %g, %g, %g: expected 0 <= min < sure <= 1",
                         (double)s->min_score, (double)s->sure_score, (double)s->person_score);
    if (!is_share(s->details_share) || !is_share(s->balance_share) || !is_share(s->people_share) ||
        !is_cost(s->max_details) || !is_cost(s->details_cost) || !is_cost(s->miss_cost) ||
        !is_cost(s->sharpness) || !is_cost(s->commonness_cost) || s->n_candidates < 1 ||
        s->n_candidates > LIMN_PAIRING_MAX_CANDIDATES || s->max_repeats < 1)
        return limn_fail(err, LIMN_E_ARG, "a setting of the pairing is out of range");
    return LIMN_OK;
}

static limn_status allocate_scores(limn_pairing *p, limn_error *err)
{
    p->scores = limn_calloc(p->n_candidates, sizeof *p->scores);
    p->probabilities = limn_calloc(p->n_candidates, sizeof *p->probabilities);
    if (!p->scores || !p->probabilities)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu candidates", p->n_candidates);
    for (size_t i = 0; i < p->n_photos; i++) limn_pairing_set_scores(p, i, NULL, 0);
    return LIMN_OK;
}

static limn_status build(builder *b, const uint32_t *images, candidate *items, limn_error *err)
{
    for (size_t i = 0; i < b->n_photos; i++) {
        const uint32_t image = images ? images[i] : (uint32_t)i;
        const char *name = limn_string_table_get(&b->labels->names, image);
        b->seen[i] = see(b->labels, image, b->settings->min_score);
        b->out->photos[i].rng = limn_rng_stream(b->settings->seed, name, strlen(name));
    }
    measure_rarity(b);
    count_fits(b);
    for (size_t i = 0; i < b->n_photos; i++) LIMN_TRY(find_candidates(b, items, i, err));
    b->out->n_captions = count_captions(b);
    return allocate_scores(b->out, err);
}

limn_status limn_pairing_create(limn_pairing **out, const limn_object_labels *labels,
                                const uint32_t *images, size_t n_images,
                                const char *const *captions, size_t n_captions,
                                const limn_pairing_settings *settings, limn_error *err)
{
    builder b = {
        .settings = settings, .labels = labels, .n_photos = n_images, .n_captions = n_captions
    };
    candidate *items = NULL;
    limn_status status;
    *out = NULL;
    LIMN_TRY(check_settings(settings, err));
    b.out = *out = limn_calloc(1, sizeof **out);
    b.seen = limn_alloc(n_images, sizeof *b.seen);
    b.captions = limn_alloc(n_captions, sizeof *b.captions);
    b.n_fits = limn_calloc(n_captions, sizeof *b.n_fits);
    items = limn_alloc(n_captions, sizeof *items);
    if (*out) (*out)->photos = limn_calloc(n_images, sizeof *(*out)->photos);
    if (!*out || !(*out)->photos || !b.seen || !b.captions || !b.n_fits || !items) {
        status = limn_fail(err, LIMN_E_NOMEM, "out of memory for pairing");
    } else {
        (*out)->n_photos = n_images;
        status =
            limn_pool_captions_read(b.captions, captions, n_captions, settings->details_share, err);
        if (status == LIMN_OK) status = build(&b, images, items, err);
    }
    limn_free(items);
    limn_free(b.n_fits);
    limn_free(b.captions);
    limn_free(b.seen);
    if (status != LIMN_OK) limn_pairing_destroy(out);
    return status;
}

limn_pairing_summary limn_pairing_summarize(const limn_pairing *p)
{
    limn_pairing_summary s = { .n_without_object = p->n_without_object,
                               .n_captions = p->n_captions };
    for (size_t i = 0; i < p->n_photos; i++) s.n_images += p->photos[i].n > 0;
    s.n_without_caption = p->n_photos - s.n_images - s.n_without_object;
    return s;
}

/* ---- drawing ------------------------------------------------------------------------------ */

/* Each epoch and repeat has 2^10 numbers of a photo's stream, which also draws its repeats. */
static limn_rng stream_of(const photo *p, uint64_t epoch, size_t repeat)
{
    return (limn_rng){ .key = p->rng.key, .counter = epoch << 20 | (uint64_t)repeat << 10 };
}

size_t limn_pairing_n_repeats(const limn_pairing *p, uint64_t epoch, size_t image)
{
    const photo *f = &p->photos[image];
    const size_t n = (size_t)f->repeats;
    limn_rng rng = stream_of(f, epoch, 1023);
    return n + (limn_rng_uniform(&rng) < f->repeats - (double)n);
}

/* The candidate at which the cumulated probability passes `at`, among those not yet drawn. */
static size_t find_at(const float *probabilities, size_t n, const bool *is_drawn, double at)
{
    size_t last = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_drawn[i] || probabilities[i] <= 0) continue;
        last = i;
        at -= (double)probabilities[i];
        if (at < 0) return i;
    }
    return last;
}

size_t limn_pairing_draw(uint32_t *out, const limn_pairing *p, uint64_t epoch, size_t image,
                         size_t repeat, size_t k)
{
    const photo *f = &p->photos[image];
    const float *probabilities = p->probabilities + f->first;
    limn_rng rng = stream_of(f, epoch, repeat);
    bool is_drawn[LIMN_PAIRING_MAX_CANDIDATES] = { false };
    size_t n_drawn = 0;
    for (; n_drawn < k; n_drawn++) {
        double sum = 0;
        size_t at;
        for (size_t i = 0; i < f->n; i++) sum += is_drawn[i] ? 0 : (double)probabilities[i];
        if (sum <= 0) break;
        at = find_at(probabilities, f->n, is_drawn, sum * limn_rng_uniform(&rng));
        is_drawn[at] = true;
        out[n_drawn] = p->candidates[f->first + at];
    }
    return n_drawn;
}

/* ---- scores ------------------------------------------------------------------------------- */

const uint32_t *limn_pairing_candidates(size_t *n, const limn_pairing *p, size_t image)
{
    *n = p->photos[image].n;
    return p->candidates + p->photos[image].first;
}

const float *limn_pairing_scores(const limn_pairing *p, size_t image)
{
    return p->scores + p->photos[image].first;
}

static double logit(const limn_pairing *p, size_t i)
{
    const double sum = (double)p->weights[i] + (double)p->scores[i];
    return isfinite(sum) ? sum : -HUGE_VAL;
}

/* How many candidates of the photo rank before candidate i. */
static size_t rank_of(const limn_pairing *p, const photo *f, size_t i)
{
    size_t rank = 0;
    for (size_t j = f->first; j < f->first + f->n; j++)
        rank += logit(p, j) > logit(p, i) || (logit(p, j) == logit(p, i) && j < i);
    return rank;
}

size_t limn_pairing_heaviest(uint32_t *out, const limn_pairing *p, size_t image, size_t k)
{
    const photo *f = &p->photos[image];
    size_t n_kept = 0;
    for (size_t i = f->first; i < f->first + f->n; i++) {
        const size_t rank = rank_of(p, f, i);
        n_kept += p->probabilities[i] > 0;
        if (rank < k) out[rank] = p->candidates[i];
    }
    return n_kept < k ? n_kept : k;
}

void limn_pairing_set_scores(limn_pairing *p, size_t image, const float *scores, size_t n_kept)
{
    const photo *f = &p->photos[image];
    double most = -HUGE_VAL;
    bool has_finite = false;
    for (size_t i = 0; scores && i < f->n; i++) has_finite = has_finite || isfinite(scores[i]);
    for (size_t i = 0; i < f->n; i++) p->scores[f->first + i] = has_finite ? scores[i] : 0;
    for (size_t i = f->first; i < f->first + f->n; i++) most = fmax(most, logit(p, i));
    for (size_t i = f->first; i < f->first + f->n; i++) {
        const bool is_kept = !has_finite || rank_of(p, f, i) < n_kept;
        p->probabilities[i] = is_kept ? (float)exp(logit(p, i) - most) : 0;
    }
}
