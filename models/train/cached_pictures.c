#include "models/train/cached_pictures.h"

#include "common/base/mem.h"

limn_status limn_cached_pictures_find(limn_cached_pictures *out, const limn_pixel_cache *cache,
                                      const char *const *names, size_t n, limn_error *err)
{
    *out = (limn_cached_pictures){ cache, limn_alloc(n, sizeof *out->rows) };
    if (!out->rows) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu pictures", n);
    for (size_t i = 0; i < n; i++) {
        out->rows[i] = limn_picture_names_find(&cache->rows.names, names[i]);
        if (out->rows[i] != LIMN_NO_PICTURE) continue;
        limn_cached_pictures_finish(out);
        return limn_fail(err, LIMN_E_ARG, "%s: is not among the pictures that were decoded",
                         names[i]);
    }
    return LIMN_OK;
}

void limn_cached_pictures_finish(limn_cached_pictures *p)
{
    limn_free(p->rows);
    *p = (limn_cached_pictures){ 0 };
}

static limn_status read_picture(const void *ctx, size_t picture, uint8_t *out, limn_error *err)
{
    const limn_cached_pictures *p = ctx;
    return limn_pixel_cache_read(p->cache, p->rows[picture], out, err);
}

limn_picture_source limn_cached_pictures_source(const limn_cached_pictures *p)
{
    return (limn_picture_source){ read_picture, p };
}
