/* Completions for bash, zsh and fish, from the table of options. */
#include <string.h>

#include "tools/cli_pages.h"
#include "tools/cli_rows.h"
#include "tools/message.h"

/* What the value of an option is completed with. */
typedef enum value_kind { NO_VALUE, ANY_VALUE, CHOICES, FILES, FOLDERS } value_kind;

static value_kind kind_of(const limn_option *o)
{
    if (o->type == LIMN_OPT_FLAG || o->type == LIMN_OPT_BIT) return NO_VALUE;
    if (o->type == LIMN_OPT_CHOICE) return CHOICES;
    return !strcmp(o->argument, "FILE") ? FILES : !strcmp(o->argument, "DIR") ? FOLDERS : ANY_VALUE;
}

static void put_choices(FILE *out, const limn_option *o)
{
    for (size_t i = 0; o->choices[i]; i++) fprintf(out, "%s%s", i ? " " : "", o->choices[i]);
}

/* Text between single quotes: bytes of `special` get a backslash, a quote what `quote` says. */
static void put_quoted(FILE *out, const char *text, const char *special, const char *quote)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs(quote, out);
            continue;
        }
        if (strchr(special, *text)) putc('\\', out);
        putc(*text, out);
    }
}

/* The name of a shell function: no dash. */
static void put_function_name(FILE *out, const char *tool)
{
    putc('_', out);
    for (; *tool; tool++) putc(*tool == '-' ? '_' : *tool, out);
}

/* ---- bash --------------------------------------------------------------------------------- */

static bool needs_value(const limn_option *o, value_kind kind)
{
    return o->help && !o->is_optional && kind_of(o) == kind;
}

/* "--output|-o": a part of a pattern of case. */
static void put_pattern(FILE *out, const limn_option *o, const char *before)
{
    fprintf(out, "%s--%s", before, o->name);
    if (o->letter) fprintf(out, "|-%c", o->letter);
}

static void put_bash_choices(FILE *out, const limn_option *o)
{
    put_pattern(out, o, "    ");
    fputs(") COMPREPLY=($(compgen -W '", out);
    put_choices(out, o);
    fputs("' -- \"$cur\")); return ;;\n", out);
}

/* One branch for all options whose values are of a kind. */
static void put_bash_kind(FILE *out, const limn_cli_rows *rows, value_kind kind, const char *what)
{
    const char *before = "    ";
    for (size_t i = 0; i < rows->n; i++) {
        if (!needs_value(rows->items[i].option, kind)) continue;
        put_pattern(out, rows->items[i].option, before);
        before = "|";
    }
    if (*before == '|') fprintf(out, ") %sreturn ;;\n", what);
}

/* An empty answer leaves files to the shell (-o default). "--name=value" comes as three words. */
static void put_bash(FILE *out, const limn_cli_tool *tool, const limn_cli_rows *rows)
{
    fprintf(out, "# bash completion for %s\n", tool->name);
    put_function_name(out, tool->name);
    fputs("()\n{\n    local cur=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    if [[ $cur == '=' ]]; then cur=\n"
          "    elif [[ $name == '=' ]]; then name=${COMP_WORDS[COMP_CWORD-2]}\n    fi\n"
          "    COMPREPLY=()\n    case $name in\n",
          out);
    for (size_t i = 0; i < rows->n; i++)
        if (needs_value(rows->items[i].option, CHOICES))
            put_bash_choices(out, rows->items[i].option);
    put_bash_kind(out, rows, FILES, "");
    put_bash_kind(out, rows, FOLDERS, "compopt -o dirnames +o default 2>/dev/null; ");
    put_bash_kind(out, rows, ANY_VALUE, "compopt +o default 2>/dev/null; ");
    fputs("    esac\n    if [[ $cur == -* ]]; then\n        COMPREPLY=($(compgen -W '", out);
    for (size_t i = 0; i < rows->n; i++)
        if (rows->items[i].option->help) fprintf(out, "--%s ", rows->items[i].option->name);
    fputs("' -- \"$cur\"))\n    fi\n}\ncomplete -o default -F ", out);
    put_function_name(out, tool->name);
    fprintf(out, " %s\n", tool->name);
}

/* ---- zsh ---------------------------------------------------------------------------------- */

static void put_zsh_value(FILE *out, const limn_option *o)
{
    const value_kind kind = kind_of(o);
    if (kind == NO_VALUE) return;
    fprintf(out, ":%s%s:", o->is_optional ? ":" : "", o->argument);
    if (kind == CHOICES) {
        putc('(', out);
        put_choices(out, o);
        putc(')', out);
    } else {
        fputs(kind == FILES ? "_files" : kind == FOLDERS ? "_files -/" : " ", out);
    }
}

static void put_zsh_option(FILE *out, const limn_option *o, const char *name, char letter)
{
    const bool has_value = kind_of(o) != NO_VALUE;
    if (!o->help) return;
    fprintf(out, "  '%s", o->type == LIMN_OPT_LIST ? "*" : "");
    if (letter)
        fprintf(out, "-%c%s", letter, has_value ? "+" : "");
    else
        fprintf(out, "--%s%s", name, !has_value ? "" : o->is_optional ? "=-" : "=");
    putc('[', out);
    put_quoted(out, o->help, "[]:\\", "'\\''");
    putc(']', out);
    put_zsh_value(out, o);
    fputs("' \\\n", out);
}

static void put_zsh(FILE *out, const limn_cli_tool *tool, const limn_cli_rows *rows)
{
    fprintf(out, "#compdef %s\n_arguments -s -S : \\\n", tool->name);
    for (size_t i = 0; i < rows->n; i++) {
        const limn_option *o = rows->items[i].option;
        put_zsh_option(out, o, o->name, 0);
        if (o->letter) put_zsh_option(out, o, o->name, o->letter);
    }
    fprintf(out, "  '*:%s:_files'\n", tool->operands ? "argument" : "no argument");
}

/* ---- fish --------------------------------------------------------------------------------- */

static void put_fish_value(FILE *out, const limn_option *o)
{
    const value_kind kind = o->is_optional ? NO_VALUE : kind_of(o);
    if (kind == NO_VALUE) return;
    fputs(kind == FILES ? " -r -F" : " -x", out);
    if (kind == FOLDERS) fputs(" -a '(__fish_complete_directories)'", out);
    if (kind != CHOICES) return;
    fputs(" -a '", out);
    put_choices(out, o);
    putc('\'', out);
}

static void put_fish(FILE *out, const limn_cli_tool *tool, const limn_cli_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        const limn_option *o = rows->items[i].option;
        if (!o->help) continue;
        fprintf(out, "complete -c %s -l %s", tool->name, o->name);
        if (o->letter) fprintf(out, " -s %c", o->letter);
        put_fish_value(out, o);
        fputs(" -d '", out);
        put_quoted(out, o->help, "\\", "\\'");
        fputs("'\n", out);
    }
}

/* ------------------------------------------------------------------------------------------- */

bool limn_cli_print_completion(FILE *out, const limn_cli_tool *tool, const char *shell)
{
    static const struct {
        const char *shell;
        void (*put)(FILE *out, const limn_cli_tool *tool, const limn_cli_rows *rows);
    } shells[] = { { "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish } };
    limn_cli_rows rows;
    limn_cli_rows_of(&rows, tool);
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shell, shells[i].shell)) continue;
        shells[i].put(out, tool, &rows);
        return true;
    }
    limn_message_error("--completion: '%s' is not one of bash, zsh, fish", shell);
    return false;
}
