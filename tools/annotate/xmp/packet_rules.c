#include "tools/annotate/xmp/packet.h"

bool limn_xmp_is_wanted(limn_xmp_author author, limn_existing existing, bool is_renewed,
                        bool is_corrected)
{
    const bool is_limns = author == LIMN_XMP_MACHINE || author == LIMN_XMP_CORRECTED;
    if (author == LIMN_XMP_NOBODY || existing == LIMN_EXISTING_OVERWRITE) return true;
    if (is_limns && is_corrected) return true;
    if (author == LIMN_XMP_MACHINE) return is_renewed;
    return existing == LIMN_EXISTING_APPEND || existing == LIMN_EXISTING_PREPEND;
}
