/* JPEG XL through libjxl: the image, or the first frame of an animation, which libjxl turns upright
 * itself. Without a runner for threads it has none. */
#include "tools/annotate/decoders/decoder_module.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jxl/decode.h>

#include "common/base/mem.h"
#include "common/image/codec.h"
#include "tools/annotate/decoders/first_exception.h"

enum {
    MAX_EXTRA_CHANNELS = 16, /* real ones have alpha, depth, a few spot colours */
    MAX_PROFILE_SIZE = 16 << 20,
};

typedef struct jxl_job {
    const limn_codec_input *in;
    limn_photo *out;
    limn_error *err;
    JxlDecoder *decoder;
    JxlBasicInfo info;
    uint8_t *rgba; /* [ysize, xsize, 4]; owned; NULL without alpha */
} jxl_job;

static limn_status fail(const jxl_job *job, limn_status status, const char *what)
{
    return limn_fail(job->err, status, "JPEG XL: %s", what);
}

/* ---- before the pixels --------------------------------------------------------------------- */

/* CMYK would need its inks mixed by its profile. */
static bool has_black(const jxl_job *job)
{
    for (uint32_t i = 0; i < job->info.num_extra_channels; i++) {
        JxlExtraChannelInfo channel;
        if (JxlDecoderGetExtraChannelInfo(job->decoder, i, &channel) == JXL_DEC_SUCCESS &&
            channel.type == JXL_CHANNEL_BLACK)
            return true;
    }
    return false;
}

static limn_status read_info(jxl_job *job)
{
    JxlBasicInfo *info = &job->info;
    if (JxlDecoderGetBasicInfo(job->decoder, info) != JXL_DEC_SUCCESS)
        return fail(job, LIMN_E_FORMAT, "the header is broken");
    LIMN_TRY(
        limn_image_check_size("JPEG XL", info->xsize, info->ysize, job->in->settings, job->err));
    if (info->num_extra_channels > MAX_EXTRA_CHANNELS)
        return limn_fail(job->err, LIMN_E_LIMIT,
                         "JPEG XL: %" PRIu32 " extra channels exceed the limit of %d",
                         info->num_extra_channels, MAX_EXTRA_CHANNELS);
    if (has_black(job)) return fail(job, LIMN_E_UNSUPPORTED, "CMYK is not read");
    return LIMN_OK;
}

/* Whether the pixels are HDR, and come as they are stored. Converted by their profile, which counts
 * from the brightest possible light, they would be almost black. */
static bool take_hdr(jxl_job *job, const JxlPixelFormat *format)
{
    JxlColorEncoding own;
    if (!job->info.uses_original_profile ||
        JxlDecoderGetColorAsEncodedProfile(job->decoder, format, JXL_COLOR_PROFILE_TARGET_ORIGINAL,
                                           &own) != JXL_DEC_SUCCESS ||
        (own.transfer_function != JXL_TRANSFER_FUNCTION_PQ &&
         own.transfer_function != JXL_TRANSFER_FUNCTION_HLG))
        return false;
    limn_note(job->err, "JPEG XL: " LIMN_HDR_NOTE);
    /* the same numbers as in H.273, but for P3 */
    job->out->color.primaries = own.primaries == JXL_PRIMARIES_P3 ? 12 : (unsigned)own.primaries;
    return true;
}

/* Pixels that libjxl computes itself may be had in sRGB; others come with the profile of the file.
 */
static limn_status read_color(jxl_job *job)
{
    const JxlPixelFormat format = { 3, JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0 };
    limn_color *color = &job->out->color;
    JxlColorEncoding srgb = { .color_space = job->info.num_color_channels == 1
                                                 ? JXL_COLOR_SPACE_GRAY
                                                 : JXL_COLOR_SPACE_RGB,
                              .white_point = JXL_WHITE_POINT_D65,
                              .primaries = JXL_PRIMARIES_SRGB,
                              .transfer_function = JXL_TRANSFER_FUNCTION_SRGB,
                              .rendering_intent = JXL_RENDERING_INTENT_RELATIVE };
    size_t size = 0;
    if (take_hdr(job, &format)) return LIMN_OK;
    if (!job->info.uses_original_profile) JxlDecoderSetPreferredColorProfile(job->decoder, &srgb);
    if (JxlDecoderGetICCProfileSize(job->decoder, &format, JXL_COLOR_PROFILE_TARGET_DATA, &size) !=
            JXL_DEC_SUCCESS ||
        !size)
        return LIMN_OK;
    if (size > MAX_PROFILE_SIZE)
        return limn_fail(job->err, LIMN_E_LIMIT,
                         "JPEG XL: a colour profile of %zu bytes exceeds the limit of %d", size,
                         MAX_PROFILE_SIZE);
    color->icc = limn_alloc(size, 1);
    if (!color->icc) return fail(job, LIMN_E_NOMEM, "no memory for its colour profile");
    if (JxlDecoderGetColorAsICCProfile(job->decoder, &format, JXL_COLOR_PROFILE_TARGET_DATA,
                                       color->icc, size) == JXL_DEC_SUCCESS)
        color->icc_size = size;
    return LIMN_OK;
}

/* ---- pixels -------------------------------------------------------------------------------- */

static limn_status give_buffer(jxl_job *job)
{
    const bool has_alpha = job->info.alpha_bits > 0;
    const JxlPixelFormat format = { has_alpha ? 4 : 3, JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0 };
    limn_image *image = &job->out->image;
    const size_t n_pixels = (size_t)job->info.xsize * job->info.ysize;
    size_t size = 0;
    if (image->pixels) return fail(job, LIMN_E_FORMAT, "it has two images");
    LIMN_TRY(limn_image_reserve(image, "JPEG XL", job->info.xsize, job->info.ysize, job->err));
    if (has_alpha) job->rgba = limn_alloc(n_pixels, 4);
    if (has_alpha && !job->rgba) return fail(job, LIMN_E_NOMEM, "no memory for its pixels");
    if (JxlDecoderImageOutBufferSize(job->decoder, &format, &size) != JXL_DEC_SUCCESS ||
        size != n_pixels * format.num_channels ||
        JxlDecoderSetImageOutBuffer(job->decoder, &format, has_alpha ? job->rgba : image->pixels,
                                    size) != JXL_DEC_SUCCESS)
        return fail(job, LIMN_E_FORMAT, "no conversion to 8-bit RGB");
    return LIMN_OK;
}

/* The input is not declared closed: libjxl then asks for more where it ends too early. */
static limn_status fail_event(const jxl_job *job, JxlDecoderStatus event)
{
    if (event == JXL_DEC_NEED_MORE_INPUT)
        return limn_fail(job->err, LIMN_E_TRUNCATED, "JPEG XL: the data ends after %zu bytes",
                         job->in->size);
    return fail(job, LIMN_E_FORMAT, "the data is broken");
}

static limn_status read_events(jxl_job *job)
{
    for (;;) {
        const JxlDecoderStatus event = JxlDecoderProcessInput(job->decoder);
        switch (event) {
        case JXL_DEC_BASIC_INFO: LIMN_TRY(read_info(job)); break;
        case JXL_DEC_COLOR_ENCODING: LIMN_TRY(read_color(job)); break;
        case JXL_DEC_NEED_IMAGE_OUT_BUFFER: LIMN_TRY(give_buffer(job)); break;
        case JXL_DEC_FULL_IMAGE: return LIMN_OK; /* of the first frame */
        default: return fail_event(job, event);
        }
    }
}

static limn_status decode_job(jxl_job *job)
{
    job->decoder = JxlDecoderCreate(NULL);
    if (!job->decoder) return fail(job, LIMN_E_NOMEM, "out of memory");
    if (JxlDecoderSubscribeEvents(job->decoder, JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING |
                                                    JXL_DEC_FULL_IMAGE) != JXL_DEC_SUCCESS ||
        JxlDecoderSetUnpremultiplyAlpha(job->decoder, JXL_TRUE) != JXL_DEC_SUCCESS ||
        JxlDecoderSetInput(job->decoder, job->in->bytes, job->in->size) != JXL_DEC_SUCCESS)
        return fail(job, LIMN_E_NOMEM, "its decoder can't be set up");
    LIMN_TRY(read_events(job));
    if (!job->out->image.pixels) return fail(job, LIMN_E_FORMAT, "it has no pixels");
    if (job->rgba)
        limn_image_flatten(job->out->image.pixels, job->rgba,
                           (size_t)job->info.xsize * job->info.ysize);
    return LIMN_OK;
}

static limn_status decode(limn_photo *out, const limn_codec_input *in, limn_error *err)
{
    jxl_job job = { .in = in, .out = out, .err = err };
    const limn_status s = decode_job(&job);
    if (job.decoder) JxlDecoderDestroy(job.decoder);
    limn_free(job.rgba);
    return s;
}

static void describe(char *text, size_t size)
{
    const uint32_t version = JxlDecoderVersion(); /* 7001 is 0.7.1 */
    snprintf(text, size, "libjxl %u.%u.%u", (unsigned)(version / 1000000),
             (unsigned)(version / 1000 % 1000), (unsigned)(version % 1000));
}

const limn_decoder_module limn_decoder_module_here = { .describe = describe,
                                                       .prepare = limn_prepare_exceptions,
                                                       .decode = decode };
