#include "models/train/cached_images.h"

#include "common/base/mem.h"

limn_status limn_cached_images_find(limn_cached_images *out, const limn_pixel_cache *cache,
                                    const char *const *names, size_t n, limn_error *err)
{
    *out = (limn_cached_images){ cache, limn_alloc(n, sizeof *out->rows) };
    if (!out->rows) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu images", n);
    for (size_t i = 0; i < n; i++) {
        out->rows[i] = limn_image_names_find(&cache->rows.names, names[i]);
        if (out->rows[i] != LIMN_NO_IMAGE) continue;
        limn_cached_images_finish(out);
        return limn_fail(err, LIMN_E_ARG, "%s: is not among the images that were decoded",
                         names[i]);
    }
    return LIMN_OK;
}

void limn_cached_images_finish(limn_cached_images *p)
{
    limn_free(p->rows);
    *p = (limn_cached_images){ 0 };
}

static limn_status read_image(const void *ctx, size_t image, uint8_t *out, limn_error *err)
{
    const limn_cached_images *p = ctx;
    return limn_pixel_cache_read(p->cache, p->rows[image], out, err);
}

limn_image_source limn_cached_images_source(const limn_cached_images *p)
{
    return (limn_image_source){ read_image, p };
}
