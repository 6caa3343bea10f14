#include "models/train/stage_views.h"

#include <inttypes.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"

/* Caches of different encoders, cuts and images can coexist. */
static limn_status make_views(limn_view_cache *out, const char *images,
                              const limn_stage_views_settings *s,
                              limn_view_cache_settings *settings, limn_error *err)
{
    limn_buffer path = { 0 };
    limn_buffer_printf(&path, "%s/%s-%016" PRIx64, s->cache, images, settings->encoder_checksum);
    if (s->first_stage != LIMN_STAGE_AFTER_HEAD) limn_buffer_printf(&path, "-%zu", s->first_stage);
    limn_training_work(s->listener, "views computed");
    const limn_status status = path.has_failed
                                   ? limn_fail(err, LIMN_E_NOMEM, "no memory for a name")
                                   : limn_view_cache_make(out, path.bytes, settings, err);
    limn_training_work(s->listener, NULL);
    limn_buffer_finish(&path);
    return status;
}

static limn_status make_all(limn_stage_views *in, const limn_training_data *d,
                            const limn_stage_views_settings *s, const limn_encoder *encoder,
                            limn_error *err)
{
    limn_view_cache_settings settings = {
        .pixels = &d->pixels,
        .names = &d->train.names,
        .encoder = encoder,
        .encoder_checksum = limn_encoder_checksum(s->base->tensors, &s->base->config.encoder),
        .first_stage = s->first_stage,
        .n_views = s->n_views,
        .seed = d->settings->seed,
        .filter = d->config.encoder.input.filter,
        .pool = s->pool,
        .progress = limn_training_progress(s->listener),
    };
    LIMN_TRY(make_views(&in->views[0], "views", s, &settings, err));
    if (!s->has_unpaired) return LIMN_OK;
    settings.pixels = &d->unpaired.pixels;
    settings.names = &d->unpaired.names;
    return make_views(&in->views[1], "unpaired-views", s, &settings, err);
}

/* Whether the given cache of features is used instead of views. */
static bool uses_given_features(const limn_training_data *d, const limn_stage_views_settings *s)
{
    return d->settings->images.features && s->first_stage == LIMN_STAGE_AFTER_HEAD;
}

static limn_status open_features(limn_view_cache *out, const limn_training_data *d,
                                 const limn_stage_views_settings *s, limn_error *err)
{
    const limn_decoder_config *c = &d->config.decoder;
    return limn_view_cache_open_features(out, d->settings->images.features, &d->train.names,
                                         c->n_memory_positions, c->memory_dim, s->features_record,
                                         err);
}

static limn_status open_views(limn_stage_views *in, const limn_training_data *d,
                              const limn_stage_views_settings *s, limn_error *err)
{
    limn_encoder *encoder = NULL;
    limn_kernels kernels;
    if (uses_given_features(d, s)) return open_features(&in->views[0], d, s, err);
    limn_kernels_init(&kernels, limn_cpu_best());
    LIMN_TRY(limn_encoder_open(&encoder, s->base->tensors, &d->config.encoder, &kernels, err));
    const limn_status status = make_all(in, d, s, encoder, err);
    limn_encoder_close(&encoder);
    return status;
}

limn_status limn_stage_views_open(limn_stage_views *in, const limn_training_data *d,
                                  const limn_stage_views_settings *s, limn_error *err)
{
    *in = (limn_stage_views){ .n_sources = s->has_unpaired ? 2 : 1, .pool = s->pool };
    limn_status status = open_views(in, d, s, err);
    if (status == LIMN_OK) {
        in->n_positions = in->views[0].n_positions;
        in->dim = in->views[0].dim;
        in->images = limn_calloc(s->n_images, sizeof *in->images);
        in->numbers = limn_calloc(s->n_images, sizeof *in->numbers);
        in->values = limn_alloc_aligned(s->n_images * in->n_positions, in->dim * sizeof(float));
        if (!in->images || !in->numbers || !in->values)
            status =
                limn_fail(err, LIMN_E_NOMEM, "no memory for batches of %zu images", s->n_images);
    }
    if (status != LIMN_OK) limn_stage_views_close(in);
    return status;
}

void limn_stage_views_close(limn_stage_views *in)
{
    for (size_t i = 0; i < LIMN_STAGE_N_SOURCES; i++) limn_view_cache_close(&in->views[i]);
    limn_free(in->images);
    limn_free(in->numbers);
    limn_free(in->values);
    *in = (limn_stage_views){ .n_sources = 0 };
}

limn_status limn_stage_views_fill(const float **values, limn_stage_views *in,
                                  const limn_batch *batch, limn_error *err)
{
    size_t done = 0;
    for (size_t i = 0; i < batch->n_images; i++) {
        in->images[i] = batch->images[i].image;
        in->numbers[i] = batch->images[i].view;
    }
    for (uint32_t source = 0; source < in->n_sources; source++) { /* a batch is sorted by source */
        size_t end = done;
        while (end < batch->n_images && batch->images[end].source == source) end++;
        if (end > done)
            LIMN_TRY(limn_view_cache_gather(
                &in->views[source], in->values + done * in->n_positions * in->dim,
                in->images + done, in->numbers + done, end - done, in->pool, err));
        done = end;
    }
    *values = in->values;
    return LIMN_OK;
}
