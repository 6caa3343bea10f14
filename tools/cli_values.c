#include <inttypes.h>
#include <stdint.h>

#include "tools/cli.h"
#include "tools/writers/file_name.h"

static void append_text(limn_buffer *out, const limn_cli_option *o, const char *text)
{
    limn_buffer_printf(out, "%s ", o->name);
    limn_file_name_append_line(out, text ? text : "");
    limn_buffer_append_text(out, "\n");
}

static void append_value(limn_buffer *out, const limn_cli_option *o, const void *field)
{
    switch (o->type) {
    case LIMN_CLI_FLAG:
        limn_buffer_printf(out, "%s %d\n", o->name, *(const bool *)field);
        return;
    case LIMN_CLI_COUNT:
        limn_buffer_printf(out, "%s %" PRIu32 "\n", o->name, *(const uint32_t *)field);
        return;
    case LIMN_CLI_SIZE:
        limn_buffer_printf(out, "%s %" PRIu64 "\n", o->name, *(const uint64_t *)field);
        return;
    case LIMN_CLI_REAL:
        limn_buffer_printf(out, "%s %.9g\n", o->name, (double)*(const float *)field);
        return;
    case LIMN_CLI_CHOICE:
        limn_buffer_printf(out, "%s %s\n", o->name, o->choices[*(const unsigned *)field]);
        return;
    case LIMN_CLI_TEXT:
        append_text(out, o, *(const char *const *)field);
        return;
    case LIMN_CLI_LIST:
        for (size_t i = 0; i < ((const limn_cli_list *)field)->n_items; i++)
            append_text(out, o, ((const limn_cli_list *)field)->items[i]);
        return;
    }
}

void limn_cli_append_values(limn_buffer *out, const void *settings, const limn_cli_tool *tool)
{
    for (size_t i = 0; i < tool->n_options; i++)
        if (!tool->options[i].is_neutral)
            append_value(out, &tool->options[i], (const char *)settings + tool->options[i].offset);
}
