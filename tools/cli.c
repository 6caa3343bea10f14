#include "tools/cli.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "common/text/edit_distance.h"
#include "models/captioner.h"
#include "models/option_value.h"
#include "tools/cli_pages.h"
#include "tools/cli_rows.h"
#include "tools/message.h"

typedef struct common_settings {
    bool help, version, man_page;
    const char *shell;
} common_settings;

const limn_option limn_cli_common_options[] = {
    { "help", 'h', NULL, "show this page", .type = LIMN_OPT_FLAG,
      .offset = offsetof(common_settings, help) },
    { "version", 'V', NULL, "show the versions of limn and its libraries", .type = LIMN_OPT_FLAG,
      .offset = offsetof(common_settings, version) },
    /* No help: hidden. */
    { "man-page", 0, NULL, NULL, .type = LIMN_OPT_FLAG,
      .offset = offsetof(common_settings, man_page) },
    { "completion", 0, "SHELL", NULL, .type = LIMN_OPT_TEXT,
      .offset = offsetof(common_settings, shell) },
};
const size_t limn_cli_n_common_options =
    sizeof limn_cli_common_options / sizeof *limn_cli_common_options;

/* One run over argv. */
typedef struct parser {
    const limn_cli_tool *tool;
    limn_cli_rows rows;
    void *settings;
    common_settings common;
    char **argv;
    size_t n_args, next; /* argv[next] is read next */
    size_t n_operands;   /* moved to argv[1 …] */
} parser;

/* By letter, or, when that is 0, by the `size` bytes at `name`. NULL: not found. */
static const limn_cli_row *find(const parser *p, const char *name, size_t size, char letter)
{
    for (size_t i = 0; i < p->rows.n; i++) {
        const limn_option *o = p->rows.items[i].option;
        if (letter ? o->letter == letter : !strncmp(o->name, name, size) && !o->name[size])
            return &p->rows.items[i];
    }
    return NULL;
}

static bool unknown_option(const parser *p, const char *name, size_t size)
{
    char text[LIMN_EDIT_DISTANCE_MAX_SIZE + 1];
    limn_near_name best = { NULL, 3 };
    snprintf(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text - 1), name);
    for (size_t i = 0; i < p->rows.n; i++)
        limn_near_name_consider(&best, p->rows.items[i].option, text);
    if (best.name)
        limn_message_error("unknown option --%s; did you mean --%s?", text, best.name);
    else
        limn_message_error("unknown option --%s; see %s --help", text, p->tool->name);
    return false;
}

/* Sets an option; NULL for a flag. */
static bool store(parser *p, const limn_cli_row *row, const char *value)
{
    limn_error err = { 0 };
    const limn_option *o = row->option;
    const limn_status s =
        row->origin == LIMN_CLI_CAPTIONING
            ? limn_options_set((void *)((char *)p->settings + p->tool->captioning), o->name, value,
                               &err)
        : row->origin == LIMN_CLI_COMMON ? limn_option_read(&p->common, o, value, &err)
                                         : limn_option_read(p->settings, o, value, &err);
    if (s != LIMN_OK) limn_message_error("--%s", err.text);
    return s == LIMN_OK;
}

/* Of captioning, limn_options_default has them from their rows. */
static bool store_defaults(parser *p)
{
    for (size_t i = 0; i < p->rows.n; i++) {
        const limn_cli_row *row = &p->rows.items[i];
        const char *value = row->origin == LIMN_CLI_OWN ? row->option->default_value : NULL;
        if (value && !store(p, row, value)) return false;
    }
    return true;
}

/* ---- arguments ------------------------------------------------------------------------- */

/* The argument of an option that needs one: what is attached, or the next word. */
static bool take_value(parser *p, const limn_cli_row *row, const char *attached)
{
    if (!attached && p->next == p->n_args) {
        limn_message_error("--%s needs %s", row->option->name, row->option->argument);
        return false;
    }
    return store(p, row, attached ? attached : p->argv[p->next++]);
}

static bool is_flag(const limn_option *o)
{
    return o->type == LIMN_OPT_FLAG || o->type == LIMN_OPT_BIT;
}

static bool read_long(parser *p, const char *text)
{
    const char *equals = strchr(text, '=');
    const size_t size = equals ? (size_t)(equals - text) : strlen(text);
    const limn_cli_row *row = find(p, text, size, 0);
    if (!row) return unknown_option(p, text, size);
    if (row->option->is_optional) return store(p, row, equals ? equals + 1 : "");
    if (!is_flag(row->option)) return take_value(p, row, equals ? equals + 1 : NULL);
    if (equals) {
        limn_message_error("--%s takes no value", row->option->name);
        return false;
    }
    return store(p, row, NULL);
}

static bool read_letters(parser *p, const char *text)
{
    for (; *text; text++) {
        const limn_cli_row *row = find(p, NULL, 0, *text);
        if (!row) {
            limn_message_error("unknown option -%c; see %s --help", *text, p->tool->name);
            return false;
        }
        if (!is_flag(row->option)) return take_value(p, row, text[1] ? text + 1 : NULL);
        if (!store(p, row, NULL)) return false;
    }
    return true;
}

static bool read_arguments(parser *p)
{
    bool has_options = true;
    while (p->next < p->n_args) {
        char *text = p->argv[p->next++];
        if (!has_options || text[0] != '-' || !text[1])
            p->argv[1 + p->n_operands++] = text;
        else if (!strcmp(text, "--"))
            has_options = false;
        else if (!(text[1] == '-' ? read_long(p, text + 2) : read_letters(p, text + 1)))
            return false;
    }
    return true;
}

/* Prints what --help and the like ask for: the code to end with; -1: nothing was asked for. */
static int print_page(const parser *p)
{
    bool is_done = true;
    if (p->common.help)
        limn_cli_print_help(stdout, p->tool, p->n_operands ? p->argv[1] : NULL);
    else if (p->common.version)
        limn_cli_print_version(stdout, p->tool);
    else if (p->common.man_page)
        limn_cli_print_man_page(stdout, p->tool);
    else if (p->common.shell)
        is_done = limn_cli_print_completion(stdout, p->tool, p->common.shell);
    else
        return -1;
    return !is_done ? LIMN_EXIT_USAGE : fflush(stdout) ? LIMN_EXIT_NOTHING : LIMN_EXIT_OK;
}

static bool check_operands(const parser *p)
{
    const limn_cli_tool *tool = p->tool;
    if (p->n_operands < tool->min_operands)
        limn_message_error("no %s given; see %s --help", tool->operands, tool->name);
    else if (p->n_operands > tool->max_operands)
        limn_message_error("unexpected argument '%s'; see %s --help",
                           p->argv[1 + tool->max_operands], tool->name);
    else
        return true;
    return false;
}

bool limn_cli_parse(limn_cli_operands *operands, void *settings, const limn_cli_tool *tool,
                    int argc, char **argv, int *exit_code)
{
    parser p = { .tool = tool,
                 .settings = settings,
                 .argv = argv,
                 .n_args = argc > 0 ? (size_t)argc : 0,
                 .next = 1 };
    limn_float_env_enter(); /* for the whole process: results don't depend on a preloaded library */
    limn_cli_rows_of(&p.rows, tool);
    limn_message_init(tool->name, LIMN_NORMAL);
    *exit_code = LIMN_EXIT_USAGE;
    if (store_defaults(&p) && read_arguments(&p)) {
        const int code = print_page(&p);
        if (code >= 0) {
            *exit_code = code;
        } else if (check_operands(&p)) {
            *operands = (limn_cli_operands){ argv + 1, p.n_operands };
            return true;
        }
    }
    limn_cli_finish(settings, tool);
    return false;
}

void limn_cli_finish(void *settings, const limn_cli_tool *tool)
{
    for (size_t i = 0; i < tool->n_options; i++) {
        limn_option_list *list = (void *)((char *)settings + tool->options[i].offset);
        if (tool->options[i].type != LIMN_OPT_LIST) continue;
        limn_free(list->items);
        *list = (limn_option_list){ 0 };
    }
    if (tool->takes_captioning) limn_options_finish((void *)((char *)settings + tool->captioning));
}

int limn_cli_failed(const limn_error *err)
{
    limn_message_error("%s", err->text);
    return err->code == LIMN_E_ARG ? LIMN_EXIT_USAGE : LIMN_EXIT_NOTHING;
}

int limn_cli_exit_code(size_t n_done, size_t n_failed)
{
    if (!n_failed) return LIMN_EXIT_OK;
    return n_done ? LIMN_EXIT_SOME_FAILED : LIMN_EXIT_NOTHING;
}
