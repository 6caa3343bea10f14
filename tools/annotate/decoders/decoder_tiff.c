/* TIFF through libtiff: the first page, by its interface that converts all kinds of pixels to 8-bit
 * RGBA.
 *
 * libtiff reports damage by messages and often goes on, with grey, white or black for what is lost:
 * the first message about the pixels is the error. Of warnings only those of the JPEG and fax
 * decoders count, which mean lost pixels too. */
#include "tools/annotate/decoders/decoder_module.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tiffio.h>

#include "common/base/mem.h"
#include "common/image/codec.h"

/* Bytes of one allocation of libtiff for things other than pixels: tables, strips. */
#define MAX_TABLE_SIZE (256u << 20)

typedef struct tiff_job {
    const limn_codec_input *in;
    limn_photo *out;
    limn_error *err;
    uint64_t position; /* of the next byte to read */
    TIFF *tiff;
    bool has_ended;    /* something lies behind the end of the file */
    char message[200]; /* libtiff's first; "": none */
} tiff_job;

/* ---- libtiff's view of the bytes ----------------------------------------------------------- */

static tmsize_t read_bytes(thandle_t handle, void *out, tmsize_t size)
{
    tiff_job *job = handle;
    const uint64_t left = job->position < job->in->size ? job->in->size - job->position : 0;
    const size_t n = (uint64_t)size < left ? (size_t)size : (size_t)left;
    if (n) memcpy(out, job->in->bytes + job->position, n);
    job->position += n;
    job->has_ended = job->has_ended || n < (size_t)size;
    return (tmsize_t)n;
}

static tmsize_t refuse_bytes(thandle_t handle, void *bytes, tmsize_t size)
{
    (void)handle;
    (void)bytes;
    (void)size;
    return -1;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence)
{
    tiff_job *job = handle;
    if (whence == SEEK_CUR) offset += job->position;
    if (whence == SEEK_END) offset += job->in->size;
    return job->position = offset;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t size_of_file(thandle_t handle)
{
    return ((tiff_job *)handle)->in->size;
}

/* ---- libtiff's messages -------------------------------------------------------------------- */

LIMN_PRINTF(2, 0) static void keep_message(tiff_job *job, const char *format, va_list arguments)
{
    if (!job->message[0]) vsnprintf(job->message, sizeof job->message, format, arguments);
}

LIMN_PRINTF(4, 0)
static int on_error(TIFF *tiff, void *data, const char *module, const char *format,
                    va_list arguments)
{
    (void)tiff;
    (void)module;
    keep_message(data, format, arguments);
    return 1; /* don't print it */
}

LIMN_PRINTF(4, 0)
static int on_warning(TIFF *tiff, void *data, const char *module, const char *format,
                      va_list arguments)
{
    tiff_job *job = data;
    (void)tiff;
    if (!module || (strncmp(module, "JPEG", 4) && strncmp(module, "Fax", 3))) return 1;
    keep_message(job, format, arguments);
    return 1;
}

static limn_status fail(tiff_job *job, const char *what)
{
    const char *message = job->message[0] ? job->message : what;
    if (job->has_ended)
        return limn_fail(job->err, LIMN_E_TRUNCATED, "TIFF: the data ends after %zu bytes: %s",
                         job->in->size, message);
    return limn_fail(job->err, LIMN_E_FORMAT, "TIFF: %s", message);
}

/* ---- decoding ------------------------------------------------------------------------------ */

static limn_status open_tiff(tiff_job *job)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return limn_fail(job->err, LIMN_E_NOMEM, "TIFF: out of memory");
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, MAX_TABLE_SIZE);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, job);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, job);
    job->tiff = TIFFClientOpenExt("", "rm", job, read_bytes, refuse_bytes, seek, close_nothing,
                                  size_of_file, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    return job->tiff ? LIMN_OK : fail(job, "the header is broken");
}

/* Whether the sample after the colours is said to be alpha. libtiff takes any for that, but a
 * selection that Photoshop has saved, for one, hides nothing. */
static bool has_alpha(TIFF *tiff)
{
    uint16_t n = 0, *kinds = NULL;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &n, &kinds);
    return n && kinds && kinds[0] != EXTRASAMPLE_UNSPECIFIED;
}

/* rgb from libtiff's pixels, in which transparent colours are multiplied by their alpha. */
static void flatten(uint8_t *rgb, const uint32_t *rgba, size_t n_pixels, bool is_opaque)
{
    for (size_t i = 0; i < n_pixels; i++, rgb += 3) {
        const uint32_t p = rgba[i], white = is_opaque ? 0 : 255 - TIFFGetA(p);
        const uint32_t red = TIFFGetR(p) + white, green = TIFFGetG(p) + white;
        const uint32_t blue = TIFFGetB(p) + white;
        rgb[0] = (uint8_t)(red < 255 ? red : 255);
        rgb[1] = (uint8_t)(green < 255 ? green : 255);
        rgb[2] = (uint8_t)(blue < 255 ? blue : 255);
    }
}

/* The rows as they are stored: `reader` must not turn them. */
static limn_status read_pixels(tiff_job *job, TIFFRGBAImage *reader)
{
    limn_image *image = &job->out->image;
    const size_t n_pixels = (size_t)reader->width * reader->height;
    uint32_t *rgba = limn_alloc(n_pixels, sizeof *rgba);
    if (!rgba) return limn_fail(job->err, LIMN_E_NOMEM, "TIFF: no memory for its pixels");
    limn_status s = limn_image_reserve(image, "TIFF", reader->width, reader->height, job->err);
    reader->req_orientation = reader->orientation;
    job->message[0] = '\0'; /* what was said so far was about tags that are not needed */
    if (s == LIMN_OK &&
        (!TIFFRGBAImageGet(reader, rgba, reader->width, reader->height) || job->message[0]))
        s = fail(job, "the pixels are broken");
    if (s == LIMN_OK) flatten(image->pixels, rgba, n_pixels, !has_alpha(job->tiff));
    limn_free(rgba);
    return s;
}

static void keep_profile(tiff_job *job)
{
    limn_color *color = &job->out->color;
    uint32_t size = 0;
    void *icc = NULL;
    if (!TIFFGetField(job->tiff, TIFFTAG_ICCPROFILE, &size, &icc) || !size) return;
    color->icc = limn_alloc(size, 1);
    if (!color->icc) return;
    memcpy(color->icc, icc, size);
    color->icc_size = size;
}

static limn_status check_size(tiff_job *job)
{
    uint32_t width = 0, height = 0;
    TIFFGetField(job->tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(job->tiff, TIFFTAG_IMAGELENGTH, &height);
    return limn_image_check_size("TIFF", width, height, job->in->settings, job->err);
}

/* libtiff takes a strip or tile that the file does not have for an empty one. */
static limn_status check_parts(tiff_job *job)
{
    const bool is_tiled = TIFFIsTiled(job->tiff);
    const uint32_t n = is_tiled ? TIFFNumberOfTiles(job->tiff) : TIFFNumberOfStrips(job->tiff);
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t at = TIFFGetStrileOffset(job->tiff, i);
        const uint64_t size = TIFFGetStrileByteCount(job->tiff, i);
        if (!size || at > job->in->size || size > job->in->size - at)
            return limn_fail(job->err, LIMN_E_TRUNCATED,
                             "TIFF: %s %" PRIu32 " of %" PRIu32 " has %" PRIu64 " bytes at %" PRIu64
                             " of a file of %zu bytes",
                             is_tiled ? "tile" : "strip", i + 1, n, size, at, job->in->size);
    }
    return LIMN_OK;
}

static limn_status check_compression(tiff_job *job)
{
    uint16_t compression = COMPRESSION_NONE;
    TIFFGetFieldDefaulted(job->tiff, TIFFTAG_COMPRESSION, &compression);
    if (TIFFIsCODECConfigured(compression)) return LIMN_OK;
    return limn_fail(job->err, LIMN_E_UNSUPPORTED, "TIFF: libtiff can't read compression %u",
                     (unsigned)compression);
}

static limn_status check_samples(tiff_job *job)
{
    uint16_t format = SAMPLEFORMAT_UINT;
    TIFFGetFieldDefaulted(job->tiff, TIFFTAG_SAMPLEFORMAT, &format);
    if (format != SAMPLEFORMAT_IEEEFP && format != SAMPLEFORMAT_COMPLEXIEEEFP) return LIMN_OK;
    return limn_fail(job->err, LIMN_E_UNSUPPORTED,
                     "TIFF: floating-point samples, as of HDR, are not read; convert it to 8 or 16 "
                     "bits a sample");
}

static limn_status decode_page(tiff_job *job)
{
    char reason[1024] = "";
    TIFFRGBAImage reader;
    uint16_t orientation = 1;
    limn_status s;
    LIMN_TRY(check_size(job));
    LIMN_TRY(check_compression(job));
    LIMN_TRY(check_samples(job));
    LIMN_TRY(check_parts(job));
    if (!TIFFRGBAImageOK(job->tiff, reason) || !TIFFRGBAImageBegin(&reader, job->tiff, 1, reason))
        return limn_fail(job->err, LIMN_E_UNSUPPORTED, "TIFF: %.200s",
                         reason[0] ? reason : job->message);
    s = read_pixels(job, &reader);
    TIFFRGBAImageEnd(&reader);
    LIMN_TRY(s);
    if (TIFFGetField(job->tiff, TIFFTAG_ORIENTATION, &orientation) && orientation >= 1 &&
        orientation <= 8)
        job->out->orientation = orientation;
    keep_profile(job);
    if (!TIFFLastDirectory(job->tiff))
        limn_note(job->err, "TIFF: it has more pages; only the first one is read");
    return LIMN_OK;
}

static limn_status decode(limn_photo *out, const limn_codec_input *in, limn_error *err)
{
    tiff_job job = { .in = in, .out = out, .err = err };
    limn_status s = open_tiff(&job);
    if (s == LIMN_OK) s = decode_page(&job);
    if (job.tiff) TIFFClose(job.tiff);
    return s;
}

static void describe(char *text, size_t size)
{
    const char *version = TIFFGetVersion(); /* "LIBTIFF, Version 4.5.0\nCopyright …" */
    const char *number = strpbrk(version, "0123456789");
    snprintf(text, size, "libtiff %.*s", number ? (int)strcspn(number, "\n") : 0, number);
}

const limn_decoder_module limn_decoder_module_here = { .describe = describe, .decode = decode };
