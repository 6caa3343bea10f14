/* jpeglib.h needs stdio.h before it. */
#include "common/image/jpeg_write.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "common/text/base64.h"

/* ---- JPEG ----------------------------------------------------------------------------------- */

/* Where libjpeg goes on after an error; its own handler would end the process. */
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
static limn_status encode(unsigned char **bytes, unsigned long *size, const uint8_t *pixels,
                          uint32_t width, uint32_t height, int quality, limn_error *err)
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
    jpeg_set_quality(&jpeg, quality, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < height) {
        /* libjpeg only reads it */
        JSAMPROW row = (JSAMPROW)pixels + (size_t)jpeg.next_scanline * width * 3;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return LIMN_OK;
}

limn_status limn_jpeg_append_uri(limn_buffer *out, const uint8_t *pixels, uint32_t width,
                                 uint32_t height, int quality, limn_error *err)
{
    unsigned char *jpeg = NULL;
    unsigned long size = 0;
    const limn_status s = encode(&jpeg, &size, pixels, width, height, quality, err);
    if (s == LIMN_OK) {
        limn_buffer_append_text(out, "data:image/jpeg;base64,");
        limn_base64_append(out, jpeg, size);
    }
    free(jpeg);
    return s;
}
