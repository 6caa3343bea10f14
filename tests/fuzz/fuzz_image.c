/* Any bytes as an image: every decoder, every limit, and that what comes out may be read. */
#include <stddef.h>
#include <stdint.h>

#include "common/image/decode.h"
#include "common/image/image.h"
#include "tests/fuzz/fuzz.h"

/* Small enough that a run takes milliseconds, whatever the header asks for. */
#define MAX_PIXELS (1u << 18)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    limn_image_settings settings = limn_image_settings_default();
    limn_image image;
    limn_error err = { 0 };
    settings.max_pixels = MAX_PIXELS;
    settings.min_side_hint = size % 2 ? 8 : 0;
    if (limn_image_decode(&image, bytes, size, &settings, &err) == LIMN_OK) {
        size_t n_bytes = (size_t)image.width * image.height * 3;
        unsigned sum = 0;
        for (size_t i = 0; i < n_bytes; i++) sum += image.pixels[i];
        fuzz_use(sum);
    }
    limn_image_finish(&image);
    return 0;
}
