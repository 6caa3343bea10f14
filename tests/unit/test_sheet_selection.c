#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tools/limn/sheet/sheet_selection.h"

enum { N = 200, N_LOWEST = 20, N_SAMPLE = 30 };

/* Scores and hashes with ties. */
static double score_of(int i)
{
    return (i * 37 % N) / 3;
}

static uint64_t hash_of(int i)
{
    return (uint64_t)(i * 53 % N) / 2;
}

static int compare_scores(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return score_of(x) != score_of(y) ? (score_of(x) > score_of(y)) * 2 - 1 : x - y;
}

static int compare_hashes(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return hash_of(x) != hash_of(y) ? (hash_of(x) > hash_of(y)) * 2 - 1 : x - y;
}

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void offer(sheet_selection *s, int i)
{
    char name[16];
    snprintf(name, sizeof name, "%03d", i);
    if (sheet_selection_wants(s, score_of(i), hash_of(i)))
        sheet_selection_add(
            s, (sheet_image){ .name = limn_strdup(name), .rank = score_of(i), .hash = hash_of(i) });
}

/* Reads the numbers [n] in a heap, sorted. */
static void read_heap(int *numbers, const sheet_heap *h, size_t n)
{
    assert_int_equal(h->n_items, n);
    for (size_t i = 0; i < n; i++) numbers[i] = atoi(h->items[i].name);
    qsort(numbers, n, sizeof *numbers, compare_ints);
}

static void check(const sheet_selection *s)
{
    int all[N], lowest[N_LOWEST], sample[N_SAMPLE];
    for (int i = 0; i < N; i++) all[i] = i;
    qsort(all, N, sizeof *all, compare_scores);
    qsort(all + N_LOWEST, N - N_LOWEST, sizeof *all, compare_hashes);
    qsort(all, N_LOWEST, sizeof *all, compare_ints);
    qsort(all + N_LOWEST, N_SAMPLE, sizeof *all, compare_ints);
    read_heap(lowest, &s->lowest, N_LOWEST);
    read_heap(sample, &s->sample, N_SAMPLE);
    assert_memory_equal(lowest, all, sizeof lowest);
    assert_memory_equal(sample, all + N_LOWEST, sizeof sample);
}

static void test_the_order_of_offers_does_not_matter(void **state)
{
    static const int steps[] = { 1, 7, 61, 199 };
    (void)state;
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        sheet_selection s;
        assert_true(sheet_selection_init(&s, N_LOWEST, N_SAMPLE));
        for (int i = 0; i < N; i++) offer(&s, i * steps[k] % N);
        check(&s);
        sheet_selection_finish(&s);
    }
}

static void test_few_images_are_all_kept(void **state)
{
    sheet_selection s;
    (void)state;
    assert_true(sheet_selection_init(&s, N_LOWEST, N_SAMPLE));
    for (int i = 0; i < N_LOWEST + N_SAMPLE; i++) offer(&s, i);
    assert_int_equal(s.lowest.n_items + s.sample.n_items, N_LOWEST + N_SAMPLE);
    sheet_selection_finish(&s);
    sheet_selection_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_order_of_offers_does_not_matter),
        cmocka_unit_test(test_few_images_are_all_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
