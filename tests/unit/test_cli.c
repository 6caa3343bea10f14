#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/text/edit_distance.h"
#include "tools/cli.h"
#include "tools/cli_pages.h"
#include "tools/message.h"

typedef struct settings {
    bool recurse, nul;
    uint32_t beam;
    uint64_t max_pixels;
    float penalty;
    const char *output;
    unsigned format;
    limn_option_list banned;
} settings;

static const char *const formats[] = { "text", "jsonl", NULL };
static const limn_option options[] = {
    { "recursive", 'r', NULL, "go into folders below", .group = "Input", .type = LIMN_OPT_FLAG,
      .offset = offsetof(settings, recurse) },
    { "null", '0', NULL, "the list is separated by NUL", .group = "Input", .type = LIMN_OPT_FLAG,
      .offset = offsetof(settings, nul) },
    { "beam", 0, "K", "hypotheses kept", .group = "Search", .type = LIMN_OPT_COUNT,
      .offset = offsetof(settings, beam), .min = 1, .max = 64 },
    { "max-pixels", 0, "N", "refuse larger images", .group = "Search", .type = LIMN_OPT_SIZE,
      .offset = offsetof(settings, max_pixels), .min = 1, .max = 9007199254740992.0 },
    { "length-penalty", 0, "A", "exponent of the length", .group = "Search", .type = LIMN_OPT_REAL,
      .offset = offsetof(settings, penalty), .min = -10, .max = 10, .is_more = true },
    { "output", 'o', "FILE", "write here", .group = "Output", .type = LIMN_OPT_TEXT,
      .offset = offsetof(settings, output) },
    { "format", 0, "NAME", "text or jsonl", .group = "Output", .type = LIMN_OPT_CHOICE,
      .offset = offsetof(settings, format), .choices = formats },
    { "ban", 0, "WORD", "never write WORD", .group = "Search", .type = LIMN_OPT_LIST,
      .offset = offsetof(settings, banned) },
};
static const limn_cli_tool tool = {
    .name = "tool",
    .summary = "a tool for tests",
    .operands = "PATH...",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .min_operands = 1,
    .max_operands = 3,
};

/* Parses words (NULL after the last) with stderr and stdout in files; `said` holds the output. */
typedef struct outcome {
    settings s;
    limn_cli_operands operands;
    bool goes_on;
    int exit_code;
    char *argv[16];
    char said[4096];
} outcome;

static void run(outcome *out, const char *const *words)
{
    FILE *file = tmpfile();
    const int old_err = dup(STDERR_FILENO), old_out = dup(STDOUT_FILENO);
    int argc = 1;
    *out = (outcome){ .s = { .beam = 3, .penalty = 0.5f }, .argv = { (char *)(uintptr_t) "tool" } };
    for (; words[argc - 1]; argc++) out->argv[argc] = (char *)(uintptr_t)words[argc - 1];
    fflush(stdout);
    dup2(fileno(file), STDERR_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    out->goes_on = limn_cli_parse(&out->operands, &out->s, &tool, argc, out->argv, &out->exit_code);
    fflush(stdout);
    dup2(old_err, STDERR_FILENO);
    dup2(old_out, STDOUT_FILENO);
    close(old_err);
    close(old_out);
    rewind(file);
    out->said[fread(out->said, 1, sizeof out->said - 1, file)] = '\0';
    fclose(file);
}

#define RUN(out, ...) run(out, (const char *const[]){ __VA_ARGS__, NULL })

static void test_every_way_to_write_an_option(void **state)
{
    outcome o;
    (void)state;
    RUN(&o, "a", "--beam", "5", "-r0oout", "--max-pixels=9007199254740992", "--length-penalty",
        "-1.5", "--format=jsonl", "--ban", "red", "--ban=blue", "-", "--", "--beam");
    assert_true(o.goes_on);
    assert_int_equal(o.s.beam, 5);
    assert_true(o.s.recurse && o.s.nul);
    assert_string_equal(o.s.output, "out");
    assert_true(o.s.max_pixels == UINT64_C(1) << 53);
    assert_true(o.s.penalty == -1.5f);
    assert_int_equal(o.s.format, 1);
    assert_int_equal(o.s.banned.n_items, 2);
    assert_string_equal(o.s.banned.items[1], "blue");
    assert_int_equal(o.operands.n_items, 3);
    assert_string_equal(o.operands.items[0], "a");
    assert_string_equal(o.operands.items[1], "-");
    assert_string_equal(o.operands.items[2], "--beam");
    limn_cli_finish(&o.s, &tool);
    assert_null(o.s.banned.items);
}

static void test_defaults_stay_and_the_last_wins(void **state)
{
    outcome o;
    (void)state;
    RUN(&o, "--beam", "7", "-o", "x", "a", "--output", "y");
    assert_true(o.goes_on);
    assert_int_equal(o.s.beam, 7);
    assert_true(o.s.penalty == 0.5f);
    assert_string_equal(o.s.output, "y");
}

static void test_mistakes_are_named(void **state)
{
    static const struct {
        const char *words[4];
        const char *said;
    } cases[] = {
        { { "--beam", "99", "a" }, "tool: --beam: 99 is not in 1 … 64\n" },
        { { "--beam=0", "a" }, "tool: --beam: 0 is not in 1 … 64\n" },
        { { "--beam=-1", "a" }, "tool: --beam: -1 is not in 1 … 64\n" },
        { { "--beam=3x", "a" }, "tool: --beam: '3x' is not a whole number\n" },
        { { "--beam=", "a" }, "tool: --beam: '' is not a whole number\n" },
        { { "--beam=99999999999999999999", "a" },
          "tool: --beam: 99999999999999999999 is not in 1 … 64\n" },
        { { "--max-pixels=18446744073709551616", "a" },
          "tool: --max-pixels: 18446744073709551616 is not in 1 … 9007199254740992\n" },
        { { "--length-penalty=nan", "a" }, "tool: --length-penalty: 'nan' is not a number\n" },
        { { "--length-penalty=0x1", "a" }, "tool: --length-penalty: '0x1' is not a number\n" },
        { { "--length-penalty=1e99", "a" }, "tool: --length-penalty: 1e99 is not in -10 … 10\n" },
        { { "--format=xml", "a" }, "tool: --format: 'xml' is not one of text, jsonl\n" },
        { { "--recursive=yes", "a" }, "tool: --recursive takes no value\n" },
        { { "a", "--output" }, "tool: --output needs FILE\n" },
        { { "a", "-o" }, "tool: --output needs FILE\n" },
        { { "--baem", "3", "a" }, "tool: unknown option --baem; did you mean --beam?\n" },
        { { "--length", "3", "a" },
          "tool: unknown option --length; did you mean --length-penalty?\n" },
        { { "--zzzzzz", "a" }, "tool: unknown option --zzzzzz; see tool --help\n" },
        { { "-rx", "a" }, "tool: unknown option -x; see tool --help\n" },
        { { "--ban", "red" }, "tool: no PATH... given; see tool --help\n" },
        { { "a", "b", "c", "d\n" }, "tool: unexpected argument 'd\\n'; see tool --help\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome o;
        RUN(&o, cases[i].words[0], cases[i].words[1], cases[i].words[2], cases[i].words[3]);
        assert_string_equal(o.said, cases[i].said);
        assert_false(o.goes_on);
        assert_int_equal(o.exit_code, LIMN_EXIT_USAGE);
    }
}

static void test_pages_come_from_the_table(void **state)
{
    outcome o;
    (void)state;
    RUN(&o, "--help", "all", "--version");
    assert_int_equal(o.exit_code, LIMN_EXIT_OK);
    assert_false(o.goes_on);
    for (size_t i = 0; i < tool.n_options; i++) assert_non_null(strstr(o.said, options[i].help));
    for (const char *line = o.said; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= LIMN_CLI_COLUMNS);
    RUN(&o, "--version");
    assert_non_null(strstr(o.said, "tool " LIMN_VERSION "\nCPU levels here: c"));
    RUN(&o, "--man-page");
    assert_non_null(strstr(o.said, "\\fB\\-\\-length\\-penalty\\fR \\fIA\\fR\n"));
    assert_non_null(strstr(o.said, "From \\-10 to 10.\n"));
    assert_non_null(strstr(o.said, "One of \\fBtext\\fR, \\fBjsonl\\fR.\n"));
}

static void test_short_help_and_pages_of_groups(void **state)
{
    outcome o;
    (void)state;
    RUN(&o, "--help");
    assert_int_equal(o.exit_code, LIMN_EXIT_OK);
    assert_null(strstr(o.said, "--length-penalty"));
    assert_non_null(strstr(o.said, "--beam"));
    assert_non_null(strstr(o.said, "More: tool --help GROUP: search\nAll: tool --help all, and "));
    RUN(&o, "--help", "search");
    assert_non_null(strstr(o.said, "Search:\n"));
    assert_non_null(strstr(o.said, "--length-penalty"));
    assert_null(strstr(o.said, "--output"));
    assert_null(strstr(o.said, "More: "));
    RUN(&o, "--help", "input");
    assert_non_null(strstr(o.said, "--recursive"));
    assert_null(strstr(o.said, "--beam"));
    RUN(&o, "photo.jpg", "--help");
    assert_non_null(strstr(o.said, "More: "));
}

static void test_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(limn_cli_exit_code(0, 0), 0);
    assert_int_equal(limn_cli_exit_code(2, 0), 0);
    assert_int_equal(limn_cli_exit_code(2, 1), 3);
    assert_int_equal(limn_cli_exit_code(0, 1), 2);
    assert_int_equal(limn_cli_failed(&(limn_error){ .code = LIMN_E_ARG, .text = "usage" }), 1);
    assert_int_equal(limn_cli_failed(&(limn_error){ .code = LIMN_E_IO, .text = "a disk" }), 2);
}

static void test_edit_distance(void **state)
{
    char long_word[LIMN_EDIT_DISTANCE_MAX_SIZE + 2];
    (void)state;
    assert_int_equal(limn_edit_distance("", ""), 0);
    assert_int_equal(limn_edit_distance("", "abc"), 3);
    assert_int_equal(limn_edit_distance("kitten", "sitting"), 3);
    assert_int_equal(limn_edit_distance("baem", "beam"), 1);
    assert_int_equal(limn_edit_distance("ca", "abc"), 3);
    memset(long_word, 'a', sizeof long_word);
    long_word[sizeof long_word - 1] = '\0';
    assert_true(limn_edit_distance(long_word, "a") == SIZE_MAX);
    long_word[LIMN_EDIT_DISTANCE_MAX_SIZE] = '\0';
    assert_int_equal(limn_edit_distance(long_word, "a"), LIMN_EDIT_DISTANCE_MAX_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way_to_write_an_option),
        cmocka_unit_test(test_defaults_stay_and_the_last_wins),
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_pages_come_from_the_table),
        cmocka_unit_test(test_short_help_and_pages_of_groups),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_edit_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
