/* What captions mention, and files of detected objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/io/fileio.h"
#include "common/io/object_labels.h"
#include "common/text/objects_words.h"
#include "common/text/objects.h"
#include "tests/unit/temp_folder.h"

static limn_object_lexicon *lexicon;

static int setup(void **state)
{
    return temp_folder_setup(state) || limn_object_lexicon_create(&lexicon, NULL) != LIMN_OK;
}

static int teardown(void **state)
{
    limn_object_lexicon_destroy(&lexicon);
    return temp_folder_teardown(state);
}

/* The classes in order of mention, separated by ", "; "+" in front if a person is named. */
static const char *found(const char *tokens)
{
    static char text[512];
    limn_object_mentions m;
    limn_objects_find(&m, lexicon, tokens);
    snprintf(text, sizeof text, "%s", m.names_person ? "+" : "");
    for (size_t i = 0; i < m.n_mentions; i++) {
        const size_t used = strlen(text);
        assert_true(limn_object_set_has(m.objects, m.mentions[i]));
        snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? ", " : "",
                 limn_object_name(m.mentions[i]));
    }
    return text;
}

static void test_captions(void **state)
{
    static const char *const cases[][2] = {
        { "", "" },
        { "a stop sign on a pole", "stop sign" },
        { "two men and a dog", "+person, dog" },
        { "a man in a red shirt", "+person" },
        { "a crowd in a stadium", "+" },
        { "a couple of zebras standing in a field", "zebra" },
        { "a hand holding a donut", "+donut" },
        { "a hot dog with mustard", "hot dog" },
        { "three hot-dogs on a grill", "hot dog" },
        { "a dog eats a hot dog", "dog, hot dog" },
        { "a teddy bear on a bed", "teddy bear, bed" },
        { "a brown bear in the river", "bear" },
        { "stuffed animals on a shelf", "teddy bear" },
        { "a toy car on a table", "dining table" },
        { "toy trains", "" },
        { "a baby elephant and its mother", "+elephant, person" },
        { "a mother and baby giraffe", "giraffe" },
        { "a baby deer", "" },
        { "a baby in a crib", "+person" },
        { "a passenger train at the station", "train" },
        { "train tracks in the snow", "" },
        { "cars wait at a bus stop", "car" },
        { "two buses and a double decker bus", "bus, bus" },
        { "men 's restroom with urinals", "toilet" },
        { "a child 's hand on a book", "+person, book" },
        { "a wine glass and two glasses of wine", "wine glass, wine glass" },
        { "knives forks and a knife", "knife, fork, knife" },
        { "a person rides a dirt bike", "+person, motorcycle" },
        { "a bike on a bike rack", "bicycle" },
        { "a computer mouse beside a desktop computer", "mouse, tv" },
        { "a pitcher of beer", "" },
        { "the pitcher throws a ball", "+person, sports ball" },
        { "someone 's desk", "+dining table" },
        { "a sandwich and french fries", "sandwich" },
        { "no people on the beach", "" },
        /* orange, the colour and the fruit */
        { "an orange cat", "cat" },
        { "an orange and white cat", "cat" },
        { "a man in orange", "+person" },
        { "black and orange train", "train" },
        { "an orange", "orange" },
        { "an orange on a plate", "orange" },
        { "an orange and an apple", "orange, apple" },
        { "a bowl of oranges", "bowl, orange" },
        { "orange slices on a board", "orange" },
        { "the bus is orange", "bus" },
        { "a glass of orange juice", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *actual = found(cases[i][0]);
        if (strcmp(actual, cases[i][1]) != 0)
            fail_msg("\"%s\" names \"%s\", not \"%s\"", cases[i][0], actual, cases[i][1]);
    }
}

static void test_more_mentions_than_are_kept(void **state)
{
    char text[1024] = "";
    limn_object_mentions m;
    (void)state;
    for (int i = 0; i < LIMN_OBJECTS_MAX_MENTIONS; i++) strcat(text, "dog ");
    strcat(text, "cat");
    limn_objects_find(&m, lexicon, text);
    assert_int_equal(m.n_mentions, LIMN_OBJECTS_MAX_MENTIONS);
    assert_true(limn_object_set_has(m.objects, 15));
}

/* Any bytes can be read, and a word may be longer than any phrase. */
static void test_long_and_odd_words(void **state)
{
    char word[300];
    (void)state;
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    assert_string_equal(found(word), "");
    memcpy(word + 200, " dog ", 5);
    assert_string_equal(found(word), "dog");
    assert_string_equal(found("  \xff\xfe dog--cat- "), "dog, cat");
}

static void test_table_names_each_class_by_its_name(void **state)
{
    size_t object;
    (void)state;
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++) {
        const char *name = limn_object_name(c);
        assert_int_equal(limn_object_words_table[c].object, c);
        assert_string_equal(found(name), c ? name : "+person");
        assert_true(limn_object_by_name(&object, name, strlen(name)));
        assert_int_equal(object, c);
    }
    assert_true(limn_object_by_name(&object, "traffic_light", 13));
    assert_int_equal(object, 9);
    assert_false(limn_object_by_name(&object, "traffic", 7));
    assert_false(limn_object_by_name(&object, "", 0));
    assert_false(limn_object_by_name(&object, "dogs", 4));
}

/* objects.c cuts phrases at 64 bytes; the longest prefix is "mother and baby ". */
static void test_phrases_are_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < limn_object_n_words; i++) {
        const char *words = limn_object_words_table[i].words;
        while (*words) {
            const size_t size = strcspn(words, ",");
            assert_in_range(size, 1, 64 - sizeof "mother and baby es");
            assert_true(words[size] == '\0' || words[size + 1] == ' ');
            words += size + (words[size] ? 2 : 0);
        }
    }
}

static void test_sets(void **state)
{
    limn_object_set a = { { 0 } }, b = { { 0 } };
    (void)state;
    assert_true(limn_object_set_is_empty(a));
    limn_object_set_add(&a, 79);
    limn_object_set_add(&b, 79);
    limn_object_set_add(&b, 3);
    assert_true(limn_object_set_is_within(a, b));
    assert_false(limn_object_set_is_within(b, a));
    assert_true(limn_object_set_has(a, 79));
    assert_false(limn_object_set_has(a, 15)); /* 79 % 64 */
}

/* ---- files -------------------------------------------------------------------------------- */

static limn_status read_labels(limn_object_labels *out, const char *text, size_t size,
                               limn_error *err)
{
    const char *path = temp_path("objects.tsv");
    assert_int_equal(limn_file_replace(path, text, size, NULL), LIMN_OK);
    *err = (limn_error){ 0 };
    return limn_object_labels_read(out, path, err);
}

static void test_labels(void **state)
{
    static const char text[] =
        "a b.jpg\ttraffic_light:0.44 traffic light:1 person:.3\r\n\nb.jpg\t\n"
        "c.jpg\tdog:0.5 ";
    limn_object_labels labels;
    limn_object_set set;
    limn_error err;
    (void)state;
    assert_int_equal(read_labels(&labels, text, sizeof text - 1, &err), LIMN_OK);
    assert_int_equal(labels.n_images, 3);
    assert_string_equal(limn_string_table_get(&labels.names, 0), "a b.jpg");
    assert_int_equal(labels.first_box[1], 3);
    assert_int_equal(labels.first_box[2], 3);
    assert_int_equal(labels.first_box[3], 4);
    assert_int_equal(labels.boxes[1].object, 9);
    assert_true(labels.boxes[0].score == 0.44F && labels.boxes[1].score == 1.0F);
    set = limn_object_labels_set(&labels, 0, 0.4F);
    assert_true(limn_object_set_has(set, 9));
    assert_false(limn_object_set_has(set, 0));
    assert_true(limn_object_set_has(limn_object_labels_set(&labels, 0, 0.3F), 0));
    assert_true(limn_object_set_is_empty(limn_object_labels_set(&labels, 1, 0)));
    limn_object_labels_finish(&labels);
}

static void test_bad_labels(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "", "no image in it" },
        { "\n\n", "no image in it" },
        { "a.jpg", "line 1: no tab between name and objects" },
        { "\tdog:0.5", "line 1: the image's name is empty" },
        { "a\tdog:0.5\na\tcat:0.5", "line 2: a second line of a" },
        { "a\tdog", "line 1: no \":\" and score after \"dog\"" },
        { "a\tdog:0.5 unicorn:0.5", "line 1: \"unicorn\" is not one of COCO's 80 classes" },
        { "a\t:0.5", "line 1: \"\" is not one of COCO's 80 classes" },
        { "a\tdog:", "line 1: dog: score \"\" is not a number from 0 to 1" },
        { "a\tdog:1.01", "line 1: dog: score \"1.01\" is not a number from 0 to 1" },
        { "a\tdog:-1", "line 1: dog: score \"-1\" is not a number from 0 to 1" },
        { "a\tdog:nan", "line 1: dog: score \"nan\" is not a number from 0 to 1" },
        { "a\tdog:0.5.5", "line 1: dog: score \"0.5.5\" is not a number from 0 to 1" },
        { "a\tdog:0.5\n\xff\t", "line 2, byte 1: invalid UTF-8 (0xFF); if the file is in another "
                                "encoding, such as Windows-1252, save it as UTF-8" },
    };
    limn_object_labels labels;
    limn_error err;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[600];
        assert_int_equal(read_labels(&labels, cases[i].text, strlen(cases[i].text), &err),
                         LIMN_E_FORMAT);
        snprintf(expected, sizeof expected, "%s: %s", temp_path("objects.tsv"), cases[i].expected);
        assert_string_equal(err.text, expected);
        assert_null(labels.boxes);
    }
    assert_int_equal(read_labels(&labels, "a\td\0g:0.5", 9, &err), LIMN_E_FORMAT);
}

static void test_too_many_boxes(void **state)
{
    static char text[16 * 1024] = "a\t";
    limn_object_labels labels;
    limn_error err;
    (void)state;
    for (int i = 0; i <= LIMN_OBJECT_LABELS_MAX_BOXES; i++) memcpy(text + 2 + 6 * i, "dog:1 ", 6);
    assert_int_equal(read_labels(&labels, text, strlen(text), &err), LIMN_E_LIMIT);
    text[strlen(text) - 6] = '\0';
    assert_int_equal(read_labels(&labels, text, strlen(text), &err), LIMN_OK);
    limn_object_labels_finish(&labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captions),
        cmocka_unit_test(test_more_mentions_than_are_kept),
        cmocka_unit_test(test_long_and_odd_words),
        cmocka_unit_test(test_table_names_each_class_by_its_name),
        cmocka_unit_test(test_phrases_are_short),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_bad_labels),
        cmocka_unit_test(test_too_many_boxes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
