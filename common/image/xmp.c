/* The orientation in an XMP packet, as found by Pillow's getexif: the first occurrence of the
 * property with a digit, as an attribute or an element. */
#include "common/image/codec.h"

#include <string.h>

#define PROPERTY "tiff:Orientation"

enum { PROPERTY_SIZE = sizeof PROPERTY - 1 };

/* The digit after the property at `p`, of which `left` bytes are left; -1 when there is none. */
static int digit_of(const uint8_t *p, size_t left)
{
    size_t at = PROPERTY_SIZE;
    if (left > at + 2 && p[at] == '=' && p[at + 1] == '"')
        at += 2;
    else if (left > at + 1 && p[at] == '>')
        at++;
    else
        return -1;
    return p[at] >= '0' && p[at] <= '9' ? p[at] - '0' : -1;
}

unsigned limn_xmp_orientation(const uint8_t *xmp, size_t size)
{
    for (size_t at = 0; at + PROPERTY_SIZE < size; at++) {
        int digit;
        if (xmp[at] != PROPERTY[0] || memcmp(xmp + at, PROPERTY, PROPERTY_SIZE) != 0) continue;
        digit = digit_of(xmp + at, size - at);
        if (digit >= 0) return digit >= 1 && digit <= 8 ? (unsigned)digit : 1;
    }
    return 0;
}
