/* All options of a tool in the order of its pages: its own, those of captioning where it takes
 * them, and those that every tool has. For the cli_*.c files. */
#ifndef LIMN_TOOLS_CLI_ROWS_H
#define LIMN_TOOLS_CLI_ROWS_H

#include "tools/cli.h"

enum { LIMN_CLI_MAX_ROWS = 160 };

typedef enum limn_cli_origin {
    LIMN_CLI_OWN = 0,
    LIMN_CLI_CAPTIONING,
    LIMN_CLI_COMMON
} limn_cli_origin;

typedef struct limn_cli_row {
    const limn_option *option;
    limn_cli_origin origin;
} limn_cli_row;

typedef struct limn_cli_rows {
    limn_cli_row items[LIMN_CLI_MAX_ROWS]; /* [n] */
    size_t n;
} limn_cli_rows;

/* A group has the tool's own options first; groups that only captioning has follow the group that
 * they follow there. The common options come last, without a group. */
void limn_cli_rows_of(limn_cli_rows *out, const limn_cli_tool *tool);

#endif
