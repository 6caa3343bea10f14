/* HEIC, HEIF and AVIF through libheif: the primary image, turned and cropped as the container says.
 * Depth, gain maps and thumbnails are other images, which are not looked at.
 *
 * libheif's own decoders start threads, which the sandbox forbids and a small image is no reason
 * for. Its interface has no way to turn that off, so the two functions that start them are replaced
 * here: the loader finds those of this module first. */
#define _GNU_SOURCE /* RTLD_NEXT */

#include "tools/annotate/decoders/decoder_module.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <dav1d/dav1d.h>
#include <libheif/heif.h>

#include "common/base/mem.h"
#include "common/image/bytes.h"
#include "common/image/codec.h"
#include "tools/annotate/decoders/first_exception.h"

/* ---- no threads ---------------------------------------------------------------------------- */

/* Of libde265, whose header is not needed for this: decoding then happens in the caller's thread.
 */
LIMN_MODULE_EXPORT int de265_start_worker_threads(void *decoder, int n_threads);

int de265_start_worker_threads(void *decoder, int n_threads)
{
    (void)decoder;
    (void)n_threads;
    return 0; /* DE265_OK */
}

LIMN_MODULE_EXPORT void dav1d_default_settings(Dav1dSettings *settings);

void dav1d_default_settings(Dav1dSettings *settings)
{
    void (*original)(Dav1dSettings *);
    *(void **)&original = dlsym(RTLD_NEXT, "dav1d_default_settings");
    if (original) original(settings);
    settings->n_threads = 1;
}

/* ---- decoding ------------------------------------------------------------------------------ */

typedef struct heif_job {
    const limn_codec_input *in;
    limn_photo *out;
    limn_error *err;
    const char *format;
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct heif_image *image;
} heif_job;

static limn_status status_of(struct heif_error e)
{
    if (e.subcode == heif_suberror_End_of_data) return LIMN_E_TRUNCATED;
    if (e.subcode == heif_suberror_Security_limit_exceeded) return LIMN_E_LIMIT;
    if (e.code == heif_error_Memory_allocation_error) return LIMN_E_NOMEM;
    if (e.code == heif_error_Unsupported_feature) return LIMN_E_UNSUPPORTED;
    return LIMN_E_FORMAT;
}

static limn_status check(const heif_job *job, struct heif_error e)
{
    if (e.code == heif_error_Ok) return LIMN_OK;
    if (e.subcode == heif_suberror_No_meta_box)
        return limn_fail(job->err, LIMN_E_UNSUPPORTED,
                         "%s: it has no still image, as sequences and videos may", job->format);
    if (e.code == heif_error_Unsupported_filetype)
        return limn_fail(
            job->err, LIMN_E_UNSUPPORTED,
            "%s: libheif doesn't read files of its brand, such as those of sequences and "
            "videos",
            job->format);
    const size_t size = strcspn(e.message, "\n");
    return limn_fail(job->err, status_of(e), "%s: %.*s", job->format, (int)size, e.message);
}

/* Sizes of an image, before or after decoding. */
static limn_status check_size(const heif_job *job, int width, int height)
{
    return limn_image_check_size(job->format, width < 0 ? 0 : (uint64_t)width,
                                 height < 0 ? 0 : (uint64_t)height, job->in->settings, job->err);
}

/* The boxes of the file must be whole: of one that is cut off libheif takes no notice. What follows
 * after them may be anything. */
static limn_status check_boxes(const heif_job *job)
{
    static const char known[] = "ftyp meta mdat moov idat free skip uuid";
    const uint8_t *bytes = job->in->bytes;
    const size_t end = job->in->size;
    char kind[5] = "";
    for (size_t at = 0; end - at >= 16;) {
        uint64_t size = limn_u32be(bytes + at);
        memcpy(kind, bytes + at + 4, 4);
        if (strlen(kind) < 4 || !strstr(known, kind) || size == 0) break; /* 0: to the end */
        if (size == 1)
            size = (uint64_t)limn_u32be(bytes + at + 8) << 32 | limn_u32be(bytes + at + 12);
        if (size > end - at)
            return limn_fail(job->err, LIMN_E_TRUNCATED,
                             "%s: box %s has %" PRIu64 " bytes at %zu of a file of %zu bytes",
                             job->format, kind, size, at, end);
        if (size < 8) break;
        at += (size_t)size;
    }
    return LIMN_OK;
}

static limn_status open_primary(heif_job *job)
{
    const limn_image_settings *s = job->in->settings;
    job->context = heif_context_alloc();
    if (!job->context) return limn_fail(job->err, LIMN_E_NOMEM, "%s: out of memory", job->format);
    heif_context_set_max_decoding_threads(job->context, 0);
    heif_context_set_maximum_image_size_limit(
        job->context, (int)(s->max_side < LIMN_IMAGE_MAX_SIDE ? s->max_side : LIMN_IMAGE_MAX_SIDE));
    LIMN_TRY(check(job, heif_context_read_from_memory_without_copy(job->context, job->in->bytes,
                                                                   job->in->size, NULL)));
    LIMN_TRY(check(job, heif_context_get_primary_image_handle(job->context, &job->handle)));
    LIMN_TRY(check_size(job, heif_image_handle_get_ispe_width(job->handle),
                        heif_image_handle_get_ispe_height(job->handle)));
    return check_size(job, heif_image_handle_get_width(job->handle),
                      heif_image_handle_get_height(job->handle));
}

static bool is_about_colors(const struct heif_error *e)
{
    return e->subcode == heif_suberror_Unknown_NCLX_color_primaries ||
           e->subcode == heif_suberror_Unknown_NCLX_transfer_characteristics ||
           e->subcode == heif_suberror_Unknown_NCLX_matrix_coefficients;
}

/* What libheif only warns of is an error, except for unknown codes of colours, which then count as
 * unspecified. Its own strict mode refuses those, too, and libheif 1.15 then leaks the image. */
static limn_status check_warnings(const heif_job *job)
{
    const int n = heif_image_get_decoding_warnings(job->image, 0, NULL, 0);
    struct heif_error *all = n > 0 ? limn_calloc((size_t)n, sizeof *all) : NULL;
    limn_status s = LIMN_OK;
    if (n <= 0) return LIMN_OK;
    if (!all) return limn_fail(job->err, LIMN_E_NOMEM, "%s: out of memory", job->format);
    heif_image_get_decoding_warnings(job->image, 0, all, n);
    for (int i = 0; i < n && s == LIMN_OK; i++)
        if (!is_about_colors(&all[i])) s = check(job, all[i]);
    limn_free(all);
    return s;
}

static limn_status decode_primary(heif_job *job, bool has_alpha)
{
    struct heif_decoding_options *options = heif_decoding_options_alloc();
    struct heif_error e;
    if (!options) return limn_fail(job->err, LIMN_E_NOMEM, "%s: out of memory", job->format);
    options->convert_hdr_to_8bit = 1;
    e = heif_decode_image(job->handle, &job->image, heif_colorspace_RGB,
                          has_alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB,
                          options);
    heif_decoding_options_free(options);
    LIMN_TRY(check(job, e));
    return check_warnings(job);
}

/* rgb [n, 3] over white, from rgba whose colours are multiplied by their alpha already. */
static void flatten_premultiplied(uint8_t *rgb, const uint8_t *rgba, size_t n)
{
    for (size_t i = 0; i < n; i++, rgb += 3, rgba += 4)
        for (int c = 0; c < 3; c++) {
            const int sum = rgba[c] + 255 - rgba[3];
            rgb[c] = (uint8_t)(sum < 255 ? sum : 255);
        }
}

static limn_status copy_pixels(heif_job *job, bool has_alpha)
{
    const bool is_multiplied = has_alpha && heif_image_handle_is_premultiplied_alpha(job->handle);
    const int width = heif_image_get_width(job->image, heif_channel_interleaved);
    const int height = heif_image_get_height(job->image, heif_channel_interleaved);
    int stride = 0;
    const uint8_t *from =
        heif_image_get_plane_readonly(job->image, heif_channel_interleaved, &stride);
    limn_image *to = &job->out->image;
    LIMN_TRY(check_size(job, width, height));
    if (!from) return limn_fail(job->err, LIMN_E_FORMAT, "%s: it has no pixels", job->format);
    LIMN_TRY(limn_image_reserve(to, job->format, (uint32_t)width, (uint32_t)height, job->err));
    for (uint32_t y = 0; y < to->height; y++) {
        const uint8_t *row = from + (size_t)y * (size_t)stride;
        uint8_t *rgb = to->pixels + (size_t)y * to->width * 3;
        if (is_multiplied)
            flatten_premultiplied(rgb, row, to->width);
        else if (has_alpha)
            limn_image_flatten(rgb, row, to->width);
        else
            memcpy(rgb, row, (size_t)to->width * 3);
    }
    return LIMN_OK;
}

static void keep_color(const heif_job *job)
{
    const size_t size = heif_image_handle_get_raw_color_profile_size(job->handle);
    limn_color *color = &job->out->color;
    struct heif_color_profile_nclx *nclx = NULL;
    if (size && size <= job->in->size) {
        color->icc = limn_alloc(size, 1);
        if (color->icc &&
            heif_image_handle_get_raw_color_profile(job->handle, color->icc).code == heif_error_Ok)
            color->icc_size = size;
    }
    if (heif_image_handle_get_nclx_color_profile(job->handle, &nclx).code == heif_error_Ok) {
        const unsigned transfer = nclx->transfer_characteristics;
        if (transfer == heif_transfer_characteristic_ITU_R_BT_2100_0_PQ ||
            transfer == heif_transfer_characteristic_ITU_R_BT_2100_0_HLG)
            limn_note(job->err, "%s: " LIMN_HDR_NOTE, job->format);
        color->primaries = nclx->color_primaries;
        heif_nclx_color_profile_free(nclx);
    }
}

static limn_status decode_job(heif_job *job)
{
    bool has_alpha;
    LIMN_TRY(check_boxes(job));
    LIMN_TRY(open_primary(job));
    has_alpha = heif_image_handle_has_alpha_channel(job->handle);
    LIMN_TRY(decode_primary(job, has_alpha));
    LIMN_TRY(copy_pixels(job, has_alpha));
    keep_color(job);
    return LIMN_OK;
}

/* AVIF by its name: what comes first in the file, or the word for all of them. */
static const char *format_of(const limn_codec_input *in)
{
    return in->size >= 12 && !memcmp(in->bytes + 8, "avi", 3) ? "AVIF" : "HEIF";
}

static limn_status decode(limn_photo *out, const limn_codec_input *in, limn_error *err)
{
    heif_job job = { .in = in, .out = out, .err = err, .format = format_of(in) };
    const limn_status s = decode_job(&job);
    if (job.image) heif_image_release(job.image);
    if (job.handle) heif_image_handle_release(job.handle);
    if (job.context) heif_context_free(job.context);
    return s;
}

/* Newer ones look for their decoders in a folder; libdav1d sets itself up at the first use. */
static void prepare(void)
{
    Dav1dSettings settings;
    Dav1dContext *context = NULL;
    limn_prepare_exceptions();
    heif_init(NULL);
    dav1d_default_settings(&settings);
    if (!dav1d_open(&context, &settings)) dav1d_close(&context);
}

static void describe(char *text, size_t size)
{
    snprintf(text, size, "libheif %s", heif_get_version());
}

const limn_decoder_module limn_decoder_module_here = { .describe = describe,
                                                       .prepare = prepare,
                                                       .decode = decode };
