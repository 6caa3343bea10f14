/* Tables of tensors: a small network with a row of every kind, which is loaded, measured, freed,
 * and added as parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/kernels/codes.h"
#include "common/kernels/pack.h"
#include "common/weights/table_params.h"
#include "common/weights/weights.h"
#include "tests/unit/temp_folder.h"

typedef struct network {
    limn_packed qkv, stem;
    limn_filter depthwise;
    limn_norm_weights norm;
    float *positions;
} network;

enum { N_FILE = 10 };
static float values[64];
static const limn_tensor file_tensors[N_FILE] = {
    { .name = "q.weight", .n_dims = 2, .shape = { 2, 3 }, .data = values, .size = 24 },
    { .name = "q.bias", .n_dims = 1, .shape = { 2 }, .data = values + 6, .size = 8 },
    { .name = "k.weight", .n_dims = 2, .shape = { 1, 3 }, .data = values + 8, .size = 12 },
    { .name = "k.bias", .n_dims = 1, .shape = { 1 }, .data = values + 11, .size = 4 },
    { .name = "stem.weight", .n_dims = 4, .shape = { 1, 2, 1, 3 }, .data = values, .size = 24 },
    { .name = "depthwise.weight", .n_dims = 3, .shape = { 2, 3, 3 }, .data = values, .size = 72 },
    { .name = "depthwise.bias", .n_dims = 1, .shape = { 2 }, .data = values + 20, .size = 8 },
    { .name = "norm.weight", .n_dims = 1, .shape = { 4 }, .data = values + 30, .size = 16 },
    { .name = "norm.bias", .n_dims = 1, .shape = { 4 }, .data = values + 34, .size = 16 },
    { .name = "positions", .n_dims = 2, .shape = { 2, 4 }, .data = values + 40, .size = 32 },
};

static void fill_table(limn_tensor_table *t)
{
    static const struct {
        const char *name;
        limn_tensor_row row;
    } rows[] = {
        { "q", { .has_bias = true, .shape = { 2, 3 }, .offset = offsetof(network, qkv) } },
        { "k", { .has_bias = true, .shape = { 1, 3 }, .offset = offsetof(network, qkv) } },
        { "stem",
          { .kind = LIMN_ROW_CONVOLUTION,
            .shape = { 1, 2, 1, 3 },
            .offset = offsetof(network, stem) } },
        { "depthwise",
          { .kind = LIMN_ROW_DEPTHWISE,
            .has_bias = true,
            .shape = { 2, 3, 3 },
            .offset = offsetof(network, depthwise),
            .stage = 1 } },
        { "norm",
          { .kind = LIMN_ROW_NORM,
            .shape = { 4 },
            .offset = offsetof(network, norm),
            .stage = 1 } },
        { "positions",
          { .kind = LIMN_ROW_VALUES,
            .shape = { 2, 4 },
            .offset = offsetof(network, positions),
            .stage = 2 } },
    };
    *t = (limn_tensor_table){ 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        limn_tensor_table_add(t, &rows[i].row, "%s", rows[i].name);
    assert_int_equal(limn_tensor_table_check(t, NULL), LIMN_OK);
}

static limn_safetensors *open_file(const limn_tensor *tensors, size_t n)
{
    limn_safetensors *file;
    for (size_t i = 0; i < 64; i++) values[i] = (float)i;
    assert_int_equal(limn_safetensors_from_tensors(&file, tensors, n, NULL), LIMN_OK);
    return file;
}

static void test_each_kind_is_loaded(void **state)
{
    (void)state;
    limn_tensor_table t;
    network net = { 0 };
    float w[6];
    fill_table(&t);
    limn_safetensors *file = open_file(file_tensors, N_FILE);
    assert_int_equal(limn_weights_load(&net, &t, file, NULL), LIMN_OK);
    assert_int_equal(net.qkv.n_outputs, 3); /* two rows make one product */
    limn_packed_output(w, &net.qkv, 2);
    assert_memory_equal(w, values + 8, 3 * sizeof *w);
    assert_true(net.qkv.bias[1] == 7 && net.qkv.bias[2] == 11);
    limn_packed_output(w, &net.stem, 0); /* channels last: 0 3, 1 4, 2 5 */
    assert_memory_equal(w, ((float[]){ 0, 3, 1, 4, 2, 5 }), sizeof w);
    assert_null(net.stem.bias);
    assert_true(limn_filter_taps(&net.depthwise, 0)[4 * LIMN_FILTER_GROUP + 1] == 13);
    assert_true(net.depthwise.bias[1] == 21);
    assert_true(net.norm.gamma[3] == 33 && net.norm.beta[0] == 34 && net.positions[7] == 47);
    assert_int_equal(limn_weights_bytes(&net, &t),
                     limn_packed_bytes(&net.qkv, true) + limn_packed_bytes(&net.stem, false) +
                         limn_filter_bytes(&net.depthwise) + (8 + 8) * sizeof(float));
    limn_weights_finish(&net, &t);
    assert_memory_equal(&net, &(network){ 0 }, sizeof net);
    limn_safetensors_close(&file);
    limn_tensor_table_finish(&t);
}

/* From a header alone: the same size as loaded, no memory, and the same refusals. */
static void test_a_header_is_measured(void **state)
{
    (void)state;
    const char *path = temp_path("measured");
    limn_tensor_table t;
    limn_safetensors *file = open_file(file_tensors, N_FILE);
    limn_error err = { 0 };
    network net = { 0 };
    fill_table(&t);
    assert_int_equal(limn_weights_load(&net, &t, file, NULL), LIMN_OK);
    const size_t n_bytes = limn_weights_bytes(&net, &t);
    limn_weights_finish(&net, &t);
    limn_safetensors_close(&file);
    assert_int_equal(limn_safetensors_write(path, file_tensors, N_FILE, NULL, 0, NULL), LIMN_OK);
    assert_int_equal(limn_safetensors_open_header(&file, path, NULL), LIMN_OK);
    assert_int_equal(limn_weights_load(&net, &t, file, NULL), LIMN_OK);
    assert_int_equal(limn_weights_bytes(&net, &t), n_bytes);
    assert_true(!net.qkv.panels && !net.depthwise.taps && !net.norm.gamma && !net.positions);
    limn_weights_finish(&net, &t);
    limn_safetensors_close(&file);
    assert_int_equal(limn_safetensors_write(path, file_tensors, N_FILE - 1, NULL, 0, NULL),
                     LIMN_OK);
    assert_int_equal(limn_safetensors_open_header(&file, path, NULL), LIMN_OK);
    assert_int_equal(limn_weights_load(&net, &t, file, &err), LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "positions"));
    limn_weights_finish(&net, &t);
    limn_safetensors_close(&file);
    limn_tensor_table_finish(&t);
}

static void test_what_is_missing_is_named(void **state)
{
    (void)state;
    limn_tensor_table t;
    fill_table(&t);
    for (size_t left_out = 0; left_out < N_FILE; left_out++) {
        limn_tensor some[N_FILE];
        limn_error err = { 0 };
        network net = { 0 };
        size_t n = 0;
        for (size_t i = 0; i < N_FILE; i++)
            if (i != left_out) some[n++] = file_tensors[i];
        limn_safetensors *file = open_file(some, n);
        assert_int_equal(limn_weights_load(&net, &t, file, &err), LIMN_E_FORMAT);
        assert_non_null(strstr(err.text, file_tensors[left_out].name));
        limn_weights_finish(&net, &t);
        limn_safetensors_close(&file);
    }
    limn_tensor_table_finish(&t);
}

static void test_rows_are_parameters(void **state)
{
    (void)state;
    limn_tensor_table t;
    limn_params params = { 0 };
    limn_row_at at;
    fill_table(&t);
    assert_int_equal(limn_table_params_add(&params, &t, 1, 0.5f, NULL), LIMN_OK);
    assert_int_equal(params.n_items, 5); /* stages 1 and 2 */
    assert_string_equal(params.items[0].name, "depthwise.weight");
    assert_true(params.items[0].decays && !params.items[1].decays && !params.items[4].decays);
    assert_true(params.items[4].rate == 0.5f);
    assert_int_equal(limn_row_find(&at, &params, &t.rows[4], NULL), LIMN_OK);
    assert_int_equal(at.bias, params.items[3].offset);
    limn_error err = { 0 };
    assert_int_equal(limn_row_find(&at, &params, &t.rows[0], &err), LIMN_E_ARG);
    assert_non_null(strstr(err.text, "q.weight"));
    assert_int_equal(limn_params_allocate(&params, NULL), LIMN_OK);
    limn_safetensors *file = open_file(file_tensors, N_FILE);
    assert_int_equal(limn_params_read(&params, "norm.", file, NULL), LIMN_OK);
    assert_true(params.values[params.items[2].offset] == 30);
    assert_true(params.values[params.items[0].offset + 1] == 0); /* with another prefix */
    limn_safetensors_close(&file);
    limn_params_finish(&params);
    limn_tensor_table_finish(&t);
}

static void test_a_name_too_long_is_no_row(void **state)
{
    (void)state;
    limn_tensor_table t = { 0 };
    const limn_tensor_row row = { .kind = LIMN_ROW_VALUES, .shape = { 1 } };
    limn_tensor_table_add(&t, &row, "%0*d", LIMN_TENSOR_NAME_SIZE, 1);
    assert_int_equal(limn_tensor_table_check(&t, NULL), LIMN_E_NOMEM);
    limn_tensor_table_finish(&t);
}

/* The network of one product of codes of n_inputs, from an int8 file that has it; what its loading
 * says. */
static limn_status load_codes(uint32_t n_inputs, limn_error *err)
{
    static struct {
        uint64_t header_size;
        char header[512];
        unsigned char data[4096];
    } file;
    limn_tensor_table t = { 0 };
    limn_safetensors *opened;
    network net = { 0 };
    const limn_tensor_row row = { .takes_codes = true, .shape = { 1, n_inputs } };
    memset(&file, 0, sizeof file);
    memset(file.header, ' ', sizeof file.header);
    file.header_size = sizeof file.header;
    const int n = snprintf(
        file.header, sizeof file.header,
        "{\"__metadata__\": {\"" LIMN_INT8_KEY "\": \"" LIMN_INT8_RULE_NAME "\"}, "
        "\"w.weight\": {\"dtype\": \"I8\", \"shape\": [1, %u], \"data_offsets\": [0, %u]}, "
        "\"w.weight_scale\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [%u, %u]}}",
        n_inputs, n_inputs, n_inputs, n_inputs + 4);
    file.header[n] = ' ';
    limn_tensor_table_add(&t, &row, "w");
    assert_int_equal(limn_tensor_table_check(&t, NULL), LIMN_OK);
    assert_int_equal(
        limn_safetensors_open_memory(
            &opened, &file, sizeof file.header_size + sizeof file.header + n_inputs + 4, err),
        LIMN_OK);
    const limn_status status = limn_weights_load(&net, &t, opened, err);
    limn_weights_finish(&net, &t);
    limn_safetensors_close(&opened);
    limn_tensor_table_finish(&t);
    return status;
}

static void test_products_of_codes_are_bounded(void **state)
{
    (void)state;
    limn_error err = { 0 };
    if (load_codes(LIMN_CODES_MAX_INPUTS, &err) != LIMN_OK) fail_msg("%s", err.text);
    assert_int_equal(load_codes(LIMN_CODES_MAX_INPUTS + 4, &err), LIMN_E_LIMIT);
    assert_non_null(strstr(err.text, "'w.weight': 2052 inputs exceed the 2048"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_is_loaded),
        cmocka_unit_test(test_a_header_is_measured),
        cmocka_unit_test(test_what_is_missing_is_named),
        cmocka_unit_test(test_rows_are_parameters),
        cmocka_unit_test(test_a_name_too_long_is_no_row),
        cmocka_unit_test(test_products_of_codes_are_bounded),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
