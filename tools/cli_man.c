#include <ctype.h>
#include <string.h>

#include "tools/cli_pages.h"
#include "tools/cli_rows.h"

/* Text as troff takes it literally. A line may not begin with a control character. */
static void put_text(FILE *out, const char *text)
{
    bool is_line_start = true;
    for (; *text; text++) {
        if (is_line_start && (*text == '.' || *text == '\'')) fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else if (!strncmp(text, "\342\200\246", 3)) { /* … */
            fputs("...", out);
            text += 2;
        } else
            putc(*text, out);
        is_line_start = *text == '\n';
    }
}

static void put_line(FILE *out, const char *before, const char *text, const char *after)
{
    fputs(before, out);
    put_text(out, text);
    fputs(after, out);
}

static void put_paragraphs(FILE *out, const char *text)
{
    char paragraph[2048];
    while (*text) {
        const char *end = strstr(text, "\n\n");
        const size_t size = end ? (size_t)(end - text) : strlen(text);
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)size, text);
        put_line(out, ".PP\n", paragraph, "\n");
        text += size + (end ? 2 : 0);
    }
}

/* Bounds and choices, which don't fit in --help. */
static void put_values(FILE *out, const limn_option *o)
{
    if (o->type == LIMN_OPT_COUNT || o->type == LIMN_OPT_SIZE || o->type == LIMN_OPT_REAL)
        fprintf(out, "From %s%.16g to %.16g.\n", o->min < 0 ? "\\" : "", o->min, o->max);
    if (o->type != LIMN_OPT_CHOICE) return;
    fputs("One of", out);
    for (size_t i = 0; o->choices[i]; i++)
        put_line(out, i ? ", \\fB" : " \\fB", o->choices[i], "\\fR");
    fputs(".\n", out);
}

/* Whether a help text begins with a value, or the name of a metric, a stage or the like, which must
 * keep its case: "text, jsonl …", "sacrebleu: …". */
static bool begins_literally(const char *help, const limn_option *o)
{
    const size_t size = strcspn(help, " ,:");
    if (help[size] == ':') return true;
    for (size_t i = 0; o->type == LIMN_OPT_CHOICE && o->choices[i]; i++)
        if (strlen(o->choices[i]) == size && !strncmp(help, o->choices[i], size)) return true;
    return false;
}

/* As a sentence. */
static void put_help(FILE *out, const char *help, const limn_option *o)
{
    const char *ellipsis = strstr(help, "…");
    const bool is_unfinished = ellipsis && !strcmp(ellipsis, "…");
    putc(begins_literally(help, o) ? help[0] : toupper((unsigned char)help[0]), out);
    put_line(out, "", help + 1, is_unfinished ? "\n" : ".\n");
}

static void put_option(FILE *out, const limn_option *o)
{
    char help[512];
    if (!o->help) return;
    limn_cli_help_of(help, sizeof help, o);
    fputs(".TP\n", out);
    if (o->letter) fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
    put_line(out, "\\fB\\-\\-", o->name, "\\fR");
    if (o->is_optional)
        put_line(out, "[=\\fI", o->argument, "\\fR]");
    else if (o->argument)
        put_line(out, " \\fI", o->argument, "\\fR");
    putc('\n', out);
    put_help(out, help, o);
    put_values(out, o);
    if (o->detail) put_line(out, "", o->detail, "\n");
}

static void put_options(FILE *out, const limn_cli_tool *tool)
{
    const char *group = NULL;
    limn_cli_rows rows;
    limn_cli_rows_of(&rows, tool);
    fputs(".SH OPTIONS\n", out);
    for (size_t i = 0; i < rows.n; i++) {
        const limn_option *o = rows.items[i].option;
        const char *of = rows.items[i].origin == LIMN_CLI_COMMON ? "General" : o->group;
        if (of && (!group || strcmp(group, of))) put_line(out, ".SS ", of, "\n");
        group = of;
        put_option(out, o);
    }
}

static void put_exit_codes(FILE *out)
{
    static const struct {
        int code;
        const char *what;
    } codes[] = {
        { LIMN_EXIT_OK, "Everything was done." },
        { LIMN_EXIT_USAGE, "Usage error, or contradictory options." },
        { LIMN_EXIT_NOTHING,
          "Nothing was done, or the output is incomplete: writing it failed, or an archive, folder "
          "or list could not be read to its end, so some of its images have no result." },
        { LIMN_EXIT_SOME_FAILED, "Some inputs failed; each is named on standard error, and the "
                                 "others have their results." },
        { LIMN_EXIT_ASSERT, "An --assert does not hold." },
        { LIMN_EXIT_INTERRUPTED, "Interrupted." },
    };
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        fprintf(out, ".TP\n%d\n", codes[i].code);
        put_line(out, "", codes[i].what, "\n");
    }
}

void limn_cli_print_man_page(FILE *out, const limn_cli_tool *tool)
{
    fputs(".TH \"", out);
    for (const char *p = tool->name; *p; p++) putc(toupper((unsigned char)*p), out);
    fprintf(out, "\" 1 \"\" \"limn %s\" \"User Commands\"\n", LIMN_VERSION);
    put_line(out, ".SH NAME\n", tool->name, "");
    put_line(out, " \\- ", tool->summary, "\n");
    put_line(out, ".SH SYNOPSIS\n.B ", tool->name, "\n[\\fIOPTION\\fR]...\n");
    if (tool->operands) put_line(out, "", tool->operands, "\n");
    if (tool->description) {
        fputs(".SH DESCRIPTION\n", out);
        put_paragraphs(out, tool->description);
    }
    put_options(out, tool);
    put_exit_codes(out);
    if (tool->n_examples) fputs(".SH EXAMPLES\n", out);
    for (size_t i = 0; i < tool->n_examples; i++) {
        put_line(out, ".TP\n.B ", tool->examples[i].command, "\n");
        put_line(out, "", tool->examples[i].what, "\n");
    }
}
