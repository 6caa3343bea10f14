/* Records of changes: written, read, and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/temp_folder.h"
#include "tools/annotate/sinks/undo_log.h"

static limn_status append(void *ctx, const void *bytes, size_t size)
{
    if (size) limn_buffer_append(ctx, bytes, size);
    return LIMN_OK;
}

/* Reads a log of these bytes from the test's folder. */
static void read_log(limn_undo_log *log, const char *text, limn_status expected)
{
    limn_error err = { 0 };
    FILE *file = fopen(temp_path(LIMN_UNDO_LOG_NAME), "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(limn_undo_log_read(log, temp_path("a.jpg"), &err), expected);
}

static void test_splices_are_taken_back(void **state)
{
    const char *old = "0123456789";
    limn_splices splices = { 0 }, inverse;
    limn_buffer lines = { 0 }, new = { 0 }, back = { 0 };
    limn_undo_log log;
    limn_error err = { 0 };
    (void)state;
    limn_buffer_append_text(limn_splices_add(&splices, 0, 0), "front");
    limn_buffer_append_text(limn_splices_add(&splices, 3, 4), "x");
    limn_buffer_append_text(limn_splices_add(&splices, 9, 1), "");
    limn_splices_apply(&splices, (const uint8_t *)old, 10, append, &new);
    assert_string_equal(new.bytes, "front012x78");
    limn_undo_line(&lines, "two\nlines\t.jpg", 77, true, &splices, (const uint8_t *)old);
    limn_undo_line(&lines, "b", 78, false, &splices, (const uint8_t *)old);
    unlink(temp_path(LIMN_UNDO_LOG_NAME));
    assert_int_equal(limn_undo_log_append(temp_path("x"), strlen(temp_path("")), &lines, &err),
                     LIMN_OK);
    assert_int_equal(limn_undo_log_append(temp_path("x"), strlen(temp_path("")), &lines, &err),
                     LIMN_OK);
    assert_int_equal(limn_undo_log_read(&log, temp_path("x"), &err), LIMN_OK);
    assert_int_equal(log.n_records, 4);
    assert_string_equal(log.records[2].name, "two\nlines\t.jpg");
    assert_int_equal(log.records[2].hash, 77);
    assert_true(log.records[2].was_there);
    assert_false(log.records[3].was_there);
    assert_int_equal(limn_undo_record_splices(&inverse, &log.records[2], new.size, &err), LIMN_OK);
    limn_splices_apply(&inverse, (const uint8_t *)new.bytes, new.size, append, &back);
    assert_string_equal(back.bytes, old);
    limn_splices_finish(&splices);
    limn_splices_finish(&inverse);
    limn_buffer_finish(&lines);
    limn_buffer_finish(&new);
    limn_buffer_finish(&back);
    limn_undo_log_finish(&log);
}

static void test_lines_that_are_none(void **state)
{
    limn_undo_log log;
    (void)state;
    read_log(
        &log,
        "limn-undo 1\n\n\t\t\t\na\t12\told\t\nb\t00000000000000zz\told\t\nc\\x\t0000000000000001"
        "\told\t\nd\t0000000000000001\told\t0:0:61\nnever ended\t0000000000000001\told\t",
        LIMN_OK);
    assert_int_equal(log.n_records, 1);
    assert_string_equal(log.records[0].name, "d");
    limn_undo_log_finish(&log);
    read_log(&log, "another file\n", LIMN_E_FORMAT);
    read_log(&log, "", LIMN_E_FORMAT);
    unlink(temp_path(LIMN_UNDO_LOG_NAME));
    assert_int_equal(limn_undo_log_read(&log, temp_path("a.jpg"), NULL), LIMN_OK);
    assert_int_equal(log.n_records, 0);
}

/* A line that a kill cut off stays alone; what is added begins a line of its own. */
static void test_appending_to_a_cut_line(void **state)
{
    limn_buffer lines = { 0 };
    limn_undo_log log;
    (void)state;
    read_log(&log, "limn-undo 1\na\t0000000000000001\told\t0:0:61\ncut\t0000", LIMN_OK);
    limn_undo_log_finish(&log);
    limn_buffer_append_text(&lines, "b\t0000000000000002\tnew\t\n");
    assert_int_equal(limn_undo_log_append(temp_path("x"), strlen(temp_path("")), &lines, NULL),
                     LIMN_OK);
    assert_int_equal(limn_undo_log_read(&log, temp_path("x"), NULL), LIMN_OK);
    assert_int_equal(log.n_records, 2);
    assert_string_equal(log.records[1].name, "b");
    assert_int_equal(log.records[1].hash, 2);
    limn_undo_log_finish(&log);
    limn_buffer_finish(&lines);
}

/* Edits that lie outside the file, overlap, or are not numbers. */
static void test_edits_that_are_wrong(void **state)
{
    static const char *const wrong[] = { "11:0:61", "5:6:61",        "-1:0:61",
                                         "a",       "1:1",           "1:1:6",
                                         "1:1:zz",  "4:4:61 6:1:61", "18446744073709551615:2:61" };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const limn_undo_record record = { .edits = wrong[i] };
        limn_splices splices;
        limn_error err = { 0 };
        assert_int_equal(limn_undo_record_splices(&splices, &record, 10, &err), LIMN_E_FORMAT);
        assert_int_equal(splices.n_items, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splices_are_taken_back),
        cmocka_unit_test(test_lines_that_are_none),
        cmocka_unit_test(test_appending_to_a_cut_line),
        cmocka_unit_test(test_edits_that_are_wrong),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
