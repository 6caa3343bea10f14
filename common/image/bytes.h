/* Reading the headers of formats that no library checks for us. Internal to this folder. */
#ifndef LIMN_COMMON_IMAGE_BYTES_H
#define LIMN_COMMON_IMAGE_BYTES_H

#include <stdint.h>

static inline uint32_t limn_u16le(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t limn_u32le(const uint8_t *p)
{
    return limn_u16le(p) | limn_u16le(p + 2) << 16;
}

static inline uint32_t limn_u16be(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | (uint32_t)p[1];
}

static inline uint32_t limn_u32be(const uint8_t *p)
{
    return limn_u16be(p) << 16 | limn_u16be(p + 2);
}

/* A sample of 16 bit as one of 8, rounded. */
static inline uint8_t limn_u16_to_u8(uint32_t sample)
{
    return (uint8_t)((sample * 255 + 32767) / 65535);
}

#endif
