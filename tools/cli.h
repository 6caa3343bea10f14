/* The command line: one table of options per tool, from which come parsing, --help, --version, the
 * man page and completions of shells.
 *
 *     typedef struct settings { bool recurse; uint32_t beam; const char *output; } settings;
 *     static const limn_option options[] = {
 *         { "recursive", 'r', NULL, "descend into subfolders", .type = LIMN_OPT_FLAG,
 *           .offset = offsetof(settings, recurse), .group = "Input" },
 *         { "beam", 0, "K", "beam size", .type = LIMN_OPT_COUNT, .offset = offsetof(settings,
 * beam), .min = 1, .max = 64, .default_value = "3", .group = "Search" },
 *     };
 *     static const limn_cli_tool tool = {
 *         .name = "limn", .summary = "captions for images", .operands = "PATH...",
 *         .options = options, .n_options = sizeof options / sizeof *options,
 *         .min_operands = 1, .max_operands = SIZE_MAX,
 *     };
 *
 *     int main(int argc, char **argv)
 *     {
 *         settings s = { .output = NULL };   // defaults that no row has: computed, or "not given"
 *         limn_cli_operands paths;
 *         int code;
 *         limn_standard_streams_secure();
 *         if (!limn_cli_parse(&paths, &s, &tool, argc, argv, &code))
 *             return code;
 *         …
 *         limn_cli_finish(&s, &tool);
 *     }
 *
 * Every tool also has --help (-h), --version (-V) and, hidden, --man-page and --completion SHELL
 * (run at build). Where the options
 * are too many for a screen, those with .is_more are left out of --help, which then names `--help
 * all` and the groups, of which each has a page: `limn --help sampling`. Accepted:
 * `--beam 5`, `--beam=5`, `-o FILE`, `-oFILE`, `-rq`; `--` ends the options; options and operands
 * mix; the last of two equal options wins, except in lists. No tool calls setlocale(): numbers are
 * read and written with a point everywhere. */
#ifndef LIMN_TOOLS_CLI_H
#define LIMN_TOOLS_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "models/option.h"

/* Exit codes of every tool. */
enum {
    LIMN_EXIT_OK = 0,          /* all done */
    LIMN_EXIT_USAGE = 1,       /* usage error, or contradictory options */
    LIMN_EXIT_NOTHING = 2,     /* nothing done, or the output is not complete */
    LIMN_EXIT_SOME_FAILED = 3, /* some inputs failed */
    LIMN_EXIT_ASSERT = 4,      /* an --assert does not hold */
    LIMN_EXIT_INTERRUPTED = 130,
};

typedef struct limn_cli_example {
    const char *command, *what;
} limn_cli_example;

typedef struct limn_cli_tool {
    const char *name;        /* "limn-eval" */
    const char *summary;     /* half a sentence: "captions for images" */
    const char *operands;    /* as in the usage line: "PATH..."; NULL when there are none */
    const char *description; /* man page: paragraphs, "\n\n" between them; may be NULL */
    const limn_cli_example *examples; /* man page; [n_examples] */
    size_t n_examples;
    const limn_option *options; /* [n_options] its own; those of a group stand together */
    size_t n_options;
    bool takes_captioning; /* it also has the options of models/option.h, for the limn_options */
    size_t captioning;     /* that are at this offset in its settings */
    size_t min_operands, max_operands;
} limn_cli_tool;

typedef struct limn_cli_operands {
    char *const *items; /* [n_items], in argv, which was reordered */
    size_t n_items;
} limn_cli_operands;

/* Reads argv into `settings`, after the defaults of the rows, and names the tool in later messages
 * (tools/message.h). False when the tool is to return *exit_code at once: 0 after --help and
 * --version, 1 after an error, which was printed (lists are then freed already). */
bool limn_cli_parse(limn_cli_operands *operands, void *settings, const limn_cli_tool *tool,
                    int argc, char **argv, int *exit_code);
/* Frees the lists in `settings`, and what its limn_options own. */
void limn_cli_finish(void *settings, const limn_cli_tool *tool);

/* limn_option_append_value of each option that is not neutral: what results depend on. */
void limn_cli_append_values(limn_buffer *out, const void *settings, const limn_cli_tool *tool);

/* Says that the tool failed; its exit code. */
int limn_cli_failed(const limn_error *err);
/* The exit code after n_done inputs that worked and n_failed that did not. */
int limn_cli_exit_code(size_t n_done, size_t n_failed);

#endif
