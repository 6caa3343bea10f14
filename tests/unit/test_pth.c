#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/pickle.h"
#include "common/io/pth.h"

/* A file of tests/data/pth (made by tests/fixtures/make_pth.py). */
static const char *fixture(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/tests/data/pth/%s", getenv("LIMN_SOURCE_ROOT"), name);
    return path;
}

static const limn_tensor *find(const limn_pth *f, const char *name)
{
    for (size_t i = 0; i < limn_pth_n_tensors(f); i++)
        if (strcmp(limn_pth_at(f, i)->name, name) == 0) return limn_pth_at(f, i);
    fail_msg("no tensor %s", name);
    return NULL;
}

static void assert_tensor(const limn_pth *f, const char *name, const char *shape,
                          const float *expected, size_t n)
{
    const limn_tensor *t = find(f, name);
    char text[64];
    limn_tensor_describe(text, sizeof text, t->dtype, t->n_dims, t->shape);
    assert_string_equal(text, shape);
    float *got = limn_alloc(n, sizeof *got);
    limn_tensor_to_f32(got, t);
    assert_memory_equal(got, expected, n * sizeof *got);
    limn_free(got);
}

static void test_both_containers_give_the_same_tensors(void **state)
{
    static const char *const files[] = { "zip.pth", "legacy.pth" };
    static const float ramp[] = { -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    static const float permuted[] = { -2, 0, 2, -1, 1, 3 }, slice[] = { 2, 3, 5, 6 };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        limn_pth *f;
        limn_error err = { 0 };
        if (limn_pth_open(&f, fixture(files[i]), &err) != LIMN_OK) fail_msg("%s", err.text);
        assert_int_equal(limn_pth_n_tensors(f), 8);
        assert_string_equal(limn_pth_at(f, 0)->name, "dense");
        assert_null(limn_pth_at(f, 8));
        assert_tensor(f, "dense", "F32 [2, 3]", ramp, 6);
        assert_tensor(f, "permuted", "F32 [2, 3]", permuted, 6);
        assert_tensor(f, "slice", "F32 [2, 2]", slice, 4);
        assert_tensor(f, "tied", "F32 [4, 3]", ramp, 12);
        assert_tensor(f, "half", "F16 [4]", ramp, 4);
        assert_tensor(f, "parameter", "F32 [2]", ramp, 2);
        assert_tensor(f, "empty", "F32 [0, 5]", ramp, 0);
        assert_int_equal(find(f, "scalar")->dtype, LIMN_TENSOR_I64);
        assert_int_equal(*(const unsigned char *)find(f, "scalar")->data, 7);
        limn_pth_close(&f);
        assert_null(f);
        limn_pth_close(&f);
    }
}

static void test_dictionaries_are_flattened(void **state)
{
    static const float ramp[] = { -2, -1 };
    limn_pth *f;
    (void)state;
    assert_int_equal(limn_pth_open(&f, fixture("nested.pth"), NULL), LIMN_OK);
    assert_int_equal(limn_pth_n_tensors(f), 1);
    assert_tensor(f, "state_dict.w", "F32 [2]", ramp, 2);
    limn_pth_close(&f);
}

static void test_what_is_no_state_dict_is_refused(void **state)
{
    static const struct {
        const char *file;
        limn_status status;
        const char *says;
    } cases[] = {
        { "module.pth", LIMN_E_UNSUPPORTED,
          "the pickle refers to torch.nn.modules.linear.Linear, which no state dict needs" },
        { "tensor.pth", LIMN_E_UNSUPPORTED, "holds no dictionary of tensors" },
        { "expanded.pth", LIMN_E_UNSUPPORTED, "w: 5 elements expanded from 1" },
        { "../../../meson.build", LIMN_E_FORMAT, "is not a PyTorch file" },
        { "none.pth", LIMN_E_IO, "can't open" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_pth *f;
        limn_error err = { 0 };
        const char *path = fixture(cases[i].file);
        const limn_status s = limn_pth_open(&f, path, &err);
        if (s != cases[i].status || !strstr(err.text, cases[i].says) ||
            strncmp(err.text, path, strlen(path)) != 0)
            fail_msg("case %zu: status %d, \"%s\" lacks \"%s\"", i, s, err.text, cases[i].says);
    }
}

/* Any cut and any single changed byte gives an error or tensors within bounds, never a crash. */
static void test_damaged_files_do_no_harm(void **state)
{
    static const char *const files[] = { "zip.pth", "legacy.pth" };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        unsigned char *bytes, *copy;
        size_t size;
        limn_pth *f;
        assert_int_equal(limn_file_read(&bytes, &size, fixture(files[i]), 1 << 20, NULL), LIMN_OK);
        copy = limn_alloc(size, 1);
        for (size_t cut = 0; cut < size; cut++) {
            memcpy(copy, bytes, cut); /* its own block, so that valgrind sees reads past its end */
            assert_int_not_equal(limn_pth_open_memory(&f, copy, cut, NULL), LIMN_OK);
        }
        for (size_t at = 0; at < size; at++) {
            memcpy(copy, bytes, size);
            copy[at] ^= (unsigned char)(1 + at * 37 % 255);
            if (limn_pth_open_memory(&f, copy, size, NULL) == LIMN_OK) limn_pth_close(&f);
        }
        limn_free(copy);
        limn_free(bytes);
    }
}

/* Pickles written out by hand. */
static void test_pickles_that_are_no_state_dict_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        limn_status status;
        const char *says;
    } cases[] = {
#define PICKLE(text) text, sizeof text - 1
        { PICKLE(""), LIMN_E_TRUNCATED, "ends at byte 0" },
        { PICKLE("."), LIMN_E_FORMAT, "the stack is empty" },
        { PICKLE("\x80\x04."), LIMN_E_UNSUPPORTED, "pickle protocol 4, PyTorch writes 2" },
        { PICKLE("\x80\x02"
                 "cos\nsystem\n."),
          LIMN_E_UNSUPPORTED, "refers to os.system" },
        { PICKLE("cbuiltins\neval\n."), LIMN_E_UNSUPPORTED, "refers to builtins.eval" },
        { PICKLE("ctorch\nFloat"), LIMN_E_TRUNCATED, "ends in a name" },
        { PICKLE("ctorch\nFloatStorage\n)R."), LIMN_E_FORMAT, "a storage type with wrong" },
        { PICKLE("i"), LIMN_E_UNSUPPORTED, "opcode 0x69 at byte 0" },
        { PICKLE("K"), LIMN_E_TRUNCATED, "ends at byte 1" },
        { PICKLE("X\xff\xff\xff\xff@"), LIMN_E_TRUNCATED, "4294967295 more are wanted" },
        { PICKLE("\x8a\x09"), LIMN_E_UNSUPPORTED, "an integer of 9 bytes" },
        { PICKLE("h\x05."), LIMN_E_FORMAT, "memo 5 is not set" },
        { PICKLE("Nr\xff\xff\xff\xff."), LIMN_E_FORMAT, "memo 4294967295" },
        { PICKLE("q\x00"), LIMN_E_FORMAT, "the stack is empty" },
        { PICKLE("t."), LIMN_E_FORMAT, "no mark" },
        { PICKLE("(NNu"), LIMN_E_FORMAT, "the stack is empty" },
        { PICKLE("N(NNu"), LIMN_E_FORMAT, "items without their dictionary" },
        { PICKLE("}(Nu"), LIMN_E_FORMAT, "items without their dictionary" },
        { PICKLE("}Na"), LIMN_E_FORMAT, "items without their list" },
        { PICKLE("N(a"), LIMN_E_FORMAT, "the stack is empty" }, /* a mark can't be popped over */
        { PICKLE("NNR"), LIMN_E_FORMAT, "a call with wrong arguments" },
        { PICKLE("NQ"), LIMN_E_FORMAT, "a storage with wrong arguments" },
        { PICKLE("ccollections\nOrderedDict\n(NtR"), LIMN_E_FORMAT, "OrderedDict with wrong" },
        { PICKLE("ctorch\nSize\n)R"), LIMN_E_FORMAT, "a size with wrong" },
        { PICKLE("ctorch._utils\n_rebuild_tensor_v2\n)R"), LIMN_E_FORMAT, "a tensor with wrong" },
        { PICKLE("ctorch._utils\n_rebuild_parameter\n)R"), LIMN_E_FORMAT,
          "a parameter with wrong" },
        { PICKLE("b"), LIMN_E_FORMAT, "the stack is empty" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_pickle *p;
        const limn_pickle_value *value;
        size_t n_read;
        limn_error err = { 0 };
        const limn_status s =
            limn_pickle_read(&p, &value, &n_read, cases[i].bytes, cases[i].size, &err);
        if (s != cases[i].status || !strstr(err.text, cases[i].says))
            fail_msg("case %zu: status %d, \"%s\" lacks \"%s\"", i, s, err.text, cases[i].says);
        assert_null(p);
    }
}

static void test_pickled_numbers_have_their_values(void **state)
{
    static const char bytes[] = "(K\xffM\x01\x02J\xfe\xff\xff\xff\x8a\x00\x8a\x02\x00\x80"
                                "G\x3f\xe0\x00\x00\x00\x00\x00\x00\x88t.more";
    static const int64_t expected[] = { 255, 513, -2, 0, -32768 };
    limn_pickle *p;
    const limn_pickle_value *value;
    size_t n_read;
    (void)state;
    assert_int_equal(limn_pickle_read(&p, &value, &n_read, bytes, sizeof bytes - 1, NULL), LIMN_OK);
    assert_int_equal(n_read, sizeof bytes - 1 - 4);
    assert_int_equal(value->kind, LIMN_PICKLE_TUPLE);
    assert_int_equal(value->as.list.n_items, 7);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(value->as.list.items[i]->as.integer, expected[i]);
    assert_true(value->as.list.items[5]->as.real == 0.5);
    assert_int_equal(value->as.list.items[6]->kind, LIMN_PICKLE_BOOL);
    limn_pickle_free(&p);
}

static void test_a_large_pickle_is_refused(void **state)
{
    const size_t size = LIMN_PICKLE_MAX_SIZE + 2;
    char *bytes = limn_alloc(size, 1);
    limn_pickle *p;
    const limn_pickle_value *value;
    size_t n_read;
    (void)state;
    memset(bytes, '(', size);
    bytes[size - 1] = '.';
    assert_int_equal(limn_pickle_read(&p, &value, &n_read, bytes, size, NULL), LIMN_E_LIMIT);
    limn_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_containers_give_the_same_tensors),
        cmocka_unit_test(test_dictionaries_are_flattened),
        cmocka_unit_test(test_what_is_no_state_dict_is_refused),
        cmocka_unit_test(test_damaged_files_do_no_harm),
        cmocka_unit_test(test_pickles_that_are_no_state_dict_are_refused),
        cmocka_unit_test(test_pickled_numbers_have_their_values),
        cmocka_unit_test(test_a_large_pickle_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
