/* The cost of a hostile image before it is refused: processor time and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/image/decode.h"
#include "common/image/image.h"
#include "common/io/fileio.h"
#include "tests/unit/image_fixtures.h"

enum { MAX_MEMORY = 100 << 20, MAX_MS = 500, MAX_FILE_SIZE = 1 << 20 };

/* What a child reports by its exit code. */
enum { AS_EXPECTED, OTHERWISE, TOO_SLOW, NO_LIMIT };

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Limits the address space to its present size plus MAX_MEMORY. */
static bool limit_memory(void)
{
    struct rlimit limit;
    unsigned long n_pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%lu", &n_pages) != 1) return false;
    fclose(f);
    limit.rlim_cur = limit.rlim_max = n_pages * (rlim_t)sysconf(_SC_PAGESIZE) + MAX_MEMORY;
    return !setrlimit(RLIMIT_AS, &limit);
}

/* Decodes in a child, since limits can't be lifted again. */
static int decode_in_child(const void *bytes, size_t size, limn_status expected, const char *text)
{
    const limn_image_settings settings = limn_image_settings_default();
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        limn_image image;
        limn_error err = { 0 };
        double start;
        if (!limit_memory()) _exit(NO_LIMIT);
        start = cpu_ms();
        if (limn_image_decode(&image, bytes, size, &settings, &err) != expected ||
            strcmp(err.text, text))
            _exit(OTHERWISE);
        _exit(cpu_ms() - start < MAX_MS ? AS_EXPECTED : TOO_SLOW);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : OTHERWISE;
}

static limn_status status_of(const char *name)
{
    int s = LIMN_OK;
    while (strcmp(limn_status_name((limn_status)s), name)) s++;
    return (limn_status)s;
}

/* Sanitizers and valgrind reserve more address space than the limit allows. */
static void skip_when_watched(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip();
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    skip();
#endif
#endif
    if (preloaded && strstr(preloaded, "vgpreload")) skip();
}

static void test_bad_files_cost_little(void **state)
{
    FILE *table = fopen(source_path("tests/data/bad", "expected.tsv"), "r");
    char line[512], *columns[3];
    int n_wrong = 0, n_lines = 0;
    (void)state;
    skip_when_watched();
    assert_non_null(table);
    for (; read_columns(table, line, sizeof line, columns, 3); n_lines++) {
        limn_file_bytes file;
        int result;
        assert_int_equal(limn_file_bytes_read(&file, source_path("tests/data/bad", columns[0]),
                                              MAX_FILE_SIZE, NULL),
                         LIMN_OK);
        result = decode_in_child(file.bytes, file.size, status_of(columns[1]), columns[2]);
        limn_file_bytes_free(&file);
        if (result != AS_EXPECTED)
            print_error("%s: %s\n", columns[0],
                        result == TOO_SLOW ? "too slow" : "not as expected");
        n_wrong += result != AS_EXPECTED;
    }
    fclose(table);
    assert_int_equal(n_wrong, 0);
    assert_true(n_lines > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
