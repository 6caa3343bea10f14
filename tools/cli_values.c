#include <inttypes.h>
#include <stdint.h>

#include "tools/cli.h"
#include "common/text/file_name.h"

static void append_text(limn_buffer *out, const limn_option *o, const char *text)
{
    limn_buffer_printf(out, "%s ", o->name);
    limn_file_name_append_line(out, text ? text : "");
    limn_buffer_append_text(out, "\n");
}

/* A value that the user could not give stands for one that was not given. */
static void append_default(limn_buffer *out, const limn_option *o)
{
    append_text(out, o, "default");
}

static void append_whole(limn_buffer *out, const limn_option *o, uint64_t value)
{
    if ((double)value < o->min || (double)value > o->max)
        append_default(out, o);
    else
        limn_buffer_printf(out, "%s %" PRIu64 "\n", o->name, value);
}

static void append_real(limn_buffer *out, const limn_option *o, double value)
{
    if (value >= o->min && value <= o->max) /* not NaN */
        limn_buffer_printf(out, "%s %.9g\n", o->name, value);
    else
        append_default(out, o);
}

static void append_choice(limn_buffer *out, const limn_option *o, unsigned value)
{
    for (unsigned i = 0; o->choices[i]; i++)
        if (i == value) {
            append_text(out, o, o->choices[i]);
            return;
        }
    append_default(out, o);
}

static void append_list(limn_buffer *out, const limn_option *o, const limn_option_list *list)
{
    for (size_t i = 0; i < list->n_items; i++) append_text(out, o, list->items[i]);
}

static void append_value(limn_buffer *out, const limn_option *o, const void *field)
{
    switch (o->type) {
    case LIMN_OPT_FLAG: append_text(out, o, *(const bool *)field ? "yes" : "no"); return;
    case LIMN_OPT_COUNT: append_whole(out, o, *(const uint32_t *)field); return;
    case LIMN_OPT_SIZE: append_whole(out, o, *(const uint64_t *)field); return;
    case LIMN_OPT_REAL: append_real(out, o, (double)*(const float *)field); return;
    case LIMN_OPT_CHOICE: append_choice(out, o, *(const unsigned *)field); return;
    case LIMN_OPT_TEXT: append_text(out, o, *(const char *const *)field); return;
    case LIMN_OPT_LIST: append_list(out, o, field); return;
    }
}

void limn_cli_append_values(limn_buffer *out, const void *settings, const limn_cli_tool *tool)
{
    for (size_t i = 0; i < tool->n_options; i++)
        if (!tool->options[i].is_neutral)
            append_value(out, &tool->options[i], (const char *)settings + tool->options[i].offset);
}
