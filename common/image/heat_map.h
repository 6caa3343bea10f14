/* Attention as colour on the image, or on the part of it that the network sees (seen_part.h), which
 * is squashed to its input: each cell of the grid is a part of that, of the same share of width and
 * height. */
#ifndef LIMN_COMMON_IMAGE_HEAT_MAP_H
#define LIMN_COMMON_IMAGE_HEAT_MAP_H

#include <stddef.h>
#include <stdint.h>

/* Cells of attention of one word. */
typedef struct limn_heat_map {
    uint32_t grid_width, grid_height;
    float *cells; /* [grid_height, grid_width], each at least 0 */
} limn_heat_map;

/* map->cells = mean of maps [n_maps, grid_height, grid_width], summed in their order. */
void limn_heat_map_mean(limn_heat_map *map, const float *maps, size_t n_maps);

/* out [height, width, 3] = pixels [height, width, 3] with the map over it, its largest cell at full
 * strength. Between the middles of cells it is bilinear; beyond the outermost, constant. `out` may
 * be `pixels`. */
void limn_heat_map_paint(uint8_t *out, const uint8_t *pixels, uint32_t width, uint32_t height,
                         const limn_heat_map *map);

#endif
