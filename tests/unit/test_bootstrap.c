#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "common/metrics/bootstrap.h"

/* Statistics: a sum and a count; the score is their mean. */
static void mean(const void *context, double *out, const double *sum, size_t n_images)
{
    (void)context;
    (void)n_images;
    out[0] = sum[0] / sum[1];
}

static limn_bootstrap toy(const double *stats, const double *other, size_t n_images)
{
    return (limn_bootstrap){ .stats = stats,
                             .other = other,
                             .n_images = n_images,
                             .n_stats = 2,
                             .n_scores = 1,
                             .score = mean,
                             .n_trials = 20000,
                             .seed = 1 };
}

/* Two images of 0 and 1: samples have means 0, 0.5, 1 with probabilities 1/4, 1/2, 1/4. */
static void test_two_images(void **state)
{
    const double stats[] = { 0, 1, 1, 1 };
    limn_bootstrap b = toy(stats, NULL, 2);
    limn_interval i;
    (void)state;
    assert_int_equal(limn_bootstrap_run(&i, &b, NULL), LIMN_OK);
    assert_true(i.value == 0.5 && i.low == 0 && i.high == 1);
}

/* The mean of 100 draws from 0 … 99 has standard deviation sqrt((100^2 - 1) / 12 / 100) = 2.8866,
 * so the interval is 49.5 -+ 1.96 * 2.8866. */
static void test_interval_of_a_mean(void **state)
{
    double stats[200];
    limn_interval i;
    (void)state;
    for (int k = 0; k < 100; k++) {
        stats[2 * k] = k;
        stats[2 * k + 1] = 1;
    }
    limn_bootstrap b = toy(stats, NULL, 100);
    assert_int_equal(limn_bootstrap_run(&i, &b, NULL), LIMN_OK);
    assert_true(i.value == 49.5);
    assert_true(fabs(i.low - (49.5 - 5.658)) < 0.15 && fabs(i.high - (49.5 + 5.658)) < 0.15);
}

/* Four images, differences 0, 0, 0, 4, mean 1: the mean of a sample is the number of times the last
 * was drawn: k with probability C(4, k) 3^(4-k) / 256. It is at least 1 away from 1 for k = 0, 2,
 * 3, 4: (81 + 54 + 12 + 1) / 256. */
static void test_paired_p_value(void **state)
{
    const double a[] = { 5, 1, 7, 1, 9, 1, 6, 1 }, b_stats[] = { 5, 1, 7, 1, 9, 1, 2, 1 };
    limn_bootstrap b = toy(a, b_stats, 4);
    limn_interval i;
    (void)state;
    assert_int_equal(limn_bootstrap_run(&i, &b, NULL), LIMN_OK);
    assert_true(i.value == 1 && i.low == 0 && i.high == 3);
    assert_true(fabs(i.p - 148.0 / 256) < 0.01);
}

static void test_a_clear_difference_and_none(void **state)
{
    double a[400], b_stats[400];
    limn_interval i;
    (void)state;
    for (int k = 0; k < 200; k++) {
        a[2 * k] = k % 7 + 1.0 + k % 3;
        b_stats[2 * k] = k % 7;
        a[2 * k + 1] = b_stats[2 * k + 1] = 1;
    }
    limn_bootstrap b = toy(a, b_stats, 200);
    assert_int_equal(limn_bootstrap_run(&i, &b, NULL), LIMN_OK);
    assert_true(i.low > 1.8 && i.high < 2.2 && i.p < 0.001 && i.p > 0);
    b.other = a;
    assert_int_equal(limn_bootstrap_run(&i, &b, NULL), LIMN_OK);
    assert_true(i.value == 0 && i.low == 0 && i.high == 0 && i.p == 1);
}

static void test_the_seed_decides(void **state)
{
    const double stats[] = { 0, 1, 3, 1, 10, 1, 4, 1, 5, 1 };
    limn_bootstrap b = toy(stats, NULL, 5);
    limn_interval first, again, other;
    (void)state;
    b.n_trials = 50;
    assert_int_equal(limn_bootstrap_run(&first, &b, NULL), LIMN_OK);
    assert_int_equal(limn_bootstrap_run(&again, &b, NULL), LIMN_OK);
    b.seed = 2;
    assert_int_equal(limn_bootstrap_run(&other, &b, NULL), LIMN_OK);
    assert_true(first.low == again.low && first.high == again.high);
    assert_true(first.low != other.low || first.high != other.high);
}

static void test_empty_data_is_refused(void **state)
{
    limn_bootstrap b = toy(NULL, NULL, 0);
    limn_interval i;
    (void)state;
    assert_int_equal(limn_bootstrap_run(&i, &b, NULL), LIMN_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_images),       cmocka_unit_test(test_interval_of_a_mean),
        cmocka_unit_test(test_paired_p_value),   cmocka_unit_test(test_a_clear_difference_and_none),
        cmocka_unit_test(test_the_seed_decides), cmocka_unit_test(test_empty_data_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
