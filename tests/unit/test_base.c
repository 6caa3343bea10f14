#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/kernels/cpu_level.h"
#include "common/base/mem.h"
#include "common/base/pool.h"

static void test_size_arithmetic_reports_overflow(void **state)
{
    size_t out = 7;
    (void)state;
    assert_false(limn_size_mul(&out, SIZE_MAX / 2, 3));
    assert_false(limn_size_add(&out, SIZE_MAX, 1));
    assert_int_equal(out, 7);
    assert_true(limn_size_mul(&out, 6, 7));
    assert_int_equal(out, 42);
    assert_true(limn_size_mul(&out, 0, SIZE_MAX));
    assert_int_equal(out, 0);
    assert_null(limn_alloc(SIZE_MAX / 2, 4));
    assert_null(limn_alloc_aligned(SIZE_MAX - 8, 1));
}

static void test_first_error_wins_and_takes_a_prefix(void **state)
{
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_fail(&err, LIMN_E_FORMAT, "width %d exceeds %d", 9, 8), LIMN_E_FORMAT);
    assert_int_equal(limn_fail(&err, LIMN_E_IO, "later"), LIMN_E_IO);
    limn_error_prefix(&err, "%s", "photo.png");
    assert_int_equal(err.code, LIMN_E_FORMAT);
    assert_string_equal(err.text, "photo.png: width 9 exceeds 8");
    err = (limn_error){ 0 };
    limn_fail(&err, LIMN_E_IO, "a\nname with \x1b[2J");
    limn_error_prefix(&err, "folder\r");
    assert_string_equal(err.text, "folder?: a?name with ?[2J");
    assert_int_equal(limn_fail(NULL, LIMN_E_IO, "nobody listens"), LIMN_E_IO);
}

static void test_counting_arena_plans_what_a_real_one_takes(void **state)
{
    limn_arena counting, real;
    (void)state;
    limn_arena_init_counting(&counting);
    assert_null(limn_arena_take(&counting, 3, 5));
    assert_null(limn_arena_take(&counting, 100, 4));
    assert_true(limn_arena_init(&real, counting.high));
    unsigned char *a = limn_arena_take(&real, 3, 5), *b = limn_arena_take(&real, 100, 4);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal((uintptr_t)b % LIMN_ALIGNMENT, 0);
    assert_true(b >= a + 15);
    assert_null(limn_arena_take(&real, 1, 1));
    assert_true(real.has_failed);
    limn_arena_finish(&real);
}

static void count_item(void *ctx, size_t item, size_t worker)
{
    unsigned char *seen = ctx;
    (void)worker;
    seen[item]++;
}

static void test_pool_runs_every_item_once(void **state)
{
    limn_pool *pool = NULL;
    unsigned char seen[1000];
    (void)state;
    assert_int_equal(limn_pool_create(&pool, 0, NULL), LIMN_E_ARG);
    for (size_t n_threads = 1; n_threads <= 7; n_threads += 2) {
        assert_int_equal(limn_pool_create(&pool, n_threads, NULL), LIMN_OK);
        for (int round = 0; round < 50; round++) {
            memset(seen, 0, sizeof seen);
            limn_pool_run(pool, sizeof seen, count_item, seen);
            for (size_t i = 0; i < sizeof seen; i++) assert_int_equal(seen[i], 1);
        }
        limn_pool_destroy(&pool);
        assert_null(pool);
    }
}

static void test_cpu_levels_parse(void **state)
{
    limn_cpu_level level;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_cpu_level_parse(&level, "c", NULL), LIMN_OK);
    assert_int_equal(level, LIMN_CPU_C);
    assert_int_equal(limn_cpu_level_parse(&level, NULL, NULL), LIMN_OK);
    assert_int_equal(level, limn_cpu_best());
    assert_int_equal(limn_cpu_level_parse(&level, "mmx", &err), LIMN_E_ARG);
    assert_non_null(strstr(err.text, "mmx"));
}

static void test_buffer_grows_and_remembers_failure(void **state)
{
    limn_buffer b = { 0 };
    (void)state;
    for (int i = 0; i < 1000; i++) limn_buffer_printf(&b, "%d,", i % 10);
    limn_buffer_append_text(&b, "end");
    assert_int_equal(b.size, 2003);
    assert_memory_equal(b.bytes + 1998, "9,end", 6);
    limn_buffer_append(&b, "", SIZE_MAX);
    assert_true(b.has_failed);
    assert_int_equal(b.size, 2003);
    limn_buffer_clear(&b);
    limn_buffer_append_text(&b, "again");
    assert_false(b.has_failed);
    assert_string_equal(b.bytes, "again");
    limn_buffer_finish(&b);
    assert_null(b.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_arithmetic_reports_overflow),
        cmocka_unit_test(test_first_error_wins_and_takes_a_prefix),
        cmocka_unit_test(test_counting_arena_plans_what_a_real_one_takes),
        cmocka_unit_test(test_pool_runs_every_item_once),
        cmocka_unit_test(test_cpu_levels_parse),
        cmocka_unit_test(test_buffer_grows_and_remembers_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
