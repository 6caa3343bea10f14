#include "models/train/batches.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/rng.h"

struct limn_batches {
    limn_batch_source sources[LIMN_BATCH_MAX_SOURCES];
    size_t n_sources;
    limn_batches_settings settings;
    limn_batch_image *order; /* [n_order] the images of `epoch` in their order */
    size_t n_order;
    uint64_t epoch;          /* of `order`; UINT64_MAX before the first */
    limn_batch_image *round; /* scratch: images of one round through a source */
    limn_batch batch;
    uint32_t *captions; /* scratch: [captions_an_image] */
    uint32_t *images, *offsets, *inputs, *targets;
};

static size_t n_items(const limn_batch_source *s)
{
    return s->n_images ? s->n_images : s->n_captions;
}

static size_t max_a_round(const limn_batch_source *s)
{
    return n_items(s) * (s->draw ? s->draw->max_repeats : 1);
}

static size_t n_repeats(const limn_batch_source *s, uint64_t round, uint32_t image)
{
    return s->draw ? s->draw->n_repeats(s->draw->ctx, round, image) : 1;
}

static size_t round_length(const limn_batch_source *s, uint64_t round)
{
    size_t n = 0;
    for (uint32_t i = 0; i < n_items(s); i++) n += n_repeats(s, round, i);
    return n;
}

static size_t n_an_epoch(const limn_batch_source *s)
{
    return s->n_an_epoch ? s->n_an_epoch : n_items(s);
}

/* ---- creation ------------------------------------------------------------------------------ */

static limn_status check(const limn_batch_source *sources, size_t n_sources,
                         const limn_batches_settings *s, limn_error *err)
{
    if (n_sources == 0 || n_sources > LIMN_BATCH_MAX_SOURCES || s->n_images == 0 ||
        s->n_images > 4096 || s->captions_an_image == 0 || s->captions_an_image > 64 ||
        s->max_words == 0 || s->max_words > 511 || s->n_views == 0)
        return limn_fail(err, LIMN_E_ARG, "settings of the batches are out of range");
    for (size_t i = 0; i < n_sources; i++) {
        const limn_batch_source *source = &sources[i];
        if (n_items(source) == 0 || (source->draw && round_length(source, 0) == 0))
            return limn_fail(err, LIMN_E_ARG, "there is nothing to train on");
        if (!source->n_images != !sources[0].n_images)
            return limn_fail(err, LIMN_E_ARG, "text alone can't be mixed with images");
        for (size_t c = 0; c < source->n_captions; c++)
            if (source->offsets[c + 1] - source->offsets[c] > s->max_words)
                return limn_fail(err, LIMN_E_ARG, "caption %zu has %zu words, more than %zu", c,
                                 source->offsets[c + 1] - source->offsets[c], s->max_words);
    }
    return LIMN_OK;
}

static bool allocate(limn_batches *b)
{
    const limn_decoder_limits limits = limn_batches_limits(b);
    const size_t n_captions = b->settings.n_images * b->settings.captions_an_image;
    size_t largest = 0;
    for (size_t i = 0; i < b->n_sources; i++) {
        const size_t n = max_a_round(&b->sources[i]);
        largest = n > largest ? n : largest;
        b->n_order += n_an_epoch(&b->sources[i]);
    }
    b->order = limn_calloc(b->n_order, sizeof *b->order);
    b->round = limn_calloc(largest, sizeof *b->round);
    b->batch.images = limn_calloc(b->settings.n_images, sizeof *b->batch.images);
    b->captions = limn_calloc(b->settings.captions_an_image, sizeof *b->captions);
    b->images = limn_calloc(n_captions, sizeof *b->images);
    b->offsets = limn_calloc(n_captions + 1, sizeof *b->offsets);
    b->inputs = limn_calloc(limits.max_rows, sizeof *b->inputs);
    b->targets = limn_calloc(limits.max_rows, sizeof *b->targets);
    return b->order && b->round && b->batch.images && b->captions && b->images && b->offsets &&
           b->inputs && b->targets;
}

limn_status limn_batches_create(limn_batches **out, const limn_batch_source *sources,
                                size_t n_sources, const limn_batches_settings *settings,
                                limn_error *err)
{
    *out = NULL;
    LIMN_TRY(check(sources, n_sources, settings, err));
    limn_batches *b = limn_calloc(1, sizeof *b);
    if (b) {
        memcpy(b->sources, sources, n_sources * sizeof *sources);
        b->n_sources = n_sources;
        b->settings = *settings;
        b->epoch = UINT64_MAX;
    }
    if (!b || !allocate(b)) {
        limn_batches_destroy(&b);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for the batches");
    }
    *out = b;
    return LIMN_OK;
}

void limn_batches_destroy(limn_batches **p)
{
    limn_batches *b = p ? *p : NULL;
    if (!b) return;
    limn_free(b->order);
    limn_free(b->round);
    limn_free(b->batch.images);
    limn_free(b->captions);
    limn_free(b->images);
    limn_free(b->offsets);
    limn_free(b->inputs);
    limn_free(b->targets);
    limn_free(b);
    *p = NULL;
}

size_t limn_batches_n_steps(const limn_batches *b)
{
    return (b->n_order + b->settings.n_images - 1) / b->settings.n_images;
}

limn_decoder_limits limn_batches_limits(const limn_batches *b)
{
    const limn_batches_settings *s = &b->settings;
    const bool is_text = b->sources[0].n_images == 0;
    return (limn_decoder_limits){
        .max_rows = s->n_images * (is_text ? 1 : s->captions_an_image) * (s->max_words + 1),
        .max_images = s->n_images,
    };
}

/* ---- the order of an epoch ----------------------------------------------------------------- */

/* Fisher-Yates shuffle. */
static void shuffle(limn_batch_image *images, size_t n, limn_rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        const size_t j = limn_rng_below(rng, i);
        const limn_batch_image t = images[i - 1];
        images[i - 1] = images[j];
        images[j] = t;
    }
}

/* The images of a round through a source in their order. */
static size_t fill_round(limn_batches *b, uint32_t source, uint64_t round)
{
    const limn_batch_source *s = &b->sources[source];
    const uint64_t name[] = { source, round };
    limn_rng rng = limn_rng_stream(b->settings.seed, name, sizeof name);
    size_t n = 0;
    for (uint32_t i = 0; i < n_items(s); i++) {
        const size_t n_times = n_repeats(s, round, i);
        for (uint32_t k = 0; k < n_times; k++)
            b->round[n++] = (limn_batch_image){
                .source = source, .image = i, .round = (uint32_t)round, .repeat = k
            };
    }
    shuffle(b->round, n, &rng);
    return n;
}

/* The rounds of a source follow one another over the whole run, regardless of epochs, so that all
 * images occur equally often. */
static void take_images(limn_batches *b, uint32_t source, limn_batch_image *out)
{
    const limn_batch_source *s = &b->sources[source];
    const size_t n_taken = n_an_epoch(s);
    uint64_t skip = b->epoch * n_taken;
    size_t n = 0;
    for (uint64_t round = 0; n < n_taken; round++) {
        const size_t length = round_length(s, round);
        if (skip >= length) {
            skip -= length;
            continue;
        }
        fill_round(b, source, round);
        for (size_t i = skip; i < length && n < n_taken; i++) out[n++] = b->round[i];
        skip = 0;
    }
}

static void begin_epoch(limn_batches *b, uint64_t epoch)
{
    const uint64_t name[] = { LIMN_BATCH_MAX_SOURCES, epoch };
    limn_rng rng = limn_rng_stream(b->settings.seed, name, sizeof name);
    size_t n = 0;
    if (b->epoch == epoch) return;
    b->epoch = epoch;
    for (size_t i = 0; i < b->n_sources; i++) {
        take_images(b, (uint32_t)i, b->order + n);
        n += n_an_epoch(&b->sources[i]);
    }
    shuffle(b->order, n, &rng);
    for (size_t i = 0; i < n; i++)
        b->order[i].view = (uint32_t)limn_rng_below(&rng, b->settings.n_views);
}

/* ---- one batch ----------------------------------------------------------------------------- */

static int compare_source(const void *a, const void *b)
{
    const limn_batch_image *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->image != y->image) return x->image < y->image ? -1 : 1;
    return (x->repeat > y->repeat) - (x->repeat < y->repeat);
}

/* A choice of captions that varies from epoch to epoch when an image has more than are wanted. */
static size_t own_captions(const limn_batches *b, const limn_batch_source *s,
                           const limn_batch_image *p, uint32_t *out)
{
    const size_t first = s->first_captions[p->image];
    const size_t n = s->first_captions[p->image + 1] - first;
    const size_t n_wanted = b->settings.captions_an_image;
    for (size_t k = 0; k < n && k < n_wanted; k++)
        out[k] = (uint32_t)(first + (n <= n_wanted ? k : (b->epoch * n_wanted + k) % n));
    return n < n_wanted ? n : n_wanted;
}

static size_t captions_of(limn_batches *b, const limn_batch_image *p)
{
    const limn_batch_source *s = &b->sources[p->source];
    if (s->n_images == 0) {
        b->captions[0] = p->image;
        return 1;
    }
    if (s->draw)
        return s->draw->draw(s->draw->ctx, p->round, p->image, p->repeat, b->captions,
                             b->settings.captions_an_image);
    return own_captions(b, s, p, b->captions);
}

/* Appends a caption's rows: it is read from the start token on, each row predicts the next. */
static void add_caption(limn_batches *b, const limn_batch_source *s, uint32_t caption,
                        uint32_t image)
{
    limn_batch *batch = &b->batch;
    const uint32_t *words = s->tokens + s->offsets[caption];
    const size_t n = s->offsets[caption + 1] - s->offsets[caption];
    uint32_t *inputs = b->inputs + batch->n_rows, *targets = b->targets + batch->n_rows;
    inputs[0] = b->settings.start;
    memcpy(inputs + 1, words, n * sizeof *words);
    memcpy(targets, words, n * sizeof *words);
    targets[n] = b->settings.end;
    batch->n_rows += n + 1;
    b->images[batch->decoder.n_captions++] = image;
    b->offsets[batch->decoder.n_captions] = (uint32_t)batch->n_rows;
}

static void add_image(limn_batches *b, const limn_batch_image *p)
{
    limn_batch *batch = &b->batch;
    const limn_batch_source *s = &b->sources[p->source];
    const size_t n = captions_of(b, p);
    const bool is_text = s->n_images == 0;
    if (n == 0) return;
    for (size_t k = 0; k < n; k++)
        add_caption(b, s, b->captions[k], is_text ? LIMN_NO_IMAGE : (uint32_t)batch->n_images);
    batch->images[batch->n_images++] = *p;
    batch->decoder.n_images += !is_text;
}

const limn_batch *limn_batches_get(limn_batches *b, uint64_t step)
{
    const size_t n_steps = limn_batches_n_steps(b), first = step % n_steps * b->settings.n_images;
    const size_t left = b->n_order - first;
    const size_t n = left < b->settings.n_images ? left : b->settings.n_images;
    begin_epoch(b, step / n_steps);
    b->batch.n_images = b->batch.n_rows = 0;
    b->batch.epoch = b->epoch;
    b->batch.step = step;
    b->batch.decoder = (limn_decoder_batch){
        .images = b->images, .offsets = b->offsets, .inputs = b->inputs, .targets = b->targets
    };
    qsort(b->order + first, n, sizeof *b->order, compare_source);
    for (size_t i = 0; i < n; i++) add_image(b, &b->order[first + i]);
    return &b->batch;
}
