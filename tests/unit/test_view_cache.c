#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/kernels/kernels.h"
#include "common/kernels/pack.h"
#include "models/train/augment.h"
#include "models/train/view_cache.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/cache_rows.h"
#include "tests/unit/image_files.h"
#include "tests/fixtures/kernels_of.h"

enum { SIZE = 32, N_IMAGES = 5 };

/* A small encoder and the pixels of a few images, for all tests. */
static limn_model_file model;
static limn_encoder *encoder;
static limn_image_names names;
static limn_pixel_cache pixels;

static int setup(void **state)
{
    const toy_model_settings toy = { .seed = 1, .is_encoder_only = true };
    limn_encoder_config config;
    limn_pixel_cache_settings s = {
        .names = &names, .input = { limn_input_square(SIZE, LIMN_RESIZE_BICUBIC, 0, 1), 10000 }
    };
    if (temp_folder_setup(state) || toy_model_write(temp_path("toy"), &toy, NULL) ||
        limn_model_file_open(&model, temp_path("toy"), NULL))
        return -1;
    config = model.config.encoder;
    config.input.width = config.input.height = SIZE;
    write_images(&names, N_IMAGES);
    s.folder = temp_folder;
    return limn_encoder_open(&encoder, model.tensors, &config, kernels_of(limn_cpu_best()), NULL) ||
           limn_pixel_cache_make(&pixels, temp_path("pixels"), &s, NULL);
}

static void remove_views(void)
{
    static const char *const extensions[] = { "npy", "txt", "json" };
    for (int v = 0; v < 8; v++)
        for (int e = 0; e < 3; e++) {
            char name[32];
            snprintf(name, sizeof name, "view-%d.%s", v, extensions[e]);
            remove(temp_path(name));
        }
}

static int teardown(void **state)
{
    limn_pixel_cache_close(&pixels);
    limn_image_names_finish(&names);
    limn_encoder_close(&encoder);
    limn_model_file_close(&model);
    return temp_folder_teardown(state);
}

static int clear(void **state)
{
    (void)state;
    remove_views();
    return 0;
}

static limn_view_cache_settings settings_of(size_t first_stage, size_t n_views)
{
    return (limn_view_cache_settings){
        .pixels = &pixels,
        .names = &names,
        .encoder = encoder,
        .encoder_checksum = 7,
        .first_stage = first_stage,
        .n_views = n_views,
        .seed = 3,
        .filter = LIMN_RESIZE_BICUBIC,
    };
}

static bool make(limn_view_cache *c, const limn_view_cache_settings *s, limn_error *err)
{
    *err = (limn_error){ 0 };
    return limn_view_cache_make(c, temp_folder, s, err) == LIMN_OK;
}

static const uint16_t *view_row(const limn_view_cache *c, size_t view, size_t image)
{
    return row_of(&c->views[view], c->rows[image]);
}

/* Checks that cached features are what limn_encoder_run gives for a view, in f16. */
static void assert_features(const limn_view_cache *c, size_t view, size_t image)
{
    const size_t n = limn_encoder_n_positions(encoder) * limn_encoder_dim(encoder);
    float *features = limn_alloc_aligned(n, sizeof *features);
    limn_encoder_state *state;
    limn_resize_scratch scratch = { 0 };
    uint8_t changed[SIZE * SIZE * 3];
    const uint16_t *row = view_row(c, view, image);
    assert_int_equal(limn_encoder_state_create(&state, encoder, NULL), LIMN_OK);
    assert_int_equal(limn_view_pixels(changed, row_of(&pixels.rows, image), SIZE, view, 3,
                                      limn_image_names_get(&names, image), LIMN_RESIZE_BICUBIC,
                                      &scratch, NULL),
                     LIMN_OK);
    limn_encoder_run(encoder, state, NULL, changed, features);
    for (size_t i = 0; i < n; i++) assert_int_equal(row[i], limn_f32_to_f16(features[i]));
    limn_resize_scratch_finish(&scratch);
    limn_encoder_state_destroy(&state);
    limn_free(features);
}

static void test_rows_are_the_encoder_s_features_of_each_view(void **state)
{
    limn_view_cache_settings s = settings_of(LIMN_STAGE_AFTER_HEAD, 4);
    limn_view_cache c;
    limn_error err;
    (void)state;
    assert_int_equal(limn_pool_create(&s.pool, 3, NULL), LIMN_OK);
    assert_true(make(&c, &s, &err));
    assert_int_equal(c.n_made, 4);
    assert_int_equal(c.n_positions, 1);
    assert_int_equal(c.dim, 1280);
    for (size_t v = 0; v < 4; v++)
        for (size_t p = 0; p < N_IMAGES; p++) assert_features(&c, v, p);
    limn_view_cache_close(&c);
    limn_pool_destroy(&s.pool);
}

static void test_views_are_the_whole_the_flipped_and_crops(void **state)
{
    uint8_t views[5][SIZE * SIZE * 3];
    const uint8_t *whole = row_of(&pixels.rows, 0);
    limn_resize_scratch scratch = { 0 };
    (void)state;
    for (size_t v = 0; v < 4; v++)
        limn_view_pixels(views[v], whole, SIZE, v, 3, "p0.ppm", LIMN_RESIZE_BICUBIC, &scratch,
                         NULL);
    assert_memory_equal(views[0], whole, sizeof views[0]);
    limn_flip_pixels(views[1], SIZE);
    assert_memory_equal(views[1], whole, sizeof views[1]);
    assert_memory_not_equal(views[2], views[3], sizeof views[2]);
    assert_memory_not_equal(views[2], whole, sizeof views[2]);
    /* A view depends on the last part of the name, the seed and the view's number. */
    limn_view_pixels(views[4], whole, SIZE, 2, 3, "x/p0.ppm", LIMN_RESIZE_BICUBIC, &scratch, NULL);
    assert_memory_equal(views[4], views[2], sizeof views[2]);
    limn_view_pixels(views[4], whole, SIZE, 2, 4, "p0.ppm", LIMN_RESIZE_BICUBIC, &scratch, NULL);
    assert_memory_not_equal(views[4], views[2], sizeof views[2]);
    limn_view_pixels(views[4], whole, SIZE, 2, 3, "p1.ppm", LIMN_RESIZE_BICUBIC, &scratch, NULL);
    assert_memory_not_equal(views[4], views[2], sizeof views[2]);
    limn_resize_scratch_finish(&scratch);
}

typedef struct taken_stage {
    const char *name;
    float *x;
    size_t n;
} taken_stage;

static void take_stage(void *ctx, const char *stage, const float *x, size_t height, size_t width,
                       size_t n_channels)
{
    taken_stage *t = ctx;
    if (strcmp(stage, t->name) != 0) return;
    t->n = height * width * n_channels;
    t->x = limn_alloc(t->n, sizeof *x);
    memcpy(t->x, x, t->n * sizeof *x);
}

static void assert_cut(size_t first_stage, const char *name)
{
    const limn_view_cache_settings s = settings_of(first_stage, 1);
    limn_encoder_state *state;
    taken_stage taken = { .name = name };
    float features[1280];
    limn_view_cache c;
    limn_error err;
    assert_true(make(&c, &s, &err));
    assert_int_equal(limn_encoder_state_create(&state, encoder, NULL), LIMN_OK);
    limn_encoder_run_tapped(encoder, state, row_of(&pixels.rows, 2), features, take_stage, &taken);
    assert_int_equal(taken.n, c.n_positions * c.dim);
    for (size_t i = 0; i < taken.n; i++)
        assert_int_equal(view_row(&c, 0, 2)[i], limn_f32_to_f16(taken.x[i]));
    limn_free(taken.x);
    limn_encoder_state_destroy(&state);
    limn_view_cache_close(&c);
}

static void test_a_cut_is_what_the_first_trained_stage_reads(void **state)
{
    limn_view_cache_settings s = settings_of(19, 1);
    limn_view_cache c;
    limn_error err;
    (void)state;
    assert_cut(1, "stem");
    assert_cut(2, "block0");
    assert_cut(12, "block10");
    assert_cut(17, "block15");
    assert_cut(18, "features");
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_ARG);
    s.first_stage = 0;
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_ARG);
}

static size_t n_made(const limn_view_cache_settings *s)
{
    limn_view_cache c;
    limn_error err;
    assert_true(make(&c, s, &err));
    const size_t n = c.n_made;
    limn_view_cache_close(&c);
    return n;
}

/* Makes p3.ppm another image under the same name. */
static void make_other_pixels(limn_pixel_cache *out)
{
    const limn_pixel_cache_settings s = {
        .folder = temp_folder,
        .names = &names,
        .input = { limn_input_square(SIZE, LIMN_RESIZE_BICUBIC, 0, 1), 10000 }
    };
    write_image("p3.ppm", 20, 24, 1);
    assert_int_equal(limn_pixel_cache_make(out, temp_path("other-pixels"), &s, NULL), LIMN_OK);
}

static void test_what_fits_is_kept_and_what_does_not_is_made_again(void **state)
{
    limn_view_cache_settings s = settings_of(12, 2);
    limn_image_names fewer = { 0 };
    limn_encoder_config other = model.config.encoder;
    limn_pixel_cache other_pixels;
    (void)state;
    assert_int_equal(n_made(&s), 2);
    assert_int_equal(n_made(&s), 0);
    s.n_views = 4;
    assert_int_equal(n_made(&s), 2);
    s.seed++; /* it does not matter for views that draw nothing */
    assert_int_equal(n_made(&s), 2);
    s.filter = LIMN_RESIZE_BILINEAR;
    assert_int_equal(n_made(&s), 2);
    s.encoder_checksum++;
    assert_int_equal(n_made(&s), 4);
    s.first_stage = 13;
    assert_int_equal(n_made(&s), 4);
    limn_image_names_add(&fewer, "p3.ppm", NULL);
    s.names = &fewer;
    assert_int_equal(n_made(&s), 4);
    make_other_pixels(&other_pixels);
    s.pixels = &other_pixels;
    assert_int_equal(n_made(&s), 4);
    limn_pixel_cache_close(&other_pixels);
    s.pixels = &pixels;
    assert_int_equal(n_made(&s), 4);
    limn_file_replace(temp_path("view-1.npy"), "cut", 3, NULL);
    limn_file_replace(temp_path("view-2.txt"), "", 0, NULL);
    assert_int_equal(n_made(&s), 2);
    limn_image_names_finish(&fewer);
    other.input.mean[1]++;
    assert_true(limn_encoder_checksum(model.tensors, &other) !=
                limn_encoder_checksum(model.tensors, &model.config.encoder));
}

static bool stop_in_second_view(void *ctx, size_t done, size_t total)
{
    (void)ctx;
    assert_int_equal(total, 3 * N_IMAGES);
    return done < 2 * N_IMAGES;
}

static void test_an_interrupted_cache_goes_on_with_the_view_that_it_was_at(void **state)
{
    limn_view_cache_settings s = settings_of(LIMN_STAGE_AFTER_HEAD, 3);
    limn_view_cache c;
    limn_error err;
    (void)state;
    s.progress.report = stop_in_second_view;
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_INTERRUPTED);
    assert_int_equal(access(temp_path("view-0.npy"), F_OK), 0);
    assert_int_not_equal(access(temp_path("view-1.npy"), F_OK), 0);
    s.progress.report = NULL;
    assert_int_equal(n_made(&s), 2);
}

static void test_nothing_of_others_is_replaced(void **state)
{
    const limn_view_cache_settings s = settings_of(LIMN_STAGE_AFTER_HEAD, 1);
    limn_view_cache c;
    limn_error err;
    (void)state;
    limn_file_replace(temp_path("view-0.npy"), "mine", 4, NULL);
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_ARG);
    assert_non_null(strstr(err.text, "view-0.npy: has no .json next to it"));
}

static void flip(const char *path, long from_end)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -from_end, SEEK_END), 0);
    const int c = fgetc(file);
    fseek(file, -from_end, SEEK_END);
    fputc(c ^ 1, file);
    assert_int_equal(fclose(file), 0);
}

/* Changes between two openings are found from the record of the first. */
static void check_altered_features(const limn_image_names *wanted)
{
    limn_view_cache given;
    limn_error err = { 0 };
    uint16_t row[1280];
    flip(temp_path("view-0.npy"), 1);
    assert_int_equal(limn_view_cache_open_features(&given, temp_path("view-0"), wanted, 1, 1280,
                                                   temp_path("features.json"), &err),
                     LIMN_OK);
    assert_int_equal(limn_view_cache_read(&given, 0, 1, row, &err), LIMN_OK);
    assert_int_equal(limn_view_cache_read(&given, 0, 0, row, &err), LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "view-0.npy: the row of p4.ppm was altered"));
    limn_view_cache_close(&given);
    flip(temp_path("view-0.npy"), 1);
    limn_file_replace(temp_path("features.json"), "{\n}\n", 4, NULL);
    err = (limn_error){ 0 };
    assert_int_equal(limn_view_cache_open_features(&given, temp_path("view-0"), wanted, 1, 1280,
                                                   temp_path("features.json"), &err),
                     LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "view-0.npy: has changed since training began"));
    remove(temp_path("features.json"));
}

static void test_features_of_limn_preprocess_are_a_cache_of_one_view(void **state)
{
    const limn_view_cache_settings s = settings_of(LIMN_STAGE_AFTER_HEAD, 1);
    limn_image_names wanted = { 0 };
    limn_view_cache c, given;
    limn_error err;
    (void)state;
    assert_true(make(&c, &s, &err));
    limn_image_names_add(&wanted, "photos/p4.ppm", NULL);
    limn_image_names_add(&wanted, "photos/p1.ppm", NULL);
    assert_int_equal(limn_view_cache_open_features(&given, temp_path("view-0"), &wanted, 1, 1280,
                                                   temp_path("features.json"), &err),
                     LIMN_OK);
    assert_int_equal(given.n_views, 1);
    assert_int_equal(given.n_images, 2);
    assert_memory_equal(view_row(&given, 0, 0), view_row(&c, 0, 4), 2560);
    assert_memory_equal(view_row(&given, 0, 1), view_row(&c, 0, 1), 2560);
    limn_view_cache_close(&given);
    check_altered_features(&wanted);
    assert_int_equal(limn_view_cache_open_features(&given, temp_path("view-0"), &wanted, 49, 1280,
                                                   temp_path("features.json"), &err),
                     LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "view-0.npy: is f16 [n, 1, 1280], expected f16 [n, 49, "));
    err = (limn_error){ 0 };
    limn_image_names_add(&wanted, "photos/other.ppm", NULL);
    assert_int_equal(limn_view_cache_open_features(&given, temp_path("view-0"), &wanted, 1, 1280,
                                                   temp_path("features.json"), &err),
                     LIMN_E_ARG);
    assert_non_null(strstr(err.text, "view-0.txt: has no row of photos/other.ppm"));
    limn_image_names_finish(&wanted);
    limn_view_cache_close(&c);
}

/* Two open views: a byte changes in one, the other is cut short. */
static void test_rows_that_changed_are_errors(void **state)
{
    static const uint32_t images[] = { 0, 1 }, views[] = { 0, 1 };
    const limn_view_cache_settings s = settings_of(LIMN_STAGE_AFTER_HEAD, 2);
    float *out = limn_alloc(2 * 1280, sizeof *out);
    limn_view_cache c;
    limn_error err;
    (void)state;
    assert_true(make(&c, &s, &err));
    flip(temp_path("view-0.npy"), N_IMAGES * 2560);
    assert_int_equal(limn_view_cache_gather(&c, out, images + 1, NULL, 1, NULL, &err), LIMN_OK);
    assert_int_equal(limn_view_cache_gather(&c, out, images, views, 2, NULL, &err), LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "view-0.npy: the row of p0.ppm was altered; remove the file"));
    limn_view_cache_close(&c);
    err = (limn_error){ 0 };
    assert_true(make(&c, &s, &err)); /* also when it is opened again */
    assert_int_equal(c.n_made, 0);
    assert_int_equal(limn_view_cache_gather(&c, out, images, NULL, 1, NULL, &err), LIMN_E_FORMAT);
    err = (limn_error){ 0 };
    assert_int_equal(truncate(temp_path("view-1.npy"), 128), 0);
    assert_int_equal(limn_view_cache_gather(&c, out, images + 1, views + 1, 1, NULL, &err),
                     LIMN_E_TRUNCATED);
    assert_non_null(strstr(err.text, "view-1.npy: was truncated"));
    limn_view_cache_close(&c);
    limn_free(out);
}

static void test_gathering_widens_the_rows_that_are_asked_for(void **state)
{
    static const uint32_t images[] = { 4, 0, 4, 2 }, views[] = { 1, 0, 0, 1 };
    const limn_view_cache_settings s = settings_of(LIMN_STAGE_AFTER_HEAD, 2);
    float *out = limn_alloc(4 * 1280, sizeof *out);
    limn_pool *pool;
    limn_view_cache c;
    limn_error err;
    (void)state;
    assert_int_equal(limn_pool_create(&pool, 2, NULL), LIMN_OK);
    assert_true(make(&c, &s, &err));
    assert_int_equal(limn_view_cache_gather(&c, out, images, views, 4, pool, NULL), LIMN_OK);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 1280; j++)
            assert_true(out[1280 * i + j] == limn_f16_to_f32(view_row(&c, views[i], images[i])[j]));
    assert_int_equal(limn_view_cache_gather(&c, out, images, NULL, 1, NULL, NULL), LIMN_OK);
    assert_true(out[7] == limn_f16_to_f32(view_row(&c, 0, 4)[7]));
    limn_view_cache_close(&c);
    limn_pool_destroy(&pool);
    limn_free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_rows_are_the_encoder_s_features_of_each_view, clear),
        cmocka_unit_test_setup(test_views_are_the_whole_the_flipped_and_crops, clear),
        cmocka_unit_test_setup(test_a_cut_is_what_the_first_trained_stage_reads, clear),
        cmocka_unit_test_setup(test_what_fits_is_kept_and_what_does_not_is_made_again, clear),
        cmocka_unit_test_setup(test_an_interrupted_cache_goes_on_with_the_view_that_it_was_at,
                               clear),
        cmocka_unit_test_setup(test_nothing_of_others_is_replaced, clear),
        cmocka_unit_test_setup(test_features_of_limn_preprocess_are_a_cache_of_one_view, clear),
        cmocka_unit_test_setup(test_rows_that_changed_are_errors, clear),
        cmocka_unit_test_setup(test_gathering_widens_the_rows_that_are_asked_for, clear),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
