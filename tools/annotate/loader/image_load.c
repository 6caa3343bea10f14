#include "tools/annotate/image_load.h"

#include <string.h>

#include "models/captioner_model.h"
#include "tools/annotate/decoders/decoder_modules.h"
#include "tools/annotate/decoders/photo_decode.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/pipeline.h"

enum {
    MAX_OUT_SIZE = 64 << 20,
    CPU_SECONDS = 120,    /* a progressive JPEG of maximum size takes much of that */
    CLOCK_SECONDS = 600,  /* five times that, for an overloaded machine */
    BYTES_PER_PIXEL = 20, /* that decoders hold at once: rows, coefficients, the upright copy */
    FIXED_MEMORY = 256 << 20,
};

/* ---- pixels and thumbnail ------------------------------------------------------------------ */

limn_status limn_image_load_for(limn_image_load *l, const limn_model *model, uint64_t max_pixels,
                                limn_error *err)
{
    *l = (limn_image_load){ 0 };
    return limn_model_input_plan(&l->plan, model, max_pixels, err);
}

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

/* ---- in a sandbox -------------------------------------------------------------------------- */

const char *const limn_sandbox_uses[] = { "auto", "on", "off", NULL };

/* A JPEG of 16 x 16 pixels: decoding it before the lock-down makes libjpeg detect CPU features, for
 * which it may open files. */
static const unsigned char first_image[] = {
    0xff,
    0xd8,
    0xff,
    0xdb,
    0,
    0x43,
    0,
    /* a table of ones */
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    0xff,
    0xc0,
    0,
    11,
    8,
    0,
    16,
    0,
    16,
    1,
    1,
    0x11,
    0,
    /* one code, 0, for the symbol 0, in each table */
    0xff,
    0xc4,
    0,
    20,
    0x00,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0xff,
    0xc4,
    0,
    20,
    0x10,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0xff,
    0xda,
    0,
    8,
    1,
    1,
    0,
    0,
    63,
    0,
    0,
    0xff,
    0xd9,
};

_Static_assert(sizeof(limn_image_load) <= LIMN_SANDBOX_MAX_SETTINGS, "settings of a request");

static limn_status work(uint8_t *out, size_t out_size, const void *bytes, size_t size,
                        const void *settings, limn_error *err)
{
    static limn_resize_scratch scratch;
    static uint8_t first[8 * 8 * 3];
    const limn_image_load first_load = { .plan = { { { { .width = 8, .height = 8 }, 256 } }, 1 } };
    limn_image_load load;
    if (!settings) limn_modules_only_prepared(); /* from now on, in the keeper and its children */
    if (!settings)
        return limn_image_load_run(first, first_image, sizeof first_image, &first_load, &scratch,
                                   err);
    memcpy(&load, settings, sizeof load);
    if (limn_image_load_size(&load) != out_size)
        return limn_fail(err, LIMN_E_ARG, "no room for the image");
    return limn_image_load_run(out, bytes, size, &load, &scratch, err);
}

limn_status limn_decoders_start(limn_decoders **out, limn_sandbox_use use, size_t n_decoders,
                                uint64_t max_pixels, const limn_annotate_hooks *hooks,
                                limn_error *err)
{
    if (!max_pixels) max_pixels = limn_image_settings_default().max_pixels;
    const limn_sandbox_settings settings = {
        .work = work,
        .prepare = limn_modules_prepare,
        .n_children = n_decoders,
        .max_size = LIMN_PIPELINE_MAX_FILE_SIZE,
        .max_out_size = MAX_OUT_SIZE,
        .max_memory = FIXED_MEMORY + (size_t)max_pixels * BYTES_PER_PIXEL,
        .max_cpu_seconds = CPU_SECONDS,
        .max_seconds = CLOCK_SECONDS,
    };
    limn_error reason = { 0 };
    limn_status s;
    *out = NULL;
    if (use == LIMN_SANDBOX_OFF) return LIMN_OK;
    s = limn_sandbox_start(out, &settings, &reason);
    if (s != LIMN_OK && use == LIMN_SANDBOX_ON)
        return limn_fail(err, s, "no sandbox for decoding: %s", reason.text);
    if (s != LIMN_OK)
        limn_hooks_message(hooks,
                           limn_sandbox_is_watched() ? LIMN_ANNOTATE_NOTE : LIMN_ANNOTATE_WARNING,
                           "images are decoded without a sandbox: %s", reason.text);
    else if (reason.text[0])
        limn_hooks_message(hooks, LIMN_ANNOTATE_WARNING, "%s", reason.text);
    return LIMN_OK;
}

void limn_decoders_stop(limn_decoders **decoders)
{
    limn_sandbox_stop(decoders);
}

limn_status limn_decoders_load(limn_decoders *decoders, const limn_model *model,
                               uint64_t max_pixels, const void *bytes, size_t size, uint8_t *input,
                               const atomic_bool *is_stopping, limn_error *err)
{
    limn_image_load load;
    if (!decoders || !model || !bytes || !input)
        return limn_fail(err, LIMN_E_ARG, "an argument is NULL");
    if (!max_pixels) max_pixels = limn_image_settings_default().max_pixels;
    LIMN_TRY(limn_image_load_for(&load, model, max_pixels, err));
    return limn_sandbox_run(decoders, input, limn_image_load_size(&load), bytes, size, &load,
                            sizeof load, is_stopping, err);
}

/* ---- for the workers of a pipeline --------------------------------------------------------- */

void limn_image_worker_finish(limn_image_worker *w)
{
    limn_resize_scratch_finish(&w->scratch);
}

limn_status limn_image_worker_load(void *worker, const void *bytes, size_t size, uint8_t *loaded,
                                   limn_error *err)
{
    limn_image_worker *w = worker;
    const limn_image_loader *loader = w->loader;
    const limn_image_load *l = &loader->load;
    if (!loader->sandbox) return limn_image_load_run(loaded, bytes, size, l, &w->scratch, err);
    return limn_sandbox_run(loader->sandbox, loaded, limn_image_load_size(l), bytes, size, l,
                            sizeof *l, &loader->is_stopping, err);
}
