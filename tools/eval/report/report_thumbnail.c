#include <string.h>

#include "common/base/mem.h"
#include "common/image/image.h"
#include "common/io/fileio.h"
#include "tools/eval/report/report.h"
#include "tools/page/data_uri.h"

enum { MAX_SIDE = 288, QUALITY = 78 };
static const size_t MAX_FILE = (size_t)256 << 20;

/* ---- one picture ---------------------------------------------------------------------------- */

/* No picture becomes larger than it is. */
static void fit(uint32_t *width, uint32_t *height, const limn_image *image)
{
    const uint32_t longer = image->width > image->height ? image->width : image->height;
    *width = image->width;
    *height = image->height;
    if (longer <= MAX_SIDE) return;
    *width = (uint32_t)((uint64_t)image->width * MAX_SIDE / longer);
    *height = (uint32_t)((uint64_t)image->height * MAX_SIDE / longer);
    *width += *width == 0;
    *height += *height == 0;
}

static limn_status append_jpeg(limn_buffer *out, const limn_image *image, limn_error *err)
{
    uint32_t width, height;
    limn_resize_scratch scratch = { 0 };
    fit(&width, &height, image);
    uint8_t *pixels = limn_alloc((size_t)width * height, 3);
    limn_status s =
        pixels ? limn_image_resize(pixels, width, height, image, LIMN_RESIZE_BICUBIC, &scratch, err)
               : limn_fail(err, LIMN_E_NOMEM, "out of memory for a thumbnail");
    if (s == LIMN_OK) s = limn_page_append_jpeg(out, pixels, width, height, QUALITY, err);
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
    if (s != LIMN_OK && slash) s = read_named(&bytes, &size, folder, slash + 1, err);
    if (s == LIMN_OK) s = limn_image_decode(&image, bytes, size, &settings, err);
    limn_free(bytes);
    if (s == LIMN_OK) s = append_jpeg(out, &image, err);
    limn_image_finish(&image);
    return s;
}
