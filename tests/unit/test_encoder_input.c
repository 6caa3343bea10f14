/* What an image becomes as an encoder's input: squashed, or resized by its shorter side and cropped
 * like torchvision's Resize and CenterCrop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "encoder/input_plan.h"

static uint8_t *make_noise(size_t n)
{
    limn_rng rng = limn_rng_stream(5, "noise", 5);
    uint8_t *bytes = malloc(n);
    for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)limn_rng_below(&rng, 256);
    return bytes;
}

static limn_image image_of(uint8_t *pixels, uint32_t width, uint32_t height)
{
    return (limn_image){ .pixels = pixels,
                         .width = width,
                         .height = height,
                         .full_width = width,
                         .full_height = height,
                         .box = { 0, 0, (float)width, (float)height } };
}

/* torchvision 0.23: resize's output size and center_crop's offsets, for widths, heights, shorter
 * sides and inputs; and where transformers 4.57's CLIPImageProcessor and albumentations 1.0's
 * SmallestMaxSize and CenterCrop round otherwise. */
static const struct {
    uint32_t width, height, shorter_side, input_width, input_height;
    uint32_t whole_width, whole_height, left, top;
    limn_rounding rounding;
} crops[] = {
    { 500, 375, 256, 224, 224, 341, 256, 58, 16, 0 },
    { 375, 500, 256, 224, 224, 256, 341, 16, 58, 0 },
    { 333, 500, 256, 224, 224, 256, 384, 16, 80, 0 },
    { 101, 100, 64, 33, 64, 64, 64, 16, 0, 0 },
    { 97, 61, 50, 49, 48, 79, 50, 15, 1, 0 },
    { 40, 300, 37, 32, 37, 37, 277, 2, 120, 0 },
    { 64, 64, 64, 64, 64, 64, 64, 0, 0, 0 },
    { 90, 33, 40, 38, 37, 109, 40, 36, 2, 0 },
    { 101, 100, 64, 33, 64, 64, 64, 15, 0, LIMN_ROUND_TRANSFORMERS },
    { 640, 427, 224, 224, 224, 335, 224, 55, 0, LIMN_ROUND_TRANSFORMERS },
    { 640, 427, 256, 224, 224, 384, 256, 80, 16, LIMN_ROUND_ALBUMENTATIONS },
    { 101, 100, 50, 49, 48, 50, 50, 0, 1, LIMN_ROUND_ALBUMENTATIONS }, /* 50.5 */
    { 100, 103, 50, 48, 49, 50, 52, 1, 1, LIMN_ROUND_ALBUMENTATIONS }, /* 51.5 */
};

static void test_a_crop_is_the_originals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof crops / sizeof *crops; i++) {
        const uint32_t w = crops[i].input_width, h = crops[i].input_height;
        const limn_input_spec spec = { .width = w,
                                       .height = h,
                                       .filter = i % 2 ? LIMN_RESIZE_BICUBIC : LIMN_RESIZE_BILINEAR,
                                       .fit = LIMN_FIT_CROP,
                                       .rounding = crops[i].rounding,
                                       .shorter_side = crops[i].shorter_side };
        limn_resize_scratch scratch = { 0 };
        const size_t whole_row = (size_t)crops[i].whole_width * 3;
        uint8_t *pixels = make_noise((size_t)crops[i].width * crops[i].height * 3);
        uint8_t *whole = malloc(whole_row * crops[i].whole_height),
                *input = malloc((size_t)w * h * 3);
        const limn_image image = image_of(pixels, crops[i].width, crops[i].height);
        assert_int_equal(limn_resize(whole, crops[i].whole_width, crops[i].whole_height, pixels,
                                     image.width, image.height, spec.filter, &scratch, NULL),
                         LIMN_OK);
        assert_int_equal(limn_input_fit(input, &image, &spec, &scratch, NULL), LIMN_OK);
        for (size_t y = 0; y < h; y++)
            assert_memory_equal(input + y * w * 3,
                                whole + (y + crops[i].top) * whole_row + crops[i].left * 3, w * 3);
        limn_resize_scratch_finish(&scratch);
        free(pixels);
        free(whole);
        free(input);
    }
}

static void test_a_long_image_is_cropped_without_being_resized_whole(void **state)
{
    const limn_input_spec spec = {
        .width = 64, .height = 64, .fit = LIMN_FIT_CROP, .shorter_side = 64
    };
    limn_resize_scratch scratch = { 0 };
    uint8_t *pixels = make_noise(2 * 60000 * 3), *input = malloc(limn_input_bytes(&spec));
    const limn_image image = image_of(pixels, 60000, 2); /* would become 1,920,000 wide */
    (void)state;
    assert_int_equal(limn_input_fit(input, &image, &spec, &scratch, NULL), LIMN_OK);
    assert_true(scratch.size < 4 << 20);
    limn_resize_scratch_finish(&scratch);
    free(pixels);
    free(input);
}

static void test_what_is_alike(void **state)
{
    limn_input_spec a = limn_input_square(64, LIMN_RESIZE_BICUBIC, 127, 2), b = a;
    (void)state;
    assert_true(limn_input_bytes(&a) == 64 * 64 * 3 && limn_input_has_one_mean(&a));
    b.mean[1] = 3; /* the pixels are the same */
    assert_true(limn_input_is_alike(&a, &b) && !limn_input_has_one_mean(&b));
    b.height = 63;
    assert_false(limn_input_is_alike(&a, &b));
    b = a;
    b.fit = LIMN_FIT_CROP;
    assert_false(limn_input_is_alike(&a, &b));
    a = b;
    b.rounding = LIMN_ROUND_TRANSFORMERS;
    assert_false(limn_input_is_alike(&a, &b));
    b = a;
    b.decodes_whole = true;
    assert_false(limn_input_is_alike(&a, &b));
}

static void test_windows_out_of_the_whole_are_refused(void **state)
{
    static const limn_resize_window bad[] = { { 4, 4, 2, 0, 3, 4 },
                                              { 4, 4, 0, 4, 1, 1 },
                                              { 4, 4, 0, UINT32_MAX, 1, 1 } };
    const limn_resize_box box = { 0, 0, 2, 2 };
    limn_resize_scratch scratch = { 0 };
    uint8_t pixels[12] = { 0 }, out[48];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(limn_resize_into_window(out, &bad[i], pixels, 2, 2, &box,
                                                 LIMN_RESIZE_BILINEAR, &scratch, NULL),
                         LIMN_E_ARG);
}

static const char *photo_path(void)
{
    static char path[4096];
    const char *root = getenv("LIMN_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/samples/photos/cows.jpg", root ? root : ".");
    return path;
}

/* Inputs that need the same reduction share one decoding, the rest get others: the bytes are those
 * of each input alone. */
static void test_a_plan_gives_what_each_input_gives_alone(void **state)
{
    static const uint32_t sides[] = { 20, 21, 200, 60, 61, 20, 1000, 64 };
    limn_resize_scratch scratch = { 0 };
    limn_input_plan plan = { .n_inputs = 0 };
    const limn_input_plan_hooks none = { .decode = NULL };
    unsigned char *bytes = NULL;
    uint8_t *at, *all, *alone = malloc((size_t)1000 * 1000 * 3);
    size_t size;
    (void)state;
    assert_int_equal(limn_file_read(&bytes, &size, photo_path(), SIZE_MAX / 4, NULL), LIMN_OK);
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        const limn_encoder_input_settings input = {
            limn_input_square(sides[i], LIMN_RESIZE_BICUBIC, 0, 1), 1 << 30
        };
        assert_int_equal(limn_input_plan_add(&plan, &input, NULL), LIMN_OK);
    }
    assert_int_equal(plan.n_inputs, 7);
    at = all = malloc(limn_input_plan_bytes(&plan));
    assert_int_equal(limn_input_plan_load(all, &plan, bytes, size, &none, &scratch, NULL), LIMN_OK);
    for (uint32_t i = 0; i < plan.n_inputs; i++) {
        const size_t n = limn_input_bytes(&plan.inputs[i].spec);
        assert_int_equal(at - all, limn_input_plan_offset(&plan, &plan.inputs[i].spec));
        assert_int_equal(limn_encoder_input_load(alone, bytes, size, &plan.inputs[i], &scratch,
                                                 NULL, NULL, NULL),
                         LIMN_OK);
        assert_memory_equal(at, alone, n);
        at += n;
    }
    limn_image image = { 0 };
    assert_int_equal(limn_encoder_input_decode(&image, bytes, size, &plan.inputs[0], NULL),
                     LIMN_OK);
    assert_true(limn_encoder_input_suits(&image, &plan.inputs[1]));  /* decoded once for both */
    assert_false(limn_encoder_input_suits(&image, &plan.inputs[5])); /* 1000 */
    limn_image_finish(&image);
    limn_resize_scratch_finish(&scratch);
    limn_free(bytes);
    free(all);
    free(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_crop_is_the_originals),
        cmocka_unit_test(test_a_long_image_is_cropped_without_being_resized_whole),
        cmocka_unit_test(test_what_is_alike),
        cmocka_unit_test(test_a_plan_gives_what_each_input_gives_alone),
        cmocka_unit_test(test_windows_out_of_the_whole_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
