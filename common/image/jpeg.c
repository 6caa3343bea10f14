/* JPEG through libjpeg-turbo.
 *
 * libjpeg reports errors by a callback that must not return; ours jumps back to `guarded`. All
 * that the jump must not lose lives in jpeg_job, which outlives it; no local variable is
 * changed between setjmp and longjmp. libjpeg goes on after damage with a warning and grey
 * blocks: the warnings that mean lost image data are errors here.
 *
 * Whether an image is complete is judged by its rows, not by its end marker, which some cameras
 * omit or follow with data of their own. Cut data run out of bits, and libjpeg says so, except
 *   between two scans: then the last one must have brought the last bit of every coefficient;
 *   in arithmetic code, which may leave out its end: there the end marker is asked for. */
#include "common/image/codec.h"
#include "common/image/decode.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs FILE */
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "common/base/mem.h"

/* A progressive file of few bytes can ask for very many passes over a large image; real ones
 * have about ten. */
#define MAX_SCANS 100

typedef struct jpeg_job {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    jmp_buf env;
    limn_status status; /* what `guarded` returns after a jump */
    bool has_ended;     /* libjpeg asked for more than all bytes */
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

static limn_status fail_truncated(jpeg_job *job)
{
    return limn_fail(job->err, LIMN_E_TRUNCATED, "JPEG: Premature end of JPEG file");
}

static void on_error(j_common_ptr cinfo)
{
    jpeg_job *job = job_of(cinfo);
    char text[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, text);
    if (job->has_ended)
        job->status = fail_truncated(job);
    else
        job->status =
            limn_fail(job->err, status_of_message(cinfo->err->msg_code), "JPEG: %s", text);
    longjmp(job->env, 1);
}

static void on_message(j_common_ptr cinfo, int level)
{
    if (level >= 0) /* a trace, no warning */
        return;
    switch (cinfo->err->msg_code) {
    case JWRN_JPEG_EOF: job_of(cinfo)->has_ended = true; break;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC: on_error(cinfo); break;
    default: break;
    }
}

/* ---- which side is up ---------------------------------------------------------------------- */

#define EXIF_MARKER "Exif\0" /* and the NUL of the literal */
#define XMP_MARKER "http://ns.adobe.com/xap/1.0/"

static bool has_marker(jpeg_saved_marker_ptr m, const char *marker, size_t size)
{
    return m->data_length >= size && memcmp(m->data, marker, size) == 0;
}

/* EXIF of more than 64 KB goes on in further segments, each after its marker; XMP is in one. */
static unsigned joined_exif_orientation(jpeg_saved_marker_ptr first, limn_error *err)
{
    uint8_t *block;
    size_t size = 0;
    unsigned orientation;
    for (jpeg_saved_marker_ptr m = first; m; m = m->next) size += m->data_length;
    block = limn_alloc(size, 1);
    if (!block) return 0;
    size = 0;
    for (jpeg_saved_marker_ptr m = first; m; m = m->next)
        if (has_marker(m, EXIF_MARKER, sizeof EXIF_MARKER)) {
            memcpy(block + size, m->data + sizeof EXIF_MARKER, m->data_length - sizeof EXIF_MARKER);
            size += m->data_length - sizeof EXIF_MARKER;
        }
    orientation = limn_exif_orientation(block, size, err);
    limn_free(block);
    return orientation;
}

/* XMP counts where EXIF says nothing of the orientation. */
static void read_orientation(jpeg_job *job)
{
    unsigned exif = 0, xmp = 0;
    bool has_exif = false;
    for (jpeg_saved_marker_ptr m = job->cinfo.marker_list; m; m = m->next)
        if (has_marker(m, XMP_MARKER, sizeof XMP_MARKER)) {
            xmp = limn_xmp_orientation(m->data + sizeof XMP_MARKER,
                                       m->data_length - sizeof XMP_MARKER);
        } else if (!has_exif && has_marker(m, EXIF_MARKER, sizeof EXIF_MARKER)) {
            has_exif = true;
            exif = joined_exif_orientation(m, job->err);
        }
    *job->orientation = exif ? exif : xmp ? xmp : 1;
}

/* ---- decoding ------------------------------------------------------------------------------ */

/* Every 8 x 8 block of a Huffman-coded image takes at least one bit. */
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
static unsigned choose_denominator(uint32_t width, uint32_t height, uint32_t hint)
{
    const uint64_t side = width < height ? width : height, least = 2 * (uint64_t)hint;
    unsigned denominator = 8;
    if (least == 0) return 1;
    while (denominator > 1 && (side + denominator - 1) / denominator < least) denominator /= 2;
    return denominator;
}

bool limn_image_suits_hint(const limn_image *image, uint32_t min_side_hint)
{
    return !image->denominator ||
           image->denominator ==
               choose_denominator(image->full_width, image->full_height, min_side_hint);
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

/* Whether the scans read so far, all whole, are all that there can be. */
static bool has_all_scans(const struct jpeg_decompress_struct *c)
{
    for (int i = 0; i < c->num_components; i++) {
        if (!c->progressive_mode && !c->comp_info[i].quant_table) return false;
        for (int k = 0; c->progressive_mode && k < DCTSIZE2; k++)
            if (c->coef_bits[i][k] != 0) return false;
    }
    return true;
}

/* Reads the scans of an image that has more than one, until there can be no more, whatever
 * follows, or to the end. */
static limn_status read_scans(jpeg_job *job)
{
    struct jpeg_decompress_struct *c = &job->cinfo;
    int event = JPEG_REACHED_SOS;
    while (event != JPEG_REACHED_EOI && !(event == JPEG_SCAN_COMPLETED && has_all_scans(c))) {
        event = jpeg_consume_input(c);
        if (c->input_scan_number > MAX_SCANS)
            return limn_fail(job->err, LIMN_E_LIMIT, "JPEG: more than %d scans", MAX_SCANS);
    }
    return event == JPEG_REACHED_EOI && job->has_ended ? fail_truncated(job) : LIMN_OK;
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
    c->scale_denom =
        choose_denominator(c->image_width, c->image_height, job->in->settings->min_side_hint);
    c->buffered_image = jpeg_has_multiple_scans(c);
    jpeg_start_decompress(c);
    return c->buffered_image ? read_scans(job) : LIMN_OK;
}

static limn_status reserve(jpeg_job *job)
{
    const struct jpeg_decompress_struct *c = &job->cinfo;
    LIMN_TRY(limn_image_reserve(job->out, "JPEG", c->output_width, c->output_height, job->err));
    job->out->full_width = c->image_width;
    job->out->full_height = c->image_height;
    job->out->denominator = c->scale_denom;
    job->out->box.right = (float)c->image_width / (float)c->scale_denom;
    job->out->box.bottom = (float)c->image_height / (float)c->scale_denom;
    return LIMN_OK;
}

/* Four components are taken as Adobe writes them, inverted, whether or not its marker is there, as
 * Pillow and the browsers do. */
static limn_status read_rows(jpeg_job *job)
{
    struct jpeg_decompress_struct *c = &job->cinfo;
    size_t stride = (size_t)c->output_width * 3;
    LIMN_TRY(check_components(job));
    LIMN_TRY(reserve(job));
    if (c->out_color_space == JCS_CMYK) {
        job->cmyk_row = limn_alloc(c->output_width, 4);
        if (!job->cmyk_row) return limn_fail(job->err, LIMN_E_NOMEM, "JPEG: no memory for a row");
    }
    if (c->buffered_image) jpeg_start_output(c, c->input_scan_number);
    while (c->output_scanline < c->output_height) {
        uint8_t *row = job->out->pixels + c->output_scanline * stride;
        JSAMPROW target = job->cmyk_row ? job->cmyk_row : row;
        jpeg_read_scanlines(c, &target, 1);
        if (job->cmyk_row) limn_image_flatten_inks(row, job->cmyk_row, c->output_width);
    }
    return c->arith_code && job->has_ended ? fail_truncated(job) : LIMN_OK;
}

static limn_status guarded(jpeg_job *job)
{
    if (setjmp(job->env)) return job->status;
    jpeg_create_decompress(&job->cinfo);
    job->cinfo.client_data = job;
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
    s = guarded(&job);
    jpeg_destroy_decompress(&job.cinfo); /* fine with what was never created: it is zeroed */
    limn_free(job.cmyk_row);
    return s;
}
