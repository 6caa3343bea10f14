#include "tools/annotate/image_load.h"

#include "tools/annotate/decoders/photo_decode.h"

/* Where the thumbnail is: its sizes have an alignment. */
static size_t thumbnail_at(const limn_image_load *l)
{
    return (limn_input_plan_bytes(&l->plan) + 15) / 16 * 16;
}

size_t limn_image_load_size(const limn_image_load *l)
{
    if (!l->thumbnail_side) return limn_input_plan_bytes(&l->plan);
    return thumbnail_at(l) + sizeof(limn_thumbnail) +
           (size_t)l->thumbnail_side * l->thumbnail_side * 3;
}

const limn_thumbnail *limn_image_load_thumbnail(const limn_image_load *l, const uint8_t *loaded)
{
    return (const limn_thumbnail *)(loaded + thumbnail_at(l));
}

/* The longer side becomes max_side; images are never enlarged. */
static void fit(limn_thumbnail *t, const limn_image *image, uint32_t max_side)
{
    const uint32_t longer = image->width > image->height ? image->width : image->height;
    t->width = image->width;
    t->height = image->height;
    if (longer <= max_side) return;
    t->width = (uint32_t)((uint64_t)image->width * max_side / longer);
    t->height = (uint32_t)((uint64_t)image->height * max_side / longer);
    t->width += t->width == 0;
    t->height += t->height == 0;
}

/* Where a thumbnail is made. */
typedef struct thumbnail_job {
    limn_thumbnail *out;
    uint32_t max_side;
    limn_resize_scratch *scratch;
} thumbnail_job;

static limn_status make_thumbnail(void *ctx, const limn_image *image, limn_error *err)
{
    const thumbnail_job *j = ctx;
    fit(j->out, image, j->max_side);
    return limn_image_resize(j->out->pixels, j->out->width, j->out->height, image,
                             LIMN_RESIZE_BICUBIC, j->scratch, err);
}

static limn_status decode_photo(void *ctx, limn_image *out, const void *bytes, size_t size,
                                const limn_image_settings *settings, limn_error *err)
{
    (void)ctx;
    return limn_photo_decode(out, bytes, size, settings, err);
}

limn_status limn_image_load_run(uint8_t *loaded, const void *bytes, size_t size,
                                const limn_image_load *l, limn_resize_scratch *scratch,
                                limn_error *err)
{
    thumbnail_job job = { .max_side = l->thumbnail_side, .scratch = scratch };
    const limn_input_plan_hooks hooks = { .decode = decode_photo,
                                          .on_image = l->thumbnail_side ? make_thumbnail : NULL,
                                          .ctx = &job };
    if (l->thumbnail_side) job.out = (limn_thumbnail *)(loaded + thumbnail_at(l));
    return limn_input_plan_load(loaded, &l->plan, bytes, size, &hooks, scratch, err);
}
