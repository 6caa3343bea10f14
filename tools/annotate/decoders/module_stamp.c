/* A part of every module. */
#include "tools/annotate/decoders/module_file.h"

const char limn_module_stamp[] = LIMN_MODULE_STAMP;
