/* The files of modules: where those of this program are, and opening one.
 *
 * A program in a build folder takes those of that build, an installed one those that were installed
 * with it, and neither the other's; nothing is looked for in the current folder or by the
 * environment. A module is code that the program runs. So only root, the user and the owner of the
 * program may be able to put it there: a file or a folder on the way that belongs to somebody else,
 * or that everybody may write to, is refused. Whom a group lets in is its owner's choice. */
#ifndef LIMN_TOOLS_ANNOTATE_DECODERS_MODULE_FILE_H
#define LIMN_TOOLS_ANNOTATE_DECODERS_MODULE_FILE_H

#include <stddef.h>

#include "tools/annotate/decoders/decoder_module.h"

/* Every module has one, and is refused unless it is that of the program: version, and a checksum of
 * the headers that both were compiled with. */
#define LIMN_MODULE_STAMP_SYMBOL "limn_module_stamp"
extern LIMN_MODULE_EXPORT const char limn_module_stamp[];

/* Opens the module `file` of this program, and gives the address of its symbol. NULL: `reason`
 * [size] says why not. */
const void *limn_module_open_file(const char *file, const char *symbol, char *reason, size_t size);

#endif
