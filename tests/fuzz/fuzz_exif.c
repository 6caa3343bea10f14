/* Any bytes as an EXIF block: an orientation comes out, or none. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/image/codec.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    limn_error err = { 0 };
    const unsigned orientation = limn_exif_orientation(bytes, size, &err);
    if (orientation > 8 || err.code) abort();
    return 0;
}
