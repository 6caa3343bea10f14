#include "tools/cli_rows.h"

#include <assert.h>
#include <string.h>

#include "models/option_table.h"
#include "tools/cli_pages.h"

static bool is_same_group(const limn_option *a, const limn_option *b)
{
    return a->group && b->group && !strcmp(a->group, b->group);
}

static bool has_group(const limn_cli_tool *tool, const limn_option *of)
{
    for (size_t i = 0; i < tool->n_options; i++)
        if (is_same_group(&tool->options[i], of)) return true;
    return false;
}

static void add(limn_cli_rows *rows, const limn_option *option, limn_cli_origin origin)
{
    assert(rows->n < LIMN_CLI_MAX_ROWS); /* each tool's pages are made at build */
    rows->items[rows->n++] = (limn_cli_row){ option, origin };
}

/* The options of captioning in the group of `last`, and in the groups after it that the tool does
 * not have. */
static void add_captioning(limn_cli_rows *rows, const limn_cli_tool *tool, const limn_option *last)
{
    bool is_after = false;
    for (size_t i = 0; i < limn_n_option_rows; i++) {
        const limn_option *o = &limn_option_rows[i];
        const bool is_in_group = is_same_group(o, last);
        is_after = is_in_group || (is_after && !has_group(tool, o));
        if (is_after) add(rows, o, LIMN_CLI_CAPTIONING);
    }
}

void limn_cli_rows_of(limn_cli_rows *out, const limn_cli_tool *tool)
{
    out->n = 0;
    for (size_t i = 0; i < tool->n_options; i++) {
        const limn_option *o = &tool->options[i];
        const bool is_last_of_group =
            i + 1 == tool->n_options || !is_same_group(o, &tool->options[i + 1]);
        add(out, o, LIMN_CLI_OWN);
        if (tool->takes_captioning && is_last_of_group) add_captioning(out, tool, o);
    }
    for (size_t i = 0; i < limn_cli_n_common_options; i++)
        add(out, &limn_cli_common_options[i], LIMN_CLI_COMMON);
}
