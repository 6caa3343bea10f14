/* PGM and PPM in their binary forms, any maximum from 1 to 65535: a header and plain samples, so
 * there is no library to ask. */
#include "common/image/codec.h"

#include <ctype.h>

#include "common/base/mem.h"

typedef struct pnm_header {
    uint32_t width, height, maximum;
    size_t n_channels, sample_size; /* bytes of a sample: 1 or 2, big-endian */
    size_t samples_at;
} pnm_header;

/* Skips white space and comments, then reads a number; `*at` moves behind it. */
static limn_status read_number(uint32_t *out, size_t *at, const char *name,
                               const limn_codec_input *in, limn_error *err)
{
    size_t i = *at, start;
    uint64_t value = 0;
    while (i < in->size && (isspace(in->bytes[i]) || in->bytes[i] == '#'))
        if (in->bytes[i++] == '#')
            while (i < in->size && in->bytes[i] != '\n' && in->bytes[i] != '\r') i++;
    start = i;
    while (i < in->size && isdigit(in->bytes[i]) && value <= UINT32_MAX)
        value = value * 10 + (in->bytes[i++] - '0');
    if (i == in->size) return limn_fail(err, LIMN_E_TRUNCATED, "PNM: the data ends in the header");
    if (i == start || !isspace(in->bytes[i]) || value > UINT32_MAX)
        return limn_fail(err, LIMN_E_FORMAT, "PNM: %s is no number", name);
    *out = (uint32_t)value;
    *at = i;
    return LIMN_OK;
}

static limn_status read_header(pnm_header *h, const limn_codec_input *in, limn_error *err)
{
    size_t at = 2;
    h->n_channels = in->bytes[1] == '6' ? 3 : 1;
    LIMN_TRY(read_number(&h->width, &at, "width", in, err));
    LIMN_TRY(read_number(&h->height, &at, "height", in, err));
    LIMN_TRY(read_number(&h->maximum, &at, "maximum", in, err));
    LIMN_TRY(limn_image_check_size("PNM", h->width, h->height, in->settings, err));
    if (h->maximum < 1 || h->maximum > 65535)
        return limn_fail(err, LIMN_E_FORMAT, "PNM: maximum %u is not within 1 and 65535",
                         h->maximum);
    h->sample_size = h->maximum > 255 ? 2 : 1;
    h->samples_at = at + 1; /* after a single white space */
    return LIMN_OK;
}

static limn_status check_data_size(const pnm_header *h, const limn_codec_input *in, limn_error *err)
{
    size_t row_size = h->width * h->n_channels * h->sample_size;
    if (h->samples_at > in->size || row_size > (in->size - h->samples_at) / h->height)
        return limn_fail(err, LIMN_E_TRUNCATED, "PNM: %zu bytes can't hold %u x %u pixels",
                         in->size, h->width, h->height);
    return LIMN_OK;
}

static uint8_t read_sample(const pnm_header *h, const uint8_t *p)
{
    uint32_t value = h->sample_size == 2 ? (uint32_t)p[0] << 8 | p[1] : p[0];
    if (value > h->maximum) value = h->maximum;
    return (uint8_t)((value * 255 + h->maximum / 2) / h->maximum);
}

limn_status limn_decode_pnm(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                            limn_error *err)
{
    pnm_header h = { 0 };
    const uint8_t *p;
    size_t n_values, per_value;
    (void)orientation;
    LIMN_TRY(read_header(&h, in, err));
    LIMN_TRY(check_data_size(&h, in, err));
    LIMN_TRY(limn_image_reserve(out, "PNM", h.width, h.height, err));
    p = in->bytes + h.samples_at;
    n_values = (size_t)h.width * h.height * h.n_channels;
    per_value = 3 / h.n_channels; /* grey goes into all three */
    for (size_t i = 0; i < n_values; i++, p += h.sample_size)
        for (size_t k = 0; k < per_value; k++) out->pixels[i * per_value + k] = read_sample(&h, p);
    return LIMN_OK;
}
