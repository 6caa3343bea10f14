#include "models/option_value.h"
#include "tools/cli_rows.h"

void limn_cli_append_values(limn_buffer *out, const void *settings, const limn_cli_tool *tool)
{
    limn_cli_rows rows;
    limn_cli_rows_of(&rows, tool);
    for (size_t i = 0; i < rows.n; i++) {
        const limn_cli_row *row = &rows.items[i];
        const size_t at = row->origin == LIMN_CLI_CAPTIONING ? tool->captioning : 0;
        if (row->origin != LIMN_CLI_COMMON && !row->option->is_neutral)
            limn_option_append_value(out, (const char *)settings + at, row->option);
    }
}
