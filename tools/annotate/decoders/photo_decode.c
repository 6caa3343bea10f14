#include "tools/annotate/decoders/photo_decode.h"

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/image/codec.h"
#include "common/image/decode.h"
#include "tools/annotate/decoders/color_profile.h"
#include "tools/annotate/decoders/decoder_modules.h"

static void finish_photo(limn_photo *p)
{
    limn_image_finish(&p->image);
    limn_free(p->color.icc);
    limn_free(p->preview);
}

/* ---- colours ------------------------------------------------------------------------------- */

/* Without the module colours stay as they are, as profiles are ignored elsewhere. */
static limn_status convert_colors(limn_image *image, const limn_color *color, limn_error *err)
{
    const bool is_other = color->icc ? limn_color_profile_is_other(color->icc, color->icc_size)
                                     : limn_color_primaries_are_other(color->primaries);
    const limn_decoder_module *module;
    limn_error reason = { 0 };
    if (!is_other || !limn_module_is_built(LIMN_MODULE_ICC)) return LIMN_OK;
    if (limn_module_get(&module, LIMN_MODULE_ICC, &reason) == LIMN_OK)
        return module->convert(image, color, err);
    limn_note(err, "the colour profile was ignored: %s", reason.text);
    return LIMN_OK;
}

/* The same by the profile in the file, of a format of common/image, that the image was read from.
 */
static limn_status convert_by_file(limn_image *image, const limn_codec_input *in, limn_error *err)
{
    limn_buffer icc = { 0 };
    limn_status s = LIMN_OK;
    limn_color_profile_find(&icc, in->bytes, in->size);
    if (icc.size && !icc.has_failed) {
        const limn_color color = { .icc = (uint8_t *)icc.bytes, .icc_size = icc.size };
        s = convert_colors(image, &color, err);
    }
    limn_buffer_finish(&icc);
    return s;
}

/* What limn_image_decode reads, which leaves profiles to this. */
static limn_status decode_plain(limn_image *out, const limn_codec_input *in, limn_error *err)
{
    limn_status s = limn_image_decode(out, in->bytes, in->size, in->settings, err);
    if (s == LIMN_OK) s = convert_by_file(out, in, err);
    if (s != LIMN_OK) limn_image_finish(out);
    return s;
}

/* ---- modules ------------------------------------------------------------------------------- */

/* Whether a preview that says nothing of its orientation is upright already: a quarter turn of the
 * container would lay it on its side. */
static bool is_turned(const limn_image *preview, unsigned orientation)
{
    return orientation >= 5 && preview->height > preview->width;
}

/* Where the preview says which side is up, the container's word, mostly the same, does not count.
 */
static limn_status decode_preview(limn_photo *photo, const limn_codec_input *in, limn_error *err)
{
    const limn_codec_input inner = { photo->preview, photo->preview_size, in->settings };
    const limn_image_format *format = limn_image_sniff(inner.bytes, inner.size);
    unsigned own = 1;
    if (!format || !format->decode)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "RAW preview: it is %s",
                         format ? format->name : "not an image of a known format");
    const limn_status s = format->decode(&photo->image, &own, &inner, err);
    if (s != LIMN_OK) limn_error_prefix(err, "RAW preview");
    LIMN_TRY(s);
    if (own != 1 || is_turned(&photo->image, photo->orientation)) photo->orientation = own;
    return convert_by_file(&photo->image, &inner, err);
}

static limn_status decode_photo(limn_photo *photo, const limn_decoder_module *module,
                                const limn_codec_input *in, limn_error *err)
{
    LIMN_TRY(module->decode(photo, in, err));
    if (photo->preview) LIMN_TRY(decode_preview(photo, in, err));
    LIMN_TRY(convert_colors(&photo->image, &photo->color, err));
    return limn_image_orient(&photo->image, photo->orientation, err);
}

static limn_status decode_by_module(limn_image *out, limn_module_id id, const limn_codec_input *in,
                                    const char *format, limn_error *err)
{
    const limn_decoder_module *module;
    limn_error reason = { 0 };
    limn_photo photo = { .orientation = 1 };
    limn_status s = limn_module_get(&module, id, &reason);
    if (s != LIMN_OK) return limn_fail(err, s, "this is %s; %s", format, reason.text);
    s = decode_photo(&photo, module, in, err);
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
    if (id == LIMN_MODULE_NONE) return decode_plain(out, &in, err);
    return decode_by_module(out, id, &in, format->name, err);
}
