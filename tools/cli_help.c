#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "tools/cli_pages.h"
#include "tools/cli_rows.h"

enum { HELP_COLUMN_MAX = 28 };

/* "-o, --output FILE" without indentation; returns its width. */
static int name_of(char *out, size_t size, const limn_option *o)
{
    char letter[5] = "    ";
    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    if (o->is_optional) return snprintf(out, size, "%s--%s[=%s]", letter, o->name, o->argument);
    return snprintf(out, size, "%s--%s%s%s", letter, o->name, o->argument ? " " : "",
                    o->argument ? o->argument : "");
}

/* The column of the help texts. */
static int help_column(const limn_cli_rows *rows)
{
    int column = 16;
    for (size_t i = 0; i < rows->n; i++) {
        char name[128];
        const int width = name_of(name, sizeof name, rows->items[i].option) + 4;
        if (width > column && width <= HELP_COLUMN_MAX) column = width;
    }
    return column;
}

/* Writes text from `column`, where the cursor is, wrapped at LIMN_CLI_COLUMNS. */
static void put_wrapped(FILE *out, const char *text, int column)
{
    int at = column;
    while (*text) {
        const int size = (int)strcspn(text, " ");
        if (at > column && at + 1 + size > LIMN_CLI_COLUMNS) {
            fprintf(out, "\n%*s", column, "");
            at = column;
        }
        at += fprintf(out, "%s%.*s", at > column ? " " : "", size, text);
        text += (size_t)size + strspn(text + size, " ");
    }
    putc('\n', out);
}

void limn_cli_help_of(char *out, size_t size, const limn_option *o)
{
    if (o->default_value)
        snprintf(out, size, "%s (default %s)", o->help, o->default_value);
    else
        snprintf(out, size, "%s%s", o->help, o->type == LIMN_OPT_LIST ? " (repeatable)" : "");
}

static void put_option(FILE *out, const limn_option *o, int column)
{
    char name[128], help[512];
    int width;
    if (!o->help) return;
    width = name_of(name, sizeof name, o) + 2;
    fprintf(out, "  %s", name);
    if (width + 2 > column) {
        putc('\n', out);
        width = 0;
    }
    fprintf(out, "%*s", column - width, "");
    limn_cli_help_of(help, sizeof help, o);
    put_wrapped(out, help, column);
}

/* The options that a page shows. */
typedef struct page {
    limn_cli_rows rows;
    const char *group; /* that alone; NULL: every group */
    bool has_more;     /* also what is .is_more */
} page;

static page page_of(const limn_cli_tool *tool, const char *topic)
{
    page p = { .has_more = topic && !strcmp(topic, "all") };
    limn_cli_rows_of(&p.rows, tool);
    for (size_t i = 0; topic && i < p.rows.n; i++) {
        const char *group = p.rows.items[i].option->group;
        if (group && !strcasecmp(group, topic)) {
            p.group = group;
            p.has_more = true;
        }
    }
    return p;
}

static bool shows(const page *p, const limn_option *o)
{
    return (!o->is_more || p->has_more) && (!p->group || (o->group && !strcmp(p->group, o->group)));
}

static void put_options(FILE *out, const page *p, int column)
{
    const char *group = NULL;
    for (size_t i = 0; i < p->rows.n; i++) {
        const limn_option *o = p->rows.items[i].option;
        if (!shows(p, o)) continue;
        if (o->group && (!group || strcmp(group, o->group))) fprintf(out, "%s:\n", o->group);
        group = o->group;
        put_option(out, o, column);
    }
}

/* Where to find the options that a short page leaves out. */
static void put_more(FILE *out, const limn_cli_tool *tool, const limn_cli_rows *rows)
{
    char text[256];
    const char *group = NULL;
    size_t size = 0;
    for (size_t i = 0; i < rows->n && size < sizeof text; i++) {
        const limn_option *o = rows->items[i].option;
        if (!o->is_more || !o->group || (group && !strcmp(group, o->group))) continue;
        group = o->group;
        size += (size_t)snprintf(text + size, sizeof text - size, ", %c%s",
                                 tolower((unsigned char)group[0]), group + 1);
    }
    if (group) {
        const int column = fprintf(out, "More: %s --help GROUP: ", tool->name);
        put_wrapped(out, text + 2, column);
        fprintf(out, "All: %s --help all, and the man page\n", tool->name);
    }
}

void limn_cli_print_help(FILE *out, const limn_cli_tool *tool, const char *topic)
{
    const page p = page_of(tool, topic);
    const int column = help_column(&p.rows);
    fprintf(out, "Usage: %s [OPTION]...%s%s\n%s: %s.\n", tool->name, tool->operands ? " " : "",
            tool->operands ? tool->operands : "", tool->name, tool->summary);
    put_options(out, &p, column);
    if (!p.has_more) put_more(out, tool, &p.rows);
}
