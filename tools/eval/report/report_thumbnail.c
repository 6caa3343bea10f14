#include <string.h>

#include "common/base/mem.h"
#include "common/image/image.h"
#include "common/io/fileio.h"
#include "tools/annotate/image_load.h"
#include "tools/eval/report/report.h"
#include "common/image/jpeg_write.h"

enum { MAX_SIDE = 288, QUALITY = 78 };
static const size_t MAX_FILE = (size_t)256 << 20;

/* ---- one image ---------------------------------------------------------------------------- */

static limn_status load(uint8_t *loaded, const limn_file_bytes *file, const limn_image_load *l,
                        limn_decoders *decoders, limn_error *err)
{
    const limn_image_loader loader = { .load = *l, .sandbox = decoders };
    limn_image_worker worker = { .loader = &loader };
    const limn_status s = limn_image_worker_load(&worker, file->bytes, file->size, loaded, err);
    limn_image_worker_finish(&worker);
    return s;
}

static limn_status append_jpeg(limn_buffer *out, const limn_file_bytes *file,
                               limn_decoders *decoders, limn_error *err)
{
    const limn_image_load l = {
        .plan = { .inputs = { { limn_input_square(MAX_SIDE, LIMN_RESIZE_BICUBIC, 0, 1),
                                limn_image_settings_default().max_pixels } },
                  .n_inputs = 1 },
        .thumbnail_side = MAX_SIDE,
    };
    uint8_t *loaded = limn_alloc_aligned(limn_image_load_size(&l), 1);
    if (!loaded) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a thumbnail");
    limn_status s = load(loaded, file, &l, decoders, err);
    const limn_thumbnail *t = limn_image_load_thumbnail(&l, loaded);
    if (s == LIMN_OK) s = limn_jpeg_append_uri(out, t->pixels, t->width, t->height, QUALITY, err);
    limn_free(loaded);
    return s;
}

static limn_status read_named(limn_file_bytes *file, const char *folder, const char *name,
                              limn_error *err)
{
    limn_buffer path = { 0 };
    limn_status s;
    limn_buffer_printf(&path, "%s/%s", folder, name);
    s = path.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
                        : limn_file_bytes_read(file, path.bytes, MAX_FILE, err);
    limn_buffer_finish(&path);
    return s;
}

limn_status limn_report_thumbnail(limn_buffer *out, const char *folder, const char *id,
                                  limn_decoders *decoders, limn_error *err)
{
    const char *slash = strrchr(id, '/');
    limn_file_bytes file = { 0 };
    limn_status s = read_named(&file, folder, id, slash ? NULL : err);
    if (s != LIMN_OK && slash) s = read_named(&file, folder, slash + 1, err);
    if (s == LIMN_OK) s = append_jpeg(out, &file, decoders, err);
    limn_file_bytes_free(&file);
    return s;
}
