/* Decoding processes as a program with threads uses them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io/fileio.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"
#include "tools/annotate/annotate.h"
#include "tools/annotate/sandbox/sandbox.h"

static limn_model *model;
static limn_state *state_of_model;
static size_t input_bytes;

static void *start_them(void *ctx)
{
    limn_error err = { 0 };
    limn_decoders **out = ctx;
    if (limn_decoders_start(out, LIMN_SANDBOX_AUTO, 2, 0, NULL, &err)) fail_msg("%s", err.text);
    return NULL;
}

/* Starts decoders from a thread that then ends; NULL under sanitizers and valgrind. */
static limn_decoders *start(void)
{
    limn_decoders *d = NULL;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, start_them, &d), 0);
    pthread_join(thread, NULL);
    assert_true(d || limn_sandbox_is_watched());
    if (!d) skip();
    return d;
}

static limn_status load(limn_decoders *d, const char *name, size_t share, uint8_t *out,
                        limn_error *err)
{
    const char *root = getenv("LIMN_SOURCE_ROOT");
    char path[1024];
    limn_file_bytes file = { 0 };
    snprintf(path, sizeof path, "%s/tests/data/images/%s", root ? root : ".", name);
    assert_int_equal(limn_file_bytes_read(&file, path, 1 << 20, NULL), LIMN_OK);
    const size_t size = file.size / share;
    const limn_status s =
        d ? limn_decoders_load(d, model, 0, file.bytes, size, out, NULL, err)
          : limn_state_load(state_of_model, file.bytes, size, out, NULL, NULL, err);
    limn_file_bytes_free(&file);
    return s;
}

static void test_pixels_are_those_of_the_state(void **state)
{
    static const char *const names[] = { "rgb8.png", "looping_exif.jpg" };
    limn_decoders *d = start();
    uint8_t *here = calloc(1, input_bytes), *there = calloc(1, input_bytes);
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        limn_error err = { 0 };
        assert_int_equal(load(NULL, names[i], 1, here, &err), LIMN_OK);
        assert_int_equal(load(d, names[i], 1, there, &err), LIMN_OK);
        assert_memory_equal(here, there, input_bytes);
    }
    free(here);
    free(there);
    limn_decoders_stop(&d);
    assert_null(d);
}

static void test_errors_are_those_of_the_state(void **state)
{
    limn_decoders *d = start();
    uint8_t *input = calloc(1, input_bytes);
    limn_error here = { 0 }, there = { 0 };
    (void)state;
    const limn_status s = load(NULL, "rgb8.png", 2, input, &here);
    assert_int_not_equal(s, LIMN_OK);
    assert_int_equal(load(d, "rgb8.png", 2, input, &there), s);
    assert_string_equal(here.text, there.text);
    assert_int_equal(limn_decoders_load(NULL, model, 0, "", 1, input, NULL, NULL), LIMN_E_ARG);
    assert_int_equal(limn_decoders_load(d, NULL, 0, "", 1, input, NULL, NULL), LIMN_E_ARG);
    assert_int_equal(limn_decoders_load(d, model, 0, NULL, 1, input, NULL, NULL), LIMN_E_ARG);
    assert_int_equal(limn_decoders_load(d, model, 0, "", 1, NULL, NULL, NULL), LIMN_E_ARG);
    free(input);
    limn_decoders_stop(&d);
}

/* When the program closes a connection, it is closed: no decoding process keeps it open. */
static void test_they_keep_nothing_open(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0); /* without O_CLOEXEC, as in many programs */
    limn_decoders *d = start();
    struct pollfd fd = { .fd = ends[0], .events = POLLIN };
    close(ends[1]);
    assert_int_equal(poll(&fd, 1, 5000), 1);
    assert_true(fd.revents & POLLHUP);
    close(ends[0]);
    limn_decoders_stop(&d);
}

static int open_model(void **state)
{
    const toy_model_settings settings = { .seed = 3, .is_tiny = true };
    limn_model_info info;
    limn_error err = { 0 };
    if (temp_folder_setup(state) || toy_model_write(temp_path("m"), &settings, &err) ||
        limn_model_open(&model, temp_path("m"), NULL, &err))
        return -1;
    limn_model_get_info(model, &info);
    input_bytes = info.input_bytes;
    return (int)limn_state_create(&state_of_model, model, NULL, 1, NULL);
}

static int close_model(void **state)
{
    limn_state_destroy(&state_of_model);
    limn_model_close(&model);
    return temp_folder_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_are_those_of_the_state),
        cmocka_unit_test(test_errors_are_those_of_the_state),
        cmocka_unit_test(test_they_keep_nothing_open),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, open_model, close_model);
}
