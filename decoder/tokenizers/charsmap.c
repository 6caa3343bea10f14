#include "decoder/tokenizers/charsmap.h"

#include <stdbool.h>

static uint32_t read_u32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

limn_status limn_charsmap_open(limn_charsmap *out, const void *blob, size_t size, limn_error *err)
{
    const unsigned char *bytes = blob;
    *out = (limn_charsmap){ 0 };
    if (size == 0) return LIMN_OK;
    const size_t units_size = size >= 4 ? read_u32(bytes) : 0;
    if (size < 5 || units_size == 0 || units_size % 4 != 0 || units_size >= size - 4)
        return limn_fail(err, LIMN_E_FORMAT,
                         "charsmap: an index of %zu bytes in %zu, expected a multiple of 4 and "
                         "texts behind it",
                         units_size, size);
    if (bytes[size - 1] != '\0')
        return limn_fail(err, LIMN_E_FORMAT, "charsmap: its last text does not end");
    *out = (limn_charsmap){ bytes + 4, units_size / 4, (const char *)bytes + 4 + units_size,
                            size - 4 - units_size };
    return LIMN_OK;
}

/* ---- units of the double array -------------------------------------------------------------- */

static uint32_t offset_of(uint32_t unit)
{
    return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

static bool has_label(uint32_t unit, unsigned char label)
{
    return (unit & (1u << 31 | 0xff)) == label;
}

static bool has_leaf(uint32_t unit)
{
    return unit >> 8 & 1;
}

/* False where a damaged array points outside itself. */
static bool read_unit(uint32_t *unit, const limn_charsmap *map, uint32_t at)
{
    if (at >= map->n_units) return false;
    *unit = read_u32(map->units + 4 * (size_t)at);
    return true;
}

size_t limn_charsmap_match(const char **becomes, const limn_charsmap *map, const char *text,
                           size_t size)
{
    size_t longest = 0;
    uint32_t unit, leaf, at = 0;
    if (!read_unit(&unit, map, at)) return 0;
    at ^= offset_of(unit);
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        at ^= c;
        if (!read_unit(&unit, map, at) || !has_label(unit, c)) break;
        at ^= offset_of(unit);
        if (!has_leaf(unit)) continue;
        if (!read_unit(&leaf, map, at)) break;
        const uint32_t value = leaf & 0x7fffffff;
        if (value >= map->texts_size) break;
        *becomes = map->texts + value;
        longest = i + 1;
    }
    return longest;
}
