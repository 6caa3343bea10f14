#include "models/convert/convert_objects.h"

#include "common/base/mem.h"
#include "common/kernels/gemm.h"
#include "models/train/row_cache.h"
#include "models/train/tag_trainer.h"

/* What is trained on. */
typedef struct examples {
    limn_object_labels labels;
    limn_row_cache cache;
    float *pooled, *targets; /* [n, 2 dim], [n, LIMN_N_OBJECTS] */
    size_t n, n_positions, dim;
} examples;

static void finish(examples *e)
{
    limn_object_labels_finish(&e->labels);
    limn_row_cache_close(&e->cache);
    limn_free(e->pooled);
    limn_free(e->targets);
}

static limn_status open_cache(examples *e, const limn_model_config *config, const char *path,
                              limn_error *err)
{
    LIMN_TRY(limn_encoder_check(&config->encoder, err));
    const limn_feature_shape shape = limn_encoder_feature_shape(&config->encoder);
    e->n_positions = limn_feature_positions(shape);
    e->dim = shape.dim;
    const limn_cache_shape rows = { LIMN_NPY_F16, 2, { e->n_positions, e->dim } };
    return limn_row_cache_open(&e->cache, path, &rows, err);
}

static limn_status gather_rows(examples *e, uint16_t *features, limn_error *err)
{
    for (uint32_t i = 0; i < e->labels.n_images; i++) {
        const char *name = limn_string_table_get(&e->labels.names, i);
        const uint32_t row = limn_image_names_find(&e->cache.names, name);
        if (row == LIMN_NO_IMAGE) continue;
        LIMN_TRY(limn_row_cache_read(&e->cache, row, features, err));
        limn_tag_pool(e->pooled + 2 * e->dim * e->n, features, e->n_positions, e->dim);
        limn_tag_targets(e->targets + LIMN_N_OBJECTS * e->n, &e->labels, i);
        e->n++;
    }
    return LIMN_OK;
}

static limn_status gather(examples *e, limn_error *err)
{
    uint16_t *features = limn_alloc(e->n_positions * e->dim, sizeof *features);
    e->pooled = limn_alloc(e->labels.n_images, 2 * e->dim * sizeof *e->pooled);
    e->targets = limn_alloc(e->labels.n_images, LIMN_N_OBJECTS * sizeof *e->targets);
    const limn_status s =
        e->pooled && e->targets && features
            ? gather_rows(e, features, err)
            : limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu images", e->labels.n_images);
    limn_free(features);
    return s;
}

static limn_status train(convert_objects *out, convert_result *r, const examples *e,
                         limn_error *err)
{
    limn_tag_settings settings = limn_tag_settings_default();
    limn_status status;
    LIMN_TRY(limn_gemm_init(err));
    LIMN_TRY(limn_pool_create(&settings.pool, 2, err));
    status = limn_tag_head_train(&r->tags, &out->loss, e->pooled, e->targets, e->n, e->dim,
                                 &settings, err);
    limn_pool_destroy(&settings.pool);
    out->n_images = e->n;
    return status;
}

limn_status convert_objects_train(convert_objects *out, convert_result *r, const char *labels_path,
                                  const char *cache, limn_error *err)
{
    examples e = { .n = 0 };
    limn_status status = limn_object_labels_read(&e.labels, labels_path, err);
    if (status == LIMN_OK) status = open_cache(&e, &r->config, cache, err);
    if (status == LIMN_OK) status = gather(&e, err);
    if (status == LIMN_OK && e.n == 0)
        status = limn_fail(err, LIMN_E_ARG, "--objects: no image of %s is in %s.txt", labels_path,
                           cache);
    if (status == LIMN_OK) status = train(out, r, &e, err);
    finish(&e);
    return status;
}
