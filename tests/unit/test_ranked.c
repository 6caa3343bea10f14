/* Lists of the best items against sorting them all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/ranked.h"
#include "common/base/rng.h"

typedef struct item {
    int64_t value; /* as wide as `number`: no padding, since items are compared as bytes */
    size_t number; /* order of arrival */
} item;

static bool is_more(const void *a, const void *b)
{
    return ((const item *)a)->value > ((const item *)b)->value;
}

/* For qsort: the same order, with ties in order of arrival. */
static int compare(const void *first, const void *second)
{
    const item *a = first, *b = second;
    if (a->value != b->value) return a->value > b->value ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static void test_the_best_are_those_of_a_sorted_list(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        limn_rng rng = limn_rng_stream(seed, "ranked", 6);
        item all[40], best[12], sorted[40];
        const size_t n_all = limn_rng_below(&rng, 41), max = 1 + limn_rng_below(&rng, 12);
        size_t n = 0;
        for (size_t i = 0; i < n_all; i++) {
            all[i] = (item){ (int64_t)limn_rng_below(&rng, 15), i };
            const size_t n_before = n;
            const bool is_full = n == max;
            const bool is_in = limn_ranked_insert(best, &n, max, sizeof *best, &all[i], is_more);
            assert_true(is_in || is_full);
            assert_int_equal(n, is_full ? max : n_before + 1);
        }
        memcpy(sorted, all, n_all * sizeof *all);
        if (n_all > 0) qsort(sorted, n_all, sizeof *sorted, compare);
        assert_int_equal(n, n_all < max ? n_all : max);
        assert_memory_equal(best, sorted, n * sizeof *best);
        limn_ranked_sort(all, n_all, sizeof *all, is_more);
        assert_memory_equal(all, sorted, n_all * sizeof *all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_best_are_those_of_a_sorted_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
