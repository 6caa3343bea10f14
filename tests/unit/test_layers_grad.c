/* Training layers whose work is split into pieces, at sizes of several pieces: linear layers and
 * cross-attention against sums in double precision, dropout against itself; the same bits for every
 * CPU level and number of threads. */
#include <math.h>

#include "common/base/mem.h"
#include "common/kernels/cross_attention_grad.h"
#include "common/kernels/layers_grad.h"
#include "tests/unit/kernel_check.h"

static void assert_near(const char *what, const float *got, const double *expected, size_t n,
                        double tolerance)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs(got[i] - expected[i]) <= tolerance))
            fail_msg("%s[%zu]: %.8g, expected %.8g", what, i, (double)got[i], expected[i]);
}

static double *doubles(size_t n)
{
    double *x = calloc(n ? n : 1, sizeof *x);
    assert_non_null(x);
    return x;
}

/* ---- linear -------------------------------------------------------------------------------- */

typedef struct linear_case {
    size_t n_rows, n_out, n_in;
    bool has_bias, accumulates;
    float *w, *bias, *x, *dy, *dx0; /* dx0: dx before the call */
} linear_case;

typedef struct linear_result {
    float *y, *dx, *dw, *dbias;
} linear_result;

/* Now and then of more outputs or inputs than a piece of the weights' gradient has. */
static linear_case make_linear(uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "linear", 6);
    linear_case c = { .n_rows = 1 + random_below(&rng, 300),
                      .n_out = 1 + random_below(&rng, seed % 10 == 0 ? 450 : 70),
                      .n_in = 1 + random_below(&rng, seed % 10 == 1 ? 500 : 50),
                      .has_bias = random_below(&rng, 2),
                      .accumulates = random_below(&rng, 2) };
    c.w = random_floats(&rng, c.n_out * c.n_in);
    c.bias = random_floats(&rng, c.n_out);
    c.x = random_floats(&rng, c.n_rows * c.n_in);
    c.dy = random_floats(&rng, c.n_rows * c.n_out);
    c.dx0 = random_floats(&rng, c.n_rows * c.n_in);
    return c;
}

static void free_linear(linear_case *c)
{
    free(c->w);
    free(c->bias);
    free(c->x);
    free(c->dy);
    free(c->dx0);
}

static linear_result run_linear(const linear_case *c, limn_pool *pool, limn_cpu_level level)
{
    linear_result r = { canaries(c->n_rows * c->n_out), canaries(c->n_rows * c->n_in),
                        calloc(c->n_out * c->n_in, sizeof(float)),
                        calloc(c->n_out, sizeof(float)) };
    limn_linear_params p = { .weight = { c->w, r.dw }, .n_out = c->n_out, .n_in = c->n_in };
    limn_kernels kernels;
    limn_kernels_init(&kernels, level);
    const limn_layer_ctx ctx = { pool, limn_rows_grad_choose(level), &kernels };
    limn_arena counting, arena;
    if (c->has_bias) p.bias = (limn_weight){ c->bias, r.dbias };
    limn_arena_init_counting(&counting);
    limn_linear_take(&p, &counting, c->n_out, c->n_in, c->has_bias);
    assert_true(limn_arena_init(&arena, counting.high));
    limn_linear_take(&p, &arena, c->n_out, c->n_in, c->has_bias);
    limn_linear_pack(&p);
    limn_linear_forward(&ctx, r.y, c->x, c->n_rows, &p);
    memcpy(r.dx, c->dx0, c->n_rows * c->n_in * sizeof *r.dx);
    limn_linear_backward(&ctx, r.dx, c->accumulates, c->dy, c->x, c->n_rows, &p);
    limn_arena_finish(&arena);
    return r;
}

static void free_result(linear_result *r)
{
    free(r->y);
    free(r->dx);
    free(r->dw);
    free(r->dbias);
}

static void check_linear(const linear_case *c, const linear_result *r)
{
    double *y = doubles(c->n_rows * c->n_out), *dx = doubles(c->n_rows * c->n_in);
    double *dw = doubles(c->n_out * c->n_in), *dbias = doubles(c->n_out);
    for (size_t i = 0; i < c->n_rows * c->n_in; i++) dx[i] = c->accumulates ? c->dx0[i] : 0;
    for (size_t n = 0; n < c->n_rows; n++)
        for (size_t o = 0; o < c->n_out; o++) {
            const double dy = c->dy[n * c->n_out + o];
            y[n * c->n_out + o] = c->has_bias ? c->bias[o] : 0;
            dbias[o] += c->has_bias ? dy : 0;
            for (size_t i = 0; i < c->n_in; i++) {
                y[n * c->n_out + o] += (double)c->w[o * c->n_in + i] * c->x[n * c->n_in + i];
                dx[n * c->n_in + i] += dy * c->w[o * c->n_in + i];
                dw[o * c->n_in + i] += dy * c->x[n * c->n_in + i];
            }
        }
    assert_near("y", r->y, y, c->n_rows * c->n_out, 1e-4);
    assert_near("dx", r->dx, dx, c->n_rows * c->n_in, 1e-4);
    assert_near("dw", r->dw, dw, c->n_out * c->n_in, 4e-4);
    assert_near("dbias", r->dbias, dbias, c->n_out, 4e-4);
    free(y);
    free(dx);
    free(dw);
    free(dbias);
}

static void test_linear_layers_are_their_sums(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        linear_case c = make_linear(seed);
        linear_result r = run_linear(&c, NULL, limn_cpu_best());
        check_linear(&c, &r);
        free_result(&r);
        free_linear(&c);
    }
}

static void test_threads_and_levels_do_not_change_linear_layers(void **state)
{
    limn_pool *pool;
    (void)state;
    assert_int_equal(limn_pool_create(&pool, 3, NULL), LIMN_OK);
    for (uint64_t seed = 0; seed < 20; seed++) {
        linear_case c = make_linear(seed);
        linear_result r = run_linear(&c, NULL, LIMN_CPU_C);
        linear_result other = run_linear(&c, pool, limn_cpu_best());
        assert_memory_equal(r.y, other.y, c.n_rows * c.n_out * sizeof *r.y);
        assert_memory_equal(r.dx, other.dx, c.n_rows * c.n_in * sizeof *r.dx);
        assert_memory_equal(r.dw, other.dw, c.n_out * c.n_in * sizeof *r.dw);
        assert_memory_equal(r.dbias, other.dbias, c.n_out * sizeof *r.dbias);
        free_result(&r);
        free_result(&other);
        free_linear(&c);
    }
    limn_pool_destroy(&pool);
}

/* ---- cross-attention ----------------------------------------------------------------------- */

typedef struct cross_case {
    size_t R, S, n_heads, D;
    float *q, *k, *v, *dy;
} cross_case;

typedef struct cross_result {
    float *y, *probs, *dq, *dk, *dv;
} cross_result;

static cross_case make_cross(uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "cross", 5);
    cross_case c = { .R = random_below(&rng, seed % 10 == 0 ? 450 : 70),
                     .S = 1 + random_below(&rng, 52),
                     .n_heads = 1 + random_below(&rng, 3) };
    c.D = c.n_heads * 8 * (1 + random_below(&rng, 5));
    c.q = random_floats(&rng, c.R * c.D);
    c.k = random_floats(&rng, c.S * c.D);
    c.v = random_floats(&rng, c.S * c.D);
    c.dy = random_floats(&rng, c.R * c.D);
    return c;
}

static void free_cross(cross_case *c)
{
    free(c->q);
    free(c->k);
    free(c->v);
    free(c->dy);
}

static cross_result run_cross(const cross_case *c, limn_cpu_level level)
{
    const size_t n = limn_cross_attention_floats(c->R, c->S, c->n_heads, c->D);
    cross_result r = { canaries(c->R * c->D), canaries(c->R * c->n_heads * c->S),
                       canaries(c->R * c->D), canaries(c->S * c->D), canaries(c->S * c->D) };
    limn_kernels kernels;
    limn_kernels_init(&kernels, level);
    const limn_cross_attention a = { .kernels = &kernels,
                                     .n_rows = c->R,
                                     .n_positions = c->S,
                                     .n_heads = c->n_heads,
                                     .dim = c->D,
                                     .scratch = limn_alloc_aligned(n, sizeof(float)) };
    limn_cross_attention_forward(&a, r.y, r.probs, c->q, c->k, c->v);
    limn_cross_attention_backward(&a, r.dq, r.dk, r.dv, c->dy, r.probs, c->q, c->k, c->v);
    limn_free(a.scratch);
    return r;
}

static void free_cross_result(cross_result *r)
{
    free(r->y);
    free(r->probs);
    free(r->dq);
    free(r->dk);
    free(r->dv);
}

static double head_dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * b[i];
    return sum;
}

/* Adds one query of one head to the expected values. */
static void expect_row(const cross_case *c, size_t row, size_t head, double *y, double *dq,
                       double *dk, double *dv)
{
    const size_t H = c->D / c->n_heads, at = head * H, r = row * c->D + at;
    const double scale = 1 / sqrt((double)H);
    double p[64], g[64], sum = 0, mean = 0;
    for (size_t s = 0; s < c->S; s++) {
        p[s] = exp(scale * head_dot(c->q + r, c->k + s * c->D + at, H));
        g[s] = head_dot(c->dy + r, c->v + s * c->D + at, H);
        sum += p[s];
    }
    for (size_t s = 0; s < c->S; s++) mean += (p[s] /= sum) * g[s];
    for (size_t s = 0; s < c->S; s++)
        for (size_t i = 0; i < H; i++) {
            const size_t key = s * c->D + at + i;
            const double d_score = scale * p[s] * (g[s] - mean);
            y[r + i] += p[s] * c->v[key];
            dq[r + i] += d_score * c->k[key];
            dk[key] += d_score * c->q[r + i];
            dv[key] += p[s] * c->dy[r + i];
        }
}

static void test_cross_attention_is_its_sums(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        cross_case c = make_cross(seed);
        cross_result r = run_cross(&c, limn_cpu_best());
        double *y = doubles(c.R * c.D), *dq = doubles(c.R * c.D);
        double *dk = doubles(c.S * c.D), *dv = doubles(c.S * c.D);
        for (size_t row = 0; row < c.R; row++)
            for (size_t head = 0; head < c.n_heads; head++)
                expect_row(&c, row, head, y, dq, dk, dv);
        assert_near("y", r.y, y, c.R * c.D, 1e-5);
        assert_near("dq", r.dq, dq, c.R * c.D, 2e-5);
        assert_near("dk", r.dk, dk, c.S * c.D, 5e-5);
        assert_near("dv", r.dv, dv, c.S * c.D, 5e-5);
        free(y);
        free(dq);
        free(dk);
        free(dv);
        free_cross_result(&r);
        free_cross(&c);
    }
}

static void test_levels_do_not_change_cross_attention(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        cross_case c = make_cross(seed);
        cross_result r = run_cross(&c, LIMN_CPU_C), other = run_cross(&c, limn_cpu_best());
        assert_memory_equal(r.y, other.y, c.R * c.D * sizeof *r.y);
        assert_memory_equal(r.dq, other.dq, c.R * c.D * sizeof *r.dq);
        assert_memory_equal(r.dk, other.dk, c.S * c.D * sizeof *r.dk);
        assert_memory_equal(r.dv, other.dv, c.S * c.D * sizeof *r.dv);
        free_cross_result(&r);
        free_cross_result(&other);
        free_cross(&c);
    }
}

/* ---- dropout ------------------------------------------------------------------------------- */

static void test_dropout_keeps_what_it_says(void **state)
{
    enum { N = 100000 };
    const limn_dropout quarter = { .key = 77, .rate = 0.25f }, none = { .key = 77 };
    const limn_layer_ctx ctx = { .rows = limn_rows_grad_choose(limn_cpu_best()) };
    limn_rng rng = limn_rng_stream(1, "dropout", 7);
    float *x = random_floats(&rng, N), *residual = random_floats(&rng, N);
    float *y = canaries(N), *masked = canaries(N);
    size_t n_kept = 0;
    (void)state;
    for (size_t i = 0; i < N; i++) x[i] += 3;
    limn_dropout_apply(&ctx, masked, x, NULL, N, quarter);
    limn_dropout_apply(&ctx, y, x, residual, N, quarter);
    for (size_t i = 0; i < N; i++) {
        n_kept += masked[i] != 0;
        assert_true(masked[i] == 0 || masked[i] == x[i] * (1 / 0.75f));
        assert_true(y[i] == masked[i] + residual[i]);
    }
    assert_in_range(n_kept, (size_t)(0.745 * N), (size_t)(0.755 * N));
    limn_dropout_apply(&ctx, y, x, residual, N, none);
    for (size_t i = 0; i < N; i++) assert_true(y[i] == x[i] + residual[i]);
    free(x);
    free(residual);
    free(y);
    free(masked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_layers_are_their_sums),
        cmocka_unit_test(test_threads_and_levels_do_not_change_linear_layers),
        cmocka_unit_test(test_cross_attention_is_its_sums),
        cmocka_unit_test(test_levels_do_not_change_cross_attention),
        cmocka_unit_test(test_dropout_keeps_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
