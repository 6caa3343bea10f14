/* Children that misbehave in every way that an exploited image library could. The keeper is
 * forked from this process or, with the argument "program", a program: this one. */
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
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tools/annotate/sandbox/sandbox.h"

#define PROGRAM "/proc/self/exe" /* this program, by two names */
#define PROGRAM_WITH_MORE "/proc/self/./exe"

enum { OUT_SIZE = 1000, MAX_SIZE = 1 << 20, MAX_MEMORY = 64 << 20 };

static bool is_prepared;        /* in the children, by the call without bytes */
static uint32_t prepared_parts; /* in the children */
static bool is_taken_over;      /* of a child by an image, as flaws in image libraries allow */
static atomic_bool is_stopping; /* in the caller */
static const char *program;     /* NULL: a fork */

static void misbehave(char how)
{
    volatile int *nowhere = NULL;
    volatile intptr_t kept = 0;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
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
    case 'X': kept = mprotect(page, 4096, PROT_READ | PROT_EXEC); break;
    case 'P': /* as malloc does */
        if (mprotect(page, 4096, PROT_NONE) || mprotect(page, 4096, PROT_READ | PROT_WRITE))
            abort();
        break;
    case 'q': _exit(0);
    case 'r': kept = read(STDIN_FILENO, (char[1]){ 0 }, 1); break;
    case 'i': kept = write(STDOUT_FILENO, "x", 1); break;
    case 'G': kept = getrandom((char[1]){ 0 }, 1, 0); break;
    case 'y': kept = usleep(1000000); break;
    case 'l':
        for (;;) kept = 1;
    default: break;
    }
    (void)kept;
}

/* Like opening a module: makes system calls that are forbidden later. */
static void prepare(uint32_t parts)
{
    const int fd = open("/dev/null", O_RDONLY);
    if (fd >= 0) prepared_parts |= parts;
    close(fd);
}

/* Whether the parts that the text asks for are prepared: "d" needs part 4, "dd" part 8 too. */
static bool has_parts(const uint8_t *text, size_t size)
{
    const uint32_t wanted = size > 1 && text[1] == 'd' ? 12 : 4;
    const uint32_t missing = wanted & ~prepared_parts;
    if (missing) limn_sandbox_need(missing & 4 ? 4 : missing);
    return !missing;
}

/* Turns letters into capitals, or does what the first byte says. */
static limn_status work(uint8_t *out, size_t out_size, const void *bytes, size_t size,
                        const void *settings, limn_error *err)
{
    const uint8_t *text = bytes;
    void *volatile block; /* volatile, or the compiler might drop an unused allocation */
    is_prepared = is_prepared || !settings;
    if (!settings) return LIMN_OK;
    if (!is_prepared || strcmp(settings, "hello"))
        return limn_fail(err, LIMN_E_ARG, "not as it should be");
    misbehave((char)text[0]);
    if (text[0] == 'd' && !has_parts(text, size))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "a part is missing");
    if (text[0] == 'D') limn_sandbox_need(4); /* whether or not it is prepared */
    if (text[0] == 't') is_taken_over = true;
    if (is_taken_over || text[0] == 'u') return LIMN_OK; /* with no result of its own */
    if (text[0] == 'c') {                                /* an impossible answer */
        memset(err, 'A', sizeof *err);
        return (limn_status)(text[1] == '-' ? -atoi((const char *)text + 2)
                                            : atoi((const char *)text + 1));
    }
    if (text[0] == 'v') { /* what the previous image left in memory */
        for (size_t i = size; i < MAX_SIZE; i++)
            if (text[i]) return limn_fail(err, LIMN_E_FORMAT, "something was left");
    }
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

static limn_sandbox *start_within(size_t n_children, uint32_t cpu_seconds, uint32_t seconds,
                                  limn_error *err)
{
    const limn_sandbox_settings settings = { .work = work,
                                             .prepare = prepare,
                                             .n_children = n_children,
                                             .max_size = MAX_SIZE,
                                             .max_out_size = OUT_SIZE,
                                             .max_memory = MAX_MEMORY,
                                             .max_cpu_seconds = cpu_seconds,
                                             .max_seconds = seconds,
                                             .program = program };
    limn_sandbox *s;
    const limn_status status = limn_sandbox_start(&s, &settings, err);
    if (status == LIMN_E_UNSUPPORTED) {
        print_message("no sandbox here: %s\n", err->text);
        skip();
    }
    assert_int_equal(status, LIMN_OK);
    return s;
}

static limn_sandbox *start(size_t n_children)
{
    limn_error err = { 0 };
    limn_sandbox *s = start_within(n_children, 1, 60, &err);
    assert_string_equal(err.text, "");
    return s;
}

static limn_status run(limn_sandbox *s, const char *text, char *out, limn_error *err)
{
    *err = (limn_error){ 0 };
    return limn_sandbox_run(s, (uint8_t *)out, OUT_SIZE, text, strlen(text), "hello", 6,
                            &is_stopping, err);
}

/* Before a test changes the process: it can't be skipped afterwards. */
static void need_sandbox(void)
{
    limn_sandbox *s = start(1);
    limn_sandbox_stop(&s);
}

static void check_works(limn_sandbox *s)
{
    char out[OUT_SIZE];
    limn_error err;
    assert_int_equal(run(s, "good", out, &err), LIMN_OK);
    assert_string_equal(out, "GOOD");
    assert_string_equal(err.text, "");
}

static void test_work_is_done(void **state)
{
    limn_sandbox *s = start(2);
    char out[OUT_SIZE];
    limn_error err;
    (void)state;
    for (int i = 0; i < 10; i++) check_works(s);
    assert_int_equal(run(s, "bad", out, &err), LIMN_E_FORMAT);
    assert_string_equal(err.text, "bad a?");
    assert_int_equal(run(s, "word", out, &err), LIMN_OK);
    assert_string_equal(err.text, "a word");
    assert_int_equal(run(s, "Much", out, &err), LIMN_OK);
    limn_sandbox_stop(&s);
    assert_null(s);
    limn_sandbox_stop(&s);
    assert_int_equal(waitpid(-1, NULL, 0), -1); /* no child is left */
}

static void test_a_crash_costs_one_image(void **state)
{
    limn_sandbox *s = start(2);
    char out[OUT_SIZE];
    limn_error err;
    (void)state;
    for (const char *how = "saokfnexXqriGy"; *how; how++) {
        const char text[] = { *how, '\0' };
        assert_int_equal(run(s, text, out, &err), LIMN_E_CRASHED);
        assert_int_equal(err.code, LIMN_E_CRASHED);
        if (*how == 's')
            assert_non_null(strstr(err.text, "crashed the decoder ("));
        else if (strchr("okfnexXriGy", *how))
            assert_non_null(strstr(err.text, "something the sandbox forbids"));
        check_works(s);
    }
    assert_int_equal(run(s, "Protect", out, &err), LIMN_OK);
    limn_sandbox_stop(&s);
}

static const int more[] = { SYS_getrandom, SYS_write };

/* More calls can be allowed for a kind of work; the rest stays forbidden, and there is nothing to
 * write to. */
static void test_more_calls_can_be_allowed(void **state)
{
    const limn_sandbox_settings settings = { .work = work,
                                             .prepare = prepare,
                                             .n_children = 1,
                                             .max_size = MAX_SIZE,
                                             .max_out_size = OUT_SIZE,
                                             .max_memory = MAX_MEMORY,
                                             .max_cpu_seconds = 1,
                                             .max_seconds = 60,
                                             .more_calls = more,
                                             .n_more_calls = 2,
                                             .program = program ? PROGRAM_WITH_MORE : NULL };
    limn_sandbox *s;
    char out[OUT_SIZE];
    limn_error err = { 0 };
    (void)state;
    if (limn_sandbox_start(&s, &settings, &err) != LIMN_OK) skip();
    assert_int_equal(run(s, "Get", out, &err), LIMN_OK);
    assert_int_equal(run(s, "inform", out, &err), LIMN_OK);
    for (const char *how = "okfnexXry"; *how; how++)
        assert_int_equal(run(s, (const char[]){ *how, '\0' }, out, &err), LIMN_E_CRASHED);
    limn_sandbox_stop(&s);
}

static void test_limits_cost_one_image(void **state)
{
    limn_sandbox *s = start(1);
    char out[OUT_SIZE];
    limn_error err;
    char *large = calloc(1, MAX_SIZE + 2);
    (void)state;
    assert_int_equal(run(s, "memory", out, &err), LIMN_E_LIMIT);
    assert_string_equal(err.text, "decoding takes more memory than the sandbox allows");
    check_works(s);
    assert_int_equal(run(s, "loop", out, &err), LIMN_E_LIMIT);
    assert_string_equal(err.text, "decoding takes more than 1 s of CPU time");
    check_works(s);
    memset(large, 'z', MAX_SIZE + 1);
    assert_int_equal(run(s, large, out, &err), LIMN_E_LIMIT);
    large[MAX_SIZE] = '\0';
    assert_int_equal(run(s, large, out, &err), LIMN_OK);
    assert_int_equal(out[OUT_SIZE - 1], 'Z');
    free(large);
    limn_sandbox_stop(&s);
}

/* A child taken over by one image never answers for another, and finds nothing of the one
 * before. */
static void test_a_child_serves_one_image(void **state)
{
    limn_sandbox *s = start(1);
    char out[OUT_SIZE], large[2000];
    limn_error err;
    (void)state;
    for (int i = 0; i < 3; i++) {
        check_works(s);
        assert_int_equal(run(s, "take over", out, &err), LIMN_OK);
        for (size_t k = 0; k < OUT_SIZE; k++)
            assert_int_equal(out[k], 0); /* nor another's result */
    }
    memset(large, 'w', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    assert_int_equal(run(s, large, out, &err), LIMN_OK);
    assert_int_equal(run(s, "view", out, &err), LIMN_OK);
    assert_int_equal(run(s, "u", out, &err), LIMN_OK);
    assert_int_equal(out[0], 0);
    limn_sandbox_stop(&s);
}

/* A child's statements about the whole run are not believed. */
static void test_answers_are_of_an_image(void **state)
{
    static const struct {
        int code;
        limn_status expected;
    } cases[] = {
        { LIMN_E_NOMEM, LIMN_E_LIMIT },         { LIMN_E_IO, LIMN_E_CRASHED },
        { LIMN_E_INTERRUPTED, LIMN_E_CRASHED }, { LIMN_E_CRASHED, LIMN_E_CRASHED },
        { 0x7fffffff, LIMN_E_CRASHED },         { -1, LIMN_E_CRASHED },
        { LIMN_E_TRUNCATED, LIMN_E_TRUNCATED },
    };
    limn_sandbox *s = start(1);
    char out[OUT_SIZE], text[32];
    limn_error err;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "c%d", cases[i].code);
        assert_int_equal(run(s, text, out, &err), cases[i].expected);
        assert_true(strlen(err.text) < sizeof err.text);
    }
    limn_sandbox_stop(&s);
}

static void *stop_soon(void *ctx)
{
    (void)ctx;
    usleep(300000);
    is_stopping = true;
    return NULL;
}

/* A time limit ends a child whatever it does, and a stop request takes effect within seconds. */
static void test_time_is_bounded(void **state)
{
    limn_error err = { 0 };
    limn_sandbox *s = start_within(1, 100, 1, &err);
    char out[OUT_SIZE];
    pthread_t stopper;
    (void)state;
    assert_int_equal(run(s, "loop", out, &err), LIMN_E_LIMIT);
    assert_string_equal(err.text, "decoding takes more than 1 s");
    check_works(s);
    limn_sandbox_stop(&s);
    err = (limn_error){ 0 };
    s = start_within(1, 100, 100, &err);
    assert_int_equal(pthread_create(&stopper, NULL, stop_soon, NULL), 0);
    assert_int_equal(run(s, "loop", out, &err), LIMN_E_INTERRUPTED);
    pthread_join(stopper, NULL);
    is_stopping = false;
    check_works(s);
    limn_sandbox_stop(&s);
}

static void *work_on(void *ctx)
{
    for (int i = 0; i < 5; i++) check_works(ctx);
    return NULL;
}

/* With few descriptors there are fewer children, and a message; all threads get their turn. */
static void test_fewer_children_rather_than_none(void **state)
{
    struct rlimit before, few;
    limn_error err = { 0 };
    pthread_t threads[4];
    (void)state;
    need_sandbox();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){ 21, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    limn_sandbox *s = start_within(8, 1, 60, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_string_equal(
        err.text,
        "the sandbox has only 2 of 8 decoders: file descriptors or address space ran out");
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, work_on, s), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    limn_sandbox_stop(&s);
}

/* Runs in a process of its own, since the limit applies to the caller too. */
static int loop_under_a_limit(struct rlimit cpu)
{
    limn_error err = { 0 };
    char out[OUT_SIZE];
    if (setrlimit(RLIMIT_CPU, &cpu)) return 1;
    limn_sandbox *s = start_within(1, 100, 200, &err);
    const limn_status status = run(s, "loop", out, &err);
    limn_sandbox_stop(&s);
    return status == LIMN_E_LIMIT && strstr(err.text, "CPU time") ? 0 : 2;
}

/* A sandbox with higher limits than its caller's raises none of the caller's limits. */
static void test_no_limit_of_the_caller_is_raised(void **state)
{
    static const struct rlimit limits[] = { { 1, 1000 }, { 1, 50 } };
    (void)state;
    need_sandbox();
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        int ended = 0;
        const pid_t child = fork();
        if (child == 0) _exit(loop_under_a_limit(limits[i]));
        assert_true(child > 0 && waitpid(child, &ended, 0) == child);
        assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    }
}

/* Idle children may be killed too; the next request goes to their successors. */
static void test_a_child_that_was_killed_is_replaced(void **state)
{
    limn_sandbox *s = start(1);
    char out[OUT_SIZE], command[64];
    limn_error err;
    (void)state;
    check_works(s);
    snprintf(command, sizeof command, "pkill -KILL -P $(pgrep -P %ld -x limn-sandbox)",
             (long)getpid());
    if (system("command -v pkill >/dev/null") == 0) {
        assert_int_equal(system(command), 0);
        usleep(100000);
        check_works(s);
        snprintf(command, sizeof command, "pkill -KILL -P %ld -x limn-sandbox", (long)getpid());
        assert_int_equal(system(command), 0);
        usleep(100000);
        assert_int_equal(run(s, "good", out, &err), LIMN_E_IO);
    }
    limn_sandbox_stop(&s);
}

/* A fork of the caller, which has everything open that the caller had, doesn't hold it up: it lives
 * until the test ends it. */
static void test_other_forks_are_not_waited_for(void **state)
{
    limn_sandbox *s = start(1);
    int status;
    (void)state;
    check_works(s);
    const pid_t other = fork();
    if (!other) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* for when the test fails */
        for (;;) pause();
    }
    assert_true(other > 0);
    const pid_t leaving = fork();
    if (!leaving) {
        limn_sandbox_stop(&s);
        _exit(EXIT_SUCCESS);
    }
    assert_int_equal(waitpid(leaving, &status, 0), leaving);
    assert_true(WIFEXITED(status));
    for (int i = 0; i < 3; i++) check_works(s); /* the fork has stopped nothing of its parent's */
    limn_sandbox_stop(&s);
    assert_int_equal(waitpid(other, &status, WNOHANG), 0);
    kill(other, SIGKILL);
    assert_int_equal(waitpid(other, &status, 0), other);
}

/* A request that needs a part gets a child that has it, prepared by the keeper or by the child
 * itself. */
static void test_parts_are_prepared(void **state)
{
    limn_sandbox *s = start(2);
    (void)state;
    for (int i = 0; i < 6; i++) {
        char out[OUT_SIZE];
        limn_error err;
        assert_int_equal(run(s, i % 2 ? "d" : "dd", out, &err), LIMN_OK);
        assert_string_equal(out, i % 2 ? "D" : "DD");
        assert_int_equal(run(s, "D", out, &err), LIMN_E_CRASHED);
        assert_string_equal(err.text, "decoding it asked twice for the same part");
        check_works(s);
    }
    limn_sandbox_stop(&s);
}

/* A number of /proc/PID/status, such as VmRSS, in KiB; -1 when the process is gone. */
static long status_of(long pid, const char *name)
{
    char path[64], line[256];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name))) value = strtol(line + strlen(name) + 1, NULL, 10);
    if (file) fclose(file);
    return value;
}

/* The only child of a process. */
static long child_of(long pid)
{
    char path[64];
    long child = -1;
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", pid, pid);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%ld", &child) != 1) child = -1;
    if (file) fclose(file);
    return child;
}

static bool kernel_lists_children(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    return !access(path, R_OK);
}

/* What a fork copies is the page tables of what is resident: in a fork of a large process, all of
 * its memory; in a program, little, whatever the caller has. */
static void test_a_program_is_small_whatever_its_caller(void **state)
{
    enum { BALLAST = 64 << 20 };
    void *ballast = mmap(NULL, BALLAST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;
    if (!kernel_lists_children()) skip();
    assert_ptr_not_equal(ballast, MAP_FAILED);
    memset(ballast, 1, BALLAST);
    limn_sandbox *s = start(1);
    check_works(s);
    const long keeper = child_of(getpid()), resident = status_of(keeper, "VmRSS");
    if (program) {
        long child_resident = -1; /* until the next child is there */
        for (int i = 0; i < 1000 && child_resident <= 0; i++, usleep(10000))
            child_resident = status_of(child_of(keeper), "VmRSS");
        assert_in_range(resident, 1, (BALLAST >> 10) / 4);
        assert_in_range(child_resident, 1, (BALLAST >> 10) / 4);
    } else {
        assert_true(resident > BALLAST >> 10);
    }
    limn_sandbox_stop(&s);
    munmap(ballast, BALLAST);
}

/* Descriptors that the caller forgot to mark, and its environment, aren't the program's. */
static void test_a_program_inherits_little(void **state)
{
    char path[64], entry[32] = "", *variable = NULL;
    size_t size = 0;
    int low, fd;
    (void)state;
    if (!program || !kernel_lists_children()) skip();
    need_sandbox();
    low = open("/etc/passwd", O_RDONLY);
    fd = fcntl(low, F_DUPFD, 50);
    assert_true(fd >= 50);
    assert_int_equal(setenv("SANDBOX_SECRET", "password", 1), 0);
    limn_sandbox *s = start(1);
    check_works(s);
    const long keeper = child_of(getpid());
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", keeper, fd);
    assert_int_equal(readlink(path, entry, sizeof entry - 1), -1);
    snprintf(path, sizeof path, "/proc/%ld/environ", keeper);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (getdelim(&variable, &size, '\0', file) > 0) assert_memory_equal(variable, "LD_", 3);
    free(variable);
    fclose(file);
    close(low);
    close(fd);
    limn_sandbox_stop(&s);
}

/* A program that isn't there, is another, or may not be run: an error that names it, and never a
 * fork. */
static void test_a_wrong_program_is_an_error(void **state)
{
    static const char *const wrong[] = { "/nowhere/limn-sandbox", "/bin/true", "/etc/passwd" };
    (void)state;
    if (!program) skip();
    limn_sandbox_stop(&(limn_sandbox *){ start(1) });
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const limn_sandbox_settings settings = { .work = work,
                                                 .n_children = 1,
                                                 .max_size = MAX_SIZE,
                                                 .max_out_size = OUT_SIZE,
                                                 .program = wrong[i] };
        limn_sandbox *s;
        limn_error err = { 0 };
        assert_int_equal(limn_sandbox_start(&s, &settings, &err),
                         i == 2 ? LIMN_E_UNSUPPORTED : LIMN_E_IO);
        assert_null(s);
        assert_ptr_equal(strstr(err.text, wrong[i]), err.text);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_prepared),
        cmocka_unit_test(test_work_is_done),
        cmocka_unit_test(test_a_crash_costs_one_image),
        cmocka_unit_test(test_more_calls_can_be_allowed),
        cmocka_unit_test(test_limits_cost_one_image),
        cmocka_unit_test(test_a_child_serves_one_image),
        cmocka_unit_test(test_answers_are_of_an_image),
        cmocka_unit_test(test_time_is_bounded),
        cmocka_unit_test(test_fewer_children_rather_than_none),
        cmocka_unit_test(test_no_limit_of_the_caller_is_raised),
        cmocka_unit_test(test_a_child_that_was_killed_is_replaced),
        cmocka_unit_test(test_other_forks_are_not_waited_for),
        cmocka_unit_test(test_a_program_is_small_whatever_its_caller),
        cmocka_unit_test(test_a_program_inherits_little),
        cmocka_unit_test(test_a_wrong_program_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    const bool has_more = !strcmp(argv[0], PROGRAM_WITH_MORE);
    const limn_sandbox_settings own = {
        .work = work, .prepare = prepare, .more_calls = more, .n_more_calls = has_more ? 2 : 0
    };
    if (argc == 2 && !strcmp(argv[1], LIMN_SANDBOX_ARGUMENT)) return limn_sandbox_host(&own);
    if (argc == 2 && !strcmp(argv[1], "program")) program = PROGRAM;
    return run_all();
}
