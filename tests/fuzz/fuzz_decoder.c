/* Any bytes as an image of one decoder module, which is linked here: every limit, and that what
 * comes out may be read. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/image/image.h"
#include "tests/fuzz/fuzz.h"
#include "tools/annotate/decoders/decoder_module.h"

/* Small enough that a run takes milliseconds, whatever the header asks for. */
#define MAX_PIXELS (1u << 18)

static unsigned sum_of(const uint8_t *bytes, size_t size)
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++) sum += bytes[i];
    return sum;
}

static void convert(const limn_decoder_module *module, const uint8_t *bytes, size_t size)
{
    uint8_t pixels[8 * 8 * 3] = "some colours to convert", *icc = limn_alloc(size, 1);
    limn_image image = { .pixels = pixels, .width = 8, .height = 8 };
    const limn_color color = { .icc = icc, .icc_size = size };
    if (size) memcpy(icc, bytes, size);
    module->convert(&image, &color, NULL);
    fuzz_use(sum_of(pixels, sizeof pixels));
    limn_free(icc);
}

static void decode(const limn_decoder_module *module, const uint8_t *bytes, size_t size)
{
    limn_image_settings settings = limn_image_settings_default();
    const limn_codec_input in = { .bytes = bytes, .size = size, .settings = &settings };
    limn_photo photo = { .orientation = 1 };
    limn_error err = { 0 };
    settings.max_pixels = MAX_PIXELS;
    if (module->decode(&photo, &in, &err) == LIMN_OK) {
        const size_t n_pixels = (size_t)photo.image.width * photo.image.height;
        fuzz_use(sum_of(photo.image.pixels, n_pixels * 3));
        fuzz_use(sum_of(photo.color.icc, photo.color.icc_size));
        fuzz_use(sum_of(photo.preview, photo.preview_size));
    }
    limn_image_finish(&photo.image);
    limn_free(photo.color.icc);
    limn_free(photo.preview);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const limn_decoder_module *module = &limn_decoder_module_here;
    static bool is_prepared;
    if (!is_prepared && module->prepare) module->prepare();
    is_prepared = true;
    if (module->decode)
        decode(module, bytes, size);
    else
        convert(module, bytes, size);
    return 0;
}
