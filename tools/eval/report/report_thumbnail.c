/* jpeglib.h needs stdio.h before it. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "common/base/mem.h"
#include "common/image/image.h"
#include "common/io/fileio.h"
#include "tools/eval/report/report.h"

enum { MAX_SIDE = 288, QUALITY = 78 };
static const size_t MAX_FILE = (size_t)256 << 20;

/* ---- base64 --------------------------------------------------------------------------------- */

static void append_base64(limn_buffer *out, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        const size_t n = size - i < 3 ? size - i : 3;
        const unsigned second = n > 1 ? bytes[i + 1] : 0, third = n > 2 ? bytes[i + 2] : 0;
        const unsigned group = (unsigned)bytes[i] << 16 | second << 8 | third;
        const char text[4] = { digits[group >> 18], digits[group >> 12 & 63],
                               n > 1 ? digits[group >> 6 & 63] : '=',
                               n > 2 ? digits[group & 63] : '=' };
        limn_buffer_append(out, text, sizeof text);
    }
}

/* ---- JPEG ----------------------------------------------------------------------------------- */

/* libjpeg's way out of an error, instead of exit(). */
typedef struct jpeg_errors {
    struct jpeg_error_mgr manager;
    jmp_buf out;
} jpeg_errors;

static void leave(j_common_ptr jpeg)
{
    longjmp(((jpeg_errors *)jpeg->err)->out, 1);
}

static void keep_quiet(j_common_ptr jpeg)
{
    (void)jpeg;
}

/* *bytes is libjpeg's and freed with free(). pixels [height, width, 3] */
static limn_status encode(unsigned char **bytes, unsigned long *size, uint8_t *pixels,
                          uint32_t width, uint32_t height, limn_error *err)
{
    struct jpeg_compress_struct jpeg = { 0 };
    jpeg_errors errors;
    jpeg.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = leave;
    errors.manager.output_message = keep_quiet;
    if (setjmp(errors.out)) {
        jpeg_destroy_compress(&jpeg);
        return limn_fail(err, LIMN_E_NOMEM, "can't write a JPEG");
    }
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, bytes, size);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < height) {
        JSAMPROW row = pixels + (size_t)jpeg.next_scanline * width * 3;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return LIMN_OK;
}

/* ---- one picture ---------------------------------------------------------------------------- */

/* No picture becomes larger than it is. */
static void fit(uint32_t *width, uint32_t *height, const limn_image *image)
{
    const uint32_t longer = image->width > image->height ? image->width : image->height;
    *width = image->width;
    *height = image->height;
    if (longer <= MAX_SIDE)
        return;
    *width = (uint32_t)((uint64_t)image->width * MAX_SIDE / longer);
    *height = (uint32_t)((uint64_t)image->height * MAX_SIDE / longer);
    *width += *width == 0;
    *height += *height == 0;
}

static limn_status append_jpeg(limn_buffer *out, const limn_image *image, limn_error *err)
{
    uint32_t width, height;
    unsigned char *jpeg = NULL;
    unsigned long jpeg_size = 0;
    limn_resize_scratch scratch = { 0 };
    fit(&width, &height, image);
    uint8_t *pixels = limn_alloc((size_t)width * height, 3);
    limn_status s = pixels ? limn_image_resize(pixels, width, height, image, LIMN_RESIZE_BICUBIC,
                                               &scratch, err)
                           : limn_fail(err, LIMN_E_NOMEM, "out of memory for a thumbnail");
    if (s == LIMN_OK)
        s = encode(&jpeg, &jpeg_size, pixels, width, height, err);
    if (s == LIMN_OK) {
        limn_buffer_append_text(out, "data:image/jpeg;base64,");
        append_base64(out, jpeg, jpeg_size);
    }
    free(jpeg);
    limn_free(pixels);
    limn_resize_scratch_finish(&scratch);
    return s;
}

static limn_status read_named(unsigned char **bytes, size_t *size, const char *folder,
                              const char *name, limn_error *err)
{
    limn_buffer path = { 0 };
    limn_status s;
    limn_buffer_printf(&path, "%s/%s", folder, name);
    s = path.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
                        : limn_file_read(bytes, size, path.bytes, MAX_FILE, err);
    limn_buffer_finish(&path);
    return s;
}

limn_status limn_report_thumbnail(limn_buffer *out, const char *folder, const char *id,
                                  limn_error *err)
{
    const char *slash = strrchr(id, '/');
    unsigned char *bytes = NULL;
    size_t size;
    limn_image image = { 0 };
    limn_image_settings settings = limn_image_settings_default();
    limn_status s = read_named(&bytes, &size, folder, id, slash ? NULL : err);
    settings.min_side_hint = MAX_SIDE;
    if (s != LIMN_OK && slash)
        s = read_named(&bytes, &size, folder, slash + 1, err);
    if (s == LIMN_OK)
        s = limn_image_decode(&image, bytes, size, &settings, err);
    limn_free(bytes);
    if (s == LIMN_OK)
        s = append_jpeg(out, &image, err);
    limn_image_finish(&image);
    return s;
}
