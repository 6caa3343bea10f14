/* Any bytes as a file with a colour profile, and as a profile itself. */
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "tests/fuzz/fuzz.h"
#include "tools/annotate/decoders/color_profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    limn_buffer icc = { 0 };
    limn_color_profile_find(&icc, bytes, size);
    fuzz_use(limn_color_profile_is_other((const uint8_t *)icc.bytes, icc.size));
    fuzz_use(limn_color_profile_is_other(bytes, size));
    limn_buffer_finish(&icc);
    return 0;
}
