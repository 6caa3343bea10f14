/* JPEG through libjpeg-turbo.
 *
 * libjpeg reports errors by a callback that must not return; ours jumps back to `guarded`. All
 * that the jump must not lose lives in jpeg_job, which outlives it; no local variable is
 * changed between setjmp and longjmp. libjpeg goes on after damage with a warning and grey
 * blocks: the warnings that mean lost picture data are errors here. */
#include "common/image/codec.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs FILE */
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "common/base/mem.h"

/* A progressive file of few bytes can ask for very many passes over a large picture; real ones
 * have about ten. */
#define MAX_SCANS 100

typedef struct jpeg_job {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf env;
    limn_status status; /* what `guarded` returns after a jump */
    limn_error *err;
    const limn_codec_input *in;
    limn_image *out;
    unsigned *orientation;
    uint8_t *cmyk_row; /* [output_width, 4]; owned; NULL unless CMYK */
} jpeg_job;

static jpeg_job *job_of(j_common_ptr cinfo)
{
    return cinfo->client_data;
}

static limn_status status_of_message(int code)
{
    switch (code) {
    case JERR_OUT_OF_MEMORY: return LIMN_E_NOMEM;
    case JERR_IMAGE_TOO_BIG: return LIMN_E_LIMIT;
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF:
    case JERR_NO_IMAGE:
    case JWRN_JPEG_EOF: return LIMN_E_TRUNCATED;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_SOF_UNSUPPORTED: return LIMN_E_UNSUPPORTED;
    default: return LIMN_E_FORMAT;
    }
}

static void on_error(j_common_ptr cinfo)
{
    jpeg_job *job = job_of(cinfo);
    char text[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, text);
    job->status = limn_fail(job->err, status_of_message(cinfo->err->msg_code), "JPEG: %s", text);
    longjmp(job->env, 1);
}

static void on_message(j_common_ptr cinfo, int level)
{
    if (level >= 0) /* a trace, no warning */
        return;
    switch (cinfo->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC: on_error(cinfo); break;
    default: break;
    }
}

static void on_progress(j_common_ptr cinfo)
{
    jpeg_job *job = job_of(cinfo);
    if (job->cinfo.input_scan_number <= MAX_SCANS) return;
    job->status = limn_fail(job->err, LIMN_E_LIMIT, "JPEG: more than %d scans", MAX_SCANS);
    longjmp(job->env, 1);
}

static void read_orientation(jpeg_job *job)
{
    for (jpeg_saved_marker_ptr m = job->cinfo.marker_list; m; m = m->next)
        if (m->data_length >= 6 && memcmp(m->data, "Exif\0", 6) == 0) {
            *job->orientation = limn_exif_orientation(m->data, m->data_length, job->err);
            return;
        }
}

/* Every 8 x 8 block of a Huffman-coded picture takes at least one bit. */
static limn_status check_data_size(const jpeg_job *job)
{
    const struct jpeg_decompress_struct *c = &job->cinfo;
    uint64_t n_blocks = (uint64_t)((c->image_width + 7) / 8 / c->max_h_samp_factor) *
                        ((c->image_height + 7) / 8 / c->max_v_samp_factor);
    if (!c->arith_code && n_blocks / 8 > job->in->size)
        return limn_fail(job->err, LIMN_E_TRUNCATED, "JPEG: %zu bytes can't hold %u x %u pixels",
                         job->in->size, c->image_width, c->image_height);
    return LIMN_OK;
}

/* The largest reduction that leaves both sides at least twice as long as the hint. */
static unsigned choose_denominator(const jpeg_job *job)
{
    uint64_t side = job->cinfo.image_width < job->cinfo.image_height ? job->cinfo.image_width
                                                                     : job->cinfo.image_height;
    uint64_t least = 2 * (uint64_t)job->in->settings->min_side_hint;
    unsigned denominator = 8;
    if (least == 0) return 1;
    while (denominator > 1 && (side + denominator - 1) / denominator < least) denominator /= 2;
    return denominator;
}

/* A component that no scan brought stays grey without a word from libjpeg. */
static limn_status check_components(const jpeg_job *job)
{
    const struct jpeg_decompress_struct *c = &job->cinfo;
    for (int i = 0; i < c->num_components; i++) {
        bool is_missing =
            c->progressive_mode ? c->coef_bits[i][0] < 0 : !c->comp_info[i].quant_table;
        if (is_missing)
            return limn_fail(job->err, LIMN_E_TRUNCATED, "JPEG: no data for component %d of %d",
                             i + 1, c->num_components);
    }
    return LIMN_OK;
}

static limn_status start(jpeg_job *job)
{
    struct jpeg_decompress_struct *c = &job->cinfo;
    jpeg_mem_src(c, job->in->bytes, (unsigned long)job->in->size);
    jpeg_save_markers(c, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(c, TRUE);
    LIMN_TRY(limn_image_check_size("JPEG", c->image_width, c->image_height, job->in->settings,
                                   job->err));
    LIMN_TRY(check_data_size(job));
    read_orientation(job);
    c->out_color_space = c->num_components == 4 ? JCS_CMYK : JCS_RGB;
    c->scale_num = 1;
    c->scale_denom = choose_denominator(job);
    jpeg_start_decompress(c);
    LIMN_TRY(check_components(job));
    LIMN_TRY(limn_image_reserve(job->out, "JPEG", c->output_width, c->output_height, job->err));
    job->out->full_width = c->image_width;
    job->out->full_height = c->image_height;
    job->out->box.right = (float)c->image_width / (float)c->scale_denom;
    job->out->box.bottom = (float)c->image_height / (float)c->scale_denom;
    return LIMN_OK;
}

/* Four components are taken as Adobe writes them, inverted, whether or not its marker is there,
 * as Pillow and the browsers do: k = 255 is no ink. Products are divided by 255 with rounding. */
static void cmyk_to_rgb(uint8_t *rgb, const uint8_t *cmyk, size_t n_pixels)
{
    for (size_t i = 0; i < n_pixels; i++, rgb += 3, cmyk += 4)
        for (int c = 0; c < 3; c++) {
            unsigned product = (255u - cmyk[c]) * cmyk[3] + 128;
            rgb[c] = (uint8_t)(cmyk[3] - ((product + (product >> 8)) >> 8));
        }
}

static limn_status read_rows(jpeg_job *job)
{
    struct jpeg_decompress_struct *c = &job->cinfo;
    size_t stride = (size_t)c->output_width * 3;
    if (c->out_color_space == JCS_CMYK) {
        job->cmyk_row = limn_alloc(c->output_width, 4);
        if (!job->cmyk_row) return limn_fail(job->err, LIMN_E_NOMEM, "JPEG: no memory for a row");
    }
    while (c->output_scanline < c->output_height) {
        uint8_t *row = job->out->pixels + c->output_scanline * stride;
        JSAMPROW target = job->cmyk_row ? job->cmyk_row : row;
        jpeg_read_scanlines(c, &target, 1);
        if (job->cmyk_row) cmyk_to_rgb(row, job->cmyk_row, c->output_width);
    }
    jpeg_finish_decompress(c); /* reads on to the end of the picture: it must be there */
    return LIMN_OK;
}

static limn_status guarded(jpeg_job *job)
{
    if (setjmp(job->env)) return job->status;
    jpeg_create_decompress(&job->cinfo);
    job->cinfo.client_data = job;
    job->cinfo.progress = &job->progress;
    LIMN_TRY(start(job));
    return read_rows(job);
}

limn_status limn_decode_jpeg(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                             limn_error *err)
{
    jpeg_job job = { .err = err, .in = in, .out = out, .orientation = orientation };
    limn_status s;
    job.cinfo.err = jpeg_std_error(&job.errors);
    job.cinfo.client_data = &job; /* for errors before jpeg_create_decompress has set up */
    job.errors.error_exit = on_error;
    job.errors.emit_message = on_message;
    job.progress.progress_monitor = on_progress;
    s = guarded(&job);
    jpeg_destroy_decompress(&job.cinfo); /* fine with what was never created: it is zeroed */
    limn_free(job.cmyk_row);
    return s;
}
