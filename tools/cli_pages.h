/* Pages made from the option table: --help, --version, the man page, completions. For tools/cli.c.
 */
#ifndef LIMN_TOOLS_CLI_PAGES_H
#define LIMN_TOOLS_CLI_PAGES_H

#include <stdio.h>

#include "tools/cli.h"

#define LIMN_CLI_COLUMNS 79 /* widest line of --help */

/* The options that every tool has; [limn_cli_n_common_options]. */
extern const limn_option limn_cli_common_options[];
extern const size_t limn_cli_n_common_options;

/* The help of an option, its default after it. */
void limn_cli_help_of(char *out, size_t size, const limn_option *option);
/* `topic` NULL, or none of the following: the options that are not .is_more; "all": every
 * option; a group's name in any case: those of the group. */
void limn_cli_print_help(FILE *out, const limn_cli_tool *tool, const char *topic);
void limn_cli_print_man_page(FILE *out, const limn_cli_tool *tool);
/* The completions of a shell: "bash", "zsh" or "fish"; false, with a message, for another. */
bool limn_cli_print_completion(FILE *out, const limn_cli_tool *tool, const char *shell);
void limn_cli_print_version(FILE *out, const limn_cli_tool *tool);

#endif
