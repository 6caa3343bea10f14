#include "common/image/format.h"

#include <string.h>
#include <strings.h>

#include "common/image/format_decoders.h"
#include "common/image/format_probe.h"

enum { MAX_MAGICS = 4 };

typedef struct magic {
    const char *bytes; /* [size]; NULL: no more of them */
    size_t size, offset;
} magic;

/* A file is of the format when all that the row has of these holds. */
typedef struct row {
    limn_image_format format;
    magic magics[MAX_MAGICS]; /* one of them */
    bool (*probe)(const uint8_t *bytes, size_t size);
    const char *brands; /* for limn_probe_brands */
    const char *maker;  /* for limn_probe_raw */
} row;

/* clang-format off */
#define AT(offset, literal) { literal, sizeof(literal) - 1, offset }
#define M(literal) AT(0, literal)
#define TIFF .magics = { M("II*\0"), M("MM\0*") }

#define READ(name, decode, extensions) .format = { name, decode, extensions, LIMN_IMAGE_CERTAIN }
#define NAMED(name, extensions) .format = { name, NULL, extensions, LIMN_IMAGE_CERTAIN }
#define LIKELY(name, decode, extensions) .format = { name, decode, extensions, LIMN_IMAGE_LIKELY }
#define OTHER(name) .format = { name, NULL, NULL, LIMN_IMAGE_NOT }

/* The first that fits counts. */
static const row rows[] = {
    /* read */
    { READ("JPEG", limn_decode_jpeg, "jpg jpeg jpe jfif"), .magics = { M("\xFF\xD8") } },
    { READ("PNG", limn_decode_png, "png apng"), .magics = { M("\x89PNG\r\n\x1A\n") } },
    { READ("WebP", limn_decode_webp, "webp"), .magics = { AT(8, "WEBP") },
      .probe = limn_probe_riff },
    { READ("GIF", limn_decode_gif, "gif"), .magics = { M("GIF87a"), M("GIF89a") } },
    { READ("BMP", limn_decode_bmp, "bmp dib"), .magics = { M("BM") }, .probe = limn_probe_bmp },
    { READ("PNM", limn_decode_pnm, "pnm pgm ppm"), .magics = { M("P5"), M("P6") },
      .probe = limn_probe_pnm },
    { READ("PSD", limn_decode_psd, "psd"), .magics = { M("8BPS\0\1") } },
    { READ("HDR", limn_decode_hdr, "hdr"), .magics = { M("#?RADIANCE"), M("#?RGBE") } },

    /* RAW formats of cameras */
    { NAMED("a DNG RAW file", "dng"), TIFF, .probe = limn_probe_dng },
    { NAMED("a Canon CR2 RAW file", "cr2"), .magics = { M("II*\0\x10\0\0\0CR") } },
    { NAMED("a Canon CR3 RAW file", "cr3"), .brands = "crx " },
    { NAMED("a Canon CRW RAW file", "crw"), .magics = { M("II\x1A\0\0\0HEAPCCDR") } },
    { NAMED("a Fujifilm RAF RAW file", "raf"), .magics = { M("FUJIFILMCCD-RAW") } },
    { NAMED("an Olympus ORF RAW file", "orf"), .magics = { M("IIRO"), M("IIRS"), M("MMOR") } },
    { NAMED("a Panasonic RW2 RAW file", "rw2 rwl"), .magics = { M("IIU\0") } },
    { NAMED("a Minolta MRW RAW file", "mrw"), .magics = { M("\0MRM") } },
    { NAMED("a Sigma X3F RAW file", "x3f"), .magics = { M("FOVb") } },
    { NAMED("a Nikon NEF RAW file", "nef nrw"), TIFF, .maker = "NIKON" },
    { NAMED("a Sony ARW RAW file", "arw sr2 srf"), TIFF, .maker = "SONY" },
    { NAMED("a Pentax PEF RAW file", "pef"), TIFF, .maker = "PENTAX" },
    { NAMED("a Samsung SRW RAW file", "srw"), TIFF, .maker = "SAMSUNG" },
    { NAMED("a Hasselblad 3FR RAW file", "3fr fff"), TIFF, .maker = "Hasselblad" },
    { NAMED("a Phase One IIQ RAW file", "iiq"), TIFF, .maker = "Phase One" },
    { NAMED("a Kodak DCR RAW file", "dcr kdc"), TIFF, .maker = "EASTMAN KODAK" },
    { NAMED("an Epson ERF RAW file", "erf"), TIFF, .maker = "SEIKO EPSON" },
    { NAMED("a Mamiya MEF RAW file", "mef"), TIFF, .maker = "Mamiya" },
    { NAMED("a Leaf MOS RAW file", "mos"), TIFF, .maker = "Leaf" },

    /* other images */
    { NAMED("TIFF", "tif tiff"), .magics = { M("II*\0"), M("MM\0*"), M("II+\0"), M("MM\0+") } },
    { NAMED("AVIF", "avif avifs"), .brands = "avif avis" },
    { NAMED("HEIC", "heic heics"), .brands = "heic heix heim heis hevc hevx" },
    { NAMED("HEIF", "heif heifs hif"), .brands = "mif1 msf1" },
    { NAMED("JPEG XL", "jxl"), .magics = { M("\xFF\x0A"), M("\0\0\0\x0CJXL \r\n\x87\n") } },
    { NAMED("JPEG 2000", "jp2 j2k j2c jpc jpf jpx jpm"),
      .magics = { M("\0\0\0\x0CjP  \r\n\x87\n"), M("\xFF\x4F\xFF\x51") } },
    { NAMED("JPEG XR", "jxr wdp hdp"), .magics = { M("II\xBC\1") } },
    { NAMED("PNM as text", NULL), .magics = { M("P1"), M("P2"), M("P3") },
      .probe = limn_probe_pnm },
    { NAMED("PBM (one bit per pixel)", "pbm"), .magics = { M("P4") }, .probe = limn_probe_pnm },
    { NAMED("PAM", "pam"), .magics = { M("P7\n") } },
    { NAMED("an XV thumbnail", NULL), .magics = { M("P7 332") } },
    { NAMED("PFM", "pfm"), .magics = { M("PF\n"), M("Pf\n") } },
    { NAMED("QOI", "qoi"), .magics = { M("qoif") } },
    { NAMED("OpenEXR", "exr"), .magics = { M("\x76\x2F\x31\x01") } },
    { NAMED("ICO", "ico cur"), .magics = { M("\0\0\1\0"), M("\0\0\2\0") },
      .probe = limn_probe_icon },
    { NAMED("ICNS", "icns"), .magics = { M("icns") } },
    { NAMED("PSB", "psb"), .magics = { M("8BPS\0\2") } },
    { NAMED("XCF", "xcf"), .magics = { M("gimp xcf") } },
    { NAMED("DDS", "dds"), .magics = { M("DDS ") } },
    { NAMED("PCX", "pcx"), .magics = { M("\x0A\5\1"), M("\x0A\3\1"), M("\x0A\2\1") } },
    { NAMED("SGI", "sgi"), .magics = { M("\x01\xDA\0\1"), M("\x01\xDA\1\1") } },
    { NAMED("Sun raster", "ras"), .magics = { M("\x59\xA6\x6A\x95") } },
    { NAMED("DPX", "dpx"), .magics = { M("SDPX"), M("XPDS") } },
    { NAMED("FITS", "fits"), .magics = { M("SIMPLE  =") } },
    { NAMED("BPG", "bpg"), .magics = { M("BPG\xFB") } },
    { NAMED("FLIF", "flif"), .magics = { M("FLIF") } },
    { NAMED("JNG", "jng"), .magics = { M("\x8BJNG\r\n\x1A\n") } },
    { NAMED("MNG", "mng"), .magics = { M("\x8AMNG\r\n\x1A\n") } },
    { NAMED("DjVu", "djvu"), .magics = { M("AT&TFORM") } },
    { NAMED("farbfeld", NULL), .magics = { M("farbfeld") } },
    { NAMED("EPS", "eps epsf"), .magics = { M("\xC5\xD0\xD3\xC6") } },
    { NAMED("EPS", NULL), .magics = { M("%!PS-Adobe-") }, .probe = limn_probe_eps },
    { NAMED("DICOM", "dcm"), .magics = { AT(128, "DICM") } },
    { NAMED("Cineon", NULL), .magics = { M("\x80\x2A\x5F\xD7") } },
    { NAMED("MIFF", "miff"), .magics = { M("id=ImageMagick") } },
    { NAMED("KTX", NULL), .magics = { M("\xABKTX") } },
    { NAMED("PSP", NULL), .magics = { M("Paint Shop Pro Image") } },
    { NAMED("ANI", NULL), .magics = { AT(8, "ACON") }, .probe = limn_probe_riff },
    { NAMED("WMF", "wmf"), .magics = { M("\xD7\xCD\xC6\x9A\0\0") } },
    { NAMED("EMF", "emf"), .magics = { AT(40, " EMF") } },
    { NAMED("BLP", "blp"), .magics = { M("BLP1"), M("BLP2") } },
    { NAMED("DCX", "dcx"), .magics = { M("\xB1\x68\xDE\x3A") } },
    { NAMED("FTEX", "ftc ftu"), .magics = { M("FTEX") } },
    { NAMED("GBR", NULL), .magics = { AT(20, "GIMP") } },
    { NAMED("MSP", "msp"), .magics = { M("DanM"), M("LinS") } },
    { NAMED("Photo CD", NULL), .magics = { AT(2048, "PCD_IPI") } },
    { NAMED("PIXAR", "pxr"), .magics = { M("\x80\xE8\0\0") } },
    { NAMED("XPM", "xpm"), .magics = { M("/* XPM */") } },
    { LIKELY("FLI", NULL, "fli flc"), .magics = { AT(4, "\x11\xAF"), AT(4, "\x12\xAF") } },
    { LIKELY("IM", NULL, "im"), .magics = { M("Image type: ") } },
    { LIKELY("IPTC/NAA", NULL, "iim"), .magics = { M("\x1C\1"), M("\x1C\2"), M("\x1C\3") } },
    { LIKELY("DIB, a BMP without its file header", NULL, NULL), .magics = { M("\x28\0\0\0") } },
    { LIKELY("McIDAS", NULL, NULL), .magics = { M("\0\0\0\0\0\0\0\4") } },

    /* no images */
    { OTHER("an MP4 or QuickTime video"), .probe = limn_probe_media },
    { OTHER("a RIFF file"), .magics = { M("RIFF") } },
    { OTHER("a PDF document"), .magics = { M("%PDF") } },
    { OTHER("a PostScript document"), .magics = { M("%!PS") } },
    { OTHER("a ZIP archive"), .magics = { M("PK\3\4") } },
    { OTHER("a gzip file"), .magics = { M("\x1F\x8B") } },
    { OTHER("a WebM or Matroska video"), .magics = { M("\x1A\x45\xDF\xA3") } },
    { OTHER("a Git LFS pointer, not the file itself"), .magics = { M("version https://git-lfs") } },

    /* without a magic */
    { OTHER("an HTML document"), .probe = limn_probe_html },
    { LIKELY("SVG", NULL, "svg"), .probe = limn_probe_svg },
    { LIKELY("XBM", NULL, "xbm"), .magics = { M("#define"), M("/*") }, .probe = limn_probe_xbm },
    { OTHER("text"), .probe = limn_probe_text },
    { LIKELY("TGA", limn_decode_tga, "tga icb vda vst"), .probe = limn_probe_tga },
};
/* clang-format on */

enum { N_ROWS = sizeof rows / sizeof *rows };

static bool has_magic(const row *r, const uint8_t *bytes, size_t size)
{
    for (const magic *m = r->magics; m < r->magics + MAX_MAGICS && m->bytes; m++)
        if (size >= m->offset + m->size && memcmp(bytes + m->offset, m->bytes, m->size) == 0)
            return true;
    return !r->magics[0].bytes;
}

const limn_image_format *limn_image_sniff(const uint8_t *bytes, size_t size)
{
    for (const row *r = rows; r < rows + N_ROWS; r++)
        if (has_magic(r, bytes, size) && (!r->probe || r->probe(bytes, size)) &&
            (!r->brands || limn_probe_brands(bytes, size, r->brands)) &&
            (!r->maker || limn_probe_raw(bytes, size, r->maker)))
            return &r->format;
    return NULL;
}

/* Whether `word` [length] is among the words of `list`. */
static bool lists(const char *list, const char *word, size_t length)
{
    while (list && *list) {
        size_t n = strcspn(list, " ");
        if (n == length && strncasecmp(list, word, n) == 0) return true;
        list += n + (list[n] == ' ');
    }
    return false;
}

const limn_image_format *limn_image_format_of_ending(const char *ending, size_t size)
{
    for (const row *r = rows; size && r < rows + N_ROWS; r++)
        if (lists(r->format.extensions, ending, size)) return &r->format;
    return NULL;
}

const limn_image_format *limn_image_format_of_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    return dot ? limn_image_format_of_ending(dot + 1, strlen(dot + 1)) : NULL;
}
