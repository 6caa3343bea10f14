#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/io/json.h"

static void test_what_is_not_json_is_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        { "", "line 1" },
        { "{", "line 1" },
        { "[1,]", "line 1, column 4" },
        { "{\"a\": 1, \"a\": 2}", "duplicate" },
        { "[NaN]", "line 1" },
        { "[1e999]", "real number overflow" },
        { "[99999999999999999999]", "too big integer" },
        { "[\"\\u0000\"]", "NUL" },
        { "[\"\xff\"]", "unable to decode byte 0xff" },
        { "[] []", "line 1" },
        { "[\"a\nb\"]", "line 1" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *document;
        limn_error err = { 0 };
        assert_int_equal(limn_json_parse(&document, cases[i].text, strlen(cases[i].text), &err),
                         LIMN_E_FORMAT);
        assert_null(document);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s: \"%s\" lacks \"%s\"", cases[i].text, err.text, cases[i].says);
    }
}

static void test_depth_is_limited_before_parsing(void **state)
{
    char text[2 * LIMN_JSON_MAX_DEPTH + 3];
    json_t *document;
    (void)state;
    for (size_t depth = LIMN_JSON_MAX_DEPTH; depth <= LIMN_JSON_MAX_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        const limn_status s = limn_json_parse(&document, text, 2 * depth, NULL);
        assert_int_equal(s, depth > LIMN_JSON_MAX_DEPTH ? LIMN_E_LIMIT : LIMN_OK);
        json_decref(document);
    }
    memset(text, '[', sizeof text);
    text[0] = text[sizeof text - 1] = '"'; /* brackets in a string don't count */
    assert_int_equal(limn_json_parse(&document, text, sizeof text, NULL), LIMN_OK);
    json_decref(document);
}

static const char example[] =
    "{\"decoder\": {\"dim\": -3, \"layers\": [{\"name\": \"first\"}, {\"name\": 7}]},"
    " \"ratio\": 0.5, \"whole\": 2, \"on\": true, \"nothing\": null}";

static void test_getters_give_values(void **state)
{
    json_t *document;
    uint32_t whole;
    double ratio;
    bool on;
    size_t n_items;
    const char *name;
    limn_json_node decoder, layers;
    (void)state;
    assert_int_equal(limn_json_parse(&document, example, strlen(example), NULL), LIMN_OK);
    const limn_json_node root = limn_json_root(document);
    assert_int_equal(limn_json_u32(&whole, &root, "whole", 2, 2, NULL), LIMN_OK);
    assert_int_equal(whole, 2);
    assert_int_equal(limn_json_number(&ratio, &root, "ratio", 0, 1, NULL), LIMN_OK);
    assert_true(ratio == 0.5);
    assert_int_equal(limn_json_number(&ratio, &root, "whole", 0, 2, NULL), LIMN_OK);
    assert_true(ratio == 2.0);
    assert_int_equal(limn_json_bool(&on, &root, "on", NULL), LIMN_OK);
    assert_true(on);
    assert_true(limn_json_has(&root, "nothing"));
    assert_false(limn_json_has(&root, "something"));
    assert_int_equal(limn_json_object(&decoder, &root, "decoder", NULL), LIMN_OK);
    assert_int_equal(limn_json_array(&layers, &n_items, &decoder, "layers", NULL), LIMN_OK);
    assert_int_equal(n_items, 2);
    const limn_json_node first = limn_json_at(&layers, 0);
    assert_int_equal(limn_json_string(&name, &first, "name", NULL), LIMN_OK);
    assert_string_equal(name, "first");
    json_decref(document);
}

#define ASSERT_SAYS(call, expected)                \
    do {                                           \
        limn_error err = { 0 };                    \
        assert_int_equal((call), LIMN_E_FORMAT);   \
        assert_string_equal(err.text, (expected)); \
    } while (0)

static void test_errors_name_the_path_and_the_bound(void **state)
{
    json_t *document;
    uint32_t u;
    double d;
    bool b;
    size_t n_items;
    const char *text;
    limn_json_node decoder, layers, node;
    (void)state;
    assert_int_equal(limn_json_parse(&document, example, strlen(example), NULL), LIMN_OK);
    const limn_json_node root = limn_json_root(document);
    assert_int_equal(limn_json_object(&decoder, &root, "decoder", NULL), LIMN_OK);
    assert_int_equal(limn_json_array(&layers, &n_items, &decoder, "layers", NULL), LIMN_OK);
    const limn_json_node second = limn_json_at(&layers, 1);
    ASSERT_SAYS(limn_json_u32(&u, &decoder, "dim", 16, 4096, &err),
                "decoder.dim: expected an integer in 16 … 4096, is -3");
    ASSERT_SAYS(limn_json_u32(&u, &root, "ratio", 0, 1, &err),
                "ratio: expected an integer in 0 … 1, is 0.5");
    ASSERT_SAYS(limn_json_number(&d, &root, "whole", 0, 1.5, &err),
                "whole: expected a number in 0 … 1.5, is 2");
    ASSERT_SAYS(limn_json_string(&text, &second, "name", &err),
                "decoder.layers[1].name: expected a string, is 7");
    ASSERT_SAYS(limn_json_string(&text, &second, "size", &err),
                "decoder.layers[1].size: is missing");
    ASSERT_SAYS(limn_json_bool(&b, &root, "nothing", &err),
                "nothing: expected true or false, is null");
    ASSERT_SAYS(limn_json_object(&node, &root, "on", &err), "on: expected an object, is true");
    ASSERT_SAYS(limn_json_array(&node, &n_items, &root, "decoder", &err),
                "decoder: expected an array, is an object");
    ASSERT_SAYS(limn_json_get(&node, &layers, "x", &err),
                "decoder.layers: expected an object, is an array");
    ASSERT_SAYS(limn_json_as_array(&n_items, &root, &err), "expected an array, is an object");
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_json_is_refused),
        cmocka_unit_test(test_depth_is_limited_before_parsing),
        cmocka_unit_test(test_getters_give_values),
        cmocka_unit_test(test_errors_name_the_path_and_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
