#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "common/image/format.h"

/* Heads of files, their formats, and names of such files. */
static const struct {
    const char *bytes;
    size_t size;
    const char *format;
    const char *file; /* NULL: no extension tells it */
    bool is_certain;
} heads[] = {
#define HEAD(bytes, format, file)                    \
    {                                                \
        bytes, sizeof(bytes) - 1, format, file, true \
    }
#define WEAK(bytes, format, file)                     \
    {                                                 \
        bytes, sizeof(bytes) - 1, format, file, false \
    }
    HEAD("\xFF\xD8\xFF\xE0", "JPEG", "a.JPG"),
    HEAD("\x89PNG\r\n\x1A\n", "PNG", "a.b.png"),
    HEAD("RIFF\x10\0\0\0WEBPVP8 ", "WebP", "a.webp"),
    HEAD("GIF87a", "GIF", "a.gif"),
    HEAD("BM\x10\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "BMP", "a.dib"),
    HEAD("P5\n2 2\n255\n", "PNM", "a.pgm"),
    HEAD("P6# comment\n", "PNM", "a.ppm"),
    HEAD("8BPS\0\1", "PSD", "a.psd"),
    HEAD("#?RADIANCE\n", "HDR", "a.hdr"),
    HEAD("#?RGBE\n", "HDR", NULL),
    HEAD("II*\0\x10\0\0\0CR\2\0", "a Canon CR2 RAW file", "a.cr2"),
    HEAD("\0\0\0\x18"
         "ftypcrx \0\0\0\1crx isom",
         "a Canon CR3 RAW file", "a.CR3"),
    HEAD("FUJIFILMCCD-RAW 0201", "a Fujifilm RAF RAW file", "a.raf"),
    HEAD("IIRO\x08\0\0\0", "an Olympus ORF RAW file", "a.orf"),
    HEAD("IIU\0\x18\0\0\0", "a Panasonic RW2 RAW file", "a.rw2"),
    HEAD("II*\0\x08\0\0\0", "TIFF", "a.tiff"),
    HEAD("\0\0\0\x1c"
         "ftypmif1\0\0\0\0mif1avif",
         "AVIF", "a.avif"),
    HEAD("\0\0\0\x18"
         "ftypheic\0\0\0\0mif1heic",
         "HEIC", "a.heic"),
    HEAD("\0\0\0\x14"
         "ftypmif1\0\0\0\0miaf",
         "HEIF", "a.heif"),
    HEAD("\xFF\x0A", "JPEG XL", "a.jxl"),
    HEAD("\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000", "a.jp2"),
    HEAD("P3\n2 2\n", "PNM as text", NULL),
    HEAD("P7\nWIDTH 1", "PAM", "a.pam"),
    HEAD("qoif\0\0", "QOI", "a.qoi"),
    HEAD("\x76\x2F\x31\x01", "OpenEXR", "a.exr"),
    HEAD("\0\0\1\0\1\0\x10\x10\0\0", "ICO", "a.ico"),
    HEAD("%!PS-Adobe-3.0 EPSF-3.0\n", "EPS", NULL),
    HEAD("\xC5\xD0\xD3\xC6\x20\0\0\0", "EPS", "a.eps"),
    HEAD("/* XPM */\nstatic char *a[] = {", "XPM", "a.xpm"),
    HEAD("BLP2\1\0\0\0", "BLP", "a.blp"),
    HEAD("\xB1\x68\xDE\x3A\0\0", "DCX", "a.dcx"),
    HEAD("\x80\xE8\0\0", "PIXAR", "a.pxr"),
    HEAD("DanM\x20\0", "MSP", "a.msp"),
    HEAD("P7 332\n", "an XV thumbnail", NULL),
    HEAD("\xD7\xCD\xC6\x9A\0\0", "WMF", "a.wmf"),
    WEAK("#define a_width 16\n#define a_height 16\n", "XBM", "a.xbm"),
    WEAK("/* made */\n#define a_width 16\n", "XBM", "a.xbm"),
    WEAK("Image type: RGB image\r\nName: a\r\n", "IM", "a.im"),
    WEAK("\0\1\0\0\x11\xAF\2\0", "FLI", "a.fli"),
    WEAK("\x28\0\0\0\x10\0\0\0", "DIB, a BMP without its file header", NULL),
    WEAK("#define LIMIT 16\n", "text", NULL),
    WEAK("%!PS-Adobe-3.0\n", "a PostScript document", NULL),
    WEAK("<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG", "a.svg"),
    WEAK("\0\0\2\0\0\0\0\0\0\0\0\0\4\0\4\0\x18\0", "TGA", "a.tga"),
    WEAK("<html><svg/></html>", "an HTML document", NULL),
    WEAK("BM is a company", "text", NULL),
    WEAK("P6 and P5 are formats", "text", NULL),
    WEAK("\0\0\0\x18"
         "ftypisom\0\0\2\0",
         "an MP4 or QuickTime video", NULL),
    WEAK("RIFF\x10\0\0\0WAVE", "a RIFF file", NULL),
    WEAK("%PDF-1.4", "a PDF document", NULL),
};

static void test_heads_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        const limn_image_format *f =
            limn_image_sniff((const uint8_t *)heads[i].bytes, heads[i].size);
        if (!f || strcmp(f->name, heads[i].format))
            fail_msg("%s: %s", heads[i].format, f ? f->name : "unknown");
        assert_int_equal(f->kind == LIMN_IMAGE_CERTAIN, heads[i].is_certain);
        if (heads[i].file) assert_ptr_equal(limn_image_format_of_name(heads[i].file), f);
    }
}

/* A head cut anywhere is read within its bounds; an empty one tells nothing. */
static void test_cut_heads_are_read_within_bounds(void **state)
{
    uint8_t exact[64];
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        for (size_t size = 0; size < heads[i].size && size < sizeof exact; size++) {
            memset(exact, 0xAA, sizeof exact);
            memcpy(exact + sizeof exact - size, heads[i].bytes, size);
            (void)limn_image_sniff(exact + sizeof exact - size, size);
        }
    assert_null(limn_image_sniff(exact, 0));
    assert_null(limn_image_sniff((const uint8_t *)"\xC8\xC9\0\0", 4));
}

static void test_names_are_told_by_their_ending(void **state)
{
    static const char *const raws[] = { "a.cr2", "a.cr3", "a.nef", "a.arw", "a.raf",
                                        "a.orf", "a.rw2", "a.dng", "a.pef", "a.srw" };
    (void)state;
    assert_string_equal(limn_image_format_of_name("a.b/c.JPeG")->name, "JPEG");
    assert_null(limn_image_format_of_name("a.jpg/c"));
    assert_null(limn_image_format_of_name("jpg"));
    assert_null(limn_image_format_of_name("a."));
    assert_null(limn_image_format_of_name("a.jp"));
    assert_null(limn_image_format_of_name("a.jpg jpeg"));
    for (size_t i = 0; i < sizeof raws / sizeof *raws; i++) {
        assert_non_null(limn_image_format_of_name(raws[i]));
        assert_null(limn_image_format_of_name(raws[i])->decode);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_are_told),
        cmocka_unit_test(test_cut_heads_are_read_within_bounds),
        cmocka_unit_test(test_names_are_told_by_their_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
