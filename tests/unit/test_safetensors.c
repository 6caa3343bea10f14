#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/safetensors.h"
#include "tests/unit/temp_folder.h"

/* The bytes of a file: header length (the text's unless given), text, data of zeros. */
static unsigned char *build(size_t *size, const char *header, uint64_t header_size,
                            size_t data_size)
{
    const size_t length = strlen(header);
    if (header_size == 0) header_size = length;
    *size = 8 + length + data_size;
    unsigned char *bytes = limn_calloc(*size, 1);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(header_size >> 8 * i);
    memcpy(bytes + 8, header, length);
    return bytes;
}

#define T(offsets) "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets "}"

static void test_every_kind_of_damage_is_named(void **state)
{
    static const struct {
        const char *header;
        uint64_t header_size; /* 0: the text's */
        size_t data_size;
        limn_status status;
        const char *says;
    } cases[] = {
        { "{}", 100, 0, LIMN_E_TRUNCATED, "header of 100 bytes, but only 2 follow" },
        { "{}", UINT64_MAX, 0, LIMN_E_LIMIT, "exceeds the limit" },
        { "{}", 1u << 26, 0, LIMN_E_LIMIT, "header of 67108864 bytes exceeds the limit" },
        { "xx", 0, 0, LIMN_E_FORMAT, "is not a safetensors file" },
        { "[]", 0, 0, LIMN_E_FORMAT, "is not a safetensors file" },
        { "{", 0, 0, LIMN_E_FORMAT, "JSON, line 1" },
        { "{} x", 0, 0, LIMN_E_FORMAT, "JSON, line 1" },
        { "{\"a\":1}", 0, 0, LIMN_E_FORMAT, "a: expected an object, is 1" },
        { "{\"a\":{" T("[0,8]") ",\"a\":{" T("[0,8]") "}", 0, 8, LIMN_E_FORMAT, "duplicate" },
        { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\"}}", 0, 8, LIMN_E_FORMAT, "duplicate" },
        { "{\"a\\u0000b\":{" T("[0,8]") "}", 0, 8, LIMN_E_FORMAT, "NUL" },
        { "{\"a\xff\":{" T("[0,8]") "}", 0, 8, LIMN_E_FORMAT, "unable to decode" },
        { "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 0, 8, LIMN_E_FORMAT,
          "a.dtype: is missing" },
        { "{\"a\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}}", 0, 8, LIMN_E_FORMAT,
          "a.dtype: expected a string, is 32" },
        { "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]}}", 0, 2,
          LIMN_E_UNSUPPORTED, "a.dtype: \"F8_E4M3\" is not supported" },
        { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 0, 8, LIMN_E_FORMAT,
          "a.shape: is missing" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 0, 8, LIMN_E_FORMAT,
          "a.shape: expected an array, is 2" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 0, 8, LIMN_E_FORMAT,
          "a.shape[0]: expected an integer in 0 … 9223372036854775807, is -2" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 0, 8, LIMN_E_FORMAT,
          "a.shape[0]: expected an integer" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
          0, LIMN_E_FORMAT, "a.shape: more bytes than memory has addresses" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
          0, LIMN_E_FORMAT, "a.shape: more bytes than memory has addresses" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 0, 4,
          LIMN_E_LIMIT, "a.shape: has 9 dimensions, the limit is 8" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 0, 8, LIMN_E_FORMAT,
          "a.data_offsets: is missing" },
        { "{\"a\":{" T("[0]") "}", 0, 8, LIMN_E_FORMAT,
          "a.data_offsets: expected two offsets, has 1" },
        { "{\"a\":{" T("[0,8,8]") "}", 0, 8, LIMN_E_FORMAT, "expected two offsets, has 3" },
        { "{\"a\":{" T("[8,0]") "}", 0, 8, LIMN_E_FORMAT, "8 … 0 runs backwards" },
        { "{\"a\":{" T("[-8,0]") "}", 0, 8, LIMN_E_FORMAT,
          "a.data_offsets[0]: expected an integer" },
        { "{\"a\":{" T("[0,\"8\"]") "}", 0, 8, LIMN_E_FORMAT,
          "a.data_offsets[1]: expected an integer" },
        { "{\"a\":{" T("[0,8]") "}", 0, 7, LIMN_E_TRUNCATED,
          "a.data_offsets: ends at byte 8 of the data, the file has 7" },
        { "{\"a\":{" T("[0,9223372036854775807]") "}", 0, 8, LIMN_E_TRUNCATED,
          "a.data_offsets: ends at byte 9223372036854775807" },
        { "{\"a\":{" T("[0,4]") "}", 0, 8, LIMN_E_FORMAT,
          "0 … 4 is 4 bytes, dtype and shape make 8" },
        { "{\"a\":{" T("[0,8]") "}", 0, 9, LIMN_E_FORMAT, "1 bytes after the last tensor" },
        { "{}", 0, 1, LIMN_E_FORMAT, "1 bytes after the last tensor" },
        { "{\"a\":{" T("[4,12]") "}", 0, 12, LIMN_E_FORMAT,
          "a: begins at byte 4 of the data, the tensor before it ends at 0 (hole)" },
        { "{\"a\":{" T("[0,8]") ",\"b\":{" T("[12,20]") "}", 0, 20, LIMN_E_FORMAT,
          "b: begins at byte 12 of the data, the tensor before it ends at 8 (hole)" },
        { "{\"a\":{" T("[0,8]") ",\"b\":{" T("[4,12]") "}", 0, 12, LIMN_E_FORMAT,
          "b: begins at byte 4 of the data, the tensor before it ends at 8 (overlap)" },
        { "{\"a\":{" T("[0,8]") ",\"b\":{" T("[0,8]") "}", 0, 8, LIMN_E_FORMAT, "(overlap)" },
        { "{\"__metadata__\":[]}", 0, 0, LIMN_E_FORMAT, "__metadata__: expected an object" },
        { "{\"__metadata__\":{\"k\":1}}", 0, 0, LIMN_E_FORMAT,
          "__metadata__.k: expected a string, is 1" },
        { "{\"__metadata__\":{\"k\":\"\\u0000\"}}", 0, 0, LIMN_E_FORMAT, "NUL" },
        { "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, 0, LIMN_E_FORMAT, "duplicate" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_safetensors *f;
        limn_error err = { 0 };
        size_t size;
        unsigned char *bytes =
            build(&size, cases[i].header, cases[i].header_size, cases[i].data_size);
        const limn_status s = limn_safetensors_open_memory(&f, bytes, size, &err);
        if (s != cases[i].status || !strstr(err.text, cases[i].says))
            fail_msg("case %zu: status %d, \"%s\" lacks \"%s\"", i, s, err.text, cases[i].says);
        assert_null(f);
        limn_free(bytes);
    }
}

static void test_files_of_other_kinds_are_named(void **state)
{
    static const struct {
        const char *bytes, *says;
    } cases[] = {
        { "", "has 0 bytes" },
        { "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
          "Git LFS pointer" },
        { "PK\3\4 and so on",
          "is a zip archive, maybe a PyTorch file: convert it with limn-convert" },
        { "\x80\x02\x8a\x0al\xfc\x9c F", "is a PyTorch file: convert it with limn-convert" },
        { "GGUF and some more text", "is not a safetensors file" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = temp_path("other");
        limn_safetensors *f;
        limn_error err = { 0 };
        assert_int_equal(limn_file_replace(path, cases[i].bytes, strlen(cases[i].bytes), NULL), 0);
        assert_int_not_equal(limn_safetensors_open(&f, path, &err), LIMN_OK);
        if (!strstr(err.text, cases[i].says) || strncmp(err.text, path, strlen(path)) != 0)
            fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err.text, cases[i].says);
        limn_error again = { 0 };
        assert_int_not_equal(limn_safetensors_open_header(&f, path, &again), LIMN_OK);
        assert_string_equal(again.text, err.text);
    }
}

#define EMPTY_U8 "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}"

static void test_too_many_tensors_are_refused(void **state)
{
    enum { N = LIMN_SAFETENSORS_MAX_TENSORS + 1, ENTRY = 64 };
    char *header = limn_calloc(N, ENTRY);
    size_t used = 1, size;
    limn_safetensors *f;
    (void)state;
    assert_non_null(header);
    header[0] = '{';
    for (size_t i = 0; i < N; i++)
        used += (size_t)snprintf(header + used, ENTRY, "%s\"%zx\":" EMPTY_U8, i ? "," : "", i);
    header[used] = '}';
    unsigned char *bytes = build(&size, header, 0, 0);
    assert_int_equal(limn_safetensors_open_memory(&f, bytes, size, NULL), LIMN_E_LIMIT);
    limn_free(bytes);
    limn_free(header);
}

static void test_unordered_entries_empty_tensors_and_padding_are_fine(void **state)
{
    static const char header[] =
        "{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]},"
        "\"none\":{\"dtype\":\"F64\",\"shape\":[0,7],\"data_offsets\":[8,8]},"
        "\"__metadata__\":{\"key\":\"value \\u00e9\"},"
        "\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}    ";
    limn_safetensors *f;
    size_t size;
    (void)state;
    unsigned char *bytes = build(&size, header, 0, 11);
    assert_int_equal(limn_safetensors_open_memory(&f, bytes, size, NULL), LIMN_OK);
    assert_int_equal(limn_safetensors_n_tensors(f), 3);
    assert_string_equal(limn_safetensors_at(f, 0)->name, "a");
    assert_string_equal(limn_safetensors_at(f, 1)->name, "none");
    assert_string_equal(limn_safetensors_at(f, 2)->name, "b");
    assert_null(limn_safetensors_at(f, 3));
    assert_int_equal(limn_safetensors_find(f, "a")->n_dims, 0);
    assert_ptr_equal(limn_safetensors_find(f, "b")->data, bytes + size - 3);
    assert_null(limn_safetensors_find(f, "c"));
    assert_string_equal(limn_safetensors_metadata(f, "key"), "value é");
    assert_null(limn_safetensors_metadata(f, "other"));
    limn_safetensors_close(&f);
    assert_null(f);
    limn_safetensors_close(&f);
    limn_free(bytes);
}

static const float values[6] = { 1, -2, 0.5f, 65504, 1e-7f, 0 };
static const uint16_t halves[3] = { 0x3c00, 0xc000, 0x0001 };
static const uint8_t byte = 9;
static const limn_tensor written[] = {
    { "c.byte", LIMN_TENSOR_U8, 0, { 0 }, &byte, 1 },
    { "a.half", LIMN_TENSOR_F16, 1, { 3 }, halves, 6 },
    { "b.float", LIMN_TENSOR_F32, 2, { 2, 3 }, values, 24 },
    { "a.float", LIMN_TENSOR_F32, 1, { 6 }, values, 24 },
};
enum { N_WRITTEN = sizeof written / sizeof *written };

static void test_what_is_written_is_read_back(void **state)
{
    static const char *const order[] = { "a.float", "b.float", "a.half", "c.byte" };
    const limn_metadata_item metadata[] = { { "format", "pt" }, { "text", "line\n\"é\"" } };
    const char *path = temp_path("w.safetensors");
    limn_safetensors *f;
    limn_metadata_item items[2] = { { NULL, NULL } };
    limn_file_bytes file;
    float out[3];
    (void)state;
    assert_int_equal(limn_safetensors_write(path, written, N_WRITTEN, metadata, 2, NULL), LIMN_OK);
    assert_int_equal(limn_safetensors_open(&f, path, NULL), LIMN_OK);
    for (size_t i = 0; i < N_WRITTEN; i++) {
        const limn_tensor *t = limn_safetensors_find(f, written[i].name);
        assert_string_equal(limn_safetensors_at(f, i)->name, order[i]);
        assert_int_equal(t->dtype, written[i].dtype);
        assert_int_equal(t->n_dims, written[i].n_dims);
        assert_memory_equal(t->shape, written[i].shape, sizeof t->shape);
        assert_int_equal(t->size, written[i].size);
        assert_memory_equal(t->data, written[i].data, t->size);
    }
    assert_string_equal(limn_safetensors_metadata(f, "text"), "line\n\"é\"");
    assert_int_equal(limn_safetensors_list_metadata(items, 1, f), 2);
    assert_string_equal(items[0].key, "format");
    assert_string_equal(items[0].value, "pt");
    assert_null(items[1].key);
    limn_tensor_to_f32(out, limn_safetensors_find(f, "a.half"));
    assert_true(out[0] == 1 && out[1] == -2 && out[2] == 0x1p-24f);
    assert_int_equal((uintptr_t)limn_safetensors_at(f, 0)->data % 64, 0);
    assert_int_equal(limn_file_bytes_read(&file, path, SIZE_MAX, NULL), LIMN_OK);
    assert_true(limn_safetensors_checksum(f) ==
                limn_fnv1a64(LIMN_FNV1A64_INIT, file.bytes, file.size));
    limn_file_bytes_free(&file);
    limn_safetensors_close(&f);
}

static void test_a_header_takes_no_data(void **state)
{
    const limn_metadata_item metadata[] = { { "format", "pt" } };
    const char *path = temp_path("h.safetensors");
    limn_safetensors *f;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_safetensors_write(path, written, N_WRITTEN, metadata, 1, NULL), LIMN_OK);
    assert_int_equal(limn_safetensors_open_header(&f, path, NULL), LIMN_OK);
    assert_true(limn_safetensors_is_header(f));
    assert_int_equal(limn_safetensors_n_tensors(f), N_WRITTEN);
    assert_string_equal(limn_safetensors_metadata(f, "format"), "pt");
    for (size_t i = 0; i < N_WRITTEN; i++) {
        const limn_tensor *t = limn_safetensors_find(f, written[i].name);
        assert_int_equal(t->dtype, written[i].dtype);
        assert_int_equal(limn_safetensors_fetch(f, t, NULL), LIMN_OK);
        assert_memory_equal(t->data, written[i].data, written[i].size);
        limn_safetensors_release(f, t);
    }
    assert_int_equal(truncate(path, 16), 0);
    assert_int_equal(limn_safetensors_fetch(f, limn_safetensors_at(f, 0), &err), LIMN_E_IO);
    assert_string_equal(err.text, "was written to while it was read");
    limn_safetensors_close(&f);
    err = (limn_error){ 0 };
    assert_int_equal(limn_safetensors_open_header(&f, path, &err), LIMN_E_TRUNCATED);
    assert_null(f);
    assert_true(strncmp(err.text, path, strlen(path)) == 0);
    assert_int_equal(limn_safetensors_open_header(&f, temp_path("none"), NULL), LIMN_E_IO);
    assert_null(f);
}

/* Makes the floats of a tensor, which the writer frees; fails at the tensor that `ctx` names. */
static limn_status make_floats(void **out, void *ctx, const limn_tensor *t, limn_error *err)
{
    if (ctx && strcmp(ctx, t->name) == 0) return limn_fail(err, LIMN_E_LIMIT, "no more");
    *out = limn_alloc(t->size, 1);
    memcpy(*out, values, t->size);
    return LIMN_OK;
}

static void test_data_may_be_made_when_they_are_written(void **state)
{
    char failing[] = "b.float";
    limn_tensor made[N_WRITTEN];
    limn_file_bytes whole, again;
    const char *path = temp_path("made.safetensors");
    (void)state;
    memcpy(made, written, sizeof made);
    made[2].data = made[3].data = NULL;
    assert_int_equal(limn_safetensors_write(path, made, N_WRITTEN, NULL, 0, NULL), LIMN_E_ARG);
    assert_int_equal(
        limn_safetensors_write_made(path, made, N_WRITTEN, NULL, 0, make_floats, failing, NULL),
        LIMN_E_LIMIT);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(
        limn_safetensors_write_made(path, made, N_WRITTEN, NULL, 0, make_floats, NULL, NULL),
        LIMN_OK);
    assert_int_equal(limn_file_bytes_read(&again, path, SIZE_MAX, NULL), LIMN_OK);
    assert_int_equal(limn_safetensors_write(path, written, N_WRITTEN, NULL, 0, NULL), LIMN_OK);
    assert_int_equal(limn_file_bytes_read(&whole, path, SIZE_MAX, NULL), LIMN_OK);
    assert_int_equal(whole.size, again.size);
    assert_memory_equal(whole.bytes, again.bytes, whole.size);
    limn_file_bytes_free(&whole);
    limn_file_bytes_free(&again);
}

static void test_bf16_is_the_upper_half_of_f32(void **state)
{
    const uint16_t bits[] = { 0x3f80, 0xc040, 0x0001 };
    const limn_tensor t = { "t", LIMN_TENSOR_BF16, 1, { 3 }, bits, sizeof bits };
    float out[3];
    (void)state;
    limn_tensor_to_f32(out, &t);
    assert_true(out[0] == 1 && out[1] == -3 && out[2] == 0x1p-133f);
}

static void test_writing_refuses_what_reading_would(void **state)
{
    const limn_tensor twice[] = { written[0], written[0] };
    const limn_metadata_item bad = { "key", "\xff" }, good = { "key", "value" };
    const limn_metadata_item both[] = { good, good };
    limn_tensor wrong = written[2];
    const char *path = temp_path("refused");
    limn_error err = { 0 };
    char expected[600];
    (void)state;
    snprintf(expected, sizeof expected, "%s: two tensors or metadata items are named c.byte", path);
    assert_int_equal(limn_safetensors_write(path, twice, 2, NULL, 0, &err), LIMN_E_ARG);
    assert_string_equal(err.text, expected);
    assert_int_equal(limn_safetensors_write(path, written, 1, both, 2, NULL), LIMN_E_ARG);
    assert_int_equal(limn_safetensors_write(path, written, 1, &bad, 1, NULL), LIMN_E_ARG);
    wrong.size--;
    assert_int_equal(limn_safetensors_write(path, &wrong, 1, NULL, 0, NULL), LIMN_E_ARG);
    wrong = written[2];
    wrong.name = "bad \xff name";
    assert_int_equal(limn_safetensors_write(path, &wrong, 1, NULL, 0, NULL), LIMN_E_ARG);
    wrong.name = "__metadata__";
    assert_int_equal(limn_safetensors_write(path, &wrong, 1, NULL, 0, NULL), LIMN_E_ARG);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_require_checks_presence_type_and_shape(void **state)
{
    const char *path = temp_path("require");
    const size_t shape[] = { 2, 3 }, other[] = { 3, 2 };
    limn_safetensors *f;
    const limn_tensor *t;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_safetensors_write(path, written, N_WRITTEN, NULL, 0, NULL), LIMN_OK);
    assert_int_equal(limn_safetensors_open(&f, path, NULL), LIMN_OK);
    assert_int_equal(limn_safetensors_require(&t, f, "b.float", 2, shape, NULL), LIMN_OK);
    assert_string_equal(t->name, "b.float");
    assert_int_equal(limn_safetensors_require(&t, f, "a.half", 1, &other[0], NULL), LIMN_OK);
    assert_int_equal(limn_safetensors_require(&t, f, "b.float", 2, other, &err), LIMN_E_FORMAT);
    assert_string_equal(err.text, "tensor b.float is F32 [2, 3], expected F32 [3, 2] or F16");
    err = (limn_error){ 0 };
    assert_int_equal(limn_safetensors_require(&t, f, "c.byte", 0, NULL, &err), LIMN_E_FORMAT);
    assert_string_equal(err.text, "tensor c.byte is U8 [], expected F32 [] or F16");
    err = (limn_error){ 0 };
    assert_int_equal(limn_safetensors_require(&t, f, "none", 2, shape, &err), LIMN_E_FORMAT);
    assert_string_equal(err.text, "tensor none is missing, expected F32 [2, 3] or F16");
    limn_safetensors_close(&f);
}

static void test_tensors_in_memory_are_a_file(void **state)
{
    const limn_tensor twice[] = { written[0], written[0] };
    limn_tensor wrong = written[1];
    limn_safetensors *f;
    (void)state;
    assert_int_equal(limn_safetensors_from_tensors(&f, written, N_WRITTEN, NULL), LIMN_OK);
    assert_int_equal(limn_safetensors_n_tensors(f), N_WRITTEN);
    for (size_t i = 0; i < N_WRITTEN; i++) {
        const limn_tensor *t = limn_safetensors_find(f, written[i].name);
        assert_ptr_equal(t->data, written[i].data);
        assert_int_equal(t->size, written[i].size);
        assert_ptr_equal(limn_safetensors_at(f, i)->name, written[i].name);
    }
    assert_null(limn_safetensors_find(f, "none"));
    assert_null(limn_safetensors_metadata(f, "format"));
    assert_int_equal(limn_safetensors_list_metadata(NULL, 0, f), 0);
    limn_safetensors_close(&f);
    assert_int_equal(limn_safetensors_from_tensors(&f, twice, 2, NULL), LIMN_E_ARG);
    assert_null(f);
    wrong.size++;
    assert_int_equal(limn_safetensors_from_tensors(&f, &wrong, 1, NULL), LIMN_E_ARG);
    wrong = written[1];
    wrong.n_dims = LIMN_TENSOR_MAX_DIMS + 1;
    assert_int_equal(limn_safetensors_from_tensors(&f, &wrong, 1, NULL), LIMN_E_ARG);
    assert_int_equal(limn_safetensors_from_tensors(&f, NULL, 0, NULL), LIMN_OK);
    limn_safetensors_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_damage_is_named),
        cmocka_unit_test(test_files_of_other_kinds_are_named),
        cmocka_unit_test(test_too_many_tensors_are_refused),
        cmocka_unit_test(test_unordered_entries_empty_tensors_and_padding_are_fine),
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_a_header_takes_no_data),
        cmocka_unit_test(test_data_may_be_made_when_they_are_written),
        cmocka_unit_test(test_bf16_is_the_upper_half_of_f32),
        cmocka_unit_test(test_writing_refuses_what_reading_would),
        cmocka_unit_test(test_tensors_in_memory_are_a_file),
        cmocka_unit_test(test_require_checks_presence_type_and_shape),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
