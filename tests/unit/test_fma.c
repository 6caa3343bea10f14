/* Fused multiply-adds to the last bit: the emulation of c/fma_c.h, and the products and depthwise
 * convolutions of every CPU level, against libm's fmaf. The operands are random bits of floats, and
 * such that the sum is a tie between two floats or misses one by less than a double can hold, is
 * subnormal, cancels or overflows; and products in int8, which end with one. */
#include <float.h>
#include <math.h>

#include "tests/unit/kernel_check.h"

#include "common/kernels/c/fma_c.h"
#include "common/kernels/codes.h"

enum { N_CASES = 300000, N_PRODUCTS = 4000, N_OUTPUTS = 21, MAX_INPUTS = 3, N_ROWS = 3 };

static const float specials[] = { 0.0f,     -0.0f,     INFINITY, -INFINITY, NAN,      FLT_MAX,
                                  -FLT_MAX, 0x1p-149f, FLT_MIN,  -FLT_MIN,  0x1p-75f, 6.0f };

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static int between(limn_rng *rng, int low, int high)
{
    return low + (int)random_below(rng, (size_t)(high - low + 1));
}

static float sign_of(limn_rng *rng)
{
    return random_below(rng, 2) ? 1.0f : -1.0f;
}

static float any_float(limn_rng *rng)
{
    return float_of((uint32_t)random_below(rng, (size_t)1 << 32));
}

/* A number of the size of weights and activations, of few or all bits. */
static float ordinary_float(limn_rng *rng)
{
    const int n_bits = between(rng, 1, 24);
    const float x = (float)random_below(rng, (size_t)1 << n_bits);
    return sign_of(rng) * ldexpf(x, between(rng, -12, 3) - n_bits);
}

/* The first factor. Half of them are just above a power of two. */
static float first_factor(limn_rng *rng)
{
    switch (random_below(rng, 8)) {
    case 0: return specials[random_below(rng, sizeof specials / sizeof *specials)];
    case 1: return any_float(rng);
    case 2: return ordinary_float(rng);
    case 3: return sign_of(rng) * ldexpf(1.0f + (float)random_below(rng, 4) * 0x1p-23f, -76);
    default:
        return sign_of(rng) *
               ldexpf(1.0f + (float)random_below(rng, 4) * 0x1p-23f, between(rng, -20, 20));
    }
}

/* The factor of the same number of last bits below a power of two as x is above one, so that their
 * product misses a power of two, about 2^exponent, by 2^-46 or less of it. */
static float mirrored(float x, int exponent)
{
    const float excess = (float)(bits_of(x) & 3) * 0x1p-23f;
    int e = 0;
    frexpf(x, &e);
    return ldexpf(1.0f - excess, exponent - e + 1);
}

/* The second factor and the addend for a first factor. */
static void hard_operands(limn_rng *rng, float x, float *y, float *z)
{
    const int e = between(rng, -130, 127);
    const float size = ldexpf(1.0f + (float)random_below(rng, (size_t)1 << 23) * 0x1p-23f, e);
    *z = sign_of(rng) * size;
    switch (random_below(rng, 7)) {
    case 0: /* a tie, nearly: half of the last bit of the addend */
        *y = sign_of(rng) * mirrored(x, (e < -126 ? -126 : e) - 24);
        break;
    case 1: /* they cancel, nearly */
        *y = sign_of(rng) * ldexpf(1.0f + (float)random_below(rng, 4) * 0x1p-23f, e / 2);
        *z = -nextafterf(x * *y, random_below(rng, 2) ? INFINITY : -INFINITY);
        break;
    case 2: /* half of the least float, nearly */
        *y = sign_of(rng) * mirrored(x, -150);
        *z = sign_of(rng) * (float)random_below(rng, (size_t)1 << 22) * 0x1p-149f;
        break;
    case 3: /* the limit of overflow, nearly */
        *y = sign_of(rng) * mirrored(x, 103);
        *z = sign_of(rng) * FLT_MAX;
        break;
    case 4: /* few bits: exact ties */
        *y = ordinary_float(rng);
        *z = ordinary_float(rng);
        break;
    case 5: *y = specials[random_below(rng, sizeof specials / sizeof *specials)]; break;
    default: *y = any_float(rng); *z = any_float(rng);
    }
}

static bool is_same(float a, float b)
{
    return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b));
}

static void test_the_emulation_is_fmaf(void **state)
{
    (void)state;
    limn_rng rng = limn_rng_stream(1, "fma", 3);
    for (size_t i = 0; i < N_CASES; i++) {
        const float x = first_factor(&rng);
        float y, z;
        hard_operands(&rng, x, &y, &z);
        const float got = limn_emulated_fmaf(x, y, z), expected = fmaf(x, y, z);
        if (!is_same(got, expected) || !is_same(limn_fast_emulated_fmaf(x, y, z), expected))
            fail_msg("%a * %a + %a is %a, not %a", (double)x, (double)y, (double)z, (double)got,
                     (double)expected);
    }
}

/* The operands above do what they are for: rounding the product and the sum as doubles gives
 * another float in many cases. */
static void test_the_operands_are_hard(void **state)
{
    (void)state;
    limn_rng rng = limn_rng_stream(1, "fma", 3);
    size_t n_wrong = 0, n_wrong_subnormal = 0;
    for (size_t i = 0; i < N_CASES; i++) {
        const float x = first_factor(&rng);
        float y, z;
        hard_operands(&rng, x, &y, &z);
        const float exact = fmaf(x, y, z);
        const bool is_wrong = !is_same((float)((double)x * (double)y + (double)z), exact);
        n_wrong += is_wrong;
        n_wrong_subnormal += is_wrong && fabsf(exact) < FLT_MIN;
    }
    assert_true(n_wrong > N_CASES / 100 && n_wrong_subnormal > N_CASES / 1000);
}

/* Rows x [N_ROWS, MAX_INPUTS], weights [N_OUTPUTS, MAX_INPUTS], biases [N_OUTPUTS]. */
typedef struct operands {
    float x[N_ROWS * MAX_INPUTS], w[N_OUTPUTS * MAX_INPUTS], bias[N_OUTPUTS];
} operands;

/* Of weights and activations; so small that products and sums are about the least float, but no
 * operand alone is out of the ordinary; or anything. */
enum { ORDINARY, SMALL, ANY, N_KINDS };

static float factor_of(limn_rng *rng, int kind)
{
    if (kind == ORDINARY) return ordinary_float(rng);
    if (kind == ANY) return first_factor(rng);
    return sign_of(rng) * ldexpf(1.0f + (float)random_below(rng, 4) * 0x1p-23f, -76);
}

static operands make_operands(uint64_t seed, int kind)
{
    limn_rng rng = limn_rng_stream(seed, "operands", 8);
    operands o;
    for (size_t i = 0; i < N_ROWS * MAX_INPUTS; i++) o.x[i] = factor_of(&rng, kind);
    for (size_t i = 0; i < N_OUTPUTS * MAX_INPUTS; i++) {
        const float x = o.x[i % MAX_INPUTS];
        float *bias = &o.bias[i / MAX_INPUTS];
        if (kind == ANY)
            hard_operands(&rng, x, &o.w[i], bias);
        else
            o.w[i] = kind == SMALL ? sign_of(&rng) * mirrored(x, -150) : ordinary_float(&rng);
        if (kind == SMALL) *bias = (float)random_below(&rng, (size_t)1 << 22) * 0x1p-149f;
        if (kind == ORDINARY) *bias = ordinary_float(&rng);
    }
    return o;
}

static void check_product(const operands *o, const limn_packed *w, limn_cpu_level level,
                          uint64_t seed)
{
    limn_kernels k;
    float y[N_ROWS * N_OUTPUTS], weights[MAX_INPUTS];
    limn_kernels_init(&k, level);
    limn_linear(&k, &(limn_linear_job){ .y = y,
                                        .x = o->x,
                                        .n_rows = N_ROWS,
                                        .x_stride = MAX_INPUTS,
                                        .y_stride = N_OUTPUTS,
                                        .w = w,
                                        .panel_end = limn_n_panels(N_OUTPUTS) });
    for (size_t i = 0; i < N_ROWS * N_OUTPUTS; i++) {
        float acc = o->bias[i % N_OUTPUTS];
        limn_packed_output(weights, w, i % N_OUTPUTS);
        for (size_t j = 0; j < w->n_inputs; j++)
            acc = fmaf(o->x[i / N_OUTPUTS * MAX_INPUTS + j], weights[j], acc);
        if (!is_same(y[i], acc))
            fail_msg("%s: %a, expected %a, in case %d with %zu inputs", limn_cpu_level_name(level),
                     (double)y[i], (double)acc, (int)seed, w->n_inputs);
    }
}

static void test_products_of_every_level(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_PRODUCTS; seed++) {
        const operands o = make_operands(seed, (int)(seed / MAX_INPUTS % N_KINDS));
        const size_t n_inputs = 1 + seed % MAX_INPUTS;
        float dense[N_OUTPUTS * MAX_INPUTS];
        limn_packed w;
        for (size_t i = 0; i < N_OUTPUTS * n_inputs; i++)
            dense[i] = o.w[i / n_inputs * MAX_INPUTS + i % n_inputs];
        assert_int_equal(limn_packed_init(&w, dense, LIMN_F32, o.bias, N_OUTPUTS, n_inputs,
                                          seed % 4 == 1 ? LIMN_F16 : LIMN_F32, NULL),
                         LIMN_OK);
        for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++)
            if (limn_cpu_level_runs((limn_cpu_level)level))
                check_product(&o, &w, (limn_cpu_level)level, seed);
        limn_packed_finish(&w);
    }
}

/* A convolution of 3 x 3 whose middle row alone is inside the map. Its columns fill tiles of each
 * width: 7, 3 and 1. */
static void check_depthwise(const operands *o, limn_cpu_level level, uint64_t seed)
{
    enum { N_CHANNELS = 7, SIZE = 3, N_COLUMNS = 11, N_INPUTS = N_COLUMNS + SIZE - 1 };
    limn_kernels k;
    float y[N_COLUMNS * N_CHANNELS], x[N_INPUTS * N_CHANNELS], w[SIZE * SIZE * N_CHANNELS] = { 0 };
    const float *rows[SIZE] = { NULL, x, NULL };
    for (size_t i = 0; i < N_INPUTS * N_CHANNELS; i++) x[i] = o->x[i / N_CHANNELS % SIZE];
    for (size_t i = 0; i < SIZE * N_CHANNELS; i++)
        w[SIZE * N_CHANNELS + i] = o->w[i % N_CHANNELS * MAX_INPUTS + i / N_CHANNELS];
    limn_kernels_init(&k, level);
    k.depthwise(&(limn_depthwise_job){ .y = y,
                                       .rows = rows,
                                       .w = w,
                                       .bias = o->bias,
                                       .n_columns = N_COLUMNS,
                                       .n_channels = N_CHANNELS,
                                       .size = SIZE,
                                       .stride = 1,
                                       .x_stride = N_CHANNELS,
                                       .y_stride = N_CHANNELS,
                                       .w_stride = N_CHANNELS });
    for (size_t i = 0; i < N_COLUMNS * N_CHANNELS; i++) {
        const size_t column = i / N_CHANNELS, c = i % N_CHANNELS;
        float acc = o->bias[c];
        for (size_t kx = 0; kx < SIZE; kx++)
            acc = fmaf(o->x[(column + kx) % SIZE], o->w[c * MAX_INPUTS + kx], acc);
        if (!is_same(y[i], acc))
            fail_msg("%s: %a, expected %a, in case %d", limn_cpu_level_name(level), (double)y[i],
                     (double)acc, (int)seed);
    }
}

static void test_depthwise_convolutions_of_every_level(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_PRODUCTS; seed++) {
        const operands o = make_operands(seed, (int)(seed / MAX_INPUTS % N_KINDS));
        for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++)
            if (limn_cpu_level_runs((limn_cpu_level)level))
                check_depthwise(&o, (limn_cpu_level)level, seed);
    }
}

/* Products in int8 of one input, which is quantised to 127, by weights of 1: the last operation
 * alone, fma(sum, scale, bias), misses a tie between the largest subnormal float and the least
 * normal one, or is it. A level that looks at rounded sums alone sees a normal float. */
enum { N_TIES = 64 };
static const float largest_subnormal = FLT_MIN - 0x1p-149f;

typedef struct tie_case {
    float x, sum, scale, bias[N_OUTPUTS];
} tie_case;

static tie_case make_tie_case(limn_rng *rng)
{
    tie_case t;
    do {
        t.x = ldexpf(1.0f + (float)random_below(rng, 4) * 0x1p-23f, -76);
        t.sum = 127.0f * (t.x / 127.0f);
    } while (t.sum < 0x1p-76f); /* mirrored() takes what is above */
    t.scale = mirrored(t.sum, -150);
    t.x *= sign_of(rng);
    t.sum = copysignf(t.sum, t.x);
    for (size_t o = 0; o < N_OUTPUTS; o++) t.bias[o] = sign_of(rng) * largest_subnormal;
    return t;
}

static void check_ties(const tie_case *t, const float *y, const char *product, limn_cpu_level level)
{
    for (size_t o = 0; o < N_OUTPUTS; o++) {
        const float expected = fmaf(t->sum, t->scale, t->bias[o]);
        if (!is_same(y[o], expected))
            fail_msg("%s, %s: %a * %a + %a is %a, not %a", limn_cpu_level_name(level), product,
                     (double)t->sum, (double)t->scale, (double)t->bias[o], (double)y[o],
                     (double)expected);
    }
}

static void check_int8_products(const tie_case *t, const limn_packed *w, limn_cpu_level level)
{
    limn_kernels k;
    uint16_t codes[LIMN_CODES_PADDED(1)] = { 0 };
    float y[N_OUTPUTS], step;
    limn_linear_job job = { .y = y,
                            .x = &t->x,
                            .n_rows = 1,
                            .x_stride = LIMN_CODES_PADDED(1),
                            .y_stride = N_OUTPUTS,
                            .w = w,
                            .panel_end = limn_n_panels(N_OUTPUTS) };
    limn_kernels_init(&k, level);
    limn_linear(&k, &job);
    check_ties(t, y, "rows", level);
    k.encode_rows(codes, &step, &t->x, 1, 1, 1);
    k.linear_codes(&(limn_codes_job){
        .product = job, .x = codes, .steps = &step, .zero = LIMN_CODES_ZERO_OF_ROW });
    check_ties(t, y, "codes", level);
}

static void test_int8_sums_at_the_least_normal_float(void **state)
{
    (void)state;
    limn_rng rng = limn_rng_stream(1, "ties", 4);
    size_t n_rounded_down = 0;
    for (size_t i = 0; i < N_TIES; i++) {
        const tie_case t = make_tie_case(&rng);
        float scales[N_OUTPUTS];
        int8_t ones[N_OUTPUTS];
        limn_packed w;
        for (size_t o = 0; o < N_OUTPUTS; o++) {
            scales[o] = t.scale;
            ones[o] = 1;
        }
        assert_int_equal(limn_packed_create(&w, N_OUTPUTS, 1, LIMN_I8, true, NULL), LIMN_OK);
        limn_packed_put_int8(&w, 0, N_OUTPUTS, ones, scales);
        limn_packed_put_bias(&w, 0, N_OUTPUTS, t.bias);
        n_rounded_down += fmaf(fabsf(t.sum), t.scale, largest_subnormal) < FLT_MIN;
        for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++)
            if (limn_cpu_level_runs((limn_cpu_level)level))
                check_int8_products(&t, &w, (limn_cpu_level)level);
        limn_packed_finish(&w);
    }
    assert_in_range(n_rounded_down, N_TIES / 4, N_TIES - 1); /* the cases are near ties, and ties */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_emulation_is_fmaf),
        cmocka_unit_test(test_the_operands_are_hard),
        cmocka_unit_test(test_products_of_every_level),
        cmocka_unit_test(test_depthwise_convolutions_of_every_level),
        cmocka_unit_test(test_int8_sums_at_the_least_normal_float),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
