#include "tools/annotate/decoders/color_profile.h"

#include <math.h>
#include <string.h>

#include <webp/demux.h>
#include <zlib.h>

#include "common/base/mem.h"
#include "common/image/bytes.h"

enum { MAX_PROFILE_SIZE = 16 << 20 };

/* ---- JPEG: "ICC_PROFILE", a number from 1 on, how many there are, a part ------------------- */

#define ICC_MARKER "ICC_PROFILE"

enum {
    ICC_MARKER_SIZE = sizeof ICC_MARKER, /* and its NUL */
    ICC_HEADER_SIZE = ICC_MARKER_SIZE + 2,
};

/* Calls `take` for the content of each APP2 segment before the pixels, until it says no. */
static void each_app2(const uint8_t *bytes, size_t size,
                      bool (*take)(void *ctx, const uint8_t *content, size_t size), void *ctx)
{
    for (size_t at = 2; size >= 4 && at <= size - 4;) {
        const size_t length = limn_u16be(bytes + at + 2);
        if (bytes[at] != 0xFF) return;
        if (bytes[at + 1] == 0xFF) { /* filling */
            at++;
            continue;
        }
        if (bytes[at + 1] == 0xDA || length < 2 || length > size - at - 2) return;
        if (bytes[at + 1] == 0xE2 && !take(ctx, bytes + at + 4, length - 2)) return;
        at += 2 + length;
    }
}

/* Parts of a profile, which are in order in practice and by the standard. */
typedef struct icc_parts {
    limn_buffer *out;
    unsigned n, of;
} icc_parts;

static bool take_part(void *ctx, const uint8_t *content, size_t size)
{
    icc_parts *p = ctx;
    if (size < ICC_HEADER_SIZE || memcmp(content, ICC_MARKER, ICC_MARKER_SIZE) != 0) return true;
    if (content[ICC_MARKER_SIZE] != p->n + 1) return true; /* another profile's, or none */
    p->n++;
    p->of = content[ICC_MARKER_SIZE + 1];
    limn_buffer_append(p->out, content + ICC_HEADER_SIZE, size - ICC_HEADER_SIZE);
    return p->n < p->of;
}

static void find_in_jpeg(limn_buffer *out, const uint8_t *bytes, size_t size)
{
    icc_parts parts = { .out = out };
    each_app2(bytes, size, take_part, &parts);
    if (parts.n != parts.of) limn_buffer_clear(out);
}

/* ---- PNG: iCCP, a name, NUL, 0 for deflate, the profile ------------------------------------ */

static void inflate_into(limn_buffer *out, const uint8_t *packed, size_t size)
{
    z_stream z = { .next_in = (Bytef *)packed, .avail_in = (uInt)size };
    int code = Z_OK;
    if (inflateInit(&z) != Z_OK) return;
    while (code == Z_OK && out->size <= MAX_PROFILE_SIZE && !out->has_failed) {
        uint8_t block[4096];
        z.next_out = block;
        z.avail_out = sizeof block;
        code = inflate(&z, Z_NO_FLUSH);
        if (code == Z_OK || code == Z_STREAM_END)
            limn_buffer_append(out, block, sizeof block - z.avail_out);
    }
    inflateEnd(&z);
    if (code != Z_STREAM_END) limn_buffer_clear(out);
}

static void find_in_png(limn_buffer *out, const uint8_t *bytes, size_t size)
{
    for (size_t at = 8; size >= 12 && at <= size - 12;) {
        const size_t length = limn_u32be(bytes + at);
        const uint8_t *content = bytes + at + 8;
        if (length > size - at - 12 || !memcmp(bytes + at + 4, "IDAT", 4)) return;
        if (!memcmp(bytes + at + 4, "iCCP", 4)) {
            const uint8_t *end = memchr(content, '\0', length < 80 ? length : 80);
            const size_t name_size = end ? (size_t)(end - content) + 2 : length;
            if (name_size < length) inflate_into(out, content + name_size, length - name_size);
            return;
        }
        at += 12 + length;
    }
}

/* ---- WebP ---------------------------------------------------------------------------------- */

static void find_in_webp(limn_buffer *out, const uint8_t *bytes, size_t size)
{
    const WebPData data = { bytes, size };
    WebPDemuxer *demuxer = WebPDemuxPartial(&data, NULL);
    WebPChunkIterator chunk = { 0 };
    if (!demuxer) return;
    if (WebPDemuxGetChunk(demuxer, "ICCP", 1, &chunk) && chunk.chunk.size <= MAX_PROFILE_SIZE)
        limn_buffer_append(out, chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
    WebPDemuxDelete(demuxer);
}

void limn_color_profile_find(limn_buffer *out, const uint8_t *bytes, size_t size)
{
    if (size < 16) return;
    if (!memcmp(bytes, "\xFF\xD8", 2))
        find_in_jpeg(out, bytes, size);
    else if (!memcmp(bytes, "\x89PNG", 4))
        find_in_png(out, bytes, size);
    else if (!memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4))
        find_in_webp(out, bytes, size);
}

/* ---- whether it is sRGB (ICC.1:2010, section 7) -------------------------------------------- */

enum { HEADER_SIZE = 128, TAG_SIZE = 12, MAX_TAGS = 100 };

/* The content of tag `name`, at least `least` bytes; NULL when there is none. */
static const uint8_t *find_tag(const uint8_t *icc, size_t size, const char *name, size_t least)
{
    const size_t n = size >= HEADER_SIZE + 4 ? limn_u32be(icc + HEADER_SIZE) : 0;
    for (size_t i = 0; i < n && i < MAX_TAGS; i++) {
        const size_t at = HEADER_SIZE + 4 + i * TAG_SIZE;
        if (at + TAG_SIZE > size) return NULL;
        if (memcmp(icc + at, name, 4) != 0) continue;
        const size_t begin = limn_u32be(icc + at + 4);
        return begin <= size && size - begin >= least ? icc + begin : NULL;
    }
    return NULL;
}

static double fixed_at(const uint8_t *p)
{
    return (int32_t)limn_u32be(p) / 65536.0;
}

static bool is_primary(const uint8_t *icc, size_t size, const char *tag, const double xyz[3])
{
    const uint8_t *content = find_tag(icc, size, tag, 20);
    for (int i = 0; content && i < 3; i++)
        if (!(fabs(fixed_at(content + 8 + 4 * i) - xyz[i]) < 0.004)) return false;
    return content != NULL;
}

/* What the curve makes of a half, about; sRGB and a gamma of 2.2 make about 0.214. */
static double middle_of_curve(const uint8_t *icc, size_t size)
{
    const uint8_t *curve = find_tag(icc, size, "rTRC", 16);
    if (!curve) return 0;
    if (!memcmp(curve, "para", 4)) return pow(0.5, fixed_at(curve + 12));
    const size_t n = limn_u32be(curve + 8);
    if (n == 0) return 0.5;
    if (n == 1) return pow(0.5, limn_u16be(curve + 12) / 256.0);
    if (n > (size - (size_t)(curve - icc) - 12) / 2) return 0;
    return limn_u16be(curve + 12 + 2 * (n / 2)) / 65535.0;
}

bool limn_color_profile_is_other(const uint8_t *icc, size_t size)
{
    static const double red[] = { 0.4361, 0.2225, 0.0139 }, green[] = { 0.3851, 0.7169, 0.0971 },
                        blue[] = { 0.1431, 0.0606, 0.7141 }; /* adapted to D50 */
    double middle;
    if (size < HEADER_SIZE + 4 || memcmp(icc + 16, "RGB ", 4) != 0) return false;
    if (!is_primary(icc, size, "rXYZ", red) || !is_primary(icc, size, "gXYZ", green) ||
        !is_primary(icc, size, "bXYZ", blue))
        return true;
    middle = middle_of_curve(icc, size);
    return middle < 0.18 || middle > 0.25;
}

bool limn_color_primaries_are_other(unsigned primaries)
{
    switch (primaries) {
    case 0: /* reserved */
    case 1: /* BT.709, sRGB */
    case 2: /* unspecified */
    case 6: /* BT.601, near sRGB's */
    case 7: return false;
    default: return true;
    }
}
