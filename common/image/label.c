#include "common/image/label.h"

#include <string.h>
#include <utf8proc.h>

#include "common/text/utf8.h"

/* Its functions are static, and not all of them are used here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_easy_font.h>
#pragma GCC diagnostic pop

enum { MAX_LETTERS = 96, FLOATS_PER_BAR = 16, MAX_BARS = MAX_LETTERS * 16 };

/* ---- letters -------------------------------------------------------------------------------- */

/* ASCII of a code point without its marks: é is e. */
static char plain_letter(uint32_t code_point)
{
    utf8proc_int32_t parts[8];
    int boundary = 0;
    const utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)code_point, parts, 8,
                                                       UTF8PROC_DECOMPOSE, &boundary);
    return n > 0 && parts[0] >= 32 && parts[0] < 127 ? (char)parts[0] : '?';
}

static void to_plain(char out[MAX_LETTERS + 1], const char *text)
{
    size_t n = 0, size = strlen(text);
    while (size > 0 && n < MAX_LETTERS) {
        uint32_t code_point;
        size_t used = limn_utf8_decode(&code_point, text, size);
        out[n++] = used > 0 ? plain_letter(code_point) : '?';
        used += used == 0;
        text += used;
        size -= used;
    }
    out[n] = '\0';
}

/* Until it fits, letters make room for "..". */
static void shorten(char *text, uint32_t max_width)
{
    size_t n = strlen(text);
    while (n > 2 && (uint32_t)stb_easy_font_width(text) > max_width) {
        n--;
        memcpy(text + n - 2, "..", 3);
    }
}

/* ---- drawing -------------------------------------------------------------------------------- */

static void fill(const limn_canvas *c, uint32_t left, uint32_t top, uint32_t right, uint32_t bottom,
                 const uint8_t colour[3])
{
    for (uint32_t y = top; y < bottom && y < c->height; y++)
        for (uint32_t x = left; x < right && x < c->width; x++)
            memcpy(c->pixels + ((size_t)y * c->width + x) * 3, colour, 3);
}

void limn_label_draw(const limn_canvas *canvas, const limn_label *label, const char *text)
{
    float bars[MAX_BARS * FLOATS_PER_BAR]; /* of each corner of a bar: x, y, z, colour */
    char plain[MAX_LETTERS + 1];
    to_plain(plain, text);
    shorten(plain, label->max_width / label->scale);
    const int n = stb_easy_font_print(0, 0, plain, NULL, bars, sizeof bars);
    for (int i = 0; i < n; i++) {
        const float *bar = bars + (size_t)i * FLOATS_PER_BAR;
        fill(canvas, label->x + (uint32_t)bar[0] * label->scale,
             label->y + (uint32_t)bar[1] * label->scale, label->x + (uint32_t)bar[8] * label->scale,
             label->y + (uint32_t)bar[9] * label->scale, label->colour);
    }
}
