#include "common/image/png_write.h"

#include <setjmp.h>

#include <png.h>

/* What libpng's jump must not lose. */
typedef struct png_out {
    png_structp png;
    png_infop info;
    limn_buffer *out;
} png_out;

static void write_bytes(png_structp png, png_bytep bytes, size_t size)
{
    limn_buffer_append(png_get_io_ptr(png), bytes, size);
}

static void flush(png_structp png)
{
    (void)png;
}

static void on_error(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

/* False after libpng's jump, which only short memory makes. */
static bool write_guarded(const png_out *o, const uint8_t *pixels, uint32_t width, uint32_t height)
{
    if (setjmp(png_jmpbuf(o->png))) return false;
    png_set_write_fn(o->png, o->out, write_bytes, flush);
    png_set_IHDR(o->png, o->info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(o->png, o->info);
    for (uint32_t y = 0; y < height; y++) png_write_row(o->png, pixels + (size_t)y * width * 3);
    png_write_end(o->png, o->info);
    return true;
}

limn_status limn_png_append(limn_buffer *out, const uint8_t *pixels, uint32_t width,
                            uint32_t height, limn_error *err)
{
    png_out o = { .out = out };
    bool is_written = false;
    o.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    o.info = o.png ? png_create_info_struct(o.png) : NULL;
    if (o.info) is_written = write_guarded(&o, pixels, width, height);
    png_destroy_write_struct(&o.png, &o.info);
    if (!is_written || out->has_failed)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a PNG of %u x %u pixels", width, height);
    return LIMN_OK;
}
