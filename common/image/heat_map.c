#include "common/image/heat_map.h"

#include <math.h>

void limn_heat_map_mean(limn_heat_map *map, const float *maps, size_t n_maps)
{
    const size_t n = (size_t)map->grid_width * map->grid_height;
    for (size_t cell = 0; cell < n; cell++) {
        float sum = 0;
        for (size_t i = 0; i < n_maps; i++) sum += maps[i * n + cell];
        map->cells[cell] = sum / (float)n_maps;
    }
}

/* Two neighbouring cells along one axis, and how far it is from the first to the second. */
typedef struct between {
    uint32_t first, second;
    float share;
} between;

/* `at` is a pixel of `size`, whose middle counts. */
static between cells_at(uint32_t at, uint32_t size, uint32_t n_cells)
{
    const float place = ((float)at + 0.5f) * (float)n_cells / (float)size - 0.5f;
    const float inside = fminf(fmaxf(place, 0.0f), (float)(n_cells - 1));
    const uint32_t first = (uint32_t)inside;
    return (between){ first, first + 1 < n_cells ? first + 1 : first, inside - (float)first };
}

static float mix(float a, float b, float share)
{
    return a + (b - a) * share;
}

static float value_at(const limn_heat_map *m, const between *x, const between *y)
{
    const float *above = m->cells + (size_t)y->first * m->grid_width;
    const float *below = m->cells + (size_t)y->second * m->grid_width;
    return mix(mix(above[x->first], above[x->second], x->share),
               mix(below[x->first], below[x->second], x->share), y->share);
}

static float largest_cell(const limn_heat_map *m)
{
    float largest = 0;
    for (size_t i = 0; i < (size_t)m->grid_width * m->grid_height; i++)
        largest = fmaxf(largest, m->cells[i]);
    return largest;
}

/* From nothing to full strength: violet, red, orange, pale yellow. explain.js has the same. */
static const float colours[][3] = {
    { 60, 15, 110 }, { 150, 38, 103 }, { 221, 81, 58 }, { 250, 164, 26 }, { 252, 240, 150 },
};
enum { N_COLOURS = sizeof colours / sizeof *colours };

static const float dimmed = 0.68f;    /* of the image where nothing was looked at */
static const float strongest = 0.62f; /* share of the colour at full strength */

static void paint_pixel(uint8_t *out, const uint8_t *pixel, float strength)
{
    const float place = strength * (N_COLOURS - 1);
    const uint32_t first = place < N_COLOURS - 1 ? (uint32_t)place : N_COLOURS - 2;
    const float grey =
        0.299f * (float)pixel[0] + 0.587f * (float)pixel[1] + 0.114f * (float)pixel[2];
    for (int c = 0; c < 3; c++) {
        const float colour = mix(colours[first][c], colours[first + 1][c], place - (float)first);
        const float ground =
            mix(mix((float)pixel[c], grey, 0.5f) * dimmed, (float)pixel[c], sqrtf(strength));
        out[c] = (uint8_t)(mix(ground, colour, strongest * strength) + 0.5f);
    }
}

void limn_heat_map_paint(uint8_t *out, const uint8_t *pixels, uint32_t width, uint32_t height,
                         const limn_heat_map *map)
{
    const float largest = largest_cell(map);
    for (uint32_t row = 0; row < height; row++) {
        const between y = cells_at(row, height, map->grid_height);
        for (uint32_t column = 0; column < width; column++) {
            const between x = cells_at(column, width, map->grid_width);
            const float strength = largest > 0 ? value_at(map, &x, &y) / largest : 0;
            const size_t at = ((size_t)row * width + column) * 3;
            paint_pixel(out + at, pixels + at, fminf(strength, 1.0f));
        }
    }
}
