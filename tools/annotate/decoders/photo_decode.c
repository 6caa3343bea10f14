#include "tools/annotate/decoders/photo_decode.h"

#include "common/base/mem.h"
#include "common/image/codec.h"
#include "common/image/decode.h"
#include "tools/annotate/decoders/decoder_modules.h"

static void finish_photo(limn_photo *p)
{
    limn_image_finish(&p->image);
    limn_free(p->color.icc);
    limn_free(p->preview);
}

static limn_status decode_by_module(limn_image *out, limn_module_id id, const limn_codec_input *in,
                                    const char *format, limn_error *err)
{
    const limn_decoder_module *module;
    limn_error reason = { 0 };
    limn_photo photo = { .orientation = 1 };
    limn_status s = limn_module_get(&module, id, &reason);
    if (s != LIMN_OK) return limn_fail(err, s, "this is %s; %s", format, reason.text);
    s = module->decode(&photo, in, err);
    if (s == LIMN_OK) s = limn_image_orient(&photo.image, photo.orientation, err);
    if (s == LIMN_OK) {
        *out = photo.image;
        photo.image = (limn_image){ 0 };
    }
    finish_photo(&photo);
    return s;
}

limn_status limn_photo_decode(limn_image *out, const void *bytes, size_t size,
                              const limn_image_settings *settings, limn_error *err)
{
    const limn_image_format *format = limn_image_sniff(bytes, size);
    const limn_module_id id = format ? limn_module_of_format(format) : LIMN_MODULE_NONE;
    const limn_codec_input in = { .bytes = bytes, .size = size, .settings = settings };
    *out = (limn_image){ 0 };
    if (id == LIMN_MODULE_NONE) return limn_image_decode(out, bytes, size, settings, err);
    return decode_by_module(out, id, &in, format->name, err);
}
