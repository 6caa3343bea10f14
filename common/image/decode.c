#include "common/image/decode.h"

#include "common/image/codec.h"
#include "common/image/format.h"

static limn_status refuse(const limn_image_format *format, const uint8_t *bytes, size_t size,
                          limn_error *err)
{
    if (size == 0) return limn_fail(err, LIMN_E_TRUNCATED, "the file is empty");
    if (format && format->kind == LIMN_IMAGE_NOT)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "this is %s, not an image", format->name);
    if (format)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "this is %s; not supported in this build",
                         format->name);
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "not an image of a known format (%zu bytes, the first is 0x%02x)", size,
                     bytes[0]);
}

limn_status limn_image_decode(limn_image *out, const void *bytes, size_t size,
                              const limn_image_settings *settings, limn_error *err)
{
    const limn_image_format *format = limn_image_sniff(bytes, size);
    limn_codec_input in = { .bytes = bytes, .size = size, .settings = settings };
    unsigned orientation = 1;
    limn_status s;
    *out = (limn_image){ 0 };
    if (!format || !format->decode) return refuse(format, bytes, size, err);
    s = format->decode(out, &orientation, &in, err);
    if (s == LIMN_OK) s = limn_image_orient(out, orientation, err);
    if (s != LIMN_OK) limn_image_finish(out);
    return s;
}
