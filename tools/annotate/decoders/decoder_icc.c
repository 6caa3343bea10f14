/* Colours of other profiles as sRGB, through Little CMS: relative colorimetric, what lies outside
 * is cut off. */
#include "tools/annotate/decoders/decoder_module.h"

#include <stdbool.h>
#include <stdio.h>

#include <lcms2.h>

/* Primaries by their numbers in ITU-T H.273, all with the white point D65. */
static bool primaries_of(cmsCIExyYTRIPLE *out, unsigned number)
{
    static const cmsCIExyYTRIPLE bt2020 = { { 0.708, 0.292, 1 },
                                            { 0.170, 0.797, 1 },
                                            { 0.131, 0.046, 1 } };
    static const cmsCIExyYTRIPLE p3 = { { 0.680, 0.320, 1 },
                                        { 0.265, 0.690, 1 },
                                        { 0.150, 0.060, 1 } };
    if (number != 9 && number != 12) return false;
    *out = number == 9 ? bt2020 : p3;
    return true;
}

/* A profile of these primaries with the curve of sRGB. */
static cmsHPROFILE profile_of_primaries(cmsContext context, unsigned number)
{
    static const double srgb[5] = { 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045 };
    const cmsCIExyY white = { 0.3127, 0.3290, 1 };
    cmsCIExyYTRIPLE primaries;
    cmsToneCurve *curve;
    cmsHPROFILE profile = NULL;
    if (!primaries_of(&primaries, number)) return NULL;
    curve = cmsBuildParametricToneCurve(context, 4, srgb);
    if (curve) {
        cmsToneCurve *const curves[3] = { curve, curve, curve };
        profile = cmsCreateRGBProfileTHR(context, &white, &primaries, curves);
    }
    cmsFreeToneCurve(curve);
    return profile;
}

static cmsHTRANSFORM make_transform(cmsContext context, const limn_color *color)
{
    cmsHPROFILE from =
        color->icc ? cmsOpenProfileFromMemTHR(context, color->icc, (unsigned)color->icc_size)
                   : profile_of_primaries(context, color->primaries);
    cmsHPROFILE to = cmsCreate_sRGBProfileTHR(context);
    cmsHTRANSFORM transform = NULL;
    if (from && to && cmsGetColorSpace(from) == cmsSigRgbData)
        transform = cmsCreateTransformTHR(context, from, TYPE_RGB_8, to, TYPE_RGB_8,
                                          INTENT_RELATIVE_COLORIMETRIC, 0);
    if (from) cmsCloseProfile(from);
    if (to) cmsCloseProfile(to);
    return transform;
}

static limn_status convert(limn_image *image, const limn_color *color, limn_error *err)
{
    cmsContext context = cmsCreateContext(NULL, NULL);
    cmsHTRANSFORM transform = context ? make_transform(context, color) : NULL;
    if (transform)
        for (uint32_t y = 0; y < image->height; y++) {
            uint8_t *row = image->pixels + (size_t)y * image->width * 3;
            cmsDoTransform(transform, row, row, image->width);
        }
    else
        limn_note(err, "the colour profile was ignored: it is broken");
    if (transform) cmsDeleteTransform(transform);
    if (context) cmsDeleteContext(context);
    return LIMN_OK;
}

static void describe(char *text, size_t size)
{
    const int version = cmsGetEncodedCMMversion(); /* 2140 is 2.14 */
    snprintf(text, size, "Little CMS %d.%d", version / 1000, version % 1000 / 10);
}

const limn_decoder_module limn_decoder_module_here = { .describe = describe, .convert = convert };
