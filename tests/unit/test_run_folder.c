#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/train/adamw.h"
#include "models/train/run_folder.h"
#include "tests/unit/temp_folder.h"

static limn_run_folder *create(const char *folder)
{
    limn_run_folder *f;
    limn_error err = { 0 };
    if (limn_run_folder_create(&f, folder, &err) != LIMN_OK) fail_msg("%s", err.text);
    return f;
}

static void write_file(limn_run_folder *f, const char *name, const char *text)
{
    assert_int_equal(limn_file_replace(limn_run_folder_file(f, name), text, strlen(text), NULL),
                     LIMN_OK);
}

static char *read_file(limn_run_folder *f, const char *name)
{
    unsigned char *bytes;
    size_t size;
    assert_int_equal(limn_file_read(&bytes, &size, limn_run_folder_file(f, name), 10000, NULL),
                     LIMN_OK);
    return (char *)bytes;
}

/* A file that a killed process was writing goes when the run is opened; one of a living process
 * stays. */
static void check_half_written(limn_run_folder *f)
{
    limn_run_folder *again;
    char dead[64], living[64];
    const pid_t child = fork();
    if (!child) _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    snprintf(dead, sizeof dead, ".limn-%ld-0.tmp", (long)child);
    snprintf(living, sizeof living, ".limn-%ld-0.tmp", (long)getpid());
    write_file(f, dead, "half");
    write_file(f, living, "half");
    assert_int_equal(limn_run_folder_open(&again, temp_folder, NULL), LIMN_OK);
    limn_run_folder_close(&again);
    assert_int_not_equal(unlink(limn_run_folder_file(f, dead)), 0);
    assert_int_equal(unlink(limn_run_folder_file(f, living)), 0);
}

static void test_a_folder_in_use_is_refused(void **state)
{
    limn_run_folder *f = create(temp_folder), *other;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_run_folder_open(&other, temp_folder, NULL),
                     LIMN_E_ARG); /* no run.json yet */
    write_file(f, "run.json", "{}");
    assert_int_equal(limn_run_folder_create(&other, temp_folder, &err), LIMN_E_ARG);
    assert_non_null(strstr(err.text, "--resume"));
    assert_int_equal(limn_run_folder_open(&other, temp_folder, NULL), LIMN_OK);
    limn_run_folder_close(&other);
    check_half_written(f);
    unlink(limn_run_folder_file(f, "run.json"));
    write_file(f, "notes.txt", "mine");
    assert_int_equal(limn_run_folder_create(&other, temp_folder, NULL), LIMN_E_ARG); /* not empty */
    unlink(limn_run_folder_file(f, "notes.txt"));
    write_file(f, "cache/notes.txt", "mine");
    assert_int_equal(limn_run_folder_create(&other, temp_folder, NULL), LIMN_E_ARG);
    unlink(limn_run_folder_file(f, "cache/notes.txt"));
    limn_run_folder_close(&f);
}

/* As a kill at any moment before run.json leaves the folder. */
static void test_what_was_hardly_begun_can_be_begun_again(void **state)
{
    limn_run_folder *f = create(temp_folder);
    (void)state;
    limn_run_folder_close(&f);
    f = create(temp_folder);
    write_file(f, ".limn-12345-0.tmp", "{\n \"vers");
    limn_run_folder_close(&f);
    f = create(temp_folder);
    assert_int_equal(temp_n_files(), 1); /* cache */
    limn_run_folder_close(&f);
}

static void test_the_last_three_checkpoints_stay(void **state)
{
    limn_run_folder *f = create(temp_folder);
    limn_params params = { 0 };
    limn_optimizer adamw;
    uint64_t steps[8];
    char *text = NULL;
    (void)state;
    assert_int_equal(limn_params_add(&params, "a", 1, (size_t[]){ 3 }, true, NULL), LIMN_OK);
    assert_int_equal(limn_params_allocate(&params, NULL), LIMN_OK);
    assert_int_equal(limn_optimizer_init(&adamw, &limn_adamw, &params, NULL), LIMN_OK);
    for (uint64_t step = 8; step <= 12; step++) {
        params.values[0] = (float)step;
        assert_int_equal(limn_run_folder_save(f, step, &params, &adamw, "{\"x\":1}", NULL),
                         LIMN_OK);
    }
    write_file(f, "checkpoint-99.safetensors.tmp", "");
    assert_int_equal(limn_run_folder_checkpoints(steps, 8, f), 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(steps[i], 12 - i);
    assert_int_equal(limn_run_folder_state(&text, f, 11, NULL), LIMN_OK);
    assert_string_equal(text, "{\"x\":1}");
    limn_free(text);
    assert_int_equal(limn_run_folder_load(f, 11, &params, &adamw, NULL), LIMN_OK);
    assert_true(params.values[0] == 11.0f);
    assert_int_equal(limn_run_folder_load(f, 9, &params, &adamw, NULL), LIMN_E_IO);
    limn_optimizer_finish(&adamw);
    limn_params_finish(&params);
    limn_run_folder_close(&f);
}

static void test_the_log_is_cut_where_a_run_goes_on(void **state)
{
    limn_run_folder *f = create(temp_folder);
    char *log;
    (void)state;
    assert_int_equal(limn_run_folder_trim_log(f, 3, NULL), LIMN_OK); /* there is no log */
    for (int step = 1; step <= 5; step++) {
        char line[32];
        snprintf(line, sizeof line, "{\"step\":%d}", step);
        assert_int_equal(limn_run_folder_log(f, line, NULL), LIMN_OK);
    }
    assert_int_equal(limn_run_folder_trim_log(f, 3, NULL), LIMN_OK);
    log = read_file(f, "log.jsonl");
    assert_string_equal(log, "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
    limn_free(log);
    write_file(f, "log.jsonl", "{\"step\":1}\n{\"st");
    assert_int_equal(limn_run_folder_trim_log(f, 3, NULL), LIMN_OK);
    log = read_file(f, "log.jsonl");
    assert_string_equal(log, "{\"step\":1}\n");
    limn_free(log);
    limn_run_folder_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_folder_in_use_is_refused, temp_folder_setup,
                                        temp_folder_teardown),
        cmocka_unit_test_setup_teardown(test_what_was_hardly_begun_can_be_begun_again,
                                        temp_folder_setup, temp_folder_teardown),
        cmocka_unit_test_setup_teardown(test_the_last_three_checkpoints_stay, temp_folder_setup,
                                        temp_folder_teardown),
        cmocka_unit_test_setup_teardown(test_the_log_is_cut_where_a_run_goes_on, temp_folder_setup,
                                        temp_folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
