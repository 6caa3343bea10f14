#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/path.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/wrapped_allocations.h"
#include "tools/annotate/journal/journal.h"
#include "tools/annotate/journal/part_file.h"
#include "tools/annotate/input/path_names.h"

static void write_file(const char *path, const char *text)
{
    assert_int_equal(limn_file_replace(path, text, strlen(text), NULL), LIMN_OK);
}

static void assert_file(const char *path, const char *expected)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(limn_file_read(&bytes, &size, path, SIZE_MAX / 4, NULL), LIMN_OK);
    assert_string_equal((char *)bytes, expected);
    limn_free(bytes);
}

/* ---- files under construction ----------------------------------------------------------- */

static void test_a_part_file_goes_on_from_its_state(void **state)
{
    limn_part_file f;
    limn_buffer text = { 0 };
    (void)state;
    assert_int_equal(limn_part_file_create(&f, temp_path("a"), 0, NULL), LIMN_OK);
    assert_int_equal(limn_part_file_write(&f, "one\n", 4, NULL), LIMN_OK);
    limn_part_file_append_state(&f, &text);
    assert_int_equal(limn_part_file_write(&f, "lost\n", 5, NULL), LIMN_OK);
    limn_part_file_close(&f);
    assert_int_equal(limn_part_file_resume(&f, temp_path("a"), text.bytes, NULL), LIMN_OK);
    assert_int_equal(limn_part_file_write(&f, "two\n", 4, NULL), LIMN_OK);
    assert_int_equal(limn_part_file_commit(&f, NULL), LIMN_OK);
    assert_file(temp_path("a"), "one\ntwo\n");
    assert_int_equal(access(temp_path("a.part"), F_OK), -1);
    limn_buffer_finish(&text);
}

static void test_states_that_are_none_are_refused(void **state)
{
    static const char *const texts[] = { "", "-", "1", "5 0 0 0", "1 0 0 0 0 0", "x 0 0 0 0" };
    limn_part_file f;
    limn_error err = { 0 };
    (void)state;
    write_file(temp_path("b.part"), "1234");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(limn_part_file_resume(&f, temp_path("b"), texts[i], NULL), LIMN_E_FORMAT);
    assert_int_equal(limn_part_file_resume(&f, temp_path("b"), "5 0 0 0 0", &err), LIMN_E_IO);
    assert_non_null(strstr(err.text, "has 4 bytes, but 5 were written"));
    assert_file(temp_path("b.part"), "1234");
    assert_int_equal(limn_part_file_resume(&f, temp_path("gone"), "0 0 0 0 0", NULL), LIMN_E_IO);
}

static void test_the_file_that_was_there_is_the_beginning(void **state)
{
    limn_part_file f;
    limn_error err = { 0 };
    (void)state;
    write_file(temp_path("c"), "old\ntorn");
    assert_int_equal(limn_part_file_create(&f, temp_path("c"), 4, NULL), LIMN_OK);
    assert_int_equal(limn_part_file_write(&f, "new\n", 4, NULL), LIMN_OK);
    assert_file(temp_path("c"), "old\ntorn");
    assert_int_equal(limn_part_file_commit(&f, NULL), LIMN_OK);
    assert_file(temp_path("c"), "old\nnew\n");
    assert_int_equal(limn_part_file_create(&f, temp_path("c"), 4, NULL), LIMN_OK);
    write_file(temp_path("c"), "somebody else's");
    assert_int_equal(limn_part_file_commit(&f, &err), LIMN_E_IO);
    assert_non_null(strstr(err.text, "was changed in the meantime"));
    assert_file(temp_path("c"), "somebody else's");
}

/* ---- journals --------------------------------------------------------------------------- */

static limn_status open_journal(limn_journal **j, limn_journal_past *past, const char *identity,
                                limn_error *err)
{
    return limn_journal_open(j, past, temp_path("run"), identity, false, err);
}

/* Sets a state of the sink and one of the list. */
static void set_state(limn_journal_state *s, const char *sink, const char *errors)
{
    limn_buffer_clear(&s->sink);
    limn_buffer_clear(&s->errors);
    limn_buffer_append_text(&s->sink, sink);
    limn_buffer_append_text(&s->errors, errors);
}

static void finish_state(limn_journal_state *s)
{
    limn_buffer_finish(&s->sink);
    limn_buffer_finish(&s->errors);
}

/* The journal of a run killed after its second checkpoint: one done, one failed, and a note and a
 * name that do not count. */
static void leave_journal(void)
{
    limn_journal *j = NULL;
    limn_journal_past past;
    limn_journal_state s = { 0 };
    assert_int_equal(open_journal(&j, &past, "beam 3\nformat text\n", NULL), LIMN_OK);
    assert_false(past.is_resumed);
    set_state(&s, "0", "");
    limn_journal_add_before(j, "earlier");
    assert_int_equal(limn_journal_begin(j, &past, &s, NULL), LIMN_OK);
    limn_journal_add(j, "new\nline\t\\", LIMN_OK);
    limn_journal_add(j, "bad", LIMN_E_TRUNCATED);
    limn_journal_add_left_out(j, "un\tsure");
    set_state(&s, "17", "5 4");
    assert_int_equal(limn_journal_checkpoint(j, &s, NULL), LIMN_OK);
    limn_journal_add(j, "unrecorded", LIMN_OK);
    limn_journal_add_left_out(j, "unrecorded too");
    limn_journal_add_note(j, "noted\n", "hash");
    assert_int_equal(limn_journal_sync(j, NULL), LIMN_OK);
    limn_journal_close(&j);
    limn_journal_past_finish(&past);
    finish_state(&s);
}

static void test_a_journal_tells_what_was_done(void **state)
{
    limn_journal *j = NULL;
    limn_journal_past past;
    limn_journal_state s = { 0 };
    (void)state;
    leave_journal();
    assert_int_equal(open_journal(&j, &past, "beam 3\nformat text\n", NULL), LIMN_OK);
    assert_true(past.is_resumed && !past.is_complete);
    assert_string_equal(past.state, "17");
    assert_string_equal(past.errors_state, "5 4");
    assert_true(limn_name_set_has(&past.before, "earlier"));
    assert_true(limn_name_set_take(&past.done, "new\nline\t\\"));
    assert_false(limn_name_set_take(&past.done, "new\nline\t\\"));
    assert_true(limn_name_set_take(&past.done, "bad"));
    assert_false(limn_name_set_has(&past.done, "unrecorded"));
    assert_true(limn_name_set_take(&past.done, "un\tsure"));
    assert_int_equal(past.counts[LIMN_OK], 2);
    assert_int_equal(past.n_left_out, 1);
    assert_int_equal(past.counts[LIMN_E_TRUNCATED], 1);
    assert_int_equal(past.n_notes, 1);
    assert_string_equal(past.notes[0].name, "noted\n");
    assert_string_equal(past.notes[0].text, "hash");
    set_state(&s, "18", "");
    assert_int_equal(limn_journal_begin(j, &past, &s, NULL), LIMN_OK);
    assert_int_equal(limn_journal_mark_complete(j, &s, NULL), LIMN_OK);
    limn_journal_close(&j);
    limn_journal_past_finish(&past);
    assert_int_equal(open_journal(&j, &past, "beam 3\nformat text\n", NULL), LIMN_OK);
    assert_true(past.is_complete);
    assert_int_equal(past.n_left_out, 1); /* kept with the lines */
    assert_int_equal(past.n_notes, 0);
    assert_string_equal(past.state, "18");
    assert_null(past.errors_state);
    limn_journal_past_finish(&past);
    assert_int_equal(limn_journal_remove(&j, NULL), LIMN_OK);
    assert_int_equal(access(temp_path("run"), F_OK), -1);
    assert_int_equal(access(temp_path("run.new"), F_OK), -1);
    finish_state(&s);
}

static void test_another_identity_is_refused_unless_forced(void **state)
{
    limn_journal *j = NULL;
    limn_journal_past past;
    limn_error err = { 0 };
    (void)state;
    leave_journal();
    assert_int_equal(open_journal(&j, &past, "beam 5\nformat text\n", &err), LIMN_E_ARG);
    assert_non_null(strstr(err.text, "had 'beam 3', this one has 'beam 5'"));
    assert_null(j);
    assert_int_equal(open_journal(&j, &past, "beam 3\n", NULL), LIMN_E_ARG);
    assert_int_equal(open_journal(&j, &past, "beam 3\nformat text\nmore\n", NULL), LIMN_E_ARG);
    assert_int_equal(limn_journal_peek(&past, temp_path("run"), "beam 5\n", false, NULL),
                     LIMN_E_ARG);
    assert_int_equal(limn_journal_open(&j, &past, temp_path("run"), "beam 5\n", true, NULL),
                     LIMN_OK);
    assert_true(past.is_resumed);
    limn_journal_past_finish(&past);
    assert_int_equal(limn_journal_remove(&j, NULL), LIMN_OK);
}

/* Each interruption makes the next run write a new version, from what the one before recorded. */
static void test_nothing_is_lost_by_any_number_of_interruptions(void **state)
{
    limn_journal_state s = { 0 };
    (void)state;
    leave_journal();
    for (size_t round = 0; round < 4; round++) {
        limn_journal *j = NULL;
        limn_journal_past past;
        char name[] = "bad in round 0";
        name[sizeof name - 2] = (char)('0' + round);
        assert_int_equal(open_journal(&j, &past, "beam 3\nformat text\n", NULL), LIMN_OK);
        assert_true(limn_name_set_has(&past.before, "earlier"));
        assert_true(limn_name_set_has(&past.done, "bad"));
        assert_true(limn_name_set_has(&past.done, "new\nline\t\\"));
        assert_int_equal(past.counts[LIMN_OK], 2);
        assert_int_equal(past.n_left_out, 1);
        assert_int_equal(past.counts[LIMN_E_TRUNCATED], 1);
        assert_int_equal(past.counts[LIMN_E_FORMAT], round);
        for (size_t i = 0; i < round; i++) {
            name[sizeof name - 2] = (char)('0' + i);
            assert_true(limn_name_set_has(&past.done, name));
        }
        set_state(&s, "17", "5 4");
        assert_int_equal(limn_journal_begin(j, &past, &s, NULL), LIMN_OK);
        name[sizeof name - 2] = (char)('0' + round);
        limn_journal_add(j, name, LIMN_E_FORMAT);
        assert_int_equal(limn_journal_checkpoint(j, &s, NULL), LIMN_OK);
        limn_journal_close(&j);
        limn_journal_past_finish(&past);
    }
    finish_state(&s);
    unlink(temp_path("run"));
}

/* Every prefix of a journal, as a kill may leave it, is read or started afresh; none is a
 * failure. */
static void test_every_torn_journal_is_read(void **state)
{
    unsigned char *whole = NULL;
    size_t size = 0;
    (void)state;
    leave_journal();
    assert_int_equal(limn_file_read(&whole, &size, temp_path("run"), SIZE_MAX / 4, NULL), LIMN_OK);
    for (size_t n = 0; n <= size; n++) {
        limn_journal *j = NULL;
        limn_journal_past past;
        assert_int_equal(limn_file_replace(temp_path("run"), whole, n, NULL), LIMN_OK);
        assert_int_equal(open_journal(&j, &past, "beam 3\nformat text\n", NULL), LIMN_OK);
        assert_true(past.state || !past.counts[LIMN_OK]);
        limn_journal_close(&j);
        limn_journal_past_finish(&past);
    }
    write_file(temp_path("run"), "something else\n");
    limn_journal *j = NULL;
    limn_journal_past past;
    assert_int_equal(open_journal(&j, &past, "", NULL), LIMN_E_FORMAT);
    assert_file(temp_path("run"), "something else\n");
    unlink(temp_path("run"));
    limn_free(whole);
}

static void test_what_stands_behind_the_last_checkpoint_may_be_anything(void **state)
{
    limn_journal *j = NULL;
    limn_journal_past past;
    (void)state;
    leave_journal();
    FILE *f = fopen(temp_path("run"), "a");
    assert_non_null(f);
    fputs("garbage\n\\\n+ a\\q\n~\n", f);
    fclose(f);
    assert_int_equal(open_journal(&j, &past, "beam 3\nformat text\n", NULL), LIMN_OK);
    assert_int_equal(past.n_notes, 1);
    limn_journal_past_finish(&past);
    assert_int_equal(limn_journal_remove(&j, NULL), LIMN_OK);
}

static void test_short_memory_is_a_failure_and_nothing_is_lost(void **state)
{
    limn_journal *j = NULL;
    limn_journal_past past;
    limn_status s = LIMN_E_NOMEM;
    (void)state;
    leave_journal();
    for (size_t n = 0; s != LIMN_OK; n++) {
        assert_true(n < 200);
        n_until_failure = n;
        s = open_journal(&j, &past, "beam 3\nformat text\n", NULL);
        n_until_failure = SIZE_MAX;
        assert_true(s == LIMN_OK || (s == LIMN_E_NOMEM && !j));
    }
    assert_true(limn_name_set_has(&past.done, "bad"));
    limn_journal_past_finish(&past);
    assert_int_equal(limn_journal_remove(&j, NULL), LIMN_OK);
}

/* ---- paths ------------------------------------------------------------------------------ */

static void test_paths(void **state)
{
    (void)state;
    assert_int_equal(limn_path_folder_size("a/b"), 2);
    assert_int_equal(limn_path_folder_size("b"), 0);
    assert_string_equal(limn_path_skip_dots("././/a/./b"), "a/./b");
    assert_string_equal(limn_path_below_folder_of("p/metadata.jsonl", "./p/a/b.png"), "a/b.png");
    assert_string_equal(limn_path_below_folder_of("m", "p/b.png"), "p/b.png");
    assert_null(limn_path_below_folder_of("p/m", "q/b.png"));
    assert_null(limn_path_below_folder_of("m", "/q/b.png"));
    assert_null(limn_path_below_folder_of("m", "../b.png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_part_file_goes_on_from_its_state),
        cmocka_unit_test(test_states_that_are_none_are_refused),
        cmocka_unit_test(test_the_file_that_was_there_is_the_beginning),
        cmocka_unit_test(test_a_journal_tells_what_was_done),
        cmocka_unit_test(test_another_identity_is_refused_unless_forced),
        cmocka_unit_test(test_nothing_is_lost_by_any_number_of_interruptions),
        cmocka_unit_test(test_every_torn_journal_is_read),
        cmocka_unit_test(test_what_stands_behind_the_last_checkpoint_may_be_anything),
        cmocka_unit_test(test_short_memory_is_a_failure_and_nothing_is_lost),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
