/* RAW files of cameras through LibRaw: the preview that the camera stored, which is what people saw
 * on its display; the sensor's data are not touched. */
#include "tools/annotate/decoders/decoder_module.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libraw/libraw.h>

#include "common/base/mem.h"
#include "common/image/codec.h"
#include "tools/annotate/decoders/first_exception.h"

typedef struct raw_job {
    limn_codec_input in;
    uint8_t *copy; /* what in.bytes are, where they had to be changed */
    limn_photo *out;
    limn_error *err;
    libraw_data_t *raw;
} raw_job;

static limn_status fail(const raw_job *job, limn_status status, const char *what)
{
    return limn_fail(job->err, status, "RAW: %s", what);
}

static limn_status fail_code(const raw_job *job, int code)
{
    limn_status status = LIMN_E_FORMAT;
    if (code == LIBRAW_UNSUFFICIENT_MEMORY) status = LIMN_E_NOMEM;
    if (code == LIBRAW_FILE_UNSUPPORTED) status = LIMN_E_UNSUPPORTED;
    if (code == LIBRAW_IO_ERROR || code == LIBRAW_INPUT_CLOSED) status = LIMN_E_TRUNCATED;
    return limn_fail(job->err, status, "RAW: it can't be opened: %s", libraw_strerror(code));
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

/* Whether the preview is a piece of the file. Where one goes on beyond the file's end, so does
 * LibRaw's copy, with bytes that nobody wrote. */
static bool is_in_file(const limn_codec_input *in, const libraw_thumbnail_t *thumb)
{
    enum { OWN = 2, KEY = 32, MAX_PLACES = 100 }; /* LibRaw writes the first two bytes itself */
    const char *at = (const char *)in->bytes, *const end = at + in->size;
    const char *const wanted = thumb->thumb + OWN;
    if (thumb->tlength < OWN + KEY) return false;
    const size_t size = thumb->tlength - OWN;
    for (int n = 0; n < MAX_PLACES && (at = memchr(at, wanted[0], (size_t)(end - at))); at++) {
        if ((size_t)(end - at) < size) return false;
        if (memcmp(at, wanted, KEY) != 0) continue;
        if (memcmp(at, wanted, size) == 0) return true;
        n++;
    }
    return false;
}

/* A file in a file: the caller decodes it. */
static limn_status take_preview(raw_job *job)
{
    const libraw_thumbnail_t *thumb = &job->raw->thumbnail;
    limn_photo *out = job->out;
    if (!thumb->thumb || thumb->tformat != LIBRAW_THUMBNAIL_JPEG)
        return fail(job, LIMN_E_UNSUPPORTED, "its preview is no JPEG");
    if (!is_in_file(&job->in, thumb)) return fail(job, LIMN_E_TRUNCATED, "its preview is cut off");
    out->preview = limn_alloc(thumb->tlength, 1);
    if (!out->preview) return fail(job, LIMN_E_NOMEM, "no memory for its preview");
    memcpy(out->preview, thumb->thumb, thumb->tlength);
    out->preview_size = thumb->tlength;
    return LIMN_OK;
}

/* Of previews that are no JPEG (samples, planes, Kodak's own), LibRaw 0.20 writes past its buffers
 * if a file lies about their sizes. Without a width and height it refuses all of these; a JPEG has
 * its own. */
static limn_status read_preview(raw_job *job)
{
    int code;
    job->raw->thumbnail.twidth = job->raw->thumbnail.theight = 0;
    code = libraw_unpack_thumb(job->raw);
    if (code == LIBRAW_UNSUFFICIENT_MEMORY)
        return fail(job, LIMN_E_NOMEM, "no memory for its preview");
    if (code) return fail(job, LIMN_E_UNSUPPORTED, "it has no preview that is a whole JPEG");
    return take_preview(job);
}

/* ---- colour filters of 6 x 6 --------------------------------------------------------------- */

/* LibRaw 0.20 copies the 36 values of a CFAPattern (or Kodak's tag 64777) past the end of an array,
 * and compilers make an endless loop of that. The values don't matter for a preview, so every such
 * entry gets a tag that LibRaw doesn't know, in a copy. Entries are looked for everywhere, since
 * directories are in many places, in both byte orders. */
static bool is_pattern_of_36(const uint8_t *entry)
{
    static const uint8_t small[] = { 36, 0, 0, 0 }, large[] = { 0, 0, 0, 36 };
    const unsigned tag = (unsigned)entry[0] << 8 | entry[1];
    if (!memcmp(entry + 4, small, 4)) return tag == 0x8E82 || tag == 0x09FD;
    return (tag == 0x828E || tag == 0xFD09) && !memcmp(entry + 4, large, 4);
}

/* One pass over the file's own bytes is enough, also where entries overlap: no tag or count that is
 * looked for has a byte OTHER, so what matched in the copy would have matched in the file, and been
 * changed. */
static limn_status remove_patterns_of_36(raw_job *job)
{
    enum { HEAD = 8, OTHER = 0x25 }; /* HEAD: tag, type, count */
    const uint8_t *bytes = job->in.bytes;
    for (size_t at = 0; at + HEAD <= job->in.size; at++) {
        if (!is_pattern_of_36(bytes + at)) continue;
        if (!job->copy) {
            job->copy = limn_alloc(job->in.size, 1);
            if (!job->copy) return fail(job, LIMN_E_NOMEM, "out of memory");
            memcpy(job->copy, bytes, job->in.size);
            job->in.bytes = job->copy;
        }
        job->copy[at + 1] = OTHER;
    }
    return LIMN_OK;
}

/* ---- decoding ------------------------------------------------------------------------------ */

static limn_status decode_job(raw_job *job)
{
    int code;
    LIMN_TRY(remove_patterns_of_36(job));
    job->raw = libraw_init(0);
    if (!job->raw) return fail(job, LIMN_E_NOMEM, "out of memory");
    libraw_set_memerror_handler(job->raw, NULL, NULL); /* they print */
    libraw_set_dataerror_handler(job->raw, NULL, NULL);
    code = libraw_open_buffer(job->raw, (void *)job->in.bytes, job->in.size); /* only reads it */
    if (code) return fail_code(job, code);
    LIMN_TRY(read_preview(job));
    job->out->orientation = orientation_of(job->raw->sizes.flip);
    return LIMN_OK;
}

static limn_status decode(limn_photo *out, const limn_codec_input *in, limn_error *err)
{
    raw_job job = { .in = *in, .out = out, .err = err };
    const limn_status s = decode_job(&job);
    if (job.raw) libraw_close(job.raw);
    limn_free(job.copy);
    return s;
}

static void describe(char *text, size_t size)
{
    snprintf(text, size, "LibRaw %s", libraw_version());
}

const limn_decoder_module limn_decoder_module_here = { .describe = describe,
                                                       .prepare = limn_prepare_exceptions,
                                                       .decode = decode };
