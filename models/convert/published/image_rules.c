#include "models/convert/published/image_rules.h"

#include <math.h>
#include <string.h>

#include "models/convert/published/config_fields.h"

#define CLIP_MEAN                         \
    {                                     \
        0.48145466, 0.4578275, 0.40821073 \
    }
#define CLIP_DEVIATION                     \
    {                                      \
        0.26862954, 0.26130258, 0.27577711 \
    }

static const char *const blip_names[] = { "BlipImageProcessor", "BlipImageProcessorFast",
                                          "BlipImageProcessorPil", NULL };
static const char *const vit_names[] = { "ViTImageProcessor", "ViTImageProcessorFast",
                                         "ViTImageProcessorPil", "ViTFeatureExtractor", NULL };
static const char *const clip_names[] = { "CLIPImageProcessor", "CLIPImageProcessorFast",
                                          "CLIPImageProcessorPil", "CLIPFeatureExtractor", NULL };

const image_class image_class_blip = { .names = blip_names,
                                       .size = 384,
                                       .filter = LIMN_RESIZE_BICUBIC,
                                       .mean = CLIP_MEAN,
                                       .deviation = CLIP_DEVIATION };
const image_class image_class_vit = { .names = vit_names,
                                      .size = 224,
                                      .filter = LIMN_RESIZE_BILINEAR,
                                      .mean = { 0.5, 0.5, 0.5 },
                                      .deviation = { 0.5, 0.5, 0.5 } };
const image_class image_class_clip = { .names = clip_names,
                                       .crops = true,
                                       .size = 224,
                                       .filter = LIMN_RESIZE_BICUBIC,
                                       .mean = CLIP_MEAN,
                                       .deviation = CLIP_DEVIATION };

/* Steps that every class takes; omitting one, or adding others, would change the pixels. */
static const config_field steps[] = {
    { "do_convert_rgb", NULL },
    { "do_normalize", "true" },
    { "do_rescale", "true" },
    { "do_resize", "true" },
    { "do_center_crop", NULL },
    { "crop_size", NULL },
    { "image_mean", NULL },
    { "image_std", NULL },
    { "resample", NULL },
    { "rescale_factor", NULL },
    { "size", NULL },
    { "image_processor_type", NULL },
    { "processor_class", NULL },
    { "feature_extractor_type", NULL },
    { "do_pad", NULL },
    { "size_divisor", NULL },
    { "data_format", NULL },
    { "input_data_format", NULL },
    { "device", NULL },
    { "return_tensors", NULL },
    { "default_to_square", NULL },
    { "_processor_class", NULL },
    { "auto_map", NULL },
    { "image_seq_length", NULL },
    { "pad_size", NULL },
    { "_valid_processor_keys", NULL },
    { NULL, NULL },
};

static limn_status check_class(const limn_json_node *processor, const char *key,
                               const image_class *of, limn_error *err)
{
    limn_json_node node;
    const char *name;
    if (!config_has(processor, key)) return LIMN_OK;
    LIMN_TRY(limn_json_get(&node, processor, key, err));
    LIMN_TRY(limn_json_as_string(&name, &node, err));
    for (const char *const *known = of->names; *known; known++)
        if (strcmp(*known, name) == 0) return LIMN_OK;
    return limn_json_fail(&node, err, LIMN_E_UNSUPPORTED, "expected %s, is \"%.60s\"", of->names[0],
                          name);
}

/* One side: a number, {"height", "width"} that are equal, or {"shortest_edge"}, where `is_shorter`
 * says so. */
static limn_status read_side(uint32_t *out, const limn_json_node *processor, const char *key,
                             uint32_t otherwise, bool is_shorter, limn_error *err)
{
    const uint32_t high = 2 * 1024;
    uint32_t width;
    limn_json_node node;
    *out = otherwise;
    if (!config_has(processor, key)) return LIMN_OK;
    LIMN_TRY(limn_json_get(&node, processor, key, err));
    if (json_is_integer(node.value)) return limn_json_u32(out, processor, key, 1, high, err);
    LIMN_TRY(limn_json_as_object(&node, err));
    if (is_shorter) {
        if (limn_json_has(&node, "shortest_edge") && json_object_size(node.value) == 1)
            return limn_json_u32(out, &node, "shortest_edge", 1, high, err);
        return limn_json_fail(&node, err, LIMN_E_UNSUPPORTED, "expected shortest_edge alone");
    }
    if (!limn_json_has(&node, "height") || json_object_size(node.value) != 2)
        return limn_json_fail(&node, err, LIMN_E_UNSUPPORTED,
                              "expected height and width alone: the whole image is squashed");
    LIMN_TRY(limn_json_u32(out, &node, "height", 1, high, err));
    LIMN_TRY(limn_json_u32(&width, &node, "width", 1, high, err));
    if (width == *out) return LIMN_OK;
    return limn_json_fail(&node, err, LIMN_E_UNSUPPORTED, "is %u x %u, expected a square", width,
                          *out);
}

static limn_status read_filter(limn_resize_filter *out, const limn_json_node *processor,
                               const image_class *of, limn_error *err)
{
    enum { BILINEAR = 2, BICUBIC = 3 }; /* as Pillow numbers them */
    const limn_json_node node = { NULL, processor, "resample", 0 };
    uint32_t number = of->filter == LIMN_RESIZE_BICUBIC ? BICUBIC : BILINEAR;
    LIMN_TRY(config_count(&number, processor, "resample", number, 0, 5, err));
    if (number != BILINEAR && number != BICUBIC)
        return limn_json_fail(&node, err, LIMN_E_UNSUPPORTED,
                              "is %u, expected 2 (bilinear) or 3 (bicubic)", number);
    *out = number == BICUBIC ? LIMN_RESIZE_BICUBIC : LIMN_RESIZE_BILINEAR;
    return LIMN_OK;
}

/* Numbers of the three channels. */
static limn_status read_channels(double out[3], const limn_json_node *processor, const char *key,
                                 const double otherwise[3], double low, limn_error *err)
{
    limn_json_node node;
    size_t n;
    memcpy(out, otherwise, 3 * sizeof *out);
    if (!config_has(processor, key)) return LIMN_OK;
    LIMN_TRY(limn_json_array(&node, &n, processor, key, err));
    if (n != 3) return limn_json_fail(&node, err, LIMN_E_FORMAT, "has %zu numbers, expected 3", n);
    for (size_t c = 0; c < 3; c++) {
        const limn_json_node item = limn_json_at(&node, c);
        LIMN_TRY(limn_json_as_number(&out[c], &item, low, 10, err));
    }
    return LIMN_OK;
}

static void set_normalising(limn_input_spec *s, const double mean[3], const double deviation[3])
{
    for (size_t c = 0; c < 3; c++) {
        s->mean[c] = (float)(255 * mean[c]);
        s->scale[c] = (float)(1 / (255 * deviation[c]));
    }
}

static limn_status read_normalising(limn_input_spec *s, const limn_json_node *processor,
                                    const image_class *of, limn_error *err)
{
    const limn_json_node factor = { NULL, processor, "rescale_factor", 0 };
    double mean[3], deviation[3], rescale = 1.0 / 255;
    if (config_has(processor, "rescale_factor"))
        LIMN_TRY(limn_json_number(&rescale, processor, "rescale_factor", 0, 1, err));
    if (fabs(rescale * 255 - 1) > 1e-6)
        return limn_json_fail(&factor, err, LIMN_E_UNSUPPORTED, "is %g, expected 1/255", rescale);
    LIMN_TRY(read_channels(mean, processor, "image_mean", of->mean, -10, err));
    LIMN_TRY(read_channels(deviation, processor, "image_std", of->deviation, 1e-3, err));
    set_normalising(s, mean, deviation);
    return LIMN_OK;
}

/* Whether the whole image is kept, or its centre is cropped. */
static limn_status read_fit(limn_input_spec *s, const limn_json_node *processor,
                            const image_class *of, limn_error *err)
{
    const limn_json_node crop = { NULL, processor, "do_center_crop", 0 };
    bool crops;
    uint32_t side, cut;
    LIMN_TRY(config_flag(&crops, processor, "do_center_crop", of->crops, err));
    if (crops != of->crops)
        return limn_json_fail(&crop, err, LIMN_E_UNSUPPORTED, "is %s, expected %s",
                              crops ? "true" : "false", of->crops ? "true" : "false");
    LIMN_TRY(read_side(&side, processor, "size", of->size, of->crops, err));
    cut = side;
    if (crops) {
        LIMN_TRY(read_side(&cut, processor, "crop_size", of->size, false, err));
        if (side < cut)
            return limn_json_fail(processor, err, LIMN_E_UNSUPPORTED,
                                  "size: is %u, expected at least the %u of crop_size", side, cut);
        s->fit = LIMN_FIT_CROP;
        s->shorter_side = side;
        s->rounding = LIMN_ROUND_TRANSFORMERS;
    }
    s->width = s->height = cut;
    return LIMN_OK;
}

limn_status image_rules_read(limn_input_spec *out, const limn_json_node *processor,
                             const image_class *of, uint32_t side, limn_error *err)
{
    *out = (limn_input_spec){ .decodes_whole = true };
    LIMN_TRY(limn_json_as_object(processor, err));
    LIMN_TRY(check_class(processor, "image_processor_type", of, err));
    LIMN_TRY(check_class(processor, "feature_extractor_type", of, err));
    LIMN_TRY(config_fields_check(processor, steps, err));
    LIMN_TRY(read_fit(out, processor, of, err));
    if (out->width != side)
        return limn_json_fail(processor, err, LIMN_E_UNSUPPORTED,
                              "%s: is %u, expected %u, the image_size of config.json",
                              of->crops ? "crop_size" : "size", out->width, side);
    LIMN_TRY(read_filter(&out->filter, processor, of, err));
    return read_normalising(out, processor, of, err);
}

void image_rules_default(limn_input_spec *out, const image_class *of, uint32_t side)
{
    *out = (limn_input_spec){
        .width = side, .height = side, .filter = of->filter, .decodes_whole = true
    };
    set_normalising(out, of->mean, of->deviation);
}
