#include "tools/cli.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "common/text/edit_distance.h"
#include "tools/cli_pages.h"
#include "tools/message.h"

typedef struct common_settings {
    bool help, version, man_page;
} common_settings;

const limn_option limn_cli_common_options[] = {
    { "help", 0, NULL, "show this page", .type = LIMN_OPT_FLAG,
      .offset = offsetof(common_settings, help) },
    { "version", 0, NULL, "show the versions of limn and its libraries", .type = LIMN_OPT_FLAG,
      .offset = offsetof(common_settings, version) },
    /* No help: hidden. */
    { "man-page", 0, NULL, NULL, .type = LIMN_OPT_FLAG,
      .offset = offsetof(common_settings, man_page) },
};
const size_t limn_cli_n_common_options =
    sizeof limn_cli_common_options / sizeof *limn_cli_common_options;

/* One run over argv. */
typedef struct parser {
    const limn_cli_tool *tool;
    void *settings;
    common_settings common;
    char **argv;
    size_t n_args, next; /* argv[next] is read next */
    size_t n_operands;   /* moved to argv[1 …] */
} parser;

/* An option and the struct that its offset counts in. */
typedef struct found_option {
    const limn_option *option; /* NULL: not found */
    void *settings;
} found_option;

static const limn_option *find_in(const limn_option *options, size_t n, const char *name,
                                  size_t size, char letter)
{
    for (size_t i = 0; i < n; i++) {
        const limn_option *o = &options[i];
        if (letter ? o->letter == letter : !strncmp(o->name, name, size) && !o->name[size])
            return o;
    }
    return NULL;
}

/* By letter, or, when that is 0, by the `size` bytes at `name`. */
static found_option find(parser *p, const char *name, size_t size, char letter)
{
    found_option found = { find_in(p->tool->options, p->tool->n_options, name, size, letter),
                           p->settings };
    if (!found.option) {
        found.option =
            find_in(limn_cli_common_options, limn_cli_n_common_options, name, size, letter);
        found.settings = &p->common;
    }
    return found;
}

/* ---- near names ------------------------------------------------------------------------ */

typedef struct nearest {
    const char *name;
    size_t distance;
} nearest;

static void consider(nearest *best, const limn_option *options, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        const bool is_beginning = strlen(name) > 2 && !strncmp(options[i].name, name, strlen(name));
        const size_t d = is_beginning ? 1 : limn_edit_distance(options[i].name, name);
        if (options[i].help && d < best->distance) *best = (nearest){ options[i].name, d };
    }
}

static bool unknown_option(const parser *p, const char *name, size_t size)
{
    char text[LIMN_EDIT_DISTANCE_MAX_SIZE + 1];
    nearest best = { NULL, 3 };
    snprintf(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text - 1), name);
    consider(&best, p->tool->options, p->tool->n_options, text);
    consider(&best, limn_cli_common_options, limn_cli_n_common_options, text);
    if (best.name)
        limn_message_error("unknown option --%s; did you mean --%s?", text, best.name);
    else
        limn_message_error("unknown option --%s; see %s --help", text, p->tool->name);
    return false;
}

/* ---- values ---------------------------------------------------------------------------- */

/* Whether strtod read all of `text`, and it is decimal: no "inf", "nan", "0x1p3" or white space. */
static bool is_decimal(const char *text, const char *end)
{
    return end != text && !*end && strspn(text, "+-.0123456789eE") == strlen(text);
}

static bool out_of_range(const limn_option *o, const char *text)
{
    limn_message_error("--%s: %s is not in %.16g … %.16g", o->name, text, o->min, o->max);
    return false;
}

static bool read_whole(uint64_t *out, const limn_option *o, const char *text)
{
    const char *digits = *text == '-' ? text + 1 : text;
    const size_t n_digits = strspn(digits, "0123456789");
    unsigned long long value;
    if (!n_digits || digits[n_digits]) {
        limn_message_error("--%s: '%s' is not a whole number", o->name, text);
        return false;
    }
    if (digits != text) return out_of_range(o, text);
    errno = 0;
    value = strtoull(text, NULL, 10);
    if (errno || (double)value < o->min || (double)value > o->max) return out_of_range(o, text);
    *out = value;
    return true;
}

static bool read_real(float *out, const limn_option *o, const char *text)
{
    char *end;
    const double value = strtod(text, &end);
    if (!is_decimal(text, end)) {
        limn_message_error("--%s: '%s' is not a number", o->name, text);
        return false;
    }
    if (!(value >= o->min && value <= o->max)) return out_of_range(o, text);
    *out = (float)value;
    return true;
}

static bool read_choice(unsigned *out, const limn_option *o, const char *text)
{
    char names[256] = "";
    for (unsigned i = 0; o->choices[i]; i++) {
        const size_t used = strlen(names);
        if (!strcmp(o->choices[i], text)) {
            *out = i;
            return true;
        }
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", o->choices[i]);
    }
    limn_message_error("--%s: '%s' is not one of %s", o->name, text, names);
    return false;
}

static bool append(limn_option_list *list, const char *text)
{
    const char **items = limn_realloc(list->items, list->n_items + 1, sizeof *items);
    if (!items) {
        limn_message_error("out of memory");
        return false;
    }
    items[list->n_items++] = text;
    list->items = items;
    return true;
}

static bool store(const found_option *found, const char *text)
{
    const limn_option *o = found->option;
    void *field = (char *)found->settings + o->offset;
    uint64_t whole;
    switch (o->type) {
    case LIMN_OPT_FLAG: *(bool *)field = true; return true;
    case LIMN_OPT_COUNT:
        if (!read_whole(&whole, o, text)) return false;
        *(uint32_t *)field = (uint32_t)whole;
        return true;
    case LIMN_OPT_SIZE: return read_whole(field, o, text);
    case LIMN_OPT_REAL: return read_real(field, o, text);
    case LIMN_OPT_TEXT: *(const char **)field = text; return true;
    case LIMN_OPT_CHOICE: return read_choice(field, o, text);
    case LIMN_OPT_LIST: return append(field, text);
    }
    return false;
}

/* ---- arguments ------------------------------------------------------------------------- */

/* The argument of an option that needs one: what is attached, or the next word. */
static bool take_value(parser *p, const found_option *found, const char *attached)
{
    if (!attached && p->next == p->n_args) {
        limn_message_error("--%s needs %s", found->option->name, found->option->argument);
        return false;
    }
    return store(found, attached ? attached : p->argv[p->next++]);
}

static bool read_long(parser *p, const char *text)
{
    const char *equals = strchr(text, '=');
    const size_t size = equals ? (size_t)(equals - text) : strlen(text);
    const found_option found = find(p, text, size, 0);
    if (!found.option) return unknown_option(p, text, size);
    if (found.option->is_optional) return store(&found, equals ? equals + 1 : "");
    if (found.option->type != LIMN_OPT_FLAG)
        return take_value(p, &found, equals ? equals + 1 : NULL);
    if (equals) {
        limn_message_error("--%s takes no value", found.option->name);
        return false;
    }
    return store(&found, NULL);
}

static bool read_letters(parser *p, const char *text)
{
    for (; *text; text++) {
        const found_option found = find(p, NULL, 0, *text);
        if (!found.option) {
            limn_message_error("unknown option -%c; see %s --help", *text, p->tool->name);
            return false;
        }
        if (found.option->type != LIMN_OPT_FLAG)
            return take_value(p, &found, text[1] ? text + 1 : NULL);
        if (!store(&found, NULL)) return false;
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

static bool print_page(const parser *p)
{
    if (p->common.help)
        limn_cli_print_help(stdout, p->tool, p->n_operands ? p->argv[1] : NULL);
    else if (p->common.version)
        limn_cli_print_version(stdout, p->tool);
    else if (p->common.man_page)
        limn_cli_print_man_page(stdout, p->tool);
    else
        return false;
    return true;
}

static bool check_operands(const parser *p)
{
    const limn_cli_tool *tool = p->tool;
    if (p->n_operands < tool->min_operands)
        limn_message_error("no %s given; see %s --help", tool->operands, tool->name);
    else if (p->n_operands > tool->max_operands)
        limn_message_error("'%s' is one argument too many; see %s --help",
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
    limn_message_init(tool->name, LIMN_NORMAL);
    *exit_code = LIMN_EXIT_USAGE;
    if (read_arguments(&p)) {
        if (print_page(&p)) {
            *exit_code = fflush(stdout) ? LIMN_EXIT_NOTHING : LIMN_EXIT_OK;
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
}

int limn_cli_exit_code(size_t n_done, size_t n_failed)
{
    if (!n_failed) return LIMN_EXIT_OK;
    return n_done ? LIMN_EXIT_SOME_FAILED : LIMN_EXIT_NOTHING;
}
