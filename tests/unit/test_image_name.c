#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/text/image_name.h"

static void test_keys(void **state)
{
    static const char *const cases[][2] = {
        { "a.jpg", "a" },
        { "x/y/A.JPEG", "A" },
        { "a", "a" },
        { "a.b", "a.b" },
        { ".jpg", ".jpg" },
        { "x/.png", ".png" },
        { "", "" },
        { "391895", "391895" },
        { "000000391895.jpg", "391895" },
        { "val2014/COCO_val2014_000000391895.jpg", "391895" },
        { "coco_391895", "391895" },
        { "coco_a391895", "coco_a391895" },
        { "VizWiz_val_00000001.jpg", "VizWiz_val_00000001" }, /* id 23432 */
        { "391895.0", "391895" },
        { "1.5", "1.5" },
        { "a.0", "a.0" },
        { "https://x.org/a/COCO_val2014_000000391895.jpg?size=m/l", "391895" },
        { "b.png?a.jpg", "b" },
        { "what?.jpg", "what?" },
        { "what?", "what?" },
        { "a.psd", "a" }, /* every extension of an image format */
        { "a.CR3", "a" },
        { "IMG_0042.jpg", "IMG_0042" }, /* only COCO's names are numbers */
        { "000", "0" },
        { "3637013_c675de7705.jpg", "3637013_c675de7705" },
    };
    limn_buffer key = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_image_name_key(&key, cases[i][0]);
        assert_string_equal(key.bytes, cases[i][1]);
    }
    limn_buffer_finish(&key);
}

static void test_endings(void **state)
{
    (void)state;
    assert_true(limn_image_name_endings_agree("a.jpg", "a.JPG"));
    assert_true(limn_image_name_endings_agree("a", "a.png"));
    assert_false(limn_image_name_endings_agree("a.jpg", "a.png"));
    assert_true(limn_image_name_has_ending("x/a.webp"));
    assert_false(limn_image_name_has_ending("a.txt"));
}

/* The difference between two names whose folds are equal; NULL: the folds differ. */
static void test_differences(void **state)
{
    static const struct {
        const char *a, *b, *difference;
    } cases[] = {
        { "a.jpg", "a.jpg", "" },
        { "a", "a.jpg", "the extension" },
        { "a.png", "a.jpg", "the extension" },
        { "a.JPG", "a.jpg", "upper and lower case" },
        { "Ab.jpg", "aB.jpg", "upper and lower case" },
        { "ph\\a.jpg", "a.jpg", "backslashes" },
        { "caf\xC3\xA9.jpg", "cafe\xCC\x81.jpg", "Unicode's normal form (NFC, NFD)" },
        { "0042.png", "42", "the extension, zeros in front" },
        { "ph\\A", "ph/a.jpg", "the extension, upper and lower case, backslashes" },
        { "a.jpg", "b.jpg", NULL },
        { "a.jpg?x=1", "A.jpg", "upper and lower case" },
        { "VizWiz_val_00000001.jpg", "1",
          "the extension, what stands before the number (which may not be the image's id, as of "
          "VizWiz: "
          "take a file that has both, with images and annotations)" },
        { "VizWiz_val_00000001.jpg", "VizWiz_train_00000001.jpg",
          "what stands before the number (which may not be the image's id, as of VizWiz: take a "
          "file "
          "that has both, with images and annotations)" },
        { "IMG_0042.jpg", "42", NULL },
        { "caf\xC3\xA9.jpg", "cafe.jpg", NULL },
    };
    limn_buffer a = { 0 }, b = { 0 }, difference = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_image_name_fold(&a, cases[i].a);
        limn_image_name_fold(&b, cases[i].b);
        assert_int_equal(strcmp(a.bytes, b.bytes) == 0, cases[i].difference != NULL);
        if (!cases[i].difference) continue;
        limn_image_name_difference(&difference, cases[i].a, cases[i].b);
        assert_string_equal(difference.bytes, cases[i].difference);
        limn_image_name_difference(&difference, cases[i].b, cases[i].a);
        assert_string_equal(difference.bytes, cases[i].difference);
    }
    limn_buffer_finish(&a);
    limn_buffer_finish(&b);
    limn_buffer_finish(&difference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_endings),
        cmocka_unit_test(test_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
