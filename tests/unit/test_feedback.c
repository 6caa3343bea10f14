/* Rounding with error feedback: against the textbook's form of it, and by what it is for. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "common/kernels/int8.h"
#include "common/weights/feedback.h"

enum { N = 24, N_ROWS = 200, N_OUTPUTS = 40 };

/* Rows that are mixtures of a few patterns, so that inputs go along with each other: x [n, N]. */
static void draw_rows(float *x, size_t n, uint64_t seed)
{
    enum { N_PATTERNS = 5 };
    limn_rng rng = limn_rng_stream(seed, "", 0);
    double patterns[N_PATTERNS][N];
    for (size_t p = 0; p < N_PATTERNS; p++)
        for (size_t k = 0; k < N; k++) patterns[p][k] = limn_rng_uniform(&rng) * (k % 7 ? 1 : 5);
    for (size_t r = 0; r < n; r++) {
        double by[N_PATTERNS];
        for (size_t p = 0; p < N_PATTERNS; p++) by[p] = limn_rng_uniform(&rng);
        for (size_t k = 0; k < N; k++) {
            double sum = 0.05 * limn_rng_uniform(&rng);
            for (size_t p = 0; p < N_PATTERNS; p++) sum += by[p] * patterns[p][k];
            x[r * N + k] = (float)sum;
        }
    }
}

static void draw_weights(float *w, uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "", 0);
    for (size_t k = 0; k < N; k++) w[k] = (float)(limn_rng_uniform(&rng) * 2 - 1);
}

/* Moments of the rows x [n, N], in calls of at most LIMN_MOMENTS_ROWS. */
static limn_moments moments_of(const float *x, size_t n)
{
    limn_moments m;
    assert_int_equal(limn_moments_init(&m, N, NULL), LIMN_OK);
    for (size_t r = 0; r < n; r += LIMN_MOMENTS_ROWS) {
        const size_t left = n - r;
        limn_moments_add(&m, NULL, x + r * N, N,
                         left < LIMN_MOMENTS_ROWS ? left : LIMN_MOMENTS_ROWS);
    }
    return m;
}

static limn_feedback feedback_of(const limn_moments *m)
{
    limn_feedback f;
    assert_int_equal(limn_feedback_init(&f, m, 0.1, NULL, NULL), LIMN_OK);
    return f;
}

/* ---- moments ------------------------------------------------------------------------------- */

static void test_moments_are_sums_of_products(void **state)
{
    float x[N_ROWS * N];
    (void)state;
    draw_rows(x, N_ROWS, 1);
    limn_moments m = moments_of(x, N_ROWS);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (size_t r = 0; r < N_ROWS; r++) sum += (double)x[r * N + i] * (double)x[r * N + j];
            assert_true(m.sums[i * N + j] == sum);
        }
    limn_moments_finish(&m);
}

/* Of 200 rows in one call, every fourth is taken: 0, 4, …; and a stride skips what is between. */
static void test_of_many_rows_some_are_taken(void **state)
{
    enum { STRIDE = N + 3 };
    float x[N_ROWS * N], taken[N_ROWS / 4 * N], *spread = calloc(N_ROWS, STRIDE * sizeof *spread);
    limn_moments m;
    (void)state;
    assert_non_null(spread);
    draw_rows(x, N_ROWS, 2);
    for (size_t r = 0; r < N_ROWS; r++) memcpy(spread + r * STRIDE, x + r * N, N * sizeof *x);
    for (size_t r = 0; r < N_ROWS / 4; r++) memcpy(taken + r * N, x + 4 * r * N, N * sizeof *x);
    assert_int_equal(limn_moments_init(&m, N, NULL), LIMN_OK);
    limn_moments_add(&m, NULL, spread, STRIDE, N_ROWS);
    limn_moments expected = moments_of(taken, N_ROWS / 4);
    assert_memory_equal(m.sums, expected.sums, N * N * sizeof *m.sums);
    limn_moments_finish(&m);
    limn_moments_finish(&expected);
    free(spread);
}

static void test_moments_are_the_same_for_any_pool(void **state)
{
    float x[N_ROWS * N];
    (void)state;
    draw_rows(x, N_ROWS, 3);
    limn_moments alone;
    assert_int_equal(limn_moments_init(&alone, N, NULL), LIMN_OK);
    limn_moments_add(&alone, NULL, x, N, N_ROWS);
    for (size_t n_threads = 2; n_threads <= 7; n_threads += 5) {
        limn_moments m;
        limn_pool *pool;
        assert_int_equal(limn_pool_create(&pool, n_threads, NULL), LIMN_OK);
        assert_int_equal(limn_moments_init(&m, N, NULL), LIMN_OK);
        limn_moments_add(&m, pool, x, N, N_ROWS);
        assert_memory_equal(m.sums, alone.sums, N * N * sizeof *m.sums);
        limn_moments_finish(&m);
        limn_pool_destroy(&pool);
    }
    limn_moments_finish(&alone);
}

/* ---- rounding ------------------------------------------------------------------------------ */

/* a [N, N] becomes its inverse (Gauss and Jordan; a is positive definite). */
static void invert(double *a)
{
    for (size_t k = 0; k < N; k++) {
        const double pivot = a[k * N + k];
        a[k * N + k] = 1;
        for (size_t j = 0; j < N; j++) a[k * N + j] /= pivot;
        for (size_t i = 0; i < N; i++) {
            const double by = a[i * N + k];
            if (i == k) continue;
            a[i * N + k] = 0;
            for (size_t j = 0; j < N; j++) a[i * N + j] -= by * a[k * N + j];
        }
    }
}

/* As Frantar et al. tell it: weights one after another, by falling moment; the error of each, over
 * its diagonal element of the inverse of the moments of those not rounded yet, goes to the rest. */
static void round_by_the_book(int8_t *q, const float *w, float scale, const limn_moments *m,
                              const limn_feedback *f)
{
    double mean = 0.0, left[N], inverse[N * N];
    for (size_t k = 0; k < N; k++) mean += m->sums[k * N + k] / N;
    for (size_t k = 0; k < N; k++) left[k] = (double)w[k];
    for (size_t k = N; k-- > 0;) {
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < N; j++) {
                const size_t a = f->order[i], b = f->order[j];
                const bool is_left = i <= k && j <= k;
                inverse[i * N + j] = i == j ? (is_left ? 0.1 * mean : 1) : 0;
                if (is_left) inverse[i * N + j] += m->sums[a > b ? a * N + b : b * N + a];
            }
        invert(inverse);
        const double whole = nearbyint(left[f->order[k]] / (double)scale);
        const double kept = fmax(-127, fmin(127, whole));
        const double error = left[f->order[k]] - kept * (double)scale;
        q[f->order[k]] = (int8_t)kept;
        for (size_t i = 0; i < k; i++)
            left[f->order[i]] -= error * inverse[k * N + i] / inverse[k * N + k];
    }
}

static void test_rounding_is_the_books(void **state)
{
    float x[N_ROWS * N], w[N];
    int8_t plain[N], q[N], expected[N];
    size_t n_changed = 0;
    (void)state;
    draw_rows(x, N_ROWS, 4);
    limn_moments m = moments_of(x, N_ROWS);
    limn_feedback f = feedback_of(&m);
    for (size_t k = 1; k < N; k++) {
        const size_t a = f.order[k - 1], b = f.order[k];
        assert_true(m.sums[a * N + a] <= m.sums[b * N + b]);
    }
    for (uint64_t o = 0; o < N_OUTPUTS; o++) {
        draw_weights(w, 100 + o);
        const float scale = limn_int8_quantize_weights(plain, w, N);
        limn_feedback_round(&f, q, w, scale);
        round_by_the_book(expected, w, scale, &m, &f);
        assert_memory_equal(q, expected, N);
        for (size_t k = 0; k < N; k++) n_changed += q[k] != plain[k];
    }
    assert_true(n_changed > N_OUTPUTS);
    limn_feedback_finish(&f);
    limn_moments_finish(&m);
}

/* The squared error of an output over rows x [N_ROWS, N]. */
static double error_over(const float *x, const float *w, const int8_t *q, float scale)
{
    double sum = 0.0;
    for (size_t r = 0; r < N_ROWS; r++) {
        double error = 0.0;
        for (size_t k = 0; k < N; k++)
            error += (double)x[r * N + k] * ((double)w[k] - (double)q[k] * (double)scale);
        sum += error * error;
    }
    return sum;
}

/* On rows that the moments come from, and on others like them. */
static void test_errors_of_outputs_become_smaller(void **state)
{
    float rows[2 * N_ROWS * N], w[N];
    int8_t q[N];
    double plain[2] = { 0 }, with_feedback[2] = { 0 };
    const int8_t none[N] = { 0 };
    (void)state;
    draw_rows(rows, 2 * N_ROWS, 5);
    limn_moments m = moments_of(rows, N_ROWS);
    limn_feedback f = feedback_of(&m);
    for (uint64_t o = 0; o < N_OUTPUTS; o++) {
        draw_weights(w, 200 + o);
        const float scale = limn_int8_quantize_weights(q, w, N);
        for (size_t i = 0; i < 2; i++) plain[i] += error_over(rows + i * N_ROWS * N, w, q, scale);
        const double lost = limn_feedback_round(&f, q, w, scale), size = limn_feedback_size(&f, w);
        assert_true(fabs(lost - error_over(rows, w, q, scale)) < 1e-9 * size);
        assert_true(fabs(size - error_over(rows, w, none, scale)) < 1e-9 * size);
        for (size_t i = 0; i < 2; i++)
            with_feedback[i] += error_over(rows + i * N_ROWS * N, w, q, scale);
    }
    for (size_t i = 0; i < 2; i++) assert_true(with_feedback[i] < 0.5 * plain[i]);
    limn_feedback_finish(&f);
    limn_moments_finish(&m);
}

/* Inputs that have nothing to do with each other, or are always 0, leave nothing to make up for. */
static void test_without_company_each_is_rounded_alone(void **state)
{
    float w[N], one[N];
    int8_t plain[N], q[N];
    (void)state;
    for (size_t is_zero = 0; is_zero < 2; is_zero++) {
        limn_moments m;
        assert_int_equal(limn_moments_init(&m, N, NULL), LIMN_OK);
        for (size_t k = 0; !is_zero && k < N; k++) {
            memset(one, 0, sizeof one);
            one[k] = (float)(1 + k % 5);
            limn_moments_add(&m, NULL, one, N, 1);
        }
        limn_feedback f = feedback_of(&m);
        for (uint64_t o = 0; o < N_OUTPUTS; o++) {
            draw_weights(w, 300 + o);
            const float scale = limn_int8_quantize_weights(plain, w, N);
            limn_feedback_round(&f, q, w, scale);
            assert_memory_equal(q, plain, N);
        }
        limn_feedback_finish(&f);
        limn_moments_finish(&m);
    }
}

/* ---- the extremes -------------------------------------------------------------------------- */

/* An input that another one must make up for, at the end of the range. */
static void test_rounded_weights_stay_in_range(void **state)
{
    const float w[2] = { 1.0f, 1.0f - 0.5f / 127 }, x[2] = { 1.0f, 1.0f };
    int8_t q[2];
    limn_moments m;
    limn_feedback f;
    (void)state;
    assert_int_equal(limn_moments_init(&m, 2, NULL), LIMN_OK);
    limn_moments_add(&m, NULL, x, 2, 1);
    assert_int_equal(limn_feedback_init(&f, &m, 1e-6, NULL, NULL), LIMN_OK);
    for (float sign = -1; sign <= 1; sign += 2) {
        const float signed_w[2] = { sign * w[0], sign * w[1] };
        limn_feedback_round(&f, q, signed_w, 1.0f / 200);
        assert_int_equal(q[0], (int)sign * 127);
        assert_int_equal(q[1], (int)sign * 127);
    }
    limn_feedback_finish(&f);
    limn_moments_finish(&m);
}

static void test_weights_of_zero_stay_zero(void **state)
{
    const float w[N] = { 0 };
    int8_t q[N];
    float x[N_ROWS * N];
    (void)state;
    draw_rows(x, N_ROWS, 6);
    limn_moments m = moments_of(x, N_ROWS);
    limn_feedback f = feedback_of(&m);
    memset(q, 1, sizeof q);
    limn_feedback_round(&f, q, w, limn_int8_quantize_weights(q, w, N));
    for (size_t k = 0; k < N; k++) assert_int_equal(q[k], 0);
    limn_feedback_finish(&f);
    limn_moments_finish(&m);
}

static void test_inputs_out_of_range_are_an_error(void **state)
{
    const float bad[] = { NAN, INFINITY };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        float x[N] = { 1, 2, bad[i] };
        limn_error err = { 0 };
        limn_moments m = moments_of(x, 1);
        limn_feedback f;
        assert_int_equal(limn_feedback_init(&f, &m, 0.1, NULL, &err), LIMN_E_FORMAT);
        assert_string_equal(err.text, "its inputs are not finite");
        limn_feedback_finish(&f);
        limn_moments_finish(&m);
    }
    /* The largest floats are fine: their products are far below the largest double. */
    float x[N] = { FLT_MAX, -FLT_MAX, FLT_MIN };
    limn_moments m = moments_of(x, 1);
    limn_feedback f = feedback_of(&m);
    limn_feedback_finish(&f);
    limn_moments_finish(&m);
}

/* What takes seconds for thousands of inputs ends early when it is told to. */
static void test_it_stops_when_asked_to(void **state)
{
    float x[N_ROWS * N];
    atomic_bool is_stopping = false;
    limn_feedback f;
    (void)state;
    draw_rows(x, N_ROWS, 7);
    limn_moments m = moments_of(x, N_ROWS);
    assert_int_equal(limn_feedback_init(&f, &m, 0.1, &is_stopping, NULL), LIMN_OK);
    assert_false(limn_feedback_is_stopping(&f));
    atomic_store(&is_stopping, true);
    assert_true(limn_feedback_is_stopping(&f));
    limn_feedback_finish(&f);
    assert_int_equal(limn_feedback_init(&f, &m, 0.1, &is_stopping, NULL), LIMN_E_INTERRUPTED);
    limn_feedback_finish(&f);
    limn_moments_finish(&m);
}

static void test_sizes_that_overflow_are_an_error(void **state)
{
    limn_moments m;
    (void)state;
    assert_int_equal(limn_moments_init(&m, SIZE_MAX / 2, NULL), LIMN_E_NOMEM);
    limn_moments_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments_are_sums_of_products),
        cmocka_unit_test(test_of_many_rows_some_are_taken),
        cmocka_unit_test(test_moments_are_the_same_for_any_pool),
        cmocka_unit_test(test_rounding_is_the_books),
        cmocka_unit_test(test_errors_of_outputs_become_smaller),
        cmocka_unit_test(test_without_company_each_is_rounded_alone),
        cmocka_unit_test(test_rounded_weights_stay_in_range),
        cmocka_unit_test(test_weights_of_zero_stay_zero),
        cmocka_unit_test(test_inputs_out_of_range_are_an_error),
        cmocka_unit_test(test_it_stops_when_asked_to),
        cmocka_unit_test(test_sizes_that_overflow_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
