/* The floating-point settings of a host program change no caption, and are left as they were:
 * rounding, denormals flushed to zero, traps. */
#include <fenv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cmocka.h>

#include "common/base/float_env.h"
#include "common/base/pool.h"
#include "models/scorer.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"

enum { FLUSH_TO_ZERO = 1, TRAPS = 2, N_THREADS = 2 };

typedef struct host {
    const char *name;
    int rounding; /* a constant of fenv.h */
    int extra;
} host;

static const host hosts[] = {
    { "as it comes", FE_TONEAREST, 0 },  { "upward", FE_UPWARD, 0 },
    { "toward zero", FE_TOWARDZERO, 0 }, { "flush to zero", FE_TONEAREST, FLUSH_TO_ZERO },
    { "traps", FE_TONEAREST, TRAPS },    { "downward, flush", FE_DOWNWARD, FLUSH_TO_ZERO },
};

/* The control bits that have no name in C: MXCSR or FPCR; 0 where neither is known. */
static uint64_t control(void)
{
#if defined(__x86_64__)
    return _mm_getcsr();
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
#else
    return 0;
#endif
}

static void set_control(uint64_t value)
{
#if defined(__x86_64__)
    _mm_setcsr((unsigned)value);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(value));
#else
    (void)value;
#endif
}

/* Bits of the control register for host.extra. Traps stand for the settings of a debugger or a
 * Fortran host; aarch64 may not have them. */
static uint64_t extra_bits(int extra)
{
#if defined(__x86_64__)
    if (extra == FLUSH_TO_ZERO) return 0x8040;
#elif defined(__aarch64__)
    if (extra == FLUSH_TO_ZERO) return UINT64_C(1) << 24;
#endif
    (void)extra;
    return 0;
}

static void become(const host *h)
{
    fesetenv(FE_DFL_ENV);
    fesetround(h->rounding);
    set_control(control() | extra_bits(h->extra));
#if defined(__x86_64__)
    if (h->extra == TRAPS)
        set_control(control() & ~UINT64_C(0x1680)); /* invalid, zero, … inexact */
#endif
    feraiseexcept(h->extra == TRAPS ? 0 : FE_DIVBYZERO); /* a flag of the host's, to be preserved */
}

static void leave_host(void)
{
    fesetenv(FE_DFL_ENV);
}

/* Fails unless nothing has changed since become(h). */
#define ASSERT_UNCHANGED(before, h)                                              \
    do {                                                                         \
        const uint64_t now = control();                                          \
        const int flags = fetestexcept(FE_ALL_EXCEPT), round_now = fegetround(); \
        if (now != (before) || round_now != (h)->rounding) leave_host();         \
        assert_int_equal(now, before);                                           \
        assert_int_equal(round_now, (h)->rounding);                              \
        assert_int_equal(flags, (h)->extra == TRAPS ? 0 : FE_DIVBYZERO);         \
    } while (0)

static const char *model_path(void)
{
    const toy_model_settings settings = {
        .seed = 3, .dtype = LIMN_TENSOR_F16, .is_tiny = true, .has_confidence = true
    };
    const char *path = temp_path("tiny.safetensors");
    limn_error err = { 0 };
    if (toy_model_write(path, &settings, &err)) fail_msg("%s", err.text);
    return path;
}

/* A photo's first caption and its bits, from all public functions that compute. */
static void caption(char *text, size_t size, const host *h, const char *path, const char *photo)
{
    limn_model *model = NULL;
    limn_state *s = NULL;
    limn_scorer *scorer = NULL;
    const limn_captions *captions = NULL;
    limn_options options = limn_options_default();
    limn_words words = { 0 };
    limn_status status[6] = { LIMN_OK };
    float logprobs[16] = { 0 };
    static uint8_t input[32 * 32 * 3], odd[50 * 40 * 3];
    for (size_t i = 0; i < sizeof odd; i++) odd[i] = (uint8_t)(i * 7 / 3);
    options.has_confidence = true;
    become(h);
    const uint64_t before = control();
    status[0] = limn_model_open(&model, path, NULL, NULL);
    ASSERT_UNCHANGED(before, h);
    status[1] = limn_state_create(&s, model, &options, N_THREADS, NULL);
    ASSERT_UNCHANGED(before, h);
    status[2] = limn_state_caption_file(s, photo, &captions, NULL);
    ASSERT_UNCHANGED(before, h);
    status[3] = limn_scorer_create(&scorer, model, 0, N_THREADS, NULL);
    ASSERT_UNCHANGED(before, h);
    status[4] = limn_scorer_encode(&words, scorer, captions->items[0].text, NULL);
    const limn_score_job job = { words.ids, words.n_words, logprobs, NULL };
    status[5] = limn_scorer_run(scorer, input, &job, 1, NULL);
    ASSERT_UNCHANGED(before, h);
    leave_host();
    for (size_t i = 0; i < 6; i++) assert_int_equal(status[i], LIMN_OK);
    const limn_caption first = captions->items[0];
    int n = snprintf(text, size, "%s %a %a %a ", first.text, first.logprob,
                     (double)first.confidence, (double)logprobs[0]);
    become(h);
    status[0] = limn_state_caption_pixels(s, "odd", odd, 50, 40, &captions, NULL);
    ASSERT_UNCHANGED(before, h);
    leave_host();
    assert_int_equal(status[0], LIMN_OK);
    snprintf(text + n, size - (size_t)n, "%s %a", captions->items[0].text,
             captions->items[0].logprob);
    limn_scorer_destroy(&scorer);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

static void test_captions_are_the_same_in_any_host(void **state)
{
    char expected[1024], text[1024], photo[1024];
    const char *root = getenv("LIMN_SOURCE_ROOT"), *path = model_path();
    (void)state;
    snprintf(photo, sizeof photo, "%s/samples/photos/kitten.jpg", root ? root : ".");
    caption(expected, sizeof expected, &hosts[0], path, photo);
    for (size_t i = 1; i < sizeof hosts / sizeof *hosts; i++) {
        print_message("%s\n", hosts[i].name);
        caption(text, sizeof text, &hosts[i], path, photo);
        assert_string_equal(text, expected);
    }
}

static void test_nothing_but_the_default_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        become(&hosts[0]);
        leave_host();
        const uint64_t wanted = control();
        become(&hosts[i]);
        const uint64_t before = control();
        const limn_float_env env = limn_float_env_enter();
        const uint64_t inside = control();
        const int rounding = fegetround();
        limn_float_env_leave(&env);
        ASSERT_UNCHANGED(before, &hosts[i]);
        leave_host();
        assert_int_equal(inside, wanted);
        assert_int_equal(rounding, FE_TONEAREST);
    }
}

static void note_rounding(void *ctx, size_t item, size_t worker)
{
    int *roundings = ctx;
    (void)worker;
    roundings[item] = worker > 0 ? fegetround() : FE_TONEAREST;
}

static void test_threads_of_a_pool_start_with_the_default(void **state)
{
    enum { N_ITEMS = 4096 };
    static int roundings[N_ITEMS];
    limn_pool *pool = NULL;
    (void)state;
    become(&hosts[1]);
    const limn_status status = limn_pool_create(&pool, 4, NULL);
    if (status == LIMN_OK) limn_pool_run(pool, N_ITEMS, note_rounding, roundings);
    leave_host();
    limn_pool_destroy(&pool);
    assert_int_equal(status, LIMN_OK);
    for (size_t i = 0; i < N_ITEMS; i++) assert_int_equal(roundings[i], FE_TONEAREST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captions_are_the_same_in_any_host),
        cmocka_unit_test(test_nothing_but_the_default_inside),
        cmocka_unit_test(test_threads_of_a_pool_start_with_the_default),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
