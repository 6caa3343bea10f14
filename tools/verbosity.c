#include "tools/verbosity.h"

static limn_verbosity current = LIMN_NORMAL;

limn_verbosity limn_verbosity_of(bool is_quiet, bool is_verbose)
{
    return is_quiet ? LIMN_QUIET : is_verbose ? LIMN_VERBOSE : LIMN_NORMAL;
}

void limn_verbosity_set(limn_verbosity verbosity)
{
    current = verbosity;
}

limn_verbosity limn_verbosity_get(void)
{
    return current;
}
