#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/image/resize.h"
#include "common/io/fileio.h"
#include "models/train/run.h"
#include "common/image/jpeg_write.h"
#include "models/train/sample_images.h"

enum { SIDE = 160, QUALITY = 75 };

/* What it takes to make one image small. */
struct shrinking {
    uint8_t *whole, *small; /* [size, size, 3], [side, side, 3] */
    uint32_t size, side;
    limn_resize_scratch scratch;
    limn_buffer uri;
};

static limn_status shrink(struct shrinking *s, const limn_pixel_cache *pixels, const char *name,
                          limn_error *err)
{
    const uint32_t row = limn_image_names_find(&pixels->rows.names, name);
    if (row == LIMN_NO_IMAGE) return limn_fail(err, LIMN_E_ARG, "%s: has no pixels", name);
    LIMN_TRY(limn_pixel_cache_read(pixels, row, s->whole, err));
    LIMN_TRY(limn_resize(s->small, s->side, s->side, s->whole, s->size, s->size,
                         LIMN_RESIZE_BICUBIC, &s->scratch, err));
    limn_buffer_clear(&s->uri);
    return limn_jpeg_append_uri(&s->uri, s->small, s->side, s->side, QUALITY, err);
}

static limn_status shrink_all(json_t *out, const limn_training_data *d, limn_error *err)
{
    const uint32_t size = d->pixels.size;
    struct shrinking s = { .size = size, .side = size < SIDE ? size : SIDE };
    size_t numbers[LIMN_RUN_N_SAMPLES];
    const size_t n = limn_run_samples(numbers, d->dev.n_images);
    s.whole = limn_alloc((size_t)size * size, 3);
    s.small = limn_alloc((size_t)s.side * s.side, 3);
    limn_status status =
        s.whole && s.small ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "no memory for small images");
    for (size_t i = 0; status == LIMN_OK && i < n; i++) {
        const char *name = limn_training_set_name(&d->dev, numbers[i]);
        status = shrink(&s, &d->pixels, name, err);
        if (status == LIMN_OK)
            json_object_set_new(out, name, json_stringn(s.uri.bytes, s.uri.size));
    }
    limn_buffer_finish(&s.uri);
    limn_resize_scratch_finish(&s.scratch);
    limn_free(s.whole);
    limn_free(s.small);
    return status;
}

limn_status limn_sample_images_write(const char *path, const limn_training_data *d, limn_error *err)
{
    if (d->dev.n_images == 0 || access(path, F_OK) == 0) return LIMN_OK;
    json_t *object = json_object();
    limn_status status = object ? shrink_all(object, d, err) : LIMN_E_NOMEM;
    char *text = status == LIMN_OK ? json_dumps(object, JSON_INDENT(1)) : NULL;
    json_decref(object);
    if (status == LIMN_OK)
        status = text ? limn_file_replace(path, text, strlen(text), err) : LIMN_E_NOMEM;
    if (status == LIMN_E_NOMEM) limn_fail(err, status, "no memory for small images");
    free(text);
    return status;
}
