#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/image/resize.h"
#include "common/io/fileio.h"
#include "common/kernels/weigh_pixels.h"
#include "common/kernels/weigh_rows.h"
#include "tests/unit/image_fixtures.h"

/* The pixels that make_images.py gives to Pillow. */
static uint8_t *make_noise(size_t n_bytes)
{
    uint8_t *bytes = limn_alloc(n_bytes, 1);
    uint32_t state = 12345;
    assert_non_null(bytes);
    for (size_t i = 0; i < n_bytes; i++) {
        state = state * 1103515245u + 12345u;
        bytes[i] = (uint8_t)(state >> 24);
    }
    return bytes;
}

static void check_line(char **columns, limn_resize_scratch *scratch)
{
    uint32_t sizes[4];
    limn_resize_filter filter =
        strcmp(columns[4], "bicubic") ? LIMN_RESIZE_BILINEAR : LIMN_RESIZE_BICUBIC;
    for (int i = 0; i < 4; i++) sizes[i] = (uint32_t)atoi(columns[i]);
    size_t n_bytes = (size_t)sizes[2] * sizes[3] * 3;
    uint8_t *src = make_noise((size_t)sizes[0] * sizes[1] * 3);
    uint8_t *dst = limn_alloc(n_bytes, 1);
    assert_non_null(dst);
    assert_int_equal(
        limn_resize(dst, sizes[2], sizes[3], src, sizes[0], sizes[1], filter, scratch, NULL),
        LIMN_OK);
    uint64_t hash = limn_fnv1a64(LIMN_FNV1A64_INIT, dst, n_bytes);
    if (hash != strtoull(columns[5], NULL, 16))
        fail_msg("%ux%u to %ux%u %s: other pixels than Pillow's", sizes[0], sizes[1], sizes[2],
                 sizes[3], columns[4]);
    limn_free(src);
    limn_free(dst);
}

static void test_pixels_are_those_of_pillow(void **state)
{
    FILE *table = fopen(source_path("tests/data/images", "resize.tsv"), "r");
    limn_resize_scratch scratch = { 0 };
    char line[256], *columns[6];
    int n_lines = 0;
    (void)state;
    assert_non_null(table);
    for (; read_columns(table, line, sizeof line, columns, 6); n_lines++)
        check_line(columns, &scratch);
    assert_int_equal(n_lines, 44);
    fclose(table);
    limn_resize_scratch_finish(&scratch);
    assert_null(scratch.block);
}

/* Weights of -0.21 … 0.21: sums are clipped at both ends. */
static void test_rows_are_weighed_as_in_c(void **state)
{
    enum { MAX_BYTES = 300, MAX_WEIGHTS = 9 };
    uint8_t *rows = make_noise(MAX_BYTES * MAX_WEIGHTS), expected[MAX_BYTES], got[MAX_BYTES + 1];
    limn_weigh_rows_fn *weigh_rows = limn_weigh_rows_choose();
    (void)state;
    for (uint32_t i = 0; i < 3000; i++) {
        const size_t n = 1 + i % MAX_BYTES, n_weights = 1 + i % MAX_WEIGHTS;
        int32_t weights[MAX_WEIGHTS];
        for (uint32_t t = 0; t < MAX_WEIGHTS; t++)
            weights[t] = (int32_t)((i * 9 + t) * 2654435761u % 1800001) - 900000;
        limn_weigh_rows_c(expected, rows, weights, n_weights, n);
        memset(got, 0xca, sizeof got);
        weigh_rows(got, rows, weights, n_weights, n);
        assert_memory_equal(got, expected, n);
        assert_int_equal(got[n], 0xca);
    }
    limn_free(rows);
}

enum { MAX_ROWS = 40, MAX_SIDE = 700, MAX_TAPS = 600 };

/* Sums clip at both ends but stay below 2^31. Weights past the taps of an output are not zero. */
typedef struct pixels_case {
    limn_weigh_pixels_job job;
    uint32_t first[MAX_SIDE], n_taps[MAX_SIDE], state;
    int32_t weights[MAX_SIDE * MAX_TAPS];
} pixels_case;

static uint32_t draw(pixels_case *t, uint32_t n)
{
    t->state = t->state * 1103515245u + 12345u;
    return (t->state >> 8) % n;
}

static void make_pixels_case(pixels_case *t, uint32_t seed)
{
    t->state = seed;
    const uint32_t n_in = 1 + draw(t, draw(t, 2) ? 40 : MAX_SIDE);
    const uint32_t n_out = 1 + draw(t, draw(t, 2) ? 20 : 300);
    const uint32_t most = draw(t, 8) ? 12 : MAX_TAPS, stride = n_in < most ? n_in : most;
    t->job = (limn_weigh_pixels_job){ .n_rows = draw(t, MAX_ROWS + 1),
                                      .n_in = n_in,
                                      .n_out = n_out,
                                      .stride = stride,
                                      .first = t->first,
                                      .n_taps = t->n_taps,
                                      .weights = t->weights };
    for (uint32_t i = 0, end = 0; i < n_out; i++) {
        t->first[i] = (uint32_t)((uint64_t)i * n_in / n_out);
        const uint32_t n_left = n_in - t->first[i];
        const uint32_t drawn = t->first[i] + 1 + draw(t, stride < n_left ? stride : n_left);
        if (end < drawn) end = drawn;
        t->n_taps[i] = end - t->first[i];
        const uint32_t size = (1u << 22) / t->n_taps[i];
        for (uint32_t k = 0; k < stride; k++)
            t->weights[i * stride + k] = (int32_t)draw(t, size * 3 / 2) - (int32_t)size / 2;
        if (draw(t, 9) == 0) t->weights[i * stride] = draw(t, 2) ? 4000000 : -4000000;
    }
}

/* Memory ends with the last pixel, which valgrind and sanitizers watch. */
static void test_pixels_are_weighed_as_in_c(void **state)
{
    static pixels_case t;
    (void)state;
    for (uint32_t seed = 0; seed < 300; seed++) {
        make_pixels_case(&t, seed);
        const size_t n = t.job.n_rows * t.job.n_out * 3;
        uint8_t *in = make_noise(t.job.n_rows * t.job.n_in * 3), *got = limn_alloc(n + 1, 1);
        uint8_t *expected = limn_alloc(n + 1, 1);
        assert_true(in && expected && got);
        memset(got, 0xca, n + 1);
        if (seed % 5 == 0) memset(in, 255, t.job.n_rows * t.job.n_in * 3);
        t.job.in = in;
        t.job.out = expected;
        limn_weigh_pixels_c(&t.job);
        t.job.out = got;
        limn_weigh_pixels_choose()(&t.job);
        assert_memory_equal(got, expected, n);
        assert_int_equal(got[n], 0xca);
        limn_free(in);
        limn_free(got);
        limn_free(expected);
    }
}

static void test_scratch_memory_is_reused(void **state)
{
    limn_resize_scratch scratch = { 0 };
    uint8_t *src = make_noise(100 * 90 * 3), dst[20 * 20 * 3];
    const void *block;
    (void)state;
    assert_false(limn_resize(dst, 20, 20, src, 100, 90, LIMN_RESIZE_BICUBIC, &scratch, NULL));
    block = scratch.block;
    assert_non_null(block);
    assert_false(limn_resize(dst, 20, 20, src, 90, 80, LIMN_RESIZE_BICUBIC, &scratch, NULL));
    assert_false(limn_resize(dst, 20, 20, src, 100, 90, LIMN_RESIZE_BILINEAR, &scratch, NULL));
    assert_ptr_equal(scratch.block, block);
    limn_resize_scratch_finish(&scratch);
    limn_free(src);
}

static void test_sides_out_of_range_are_refused(void **state)
{
    limn_resize_scratch scratch = { 0 };
    limn_error err = { 0 };
    uint8_t pixel[3] = { 0 };
    (void)state;
    assert_int_equal(limn_resize(pixel, 1, 1, pixel, 0, 1, LIMN_RESIZE_BICUBIC, &scratch, &err),
                     LIMN_E_ARG);
    assert_string_equal(err.text, "resize: source width 0 is not within 1 and 65535");
    assert_int_equal(limn_resize(pixel, 1, 65536, pixel, 1, 1, LIMN_RESIZE_BICUBIC, &scratch, NULL),
                     LIMN_E_ARG);
    assert_null(scratch.block);
}

static void test_parts_out_of_the_source_are_refused(void **state)
{
    static const limn_resize_box bad[] = {
        { -0.5f, 0, 2, 2 }, { 0, 0, 2.5f, 2 }, { 1, 0, 1, 2 }, { 0, 2, 2, 1 }, { 0, 0, NAN, 2 },
    };
    limn_resize_scratch scratch = { 0 };
    limn_error err = { 0 };
    uint8_t pixels[12] = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(limn_resize_part(pixels, 2, 2, pixels, 2, 2, &bad[i], LIMN_RESIZE_BILINEAR,
                                          &scratch, &err),
                         LIMN_E_ARG);
    assert_string_equal(err.text, "resize: columns -0.5 to 2 are not within 0 and 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_are_those_of_pillow),
        cmocka_unit_test(test_rows_are_weighed_as_in_c),
        cmocka_unit_test(test_pixels_are_weighed_as_in_c),
        cmocka_unit_test(test_scratch_memory_is_reused),
        cmocka_unit_test(test_sides_out_of_range_are_refused),
        cmocka_unit_test(test_parts_out_of_the_source_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
