/* GIF through giflib: the first frame, on a canvas that holds it.
 *
 * giflib accepts invalid codes, so the codes are checked first: all must be possible, and they
 * must cover every pixel of the frame. */
#include "common/image/codec.h"

#include <string.h>

#include <gif_lib.h>

#include "common/base/mem.h"

#define MAX_CODES 4096
#define MAX_CODE_BITS 12

typedef struct gif_cursor {
    const uint8_t *bytes;
    size_t size, at;
    bool is_padded; /* zeros, which end blocks, stand for what is missing */
} gif_cursor;

typedef struct gif_job {
    GifFileType *gif;
    gif_cursor cursor;
    uint32_t width, height;   /* of the canvas */
    int transparent;          /* colour; -1: none */
    uint8_t colours[256 * 3]; /* RGB; a transparent one is white */
    uint8_t *row;             /* [width of the frame] colours of pixels; owned */
} gif_job;

static int read_bytes(GifFileType *gif, GifByteType *out, int size)
{
    gif_cursor *c = gif->UserData;
    size_t n = c->size - c->at < (size_t)size ? c->size - c->at : (size_t)size;
    memcpy(out, c->bytes + c->at, n);
    c->at += n;
    if (c->is_padded) memset(out + n, 0, (size_t)size - n);
    return c->is_padded ? size : (int)n;
}

static limn_status fail(const gif_job *job, int code, limn_error *err)
{
    const char *text = GifErrorString(code);
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM) return limn_fail(err, LIMN_E_NOMEM, "GIF: out of memory");
    if (job->cursor.at == job->cursor.size)
        return limn_fail(err, LIMN_E_TRUNCATED, "GIF: the data ends after %zu bytes",
                         job->cursor.size);
    return limn_fail(err, LIMN_E_FORMAT, "GIF: %s", text ? text : "broken");
}

/* ---- are all pixels there? ----------------------------------------------------------------- */

/* The codes of an image: bits, lowest first, of blocks of up to 255 bytes, each after its length;
 * one of length 0 ends them. */
typedef struct code_reader {
    gif_cursor cursor;
    size_t block_left; /* bytes of the current block */
    uint32_t bits;
    unsigned n_bits;
} code_reader;

/* False at the end of blocks or data. */
static bool read_code(unsigned *code, code_reader *r, unsigned n_bits)
{
    gif_cursor *c = &r->cursor;
    while (r->n_bits < n_bits) {
        if (r->block_left == 0) {
            if (c->at == c->size || c->bytes[c->at] == 0) return false;
            r->block_left = c->bytes[c->at++];
        }
        if (c->at == c->size) return false;
        r->bits |= (uint32_t)c->bytes[c->at++] << r->n_bits;
        r->n_bits += 8;
        r->block_left--;
    }
    *code = r->bits & ((1u << n_bits) - 1);
    r->bits >>= n_bits;
    r->n_bits -= n_bits;
    return true;
}

/* How many pixels the codes from the cursor stand for; stops when `enough` are seen. A table that
 * is full stays as it is until it is cleared. */
static uint64_t count_pixels(gif_cursor cursor, unsigned root_bits, uint64_t enough)
{
    uint16_t lengths[MAX_CODES]; /* pixels of each code */
    code_reader r = { .cursor = cursor };
    const unsigned clear = 1u << root_bits;
    unsigned n_codes = clear + 2, n_bits = root_bits + 1, code, last = clear;
    uint64_t n_pixels = 0;
    for (unsigned i = 0; i < clear; i++) lengths[i] = 1;
    while (n_pixels < enough && read_code(&code, &r, n_bits) && code != clear + 1) {
        if (code == clear) {
            n_codes = clear + 2;
            n_bits = root_bits + 1;
        } else {
            if (last != clear && n_codes < MAX_CODES)
                lengths[n_codes++] = (uint16_t)(lengths[last] + 1);
            if (code >= n_codes) break;
            n_pixels += lengths[code];
            if (n_codes == 1u << n_bits && n_bits < MAX_CODE_BITS) n_bits++;
        }
        last = code;
    }
    return n_pixels;
}

static limn_status check_pixels(const gif_job *job, limn_error *err)
{
    const GifImageDesc *frame = &job->gif->Image;
    uint64_t n_expected = (uint64_t)frame->Width * (uint64_t)frame->Height, n_found;
    unsigned root_bits = job->cursor.bytes[job->cursor.at - 1]; /* the byte last read */
    if (n_expected == 0) return limn_fail(err, LIMN_E_FORMAT, "GIF: a frame without pixels");
    if (root_bits < 1)
        return limn_fail(err, LIMN_E_FORMAT, "GIF: %u bits per code, not 1 to 8", root_bits);
    n_found = count_pixels(job->cursor, root_bits, n_expected);
    if (n_found < n_expected)
        return limn_fail(err, LIMN_E_TRUNCATED, "GIF: %llu of %llu pixels",
                         (unsigned long long)n_found, (unsigned long long)n_expected);
    return LIMN_OK;
}

/* ---- the frame ----------------------------------------------------------------------------- */

/* Reads an extension; one that controls the frame may make a colour transparent. */
static bool read_extension(gif_job *job)
{
    GraphicsControlBlock control;
    GifByteType *block; /* its size, then its bytes; NULL after the last */
    int kind;
    if (DGifGetExtension(job->gif, &kind, &block) == GIF_ERROR) return false;
    if (block && kind == GRAPHICS_EXT_FUNC_CODE &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK &&
        control.TransparentColor != NO_TRANSPARENT_COLOR)
        job->transparent = control.TransparentColor;
    while (block)
        if (DGifGetExtensionNext(job->gif, &block) == GIF_ERROR) return false;
    return true;
}

/* Moves to the codes of the first frame. Bytes between the blocks are skipped, as by Pillow. */
static limn_status find_frame(gif_job *job, limn_error *err)
{
    GifFileType *gif = job->gif;
    GifRecordType type = UNDEFINED_RECORD_TYPE;
    while (type != IMAGE_DESC_RECORD_TYPE) {
        if (DGifGetRecordType(gif, &type) == GIF_ERROR) {
            if (gif->Error != D_GIF_ERR_WRONG_RECORD) return fail(job, gif->Error, err);
        } else if (type == TERMINATE_RECORD_TYPE) {
            return limn_fail(err, LIMN_E_FORMAT, "GIF: no image inside");
        } else if (type == EXTENSION_RECORD_TYPE && !read_extension(job)) {
            return fail(job, gif->Error, err);
        }
    }
    return DGifGetImageHeader(gif) == GIF_OK ? LIMN_OK : fail(job, gif->Error, err);
}

/* Without a table colours are greys, beyond its end black; uncovered parts of the canvas have the
 * transparent colour or colour 0, never the background that the file names: all as Pillow does. */
static void set_colours(gif_job *job)
{
    const GifFileType *gif = job->gif;
    const ColorMapObject *map = gif->Image.ColorMap ? gif->Image.ColorMap : gif->SColorMap;
    for (int i = 0; i < 256; i++) memset(job->colours + 3 * i, map ? 0 : i, 3);
    for (int i = 0; map && i < map->ColorCount && i < 256; i++) {
        job->colours[3 * i] = map->Colors[i].Red;
        job->colours[3 * i + 1] = map->Colors[i].Green;
        job->colours[3 * i + 2] = map->Colors[i].Blue;
    }
    if (job->transparent >= 0) memset(job->colours + 3 * job->transparent, 255, 3);
}

static void fill_canvas(limn_image *out, const gif_job *job)
{
    const uint8_t *colour = job->colours + (job->transparent >= 0 ? 3 * job->transparent : 0);
    size_t n = (size_t)out->width * out->height;
    for (size_t i = 0; i < n; i++) memcpy(out->pixels + 3 * i, colour, 3);
}

static limn_status read_row(limn_image *out, gif_job *job, int y, limn_error *err)
{
    const GifImageDesc *frame = &job->gif->Image;
    uint8_t *to = out->pixels + ((size_t)(frame->Top + y) * out->width + (size_t)frame->Left) * 3;
    if (DGifGetLine(job->gif, job->row, frame->Width) == GIF_ERROR)
        return fail(job, job->gif->Error, err);
    for (int x = 0; x < frame->Width; x++) memcpy(to + 3 * x, job->colours + 3 * job->row[x], 3);
    return LIMN_OK;
}

/* Rows of an interlaced frame come in four passes. */
static limn_status read_rows(limn_image *out, gif_job *job, limn_error *err)
{
    static const int starts[] = { 0, 4, 2, 1 }, steps[] = { 8, 8, 4, 2 };
    const GifImageDesc *frame = &job->gif->Image;
    for (int pass = 0; pass < (frame->Interlace ? 4 : 1); pass++)
        for (int y = starts[pass]; y < frame->Height; y += frame->Interlace ? steps[pass] : 1)
            LIMN_TRY(read_row(out, job, y, err));
    return LIMN_OK;
}

static limn_status decode(limn_image *out, gif_job *job, const limn_codec_input *in,
                          limn_error *err)
{
    const GifFileType *gif = job->gif;
    int right, bottom;
    LIMN_TRY(find_frame(job, err));
    right = gif->Image.Left + gif->Image.Width;
    bottom = gif->Image.Top + gif->Image.Height;
    job->width = (uint32_t)(right > gif->SWidth ? right : gif->SWidth);
    job->height = (uint32_t)(bottom > gif->SHeight ? bottom : gif->SHeight);
    LIMN_TRY(limn_image_check_size("GIF", job->width, job->height, in->settings, err));
    LIMN_TRY(check_pixels(job, err));
    job->cursor.is_padded = true;
    LIMN_TRY(limn_image_reserve(out, "GIF", job->width, job->height, err));
    job->row = limn_alloc((size_t)gif->Image.Width, 1);
    if (!job->row) return limn_fail(err, LIMN_E_NOMEM, "GIF: no memory for a row");
    set_colours(job);
    fill_canvas(out, job);
    return read_rows(out, job, err);
}

limn_status limn_decode_gif(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                            limn_error *err)
{
    gif_job job = { .cursor = { .bytes = in->bytes, .size = in->size }, .transparent = -1 };
    int code = 0;
    limn_status s;
    (void)orientation;
    job.gif = DGifOpen(&job.cursor, read_bytes, &code);
    if (!job.gif) return fail(&job, code, err);
    s = decode(out, &job, in, err);
    limn_free(job.row);
    DGifCloseFile(job.gif, NULL);
    return s;
}
