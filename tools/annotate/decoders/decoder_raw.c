/* RAW files of cameras through LibRaw: the preview that the camera stored, which is what people saw
 * on its display; the sensor's data are not touched. */
#include "tools/annotate/decoders/decoder_module.h"

#include <stdio.h>
#include <string.h>

#include <libraw/libraw.h>

#include "common/base/mem.h"
#include "common/image/codec.h"
#include "tools/annotate/decoders/first_exception.h"

typedef struct raw_job {
    const limn_codec_input *in;
    limn_photo *out;
    limn_error *err;
    libraw_data_t *raw;
} raw_job;

static limn_status fail(const raw_job *job, limn_status status, const char *what)
{
    return limn_fail(job->err, status, "RAW: %s", what);
}

static limn_status fail_code(const raw_job *job, int code, const char *doing)
{
    limn_status status = LIMN_E_FORMAT;
    if (code == LIBRAW_UNSUFFICIENT_MEMORY) status = LIMN_E_NOMEM;
    if (code == LIBRAW_FILE_UNSUPPORTED || code == LIBRAW_UNSUPPORTED_THUMBNAIL)
        status = LIMN_E_UNSUPPORTED;
    if (code == LIBRAW_IO_ERROR || code == LIBRAW_INPUT_CLOSED) status = LIMN_E_TRUNCATED;
    return limn_fail(job->err, status, "RAW: %s: %s", doing, libraw_strerror(code));
}

/* The EXIF orientation of a turn as LibRaw has it. */
static unsigned orientation_of(int flip)
{
    switch (flip) {
    case 3: return 3;
    case 5: return 8;
    case 6: return 6;
    default: return 1;
    }
}

/* A file in a file: the caller decodes it. */
static limn_status take_file(raw_job *job, const libraw_thumbnail_t *thumb)
{
    limn_photo *out = job->out;
    if (thumb->tlength > job->in->size)
        return fail(job, LIMN_E_TRUNCATED, "its preview is cut off");
    out->preview = limn_alloc(thumb->tlength, 1);
    if (!out->preview) return fail(job, LIMN_E_NOMEM, "no memory for its preview");
    memcpy(out->preview, thumb->thumb, thumb->tlength);
    out->preview_size = thumb->tlength;
    return LIMN_OK;
}

/* Pixels of `bytes` bytes a sample, in the byte order of this machine. */
static limn_status take_pixels(raw_job *job, const libraw_thumbnail_t *thumb, size_t bytes)
{
    const size_t n = (size_t)thumb->twidth * thumb->theight * 3;
    limn_image *image = &job->out->image;
    LIMN_TRY(limn_image_check_size("RAW preview", thumb->twidth, thumb->theight, job->in->settings,
                                   job->err));
    if (thumb->tcolors != 3 || thumb->tlength < n * bytes)
        return fail(job, LIMN_E_TRUNCATED, "its preview has too few bytes");
    LIMN_TRY(limn_image_reserve(image, "RAW preview", thumb->twidth, thumb->theight, job->err));
    if (bytes == 1) {
        memcpy(image->pixels, thumb->thumb, n);
        return LIMN_OK;
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t sample;
        memcpy(&sample, thumb->thumb + 2 * i, sizeof sample);
        image->pixels[i] = (uint8_t)(sample >> 8);
    }
    return LIMN_OK;
}

static limn_status take_preview(raw_job *job)
{
    const libraw_thumbnail_t *thumb = &job->raw->thumbnail;
    if (!thumb->thumb || !thumb->tlength) return fail(job, LIMN_E_UNSUPPORTED, "it has no preview");
    switch (thumb->tformat) {
    case LIBRAW_THUMBNAIL_JPEG: return take_file(job, thumb);
    case LIBRAW_THUMBNAIL_BITMAP: return take_pixels(job, thumb, 1);
    case LIBRAW_THUMBNAIL_BITMAP16: return take_pixels(job, thumb, 2);
    default: return fail(job, LIMN_E_UNSUPPORTED, "its preview is of a kind that is not read");
    }
}

static limn_status decode_job(raw_job *job)
{
    int code;
    job->raw = libraw_init(0);
    if (!job->raw) return fail(job, LIMN_E_NOMEM, "out of memory");
    libraw_set_memerror_handler(job->raw, NULL, NULL); /* they print */
    libraw_set_dataerror_handler(job->raw, NULL, NULL);
    code = libraw_open_buffer(job->raw, (void *)job->in->bytes, job->in->size); /* only reads it */
    if (code) return fail_code(job, code, "it can't be opened");
    code = libraw_unpack_thumb(job->raw);
    if (code == LIBRAW_NO_THUMBNAIL) return fail(job, LIMN_E_UNSUPPORTED, "it has no preview");
    if (code) return fail_code(job, code, "its preview can't be read");
    LIMN_TRY(take_preview(job));
    job->out->orientation = orientation_of(job->raw->sizes.flip);
    return LIMN_OK;
}

static limn_status decode(limn_photo *out, const limn_codec_input *in, limn_error *err)
{
    raw_job job = { .in = in, .out = out, .err = err };
    const limn_status s = decode_job(&job);
    if (job.raw) libraw_close(job.raw);
    return s;
}

static void describe(char *text, size_t size)
{
    snprintf(text, size, "LibRaw %s", libraw_version());
}

const limn_decoder_module limn_decoder_module_here = { .describe = describe,
                                                       .prepare = limn_prepare_exceptions,
                                                       .decode = decode };
