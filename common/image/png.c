/* PNG through libpng, which also does all conversions to 8-bit RGB.
 *
 * Errors jump back to `guarded`; all that the jump must not lose lives in png_job. */
#include "common/image/codec.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "common/base/mem.h"

/* Limits for chunks beside the image: how many are kept, and bytes of one. */
#define MAX_CHUNKS 1000
#define MAX_CHUNK_SIZE (8u << 20)
/* No deflate stream unpacks to more bytes for each of its own. */
#define MAX_DEFLATE_RATIO 1032

typedef struct png_job {
    png_structp png;
    png_infop info;
    limn_status status; /* what `guarded` returns after a jump */
    size_t n_read;      /* bytes of the input */
    int n_passes;       /* 7 when interlaced, else 1 */
    bool is_last_row;   /* what is read now is the last row that has data */
    bool has_all_rows;  /* it has its pixels */
    bool is_at_end;     /* and its data were read to their end */
    limn_error *err;
    const limn_codec_input *in;
    limn_image *out;
    limn_png_orientation found;
} png_job;

static void on_error(png_structp png, png_const_charp text)
{
    png_job *job = png_get_error_ptr(png);
    job->status = limn_fail(job->err, LIMN_E_FORMAT, "PNG: %s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void read_bytes(png_structp png, png_bytep out, size_t size)
{
    png_job *job = png_get_io_ptr(png);
    if (size > job->in->size - job->n_read) {
        job->status = limn_fail(job->err, LIMN_E_TRUNCATED, "PNG: the data ends after %zu bytes",
                                job->in->size);
        png_longjmp(png, 1);
    }
    memcpy(out, job->in->bytes + job->n_read, size);
    job->n_read += size;
}

/* Called when a row has its pixels, before libpng reads on to the end of the data. */
static void on_row(png_structp png, png_row_infop row, png_bytep pixels)
{
    png_job *job = png_get_user_transform_ptr(png);
    (void)row;
    (void)pixels;
    job->has_all_rows = job->is_last_row;
}

static int on_chunk(png_structp png, png_unknown_chunkp chunk)
{
    png_job *job = png_get_user_chunk_ptr(png);
    limn_png_orientation_add(&job->found, (const char *)chunk->name, chunk->data, chunk->size,
                             job->err);
    return 1; /* done with it */
}

/* Colour profiles and gamma are ignored: of the optional chunks libpng reads what says how to read
 * the pixels (tRNS) and hands out all others, which on_chunk searches for which side is up. */
static void skip_optional_chunks(png_structp png, png_job *job)
{
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "tRNS", 1);
    png_set_read_user_chunk_fn(png, job, on_chunk);
}

static void set_limits(png_structp png)
{
    /* In place of libpng's own limits for sides, check_header has checked ours. */
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_cache_max(png, MAX_CHUNKS);
    png_set_chunk_malloc_max(png, MAX_CHUNK_SIZE);
}

static limn_status check_data_size(const png_job *job)
{
    uint64_t rows =
        (uint64_t)png_get_rowbytes(job->png, job->info) * png_get_image_height(job->png, job->info);
    if (rows / MAX_DEFLATE_RATIO > job->in->size)
        return limn_fail(job->err, LIMN_E_TRUNCATED, "PNG: %zu bytes can't hold %u x %u pixels",
                         job->in->size, (unsigned)png_get_image_width(job->png, job->info),
                         (unsigned)png_get_image_height(job->png, job->info));
    return LIMN_OK;
}

/* Any colour type to 8-bit RGB; transparency is blended over white before 16 bit are rounded. */
static void convert_to_rgb(png_job *job)
{
    static const png_color_16 white = { 0, 255, 255, 255, 255 };
    png_set_expand(job->png);
    png_set_gray_to_rgb(job->png);
    png_set_background(job->png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
    png_set_scale_16(job->png);
    png_set_read_user_transform_fn(job->png, on_row);
    png_set_user_transform_info(job->png, job, 0, 0);
    job->n_passes = png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
}

/* libpng requires the header to come first, so its fields are at fixed offsets; reading them here
 * gives a clear message for a bad size. */
static limn_status check_header(const png_job *job)
{
    const uint8_t *header = job->in->bytes;
    if (job->in->size < 24)
        return limn_fail(job->err, LIMN_E_TRUNCATED, "PNG: the data ends after %zu bytes",
                         job->in->size);
    return limn_image_check_size("PNG", png_get_uint_32(header + 16), png_get_uint_32(header + 20),
                                 job->in->settings, job->err);
}

static limn_status start(png_job *job)
{
    uint32_t width, height;
    LIMN_TRY(check_header(job));
    png_set_read_fn(job->png, job, read_bytes);
    set_limits(job->png);
    skip_optional_chunks(job->png, job);
    png_read_info(job->png, job->info);
    LIMN_TRY(check_data_size(job));
    convert_to_rgb(job);
    width = png_get_image_width(job->png, job->info);
    height = png_get_image_height(job->png, job->info);
    if (png_get_rowbytes(job->png, job->info) != (size_t)width * 3)
        return limn_fail(job->err, LIMN_E_UNSUPPORTED, "PNG: no conversion to RGB");
    return limn_image_reserve(job->out, "PNG", width, height, job->err);
}

/* XMP counts where EXIF says nothing of the orientation. */
static unsigned choose_orientation(const limn_png_orientation *o)
{
    unsigned exif = o->has_exif ? o->exif : o->raw_profile;
    unsigned orientation = exif ? exif : o->xmp;
    return orientation ? orientation : 1;
}

/* The last row of the last pass that there is: a narrow or low interlaced image lacks some. */
static bool is_last_row(const png_job *job, int pass, uint32_t y)
{
    const uint32_t width = job->out->width, height = job->out->height;
    int last = job->n_passes - 1;
    if (job->n_passes == 1) return y == height - 1;
    while (!PNG_PASS_COLS(width, last) || !PNG_PASS_ROWS(height, last)) last--;
    return pass == last && y == PNG_ROW_FROM_PASS_ROW(PNG_PASS_ROWS(height, last) - 1, last);
}

/* Errors after the last pixel are ignored, except a wrong checksum of the pixels, which libpng
 * checks before it returns the last row. */
static limn_status after_jump(const png_job *job)
{
    const bool is_whole = job->has_all_rows && job->status == LIMN_E_TRUNCATED;
    return is_whole || job->is_at_end ? LIMN_OK : job->status;
}

static limn_status guarded(png_job *job)
{
    if (setjmp(png_jmpbuf(job->png))) return after_jump(job);
    LIMN_TRY(start(job));
    for (int pass = 0; pass < job->n_passes; pass++)
        for (uint32_t y = 0; y < job->out->height; y++) {
            job->is_last_row = is_last_row(job, pass, y);
            png_read_row(job->png, job->out->pixels + (size_t)y * job->out->width * 3, NULL);
        }
    job->is_at_end = true;
    png_read_end(job->png, job->info);
    return LIMN_OK;
}

limn_status limn_decode_png(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                            limn_error *err)
{
    png_job job = { .err = err, .in = in, .out = out };
    limn_status s;
    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    if (job.png) job.info = png_create_info_struct(job.png);
    if (job.info)
        s = guarded(&job);
    else
        s = limn_fail(err, LIMN_E_NOMEM, "PNG: out of memory");
    png_destroy_read_struct(&job.png, &job.info, NULL);
    *orientation = choose_orientation(&job.found);
    return s;
}
