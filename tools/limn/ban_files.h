/* Banned words from files (--ban-file). */
#ifndef LIMN_TOOLS_LIMN_BAN_FILES_H
#define LIMN_TOOLS_LIMN_BAN_FILES_H

#include "models/captioner.h"
#include "models/option.h"

/* Bans each line of the files. Lines with words that the model lacks are left out, since it never
 * writes them; -v reports how many. LIMN_E_IO, LIMN_E_NOMEM, LIMN_E_FORMAT. */
limn_status ban_files_read(limn_options *options, const limn_option_list *files,
                           const limn_model *model, limn_error *err);

#endif
