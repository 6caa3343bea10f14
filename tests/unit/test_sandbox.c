/* Children that misbehave in every way that a broken image library could. */
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tools/annotate/sandbox/sandbox.h"

enum { OUT_SIZE = 1000, MAX_SIZE = 1 << 20, MAX_MEMORY = 64 << 20 };

static bool is_prepared; /* in the children, by the call without bytes */

static void misbehave(char how)
{
    volatile int *nowhere = NULL;
    volatile intptr_t kept = 0;
    switch (how) {
    case 's': *nowhere = 1; break;
    case 'a': abort();
    case 'o': kept = open("/etc/passwd", O_RDONLY); break;
    case 'k': kill(getppid(), SIGKILL); break;
    case 'f': kept = fork(); break;
    case 'n': kept = socket(AF_INET, SOCK_STREAM, 0); break;
    case 'e': execl("/bin/true", "true", (char *)NULL); break;
    case 'p': kept = pthread_kill(pthread_self(), 0); break;
    case 'x':
        kept =
            (intptr_t)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        break;
    case 'q': _exit(0);
    case 'l':
        for (;;) kept = 1;
    default: break;
    }
    (void)kept;
}

/* Turns letters to capitals, or does what the first byte says. */
static limn_status work(uint8_t *out, size_t out_size, const void *bytes, size_t size,
                        const void *settings, limn_error *err)
{
    const uint8_t *text = bytes;
    void *volatile block; /* or a compiler that sees it unused need not ask for the memory */
    is_prepared = is_prepared || !settings;
    if (!settings) return LIMN_OK;
    if (!is_prepared || strcmp(settings, "hello"))
        return limn_fail(err, LIMN_E_ARG, "not as it should be");
    misbehave((char)text[0]);
    if (text[0] == 'm') {
        block = malloc((size_t)MAX_MEMORY + (1 << 20));
        if (!block) return limn_fail(err, LIMN_E_NOMEM, "no memory");
        free(block);
        return LIMN_OK;
    }
    if (text[0] == 'M') { /* much, but allowed */
        block = limn_calloc(1, MAX_MEMORY / 2);
        if (!block) return limn_fail(err, LIMN_E_NOMEM, "no memory for little");
        free(block);
    }
    if (text[0] == 'w') limn_note(err, "a word");
    if (text[0] == 'b') return limn_fail(err, LIMN_E_FORMAT, "bad %c\n", text[1]);
    for (size_t i = 0; i < out_size; i++) out[i] = i < size ? (uint8_t)(text[i] - 32) : 0;
    return LIMN_OK;
}

static limn_sandbox *start(size_t n_children)
{
    const limn_sandbox_settings settings = { .work = work,
                                             .n_children = n_children,
                                             .max_size = MAX_SIZE,
                                             .max_out_size = OUT_SIZE,
                                             .max_memory = MAX_MEMORY,
                                             .max_cpu_seconds = 1 };
    limn_sandbox *s;
    limn_error err = { 0 };
    const limn_status status = limn_sandbox_start(&s, &settings, &err);
    if (status == LIMN_E_UNSUPPORTED) {
        print_message("no sandbox here: %s\n", err.text);
        skip();
    }
    assert_int_equal(status, LIMN_OK);
    return s;
}

static limn_status run(limn_sandbox *s, size_t child, const char *text, char *out, limn_error *err)
{
    *err = (limn_error){ 0 };
    return limn_sandbox_run(s, child, (uint8_t *)out, OUT_SIZE, text, strlen(text), "hello", 6,
                            err);
}

static void check_works(limn_sandbox *s, size_t child)
{
    char out[OUT_SIZE];
    limn_error err;
    assert_int_equal(run(s, child, "good", out, &err), LIMN_OK);
    assert_string_equal(out, "GOOD");
    assert_string_equal(err.text, "");
}

static void test_work_is_done(void **state)
{
    limn_sandbox *s = start(2);
    char out[OUT_SIZE];
    limn_error err;
    (void)state;
    for (int i = 0; i < 10; i++) check_works(s, i % 2);
    assert_int_equal(run(s, 1, "bad", out, &err), LIMN_E_FORMAT);
    assert_string_equal(err.text, "bad a?");
    assert_int_equal(run(s, 0, "word", out, &err), LIMN_OK);
    assert_string_equal(err.text, "a word");
    assert_int_equal(run(s, 0, "Much", out, &err), LIMN_OK);
    assert_int_equal(limn_sandbox_take_child(s), 0);
    assert_int_equal(limn_sandbox_take_child(s), 1);
    limn_sandbox_stop(&s);
    assert_null(s);
    limn_sandbox_stop(&s);
    assert_int_equal(waitpid(-1, NULL, 0), -1); /* nobody is left */
}

static void test_a_crash_costs_one_picture(void **state)
{
    limn_sandbox *s = start(2);
    char out[OUT_SIZE];
    limn_error err;
    (void)state;
    for (const char *how = "saokfnexq"; *how; how++) {
        const char text[] = { *how, '\0' };
        assert_int_equal(run(s, 0, text, out, &err), LIMN_E_CRASHED);
        assert_int_equal(err.code, LIMN_E_CRASHED);
        if (*how == 's')
            assert_non_null(strstr(err.text, "crashed the decoder ("));
        else if (strchr("okfnex", *how))
            assert_non_null(strstr(err.text, "what the sandbox forbids"));
        check_works(s, 0);
        check_works(s, 1);
    }
    limn_sandbox_stop(&s);
}

static void test_limits_cost_one_picture(void **state)
{
    limn_sandbox *s = start(1);
    char out[OUT_SIZE];
    limn_error err;
    char *large = calloc(1, MAX_SIZE + 2);
    (void)state;
    assert_int_equal(run(s, 0, "memory", out, &err), LIMN_E_NOMEM);
    check_works(s, 0);
    assert_int_equal(run(s, 0, "loop", out, &err), LIMN_E_LIMIT);
    assert_string_equal(err.text, "decoding it takes more than 1 seconds of CPU time");
    check_works(s, 0);
    memset(large, 'z', MAX_SIZE + 1);
    assert_int_equal(run(s, 0, large, out, &err), LIMN_E_LIMIT);
    large[MAX_SIZE] = '\0';
    assert_int_equal(run(s, 0, large, out, &err), LIMN_OK);
    assert_int_equal(out[OUT_SIZE - 1], 'Z');
    free(large);
    limn_sandbox_stop(&s);
}

/* Children that nobody asked anything die too; the next request goes to their successors. */
static void test_a_child_that_was_killed_is_replaced(void **state)
{
    limn_sandbox *s = start(1);
    char out[OUT_SIZE], command[64];
    limn_error err;
    (void)state;
    check_works(s, 0);
    snprintf(command, sizeof command, "pkill -KILL -P $(pgrep -P %ld -x limn-sandbox)",
             (long)getpid());
    if (system("command -v pkill >/dev/null") == 0) {
        assert_int_equal(system(command), 0);
        usleep(100000);
        check_works(s, 0);
        snprintf(command, sizeof command, "pkill -KILL -P %ld -x limn-sandbox", (long)getpid());
        assert_int_equal(system(command), 0);
        usleep(100000);
        assert_int_equal(run(s, 0, "good", out, &err), LIMN_E_IO);
    }
    limn_sandbox_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_is_done),
        cmocka_unit_test(test_a_crash_costs_one_picture),
        cmocka_unit_test(test_limits_cost_one_picture),
        cmocka_unit_test(test_a_child_that_was_killed_is_replaced),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
