#include <stdio.h>

#include <archive.h>
#include <gif_lib.h>
#include <jansson.h>
#include <jconfig.h>
#include <png.h>
#include <utf8proc.h>
#include <webp/decode.h>
#include <zlib.h>

#include "common/kernels/cpu_level.h"
#include "tools/annotate/annotate.h"
#include "tools/annotate/decoders/decoder_modules.h"
#include "tools/cli_pages.h"

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

#ifdef LIBJPEG_TURBO_VERSION
#define JPEG_NAME "libjpeg-turbo " TEXT_OF(LIBJPEG_TURBO_VERSION)
#else
#define JPEG_NAME "libjpeg " TEXT_OF(JPEG_LIB_VERSION)
#endif

/* Of the libraries as loaded, where they tell; libjpeg, giflib and jansson as compiled against. */
static void put_libraries(FILE *out)
{
    const int webp = WebPGetDecoderVersion();
    fprintf(out, "libraries: %s, libpng %s, zlib %s, libwebp %d.%d.%d, giflib %d.%d.%d,\n",
            JPEG_NAME, png_get_libpng_ver(NULL), zlibVersion(), webp >> 16, webp >> 8 & 255,
            webp & 255, GIFLIB_MAJOR, GIFLIB_MINOR, GIFLIB_RELEASE);
    const char *xmp = limn_xmp_library();
    fprintf(out, "  jansson %s, %s, utf8proc %s, %s\n", JANSSON_VERSION, archive_version_string(),
            utf8proc_version(), xmp ? xmp : "no exempi");
}

/* Of the decoder modules, which this opens. */
static void put_modules(FILE *out)
{
    fputs("image decoders:", out);
    for (int id = 0; id < LIMN_N_MODULES; id++) {
        char text[512];
        limn_module_describe(text, sizeof text, (limn_module_id)id);
        fprintf(out, "%s %s", id ? "," : "", text);
    }
    putc('\n', out);
}

void limn_cli_print_version(FILE *out, const limn_cli_tool *tool)
{
    fprintf(out, "%s %s\n", tool->name, LIMN_VERSION);
    fputs("CPU levels here:", out);
    for (const char *const *name = limn_cpu_level_names(); *name; name++)
        fprintf(out, " %s", *name);
    putc('\n', out);
    put_libraries(out);
    put_modules(out);
}
