#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/io/npy_array.h"
#include "tests/unit/temp_folder.h"

static void test_what_is_written_is_mapped(void **state)
{
    static const size_t row_shape[] = { 2, 3 };
    static const uint16_t rows[2][6] = { { 1, 2, 3, 4, 5, 6 }, { 7, 8, 9, 10, 11, 12 } };
    const char *path = temp_path("a.npy");
    limn_npy_writer *w;
    limn_npy_array m;
    (void)state;
    assert_int_equal(limn_npy_writer_open(&w, path, LIMN_NPY_F16, 2, row_shape, NULL), LIMN_OK);
    assert_int_equal(limn_npy_writer_add(w, rows[0], NULL), LIMN_OK);
    assert_int_equal(limn_npy_writer_add(w, rows[1], NULL), LIMN_OK);
    assert_int_equal(limn_npy_writer_commit(&w, NULL), LIMN_OK);
    assert_int_equal(limn_npy_array_open(&m, path, NULL), LIMN_OK);
    assert_int_equal(m.dtype, LIMN_NPY_F16);
    assert_int_equal(m.n_dims, 3);
    assert_int_equal(m.shape[0], 2);
    assert_int_equal(m.shape[1], 2);
    assert_int_equal(m.shape[2], 3);
    assert_int_equal(m.size, sizeof rows);
    assert_memory_equal(m.data, rows, sizeof rows);
    assert_int_equal((uintptr_t)m.data % 64, 0);
    limn_npy_array_close(&m);
    limn_npy_array_close(&m);
}

/* Opens a file of version 1 with this dictionary and n bytes of data. */
static limn_status open_text(limn_npy_array *m, const char *dictionary, size_t n, limn_error *err)
{
    static unsigned char bytes[512];
    const size_t length = strlen(dictionary);
    memcpy(bytes, "\x93NUMPY\1\0", 8);
    bytes[8] = (unsigned char)length;
    bytes[9] = 0;
    memcpy(bytes + 10, dictionary, length);
    return limn_npy_array_open_memory(m, bytes, 10 + length + n, err);
}

static void test_numpy_s_variants_are_read(void **state)
{
    static const char version2[] = "\x93NUMPY\2\0\x3f\0\0\0{'descr': '<f4', 'fortran_order': False,"
                                   " 'shape': (1,), }     \n@@@@";
    limn_npy_array m;
    (void)state;
    assert_int_equal(
        open_text(&m, "{'descr': '<f4', 'fortran_order': False, 'shape': ()}\n", 4, NULL), LIMN_OK);
    assert_int_equal(m.n_dims, 0);
    assert_int_equal(open_text(&m, "{'shape':(2,0),'fortran_order':False,'descr':'|u1',}", 0, NULL),
                     LIMN_OK);
    assert_int_equal(m.n_dims, 2);
    assert_int_equal(m.size, 0);
    assert_int_equal(limn_npy_array_open_memory(&m, version2, sizeof version2 - 1, NULL), LIMN_OK);
    assert_memory_equal(m.data, "@@@@", 4);
}

#define START "{'descr': '|u1', 'fortran_order': False, "

static void test_every_kind_of_damage_is_named(void **state)
{
    static const struct {
        const char *dictionary;
        size_t n;
        limn_status status;
        const char *says;
    } cases[] = {
        { "  ", 0, LIMN_E_FORMAT, "expected { before" },
        { START "}", 0, LIMN_E_FORMAT, "expected descr, fortran_order and shape" },
        { START "'shape': (1,), 'shape': (1,), }", 1, LIMN_E_FORMAT, "each once" },
        { START "'size': (1,), }", 1, LIMN_E_FORMAT, "each once" },
        { START "'shape': (1,), } x", 1, LIMN_E_FORMAT, "expected the end" },
        { START "'shape': (1", 1, LIMN_E_FORMAT, "expected )" },
        { START "'shape': (1,)", 1, LIMN_E_FORMAT, "expected }" },
        { START "'shape': [1], }", 1, LIMN_E_FORMAT, "expected (" },
        { START "'shape': (-1,), }", 1, LIMN_E_FORMAT, "expected a dimension" },
        { START "'shape': (,), }", 1, LIMN_E_FORMAT, "expected a dimension" },
        { START "'shape' (1,), }", 1, LIMN_E_FORMAT, "expected :" },
        { START "'shape': (99999999999999999999,), }", 1, LIMN_E_LIMIT, "is too large" },
        { START "'shape': (4294967296,4294967296,), }", 0, LIMN_E_FORMAT, "more bytes than" },
        { START "'shape': (1,1,1,1,1,1,1,1,1), }", 1, LIMN_E_LIMIT, "more than 8 dimensions" },
        { START "'shape': (3,), }", 2, LIMN_E_TRUNCATED, "makes 3 bytes, 2 follow" },
        { START "'shape': (3,), }", 4, LIMN_E_FORMAT, "makes 3 bytes, 4 follow" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", 8, LIMN_E_UNSUPPORTED,
          "descr '<f8'" },
        { "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4, LIMN_E_UNSUPPORTED,
          "descr '>f4'" },
        { "{'descr': '|u1', 'fortran_order': True, 'shape': (1,), }", 1, LIMN_E_UNSUPPORTED,
          "fortran_order must be False" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_npy_array m;
        limn_error err = { 0 };
        const limn_status s = open_text(&m, cases[i].dictionary, cases[i].n, &err);
        if (s != cases[i].status || !strstr(err.text, cases[i].says))
            fail_msg("case %zu: status %d, \"%s\" lacks \"%s\"", i, s, err.text, cases[i].says);
    }
}

static void test_what_is_no_array_is_refused(void **state)
{
    limn_npy_array m;
    limn_error err = { 0 };
    const char *path = temp_path("text.npy");
    (void)state;
    assert_int_equal(limn_npy_array_open_memory(&m, "\x93NUMPY\1\0\xff\xff{}", 12, NULL),
                     LIMN_E_TRUNCATED);
    assert_int_equal(limn_npy_array_open_memory(&m, "\x93NUMPY\4\0\0\0\0\0", 12, NULL),
                     LIMN_E_UNSUPPORTED);
    assert_int_equal(limn_npy_array_open_memory(&m, "\x93NUMPY\1\0", 8, NULL), LIMN_E_FORMAT);
    assert_int_equal(limn_file_replace(path, "some text here", 14, NULL), LIMN_OK);
    assert_int_equal(limn_npy_array_open(&m, path, &err), LIMN_E_FORMAT);
    assert_memory_equal(err.text, path, strlen(path));
    assert_null(m.file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_mapped),
        cmocka_unit_test(test_numpy_s_variants_are_read),
        cmocka_unit_test(test_every_kind_of_damage_is_named),
        cmocka_unit_test(test_what_is_no_array_is_refused),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
