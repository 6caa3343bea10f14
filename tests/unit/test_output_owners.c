/* Images that would share an output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/annotate/sinks/output_owners.h"

static limn_output_owner owner(const char *name, uint64_t image)
{
    return (limn_output_owner){ limn_output_key_of("place", 5, name), image };
}

static void add(limn_output_owners *o, const char *name, uint64_t image)
{
    assert_int_equal(limn_output_owners_add(o, owner(name, image), NULL), LIMN_OK);
}

static void test_none_is_shared(void **state)
{
    limn_output_owners o = { 0 };
    (void)state;
    limn_output_owners_sort(&o);
    assert_false(limn_output_owners_any_shared(&o));
    add(&o, "a", 1);
    add(&o, "b", 2);
    add(&o, "a", 1); /* the same image again is no rival */
    limn_output_owners_sort(&o);
    assert_false(limn_output_owners_any_shared(&o));
    assert_true(limn_output_owners_has(&o, owner("b", 2)));
    assert_false(limn_output_owners_has(&o, owner("b", 1)));
    assert_false(limn_output_owners_has_rival(&o, owner("a", 1)));
    limn_output_owners_finish(&o);
    assert_int_equal(o.n_items, 0);
}

static void test_two_share_one_until_one_is_removed(void **state)
{
    limn_output_owners o = { 0 }, others = { 0 };
    (void)state;
    for (uint64_t i = 0; i < 20; i++) add(&o, "shared", i < 15 ? 1 : 2);
    add(&o, "other", 3);
    add(&others, "shared", 2);
    add(&others, "other", 1);
    limn_output_owners_sort(&o);
    limn_output_owners_sort(&others);
    assert_true(limn_output_owners_any_shared(&o));
    assert_true(limn_output_owners_has_rival(&o, owner("shared", 1)));
    assert_true(limn_output_owners_has_rival(&o, owner("shared", 2)));
    assert_false(limn_output_owners_has_rival(&o, owner("shared", 3)));
    assert_false(limn_output_owners_has_rival(&o, owner("other", 3)));
    limn_output_owners_remove(&o, &others);
    assert_int_equal(o.n_items, 16);
    assert_false(limn_output_owners_any_shared(&o));
    assert_true(limn_output_owners_has(&o, owner("shared", 1)));
    assert_true(limn_output_owners_has(&o, owner("other", 3)));
    limn_output_owners_remove(&o, &(limn_output_owners){ 0 });
    assert_int_equal(o.n_items, 16);
    limn_output_owners_finish(&others);
    limn_output_owners_finish(&o);
}

static void test_keys_tell_place_and_name_apart(void **state)
{
    const limn_output_key a = limn_output_key_of("a", 1, "name"),
                          b = limn_output_key_of("b", 1, "name"),
                          c = limn_output_key_of("a", 1, "other");
    (void)state;
    assert_int_equal(limn_output_key_compare(a, limn_output_key_of("a", 1, "name")), 0);
    assert_int_not_equal(limn_output_key_compare(a, b), 0);
    assert_int_not_equal(limn_output_key_compare(a, c), 0);
    assert_int_equal(limn_output_key_compare(a, b), -limn_output_key_compare(b, a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_is_shared),
        cmocka_unit_test(test_two_share_one_until_one_is_removed),
        cmocka_unit_test(test_keys_tell_place_and_name_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
