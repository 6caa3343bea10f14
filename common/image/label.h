/* Small letters on pixels, for contact sheets: those of stb_easy_font, made of bars. */
#ifndef LIMN_COMMON_IMAGE_LABEL_H
#define LIMN_COMMON_IMAGE_LABEL_H

#include <stddef.h>
#include <stdint.h>

typedef struct limn_canvas {
    uint8_t *pixels; /* [height, width, 3] RGB */
    uint32_t width, height;
} limn_canvas;

typedef struct limn_label {
    uint32_t x, y;      /* its left upper corner */
    uint32_t max_width; /* what is longer ends in ".." */
    uint32_t scale;     /* pixels of a bar's width; letters are about 9 bars high */
    uint8_t colour[3];
} limn_label;

/* Writes `text`, UTF-8: letters with marks without them, what is not ASCII then as '?'. Nothing is
 * drawn beyond the canvas. */
void limn_label_draw(const limn_canvas *canvas, const limn_label *label, const char *text);

#endif
