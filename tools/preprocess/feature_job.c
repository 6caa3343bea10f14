#include "tools/preprocess/feature_job.h"

#include "common/base/mem.h"
#include "common/kernels/pack.h"
#include "tools/message.h"

typedef struct feature_worker {
    limn_image_worker image;
    const limn_feature_job *job;
    limn_encoder_state *state; /* NULL for pixels */
    float *features;           /* [n_features]; NULL for pixels */
    uint16_t *halves;          /* [n_features], f16 */
    size_t n_features;
} feature_worker;

static void close_worker(void *worker)
{
    feature_worker *w = worker;
    if (!w) return;
    limn_image_worker_finish(&w->image);
    limn_encoder_state_destroy(&w->state);
    limn_free(w->features);
    limn_free(w->halves);
    limn_free(w);
}

/* What only features need. */
static limn_status make_encoder_state(feature_worker *w, limn_error *err)
{
    const limn_encoder *e = w->job->encoder;
    LIMN_TRY(limn_encoder_state_create(&w->state, e, err));
    w->n_features = limn_encoder_n_positions(e) * limn_encoder_dim(e);
    w->features = limn_alloc_aligned(w->n_features, sizeof *w->features);
    w->halves = limn_alloc(w->n_features, sizeof *w->halves);
    if (!w->features || !w->halves) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return LIMN_OK;
}

static limn_status open_worker(void **out, void *ctx, limn_error *err)
{
    feature_worker *w = limn_calloc(1, sizeof *w);
    limn_status s = LIMN_OK;
    if (!w) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    w->job = ctx;
    w->image.loader = &w->job->loader;
    if (w->job->encoder) s = make_encoder_state(w, err);
    if (s == LIMN_OK)
        *out = w;
    else
        close_worker(w);
    return s;
}

static limn_status run(void *worker, const limn_dirwalk_entry *input, const uint8_t *pixels,
                       limn_pipeline_output *out, limn_error *err)
{
    feature_worker *w = worker;
    LIMN_TRY(limn_cache_writer_check_name(input->path, err));
    if (!w->state) {
        limn_buffer_append(&out->bytes, pixels,
                           limn_input_bytes(&w->job->loader.load.plan.inputs[0].spec));
        return LIMN_OK;
    }
    limn_encoder_run(w->job->encoder, w->state, NULL, pixels, w->features);
    if (w->job->keeps_floats) {
        limn_buffer_append(&out->bytes, w->features, w->n_features * sizeof *w->features);
        return LIMN_OK;
    }
    for (size_t i = 0; i < w->n_features; i++) w->halves[i] = limn_f32_to_f16(w->features[i]);
    limn_buffer_append(&out->bytes, w->halves, w->n_features * sizeof *w->halves);
    return LIMN_OK;
}

static limn_status put(void *ctx, const limn_pipeline_result *result, limn_error *err)
{
    limn_feature_job *job = ctx;
    if (result->note) limn_message_warning("%s: %s", result->input->path, result->note);
    if (!result->error)
        return limn_cache_writer_add(job->cache, result->input->path, result->out->bytes, err);
    limn_message_error("%s: %s", result->input->path, result->error->text);
    return LIMN_OK;
}

const limn_pipeline_stages limn_feature_stages = {
    .open = open_worker,
    .close = close_worker,
    .load = limn_image_worker_load,
    .run = run,
    .put = put,
};
