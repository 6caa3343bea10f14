#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/npy.h"
#include "tests/unit/temp_folder.h"

static void test_rows_are_counted_at_the_end(void **state)
{
    static const size_t shape[] = { 2, 3 };
    static const uint8_t rows[2][6] = { { 1, 2, 3, 4, 5, 6 }, { 7, 8, 9, 10, 11, 12 } };
    limn_npy_writer *w = NULL;
    unsigned char *bytes;
    size_t size;
    (void)state;
    assert_int_equal(limn_npy_writer_open(&w, temp_path("a.npy"), LIMN_NPY_U8, 2, shape, NULL),
                     LIMN_OK);
    assert_int_equal(limn_npy_writer_add(w, rows[0], NULL), LIMN_OK);
    assert_int_equal(limn_npy_writer_add(w, rows[1], NULL), LIMN_OK);
    assert_int_equal(limn_npy_writer_commit(&w, NULL), LIMN_OK);
    assert_null(w);
    assert_int_equal(limn_file_read(&bytes, &size, temp_path("a.npy"), 1000, NULL), LIMN_OK);
    assert_int_equal(size, 256 + 12);
    assert_memory_equal(bytes,
                        "\x93NUMPY\1\0\xf6\0{'descr': '|u1', 'fortran_order': False, "
                        "'shape': (2, 2, 3), } ",
                        70);
    assert_int_equal(bytes[255], '\n');
    assert_memory_equal(bytes + 256, rows, sizeof rows);
    limn_free(bytes);
}

static void test_other_element_types_and_one_dimension(void **state)
{
    static const size_t shape[] = { 3 };
    static const float row[] = { 0.5f, 1, -2 };
    limn_npy_writer *w = NULL;
    unsigned char *bytes;
    size_t size;
    (void)state;
    assert_int_equal(limn_npy_writer_open(&w, temp_path("b.npy"), LIMN_NPY_F32, 1, shape, NULL),
                     LIMN_OK);
    assert_int_equal(limn_npy_writer_add(w, row, NULL), LIMN_OK);
    assert_int_equal(limn_npy_writer_commit(&w, NULL), LIMN_OK);
    assert_int_equal(limn_file_read(&bytes, &size, temp_path("b.npy"), 1000, NULL), LIMN_OK);
    assert_int_equal(size, 256 + sizeof row);
    assert_non_null(strstr((char *)bytes + 10, "{'descr': '<f4', 'fortran_order': False, "
                                               "'shape': (1, 3), }"));
    limn_free(bytes);
    assert_int_equal(limn_npy_dtype_size(LIMN_NPY_F16), 2);
}

static void test_discarded_arrays_leave_nothing(void **state)
{
    static const size_t shape[] = { 3 }, huge[] = { SIZE_MAX / 2, 3 };
    limn_npy_writer *w = NULL;
    const size_t n_before = temp_n_files();
    (void)state;
    assert_int_equal(limn_npy_writer_open(&w, temp_path("c.npy"), LIMN_NPY_F16, 1, shape, NULL),
                     LIMN_OK);
    limn_npy_writer_discard(&w);
    assert_null(w);
    assert_int_equal(limn_npy_writer_open(&w, temp_path("c.npy"), LIMN_NPY_F16, 2, huge, NULL),
                     LIMN_E_LIMIT);
    assert_null(w);
    assert_int_equal(temp_n_files(), n_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_counted_at_the_end),
        cmocka_unit_test(test_other_element_types_and_one_dimension),
        cmocka_unit_test(test_discarded_arrays_leave_nothing),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
