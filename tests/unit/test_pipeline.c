#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/temp_folder.h"
#include "tools/interrupt.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/annotate/input/image_file.h"
#include "tools/annotate/pipeline.h"

enum { N_FILES = 100, INPUT_SIZE = 8 };

/* Stages whose "images" are eight digits; each result is the digits on a line of their own. */
typedef struct job {
    char put[N_FILES * 32];
    size_t n_put, n_put_at_most;
} job;

static limn_status open_worker(void **out, void *ctx, limn_error *err)
{
    (void)err;
    *out = ctx;
    return LIMN_OK;
}

static void close_worker(void *worker)
{
    (void)worker;
}

static void wait_a_little(uint8_t how_long)
{
    const struct timespec t = { 0, how_long % 7 * 300000L };
    nanosleep(&t, NULL);
}

static limn_status load(void *worker, const void *bytes, size_t size, uint8_t *input,
                        limn_error *err)
{
    (void)worker;
    if (size < INPUT_SIZE) return limn_fail(err, LIMN_E_TRUNCATED, "has %zu bytes", size);
    memcpy(input, bytes, INPUT_SIZE);
    wait_a_little(input[7]);
    return LIMN_OK;
}

static limn_status run(void *worker, const limn_dirwalk_entry *image, const uint8_t *input,
                       limn_pipeline_output *out, limn_error *err)
{
    (void)worker;
    assert_string_equal(image->relative, image->path + strlen(temp_folder) + 1);
    wait_a_little(input[6]);
    if (input[0] == 'X') return limn_fail(err, LIMN_E_ARG, "can't be");
    limn_buffer_append(&out->bytes, input, INPUT_SIZE);
    return LIMN_OK;
}

static limn_status put(void *ctx, const limn_pipeline_result *result, limn_error *err)
{
    job *j = ctx;
    if (j->n_put++ == j->n_put_at_most) return limn_fail(err, LIMN_E_IO, "full");
    strcat(j->put, result->error ? result->error->text : result->out->bytes);
    strcat(j->put, "\n");
    return LIMN_OK;
}

/* Wants all but 07?.jpg; 077.jpg is a failure. */
static limn_status want(void *ctx, const limn_dirwalk_entry *input, bool *is_wanted,
                        limn_error *err)
{
    (void)ctx;
    *is_wanted = strncmp(input->relative, "07", 2) != 0;
    return strcmp(input->relative, "077.jpg") ? LIMN_OK : limn_fail(err, LIMN_E_ARG, "no");
}

static const limn_pipeline_stages stages = {
    .open = open_worker, .close = close_worker, .load = load, .run = run, .put = put
};

/* The same with up to N_TOGETHER images at once, finished in another order: each round finishes the
 * latest. */
enum { N_TOGETHER = 5 };

static limn_status run_many(void *worker, limn_pipeline_feed *feed, limn_error *err)
{
    limn_pipeline_image *images[N_TOGETHER];
    size_t n = 0;
    (void)err;
    do {
        limn_pipeline_image *image;
        while (n < N_TOGETHER && (image = limn_pipeline_next(feed))) images[n++] = image;
        if (n == 0) return LIMN_OK;
        image = images[--n];
        limn_pipeline_done(feed, image,
                           run(worker, image->input, image->pixels, image->out, image->error));
    } while (true);
}

static limn_status run_none(void *worker, limn_pipeline_feed *feed, limn_error *err)
{
    (void)worker;
    (void)feed;
    return limn_fail(err, LIMN_E_ARG, "can't be");
}

static const limn_pipeline_stages joint_stages = {
    .open = open_worker, .close = close_worker, .load = load, .run_many = run_many, .put = put
};

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(temp_path(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int make_files(void **state)
{
    if (temp_folder_setup(state) || !limn_interrupt_start()) return -1;
    limn_message_init("test", LIMN_QUIET);
    for (int i = 0; i < N_FILES; i++) {
        char name[16], text[16];
        snprintf(name, sizeof name, "%03d.jpg", i);
        snprintf(text, sizeof text, i == 50 ? "XX" : i == 60 ? "X%07d" : "%08d", i * 1237);
        write_file(name, text);
    }
    write_file("notes.txt", "no image");
    write_file("picture", "GIF89a12");
    return 0;
}

static limn_status run_all(job *j, limn_pipeline_counts *counts, const limn_pipeline_stages *with,
                           size_t n_threads, limn_error *err)
{
    char *names[] = { temp_folder };
    const limn_inputs inputs = { .names = names, .n_names = 1, .list_fd = -1 };
    const limn_pipeline_settings settings = { .n_threads = n_threads,
                                              .n_together = with->run_many ? N_TOGETHER : 0,
                                              .input_size = INPUT_SIZE,
                                              .inputs = &inputs };
    return limn_pipeline_run(counts, with, j, &settings, err);
}

static void test_results_come_in_order_from_any_number_of_threads(void **state)
{
    static char expected[N_FILES * 32];
    static const size_t n_threads[] = { 1, 2, 7, 40 };
    (void)state;
    for (int i = 0; i < N_FILES; i++) {
        char line[32];
        snprintf(line, sizeof line,
                 i == 50   ? "has 2 bytes\n"
                 : i == 60 ? "can't be\n"
                           : "%08d\n",
                 i * 1237);
        strcat(expected, line);
    }
    strcat(expected, "GIF89a12\n");
    for (size_t i = 0; i < 2 * sizeof n_threads / sizeof *n_threads; i++) {
        job j = { .n_put_at_most = SIZE_MAX };
        limn_pipeline_counts counts;
        assert_int_equal(
            run_all(&j, &counts, i % 2 ? &joint_stages : &stages, n_threads[i / 2], NULL), LIMN_OK);
        assert_string_equal(j.put, expected);
        assert_int_equal(counts.n_done, N_FILES - 1);
        assert_int_equal(counts.n_failed, 2);
        assert_int_equal(counts.left_out.n_other, 1);
    }
}

static void test_workers_that_cannot_run_fail_every_image(void **state)
{
    limn_pipeline_stages failing = joint_stages;
    limn_pipeline_counts counts;
    job j = { .n_put_at_most = SIZE_MAX };
    (void)state;
    failing.run_many = run_none;
    assert_int_equal(run_all(&j, &counts, &failing, 3, NULL), LIMN_OK);
    assert_int_equal(counts.n_failed, N_FILES + 1);
    assert_memory_equal(j.put, "can't be\ncan't be\n", 18);
}

static void test_what_is_not_wanted_is_skipped(void **state)
{
    char *names[] = { temp_folder };
    const limn_inputs inputs = { .names = names, .n_names = 1, .list_fd = -1 };
    const limn_pipeline_settings settings = { .n_threads = 2,
                                              .input_size = INPUT_SIZE,
                                              .inputs = &inputs };
    limn_pipeline_stages choosing = stages;
    limn_pipeline_counts counts;
    job j = { .n_put_at_most = SIZE_MAX };
    (void)state;
    choosing.want = want;
    assert_int_equal(limn_pipeline_run(&counts, &choosing, &j, &settings, NULL), LIMN_OK);
    assert_int_equal(counts.n_skipped, 9);
    assert_int_equal(counts.n_failed, 3);
    assert_int_equal(counts.n_done, N_FILES - 11);
    assert_int_equal(counts.left_out.n_other, 1);
    assert_non_null(strstr(j.put, "\nno\n"));
}

static void test_a_full_output_ends_it(void **state)
{
    job j = { .n_put_at_most = 10 };
    limn_pipeline_counts counts;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(run_all(&j, &counts, &stages, 3, &err), LIMN_E_IO);
    assert_string_equal(err.text, "full");
    assert_int_equal(counts.n_done, 10);
    assert_int_equal(j.n_put, 11);
}

static void test_image_files_are_told(void **state)
{
    (void)state;
    assert_true(limn_image_file_has_extension("a.b/c.JPeG"));
    assert_false(limn_image_file_has_extension("a.jpg/c"));
    assert_false(limn_image_file_has_extension("jpg"));
    assert_true(limn_image_file_has_magic((const unsigned char *)"\xff\xd8\xff", 3));
    assert_false(limn_image_file_has_magic((const unsigned char *)"\xff\xd8\xff", 1));
    assert_true(limn_image_file_has_magic((const unsigned char *)"RIFF....WEBP", 12));
    assert_true(limn_image_file_has_magic((const unsigned char *)"P6\n", 3));
    assert_false(limn_image_file_has_magic((const unsigned char *)"P6 ", 2));
    assert_false(limn_image_file_has_magic((const unsigned char *)"BM is a company", 15));
    assert_true(limn_image_file_has_magic((const unsigned char *)"BM1234\0\0\0\0", 10));
}

static void test_an_output_file_is_new_and_whole(void **state)
{
    limn_output out;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_output_open(&out, temp_path("out"), NULL), LIMN_OK);
    assert_int_equal(limn_output_write(&out, "line\n", 5, NULL), LIMN_OK);
    assert_int_equal(access(temp_path("out"), F_OK), -1);
    assert_int_equal(limn_output_close(&out, false, NULL), LIMN_OK);
    assert_int_equal(limn_output_open(&out, temp_path("out"), &err), LIMN_E_ARG);
    assert_non_null(strstr(err.text, "out.part: exists"));
    assert_int_equal(unlink(temp_path("out.part")), 0);
    assert_int_equal(limn_output_open(&out, temp_path("out"), NULL), LIMN_OK);
    assert_int_equal(limn_output_close(&out, true, NULL), LIMN_OK);
    assert_int_equal(access(temp_path("out"), F_OK), -1); /* it was never filled */
    assert_int_equal(access(temp_path("out.part"), F_OK), -1);
    assert_int_equal(limn_output_open(&out, temp_path("out"), NULL), LIMN_OK);
    assert_int_equal(limn_output_write(&out, "line\n", 5, NULL), LIMN_OK);
    assert_int_equal(limn_output_close(&out, true, NULL), LIMN_OK);
    assert_int_equal(access(temp_path("out"), F_OK), 0);
    assert_int_equal(limn_output_open(&out, temp_path("out"), NULL), LIMN_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_come_in_order_from_any_number_of_threads),
        cmocka_unit_test(test_workers_that_cannot_run_fail_every_image),
        cmocka_unit_test(test_what_is_not_wanted_is_skipped),
        cmocka_unit_test(test_a_full_output_ends_it),
        cmocka_unit_test(test_image_files_are_told),
        cmocka_unit_test(test_an_output_file_is_new_and_whole),
    };
    return cmocka_run_group_tests(tests, make_files, temp_folder_teardown);
}
