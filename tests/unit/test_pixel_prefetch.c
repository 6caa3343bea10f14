#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/train/pixel_prefetch.h"
#include "tests/unit/cache_rows.h"
#include "tests/unit/image_files.h"

enum { SIZE = 16, N_IMAGES = 6, N_BATCHES = 12, N_BYTES = SIZE * SIZE * 3 };

static limn_pixel_cache cache;

static int setup(void **state)
{
    limn_image_names names = { 0 };
    limn_pixel_cache_settings s = {
        .names = &names, .input = { limn_input_square(SIZE, LIMN_RESIZE_BICUBIC, 0, 1), 10000 }
    };
    if (temp_folder_setup(state)) return -1;
    write_images(&names, N_IMAGES);
    s.folder = temp_folder;
    const limn_status status = limn_pixel_cache_make(&cache, temp_path("pixels"), &s, NULL);
    limn_image_names_finish(&names);
    return status;
}

static int teardown(void **state)
{
    limn_pixel_cache_close(&cache);
    return temp_folder_teardown(state);
}

/* Batches of one to four images, some twice. */
static size_t rows_of(uint32_t rows[4], size_t batch)
{
    const size_t n = batch % 4 + 1;
    for (size_t i = 0; i < n; i++) rows[i] = (uint32_t)((batch * 5 + i * i) % N_IMAGES);
    return n;
}

/* Checks that an image is what augmentation alone gives. */
static void assert_image(const uint8_t *pixels, uint32_t row, uint64_t draw)
{
    const limn_augment_settings augment = limn_augment_settings_default();
    limn_rng rng = limn_image_rng(5, limn_image_names_get(&cache.rows.names, row), "draw", draw);
    limn_resize_scratch scratch = { 0 };
    uint8_t expected[N_BYTES];
    limn_augment(expected, row_of(&cache.rows, row), SIZE, &augment, &rng, &scratch, NULL);
    assert_memory_equal(pixels, expected, N_BYTES);
    limn_resize_scratch_finish(&scratch);
}

static limn_pixel_prefetch *create(const limn_augment_settings *augment, size_t depth,
                                   size_t n_threads)
{
    const limn_pixel_prefetch_settings settings = { &cache, augment, 5, 4, depth, n_threads };
    limn_pixel_prefetch *p;
    assert_int_equal(limn_pixel_prefetch_create(&p, &settings, NULL), LIMN_OK);
    return p;
}

static void submit(limn_pixel_prefetch *p, size_t batch)
{
    uint32_t rows[4];
    const size_t n = rows_of(rows, batch);
    assert_int_equal(limn_pixel_prefetch_submit(p, rows, n, batch / 3, NULL), LIMN_OK);
    memset(rows, 0xff, sizeof rows); /* submit has copied them */
}

static void check_batches(size_t depth, size_t n_threads)
{
    const limn_augment_settings augment = limn_augment_settings_default();
    limn_pixel_prefetch *p = create(&augment, depth, n_threads);
    for (size_t k = 0; k < depth; k++) submit(p, k);
    for (size_t k = 0; k < N_BATCHES; k++) {
        const uint8_t *pixels;
        uint32_t rows[4];
        const size_t n = rows_of(rows, k);
        assert_int_equal(limn_pixel_prefetch_take(p, &pixels, NULL), LIMN_OK);
        if (k + depth < N_BATCHES) submit(p, k + depth);
        for (size_t i = 0; i < n; i++) assert_image(pixels + i * N_BYTES, rows[i], k / 3);
    }
    limn_pixel_prefetch_destroy(&p);
    assert_null(p);
}

static void test_batches_come_in_order_whatever_threads_and_depth(void **state)
{
    (void)state;
    check_batches(1, 1);
    check_batches(2, 1);
    check_batches(2, 3);
    check_batches(5, 8);
}

static void test_without_augmentation_images_are_as_they_are(void **state)
{
    limn_pixel_prefetch *p = create(NULL, 1, 2);
    const uint8_t *pixels;
    (void)state;
    submit(p, 1); /* rows 5 and 0 */
    assert_int_equal(limn_pixel_prefetch_take(p, &pixels, NULL), LIMN_OK);
    assert_memory_equal(pixels, row_of(&cache.rows, 5), N_BYTES);
    assert_memory_equal(pixels + N_BYTES, row_of(&cache.rows, 0), N_BYTES);
    limn_pixel_prefetch_destroy(&p);
}

static void test_a_batch_stays_until_the_next_is_taken(void **state)
{
    limn_pixel_prefetch *p = create(NULL, 2, 1);
    const uint8_t *pixels, *next;
    (void)state;
    submit(p, 0);
    submit(p, 1);
    limn_pixel_prefetch_take(p, &pixels, NULL);
    submit(p, 2);
    limn_pixel_prefetch_take(p, &next, NULL);
    assert_ptr_not_equal(pixels, next);
    assert_memory_equal(next, row_of(&cache.rows, 5), N_BYTES);
    limn_pixel_prefetch_destroy(&p);
}

static void test_what_can_t_be_is_refused(void **state)
{
    limn_pixel_prefetch_settings settings = { &cache, NULL, 5, 4, 17, 1 };
    static const uint32_t rows[5] = { 0, 1, 2, 3, N_IMAGES };
    limn_pixel_prefetch *p = NULL;
    const uint8_t *pixels;
    (void)state;
    assert_int_equal(limn_pixel_prefetch_create(&p, &settings, NULL), LIMN_E_ARG);
    assert_null(p);
    settings.depth = 1;
    settings.n_threads = 0;
    assert_int_equal(limn_pixel_prefetch_create(&p, &settings, NULL), LIMN_E_ARG);
    p = create(NULL, 1, 1);
    assert_int_equal(limn_pixel_prefetch_take(p, &pixels, NULL), LIMN_E_ARG);
    assert_int_equal(limn_pixel_prefetch_submit(p, rows, 0, 0, NULL), LIMN_E_ARG);
    assert_int_equal(limn_pixel_prefetch_submit(p, rows, 5, 0, NULL), LIMN_E_ARG);
    assert_int_equal(limn_pixel_prefetch_submit(p, rows + 4, 1, 0, NULL), LIMN_E_ARG);
    assert_int_equal(limn_pixel_prefetch_submit(p, rows, 4, 0, NULL), LIMN_OK);
    assert_int_equal(limn_pixel_prefetch_submit(p, rows, 4, 0, NULL), LIMN_E_ARG);
    assert_int_equal(limn_pixel_prefetch_take(p, &pixels, NULL), LIMN_OK);
    limn_pixel_prefetch_destroy(&p);
    limn_pixel_prefetch_destroy(&p);
}

static void test_it_ends_with_work_left(void **state)
{
    const limn_augment_settings augment = limn_augment_settings_default();
    (void)state;
    for (size_t n_threads = 1; n_threads < 5; n_threads++) {
        limn_pixel_prefetch *p = create(&augment, 8, n_threads);
        for (size_t k = 0; k < 8; k++) submit(p, k);
        limn_pixel_prefetch_destroy(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_come_in_order_whatever_threads_and_depth),
        cmocka_unit_test(test_without_augmentation_images_are_as_they_are),
        cmocka_unit_test(test_a_batch_stays_until_the_next_is_taken),
        cmocka_unit_test(test_what_can_t_be_is_refused),
        cmocka_unit_test(test_it_ends_with_work_left),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
