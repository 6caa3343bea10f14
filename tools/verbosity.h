/* How much a tool prints: -q and -v. One per process. */
#ifndef LIMN_TOOLS_VERBOSITY_H
#define LIMN_TOOLS_VERBOSITY_H

#include <stdbool.h>

typedef enum limn_verbosity {
    LIMN_QUIET = -1, /* -q: errors only, no progress */
    LIMN_NORMAL = 0,
    LIMN_VERBOSE = 1, /* -v */
} limn_verbosity;

/* -q wins over -v. */
limn_verbosity limn_verbosity_of(bool is_quiet, bool is_verbose);
/* LIMN_NORMAL before; limn_message_init calls it. */
void limn_verbosity_set(limn_verbosity verbosity);
limn_verbosity limn_verbosity_get(void);

#endif
