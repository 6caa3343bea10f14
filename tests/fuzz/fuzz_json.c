/* Any bytes as JSON: every value is asked for as every type. */
#include <stddef.h>
#include <stdint.h>

#include "common/io/json.h"
#include "tests/fuzz/fuzz.h"

static void ask_for_everything(const limn_json_node *node)
{
    limn_error err = { 0 };
    const char *text;
    int64_t integer;
    double number;
    bool flag;
    size_t n_items = 0;
    limn_json_as_string(&text, node, &err);
    limn_json_as_integer(&integer, node, -5, 1000, NULL);
    limn_json_as_number(&number, node, -1, 1, NULL);
    limn_json_as_bool(&flag, node, NULL);
    if (limn_json_as_array(&n_items, node, NULL) == LIMN_OK)
        for (size_t i = 0; i < n_items; i++) {
            const limn_json_node item = limn_json_at(node, i);
            ask_for_everything(&item);
        }
    if (limn_json_as_object(node, NULL) == LIMN_OK) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)node->value, key, value)
        {
            limn_json_node member;
            if (limn_json_get(&member, node, key, NULL) == LIMN_OK) ask_for_everything(&member);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    json_t *document;
    if (limn_json_parse(&document, bytes, size, NULL) == LIMN_OK) {
        const limn_json_node root = limn_json_root(document);
        ask_for_everything(&root);
        json_decref(document);
    }
    return 0;
}
