/* Loading images into a state, and captioning them. */
#include <string.h>

#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/captioner_state.h"
#include "models/joint_captioning.h"

enum { MAX_FILE_SIZE = 1 << 30 }; /* bytes of an image file */

/* ---- loading ------------------------------------------------------------------------------- */

static limn_status fit(limn_state *s, uint8_t *input, const uint8_t *pixels, uint32_t width,
                       uint32_t height, limn_error *err)
{
    const limn_image image = { .width = width,
                               .height = height,
                               .full_width = width,
                               .full_height = height,
                               .pixels = (uint8_t *)pixels, /* are only read */
                               .box = { 0, 0, (float)width, (float)height } };
    limn_input_plan plan;
    LIMN_TRY(limn_model_input_plan(&plan, s->model, s->options.max_pixels, err));
    return limn_input_plan_fit(input, &plan, &image, &s->resize, err);
}

/* Where the size of the whole image goes; NULL: nowhere. */
typedef struct image_size {
    uint32_t *width, *height;
} image_size;

static limn_status take_size(void *ctx, const limn_image *image, limn_error *err)
{
    const image_size *size = ctx;
    (void)err;
    if (size->width) *size->width = image->full_width;
    if (size->height) *size->height = image->full_height;
    return LIMN_OK;
}

static limn_status load(limn_state *s, const void *bytes, size_t size, uint8_t *input,
                        uint32_t *width, uint32_t *height, limn_error *err)
{
    image_size whole = { width, height };
    const limn_input_plan_hooks hooks = { .on_image = take_size, .ctx = &whole };
    limn_input_plan plan;
    LIMN_TRY(limn_model_input_plan(&plan, s->model, s->options.max_pixels, err));
    return limn_input_plan_load(input, &plan, bytes, size, &hooks, &s->resize, err);
}

/* Whether a state may be used: LIMN_E_ARG when it is NULL, or has threads that a fork() left in
 * the other process. */
static limn_status check_state(const limn_state *s, limn_error *err)
{
    if (!s) return limn_fail(err, LIMN_E_ARG, "state: NULL");
    if (limn_pool_is_own(s->pool)) return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG,
                     "the state has %zu threads, which are not in this process: they do not "
                     "survive fork(); create states after it",
                     limn_pool_n_threads(s->pool));
}

limn_status limn_state_load(limn_state *s, const void *bytes, size_t size, uint8_t *input,
                            uint32_t *width, uint32_t *height, limn_error *err)
{
    LIMN_TRY(check_state(s, err));
    if (!bytes || !input) return limn_fail(err, LIMN_E_ARG, "%s: NULL", bytes ? "input" : "bytes");
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = load(s, bytes, size, input, width, height, err);
    limn_float_env_leave(&env);
    return status;
}

/* ---- pixels -------------------------------------------------------------------------------- */

static limn_status check_pixels(const limn_state *s, const limn_pixels *p, limn_error *err)
{
    if (!p || !p->rows) return limn_fail(err, LIMN_E_ARG, "pixels: NULL");
    if (p->width < 1 || p->width > LIMN_IMAGE_MAX_SIDE || p->height < 1 ||
        p->height > LIMN_IMAGE_MAX_SIDE)
        return limn_fail(err, LIMN_E_ARG, "pixels: %u x %u is not in 1 x 1 … %u x %u", p->width,
                         p->height, LIMN_IMAGE_MAX_SIDE, LIMN_IMAGE_MAX_SIDE);
    if ((uint64_t)p->width * p->height > s->options.max_pixels)
        return limn_fail(err, LIMN_E_LIMIT, "%u x %u pixels are more than max-pixels, %llu",
                         p->width, p->height, (unsigned long long)s->options.max_pixels);
    if (p->stride && p->stride < (size_t)p->width * 3)
        return limn_fail(err, LIMN_E_ARG, "pixels: a stride of %zu bytes is less than %u pixels",
                         p->stride, p->width);
    if (p->order != LIMN_PIXELS_RGB && p->order != LIMN_PIXELS_BGR)
        return limn_fail(err, LIMN_E_ARG, "pixels: order %u is unknown", (unsigned)p->order);
    return LIMN_OK;
}

static void copy_row(uint8_t *out, const uint8_t *row, uint32_t width, limn_pixel_order order)
{
    const size_t red = order == LIMN_PIXELS_BGR ? 2 : 0;
    for (size_t i = 0; i < width; i++) {
        out[3 * i] = row[3 * i + red];
        out[3 * i + 1] = row[3 * i + 1];
        out[3 * i + 2] = row[3 * i + 2 - red];
    }
}

/* The pixels as dense RGB: as they are, or copied into the state. */
static limn_status make_dense(const uint8_t **out, limn_state *s, const limn_pixels *p,
                              limn_error *err)
{
    const size_t row = (size_t)p->width * 3, stride = p->stride ? p->stride : row;
    *out = p->rows;
    if (stride == row && p->order == LIMN_PIXELS_RGB) return LIMN_OK;
    if (!limn_grow((void **)&s->dense, &s->dense_capacity, row * p->height, 1))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %u x %u pixels", p->width, p->height);
    for (size_t y = 0; y < p->height; y++)
        copy_row(s->dense + y * row, p->rows + y * stride, p->width, p->order);
    *out = s->dense;
    return LIMN_OK;
}

limn_status limn_state_load_pixels(limn_state *s, const limn_pixels *pixels, uint8_t *input,
                                   limn_error *err)
{
    const uint8_t *dense;
    LIMN_TRY(check_state(s, err));
    if (!input) return limn_fail(err, LIMN_E_ARG, "input: NULL");
    LIMN_TRY(check_pixels(s, pixels, err));
    LIMN_TRY(make_dense(&dense, s, pixels, err));
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = fit(s, input, dense, pixels->width, pixels->height, err);
    limn_float_env_leave(&env);
    return status;
}

/* ---- captions ------------------------------------------------------------------------------ */

/* A source of one image, and what became of it. */
typedef struct single {
    limn_source_image image;
    bool is_taken;
    const limn_captions **out;
    limn_error failure;
} single;

static bool next_single(void *ctx, limn_source_image *image)
{
    single *one = ctx;
    const bool is_new = !one->is_taken;
    *image = one->image;
    one->is_taken = true;
    return is_new;
}

static void done_single(void *ctx, void *image, const limn_captions *captions,
                        const limn_error *failure)
{
    single *one = ctx;
    (void)image;
    *one->out = captions;
    if (failure) one->failure = *failure;
}

/* Captions an input, or, where that is NULL, features. */
static limn_status caption(limn_state *s, const limn_source_image *image, const limn_captions **out,
                           limn_error *err)
{
    single one = { .image = *image, .out = out };
    const limn_caption_source source = { &one, next_single, done_single, 1 };
    const limn_float_env env = limn_float_env_enter();
    limn_joint_captioning_run(s, &source, NULL); /* its failures are those of the image */
    limn_float_env_leave(&env);
    if (one.failure.code == LIMN_OK) return LIMN_OK;
    return limn_fail(err, one.failure.code, "%s", one.failure.text);
}

/* `what` is the name of the data in the public function, NULL when they are there. */
static limn_status check_call(const limn_state *s, const char *what, const limn_captions **out,
                              limn_error *err)
{
    LIMN_TRY(check_state(s, err));
    if (!out) return limn_fail(err, LIMN_E_ARG, "out: NULL");
    *out = NULL;
    return what ? limn_fail(err, LIMN_E_ARG, "%s: NULL", what) : LIMN_OK;
}

limn_status limn_state_caption_input(limn_state *s, const char *name, const uint8_t *input,
                                     const limn_captions **out, limn_error *err)
{
    LIMN_TRY(check_call(s, input ? NULL : "input", out, err));
    return caption(s, &(limn_source_image){ .name = name, .input = input }, out, err);
}

limn_status limn_state_caption_features(limn_state *s, const char *name, const float *features,
                                        const limn_captions **out, limn_error *err)
{
    LIMN_TRY(check_call(s, features ? NULL : "features", out, err));
    return caption(s, &(limn_source_image){ .name = name, .features = features }, out, err);
}

limn_status limn_state_caption_many(limn_state *s, const limn_caption_source *source,
                                    limn_error *err)
{
    LIMN_TRY(check_state(s, err));
    if (!source || !source->next || !source->done)
        return limn_fail(err, LIMN_E_ARG, "%s: NULL",
                         !source        ? "source"
                         : source->next ? "done"
                                        : "next");
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = limn_joint_captioning_run(s, source, err);
    limn_float_env_leave(&env);
    return status;
}

limn_status limn_state_encode(limn_state *s, const uint8_t *input, float *features, limn_error *err)
{
    LIMN_TRY(check_state(s, err));
    if (!input || !features)
        return limn_fail(err, LIMN_E_ARG, "%s: NULL", input ? "features" : "input");
    const limn_float_env env = limn_float_env_enter();
    limn_forward_encode(s->forward, input);
    limn_forward_get_features(features, s->forward);
    limn_float_env_leave(&env);
    return LIMN_OK;
}

limn_status limn_state_caption_bytes(limn_state *s, const char *name, const void *bytes,
                                     size_t size, const limn_captions **out, limn_error *err)
{
    LIMN_TRY(check_call(s, bytes ? NULL : "bytes", out, err));
    LIMN_TRY(limn_state_load(s, bytes, size, s->input, NULL, NULL, err));
    return limn_state_caption_input(s, name, s->input, out, err);
}

limn_status limn_state_caption_pixels(limn_state *s, const char *name, const uint8_t *pixels,
                                      uint32_t width, uint32_t height, const limn_captions **out,
                                      limn_error *err)
{
    const limn_pixels dense = { .rows = pixels, .width = width, .height = height };
    LIMN_TRY(check_call(s, pixels ? NULL : "pixels", out, err));
    LIMN_TRY(limn_state_load_pixels(s, &dense, s->input, err));
    return limn_state_caption_input(s, name, s->input, out, err);
}

limn_status limn_state_caption_file(limn_state *s, const char *path, const limn_captions **out,
                                    limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size;
    LIMN_TRY(check_call(s, path ? NULL : "path", out, err));
    LIMN_TRY(limn_file_read(&bytes, &size, path, MAX_FILE_SIZE, err));
    const limn_status status = limn_state_caption_bytes(s, path, bytes, size, out, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_free(bytes);
    return status;
}
