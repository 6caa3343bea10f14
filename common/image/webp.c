/* WebP through libwebp and its demultiplexer: still images, and the first frame of animations. */
#include "common/image/codec.h"

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "common/base/mem.h"

static limn_status status_of(VP8StatusCode code)
{
    switch (code) {
    case VP8_STATUS_OK: return LIMN_OK;
    case VP8_STATUS_OUT_OF_MEMORY: return LIMN_E_NOMEM;
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED: return LIMN_E_TRUNCATED;
    case VP8_STATUS_UNSUPPORTED_FEATURE: return LIMN_E_UNSUPPORTED;
    default: return LIMN_E_FORMAT;
    }
}

static limn_status open_demuxer(WebPDemuxer **out, const limn_codec_input *in, limn_error *err)
{
    const WebPData data = { in->bytes, in->size };
    WebPDemuxState state;
    *out = WebPDemuxPartial(&data, &state);
    if (state == WEBP_DEMUX_PARSING_HEADER || state == WEBP_DEMUX_PARSED_HEADER)
        return limn_fail(err, LIMN_E_TRUNCATED, "WebP: the data ends after %zu bytes", in->size);
    if (state != WEBP_DEMUX_DONE || !*out)
        return limn_fail(err, LIMN_E_FORMAT, "WebP: the container is broken");
    return LIMN_OK;
}

/* rgba [frame->height, frame->width, 4] */
static limn_status decode_frame(uint8_t *rgba, const WebPIterator *frame, limn_error *err)
{
    WebPDecoderConfig config;
    limn_status s;
    WebPInitDecoderConfig(&config);
    config.output.colorspace = MODE_RGBA;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = rgba;
    config.output.u.RGBA.stride = frame->width * 4;
    config.output.u.RGBA.size = (size_t)frame->width * frame->height * 4;
    s = status_of(WebPDecode(frame->fragment.bytes, frame->fragment.size, &config));
    WebPFreeDecBuffer(&config.output);
    if (s != LIMN_OK)
        return limn_fail(err, s, "WebP: the image data is %s",
                         s == LIMN_E_TRUNCATED ? "truncated" : "broken");
    return LIMN_OK;
}

/* The first frame of an animation may cover only a part of the image; the rest is transparent. */
static limn_status paint_frame(limn_image *out, const WebPIterator *frame, limn_error *err)
{
    size_t row_size = (size_t)frame->width * 4;
    uint8_t *rgba = limn_alloc(frame->height, row_size);
    limn_status s = LIMN_E_NOMEM;
    if (!rgba) {
        limn_fail(err, s, "WebP: no memory for %d x %d pixels", frame->width, frame->height);
        goto done;
    }
    s = decode_frame(rgba, frame, err);
    if (s != LIMN_OK) goto done;
    memset(out->pixels, 255, (size_t)out->width * out->height * 3);
    for (int y = 0; y < frame->height; y++) {
        size_t at = (size_t)(frame->y_offset + y) * out->width + frame->x_offset;
        limn_image_flatten(out->pixels + at * 3, rgba + y * row_size, frame->width);
    }
done:
    limn_free(rgba);
    return s;
}

static limn_status decode_first_frame(limn_image *out, WebPDemuxer *demuxer,
                                      const limn_codec_input *in, limn_error *err)
{
    uint32_t width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH);
    uint32_t height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
    WebPIterator frame = { 0 };
    limn_status s;
    LIMN_TRY(limn_image_check_size("WebP", width, height, in->settings, err));
    if (!WebPDemuxGetFrame(demuxer, 1, &frame))
        return limn_fail(err, LIMN_E_FORMAT, "WebP: no image inside");
    s = limn_image_reserve(out, "WebP", width, height, err);
    if (s == LIMN_OK) s = paint_frame(out, &frame, err);
    WebPDemuxReleaseIterator(&frame);
    return s;
}

/* XMP counts where EXIF says nothing of the orientation. */
static unsigned find_orientation(WebPDemuxer *demuxer, limn_error *err)
{
    WebPChunkIterator chunk = { 0 };
    unsigned orientation = 0;
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk))
        orientation = limn_exif_orientation(chunk.chunk.bytes, chunk.chunk.size, err);
    WebPDemuxReleaseChunkIterator(&chunk);
    if (!orientation && WebPDemuxGetChunk(demuxer, "XMP ", 1, &chunk))
        orientation = limn_xmp_orientation(chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
    return orientation ? orientation : 1;
}

limn_status limn_decode_webp(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                             limn_error *err)
{
    WebPDemuxer *demuxer = NULL;
    limn_status s = open_demuxer(&demuxer, in, err);
    if (s == LIMN_OK) s = decode_first_frame(out, demuxer, in, err);
    if (s == LIMN_OK) *orientation = find_orientation(demuxer, err);
    WebPDemuxDelete(demuxer); /* accepts NULL */
    return s;
}
