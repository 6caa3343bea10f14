#include "models/convert/encoder_names.h"

#include <stdio.h>
#include <string.h>

#include "encoder/efficientnet_lite/efficientnet_lite_shape.h"
#include "encoder/resnet/resnet_shape.h"

/* ---- PyTorch's EfficientNet-Lite (efficientnet_lite_pytorch) -------------------------------- */

static const struct {
    const char *layer; /* ours */
    const char *convolution, *norm;
    bool is_in_block;
} lite_layers[] = {
    { "stem", "_conv_stem", "_bn0", false },      { "head", "_conv_head", "_bn1", false },
    { "expand", "_expand_conv", "_bn0", true },   { "depthwise", "_depthwise_conv", "_bn1", true },
    { "project", "_project_conv", "_bn2", true },
};

static bool find_lite(encoder_layer_names *out, const char *name, const char *prefix)
{
    unsigned block = 0;
    char layer[16], within[32] = "";
    const bool is_in_block = sscanf(name, "encoder.blocks.%4u.%15[a-z].", &block, layer) == 2;
    if (!is_in_block && sscanf(name, "encoder.%15[a-z].", layer) != 1) return false;
    if (is_in_block) snprintf(within, sizeof within, "_blocks.%u.", block);
    for (size_t i = 0; i < sizeof lite_layers / sizeof *lite_layers; i++)
        if (lite_layers[i].is_in_block == is_in_block && strcmp(lite_layers[i].layer, layer) == 0) {
            snprintf(out->convolution, sizeof out->convolution, "%s%s%s.weight", prefix, within,
                     lite_layers[i].convolution);
            snprintf(out->norm, sizeof out->norm, "%s%s%s", prefix, within, lite_layers[i].norm);
            return true;
        }
    return false;
}

static limn_input_spec lite_input(const char *network)
{
    limn_efficientnet_lite_shape shape;
    limn_efficientnet_lite_shape_find(&shape, network);
    return limn_input_square(shape.input_size, LIMN_RESIZE_BICUBIC, 127, 1 / 128.0f);
}

/* ---- torchvision's ResNet ------------------------------------------------------------------ */

static bool find_resnet(encoder_layer_names *out, const char *name, const char *prefix)
{
    unsigned layer, block, number;
    char part[16];
    if (strncmp(name, "encoder.stem.", 13) == 0) {
        snprintf(out->convolution, sizeof out->convolution, "%sconv1.weight", prefix);
        snprintf(out->norm, sizeof out->norm, "%sbn1", prefix);
        return true;
    }
    if (sscanf(name, "encoder.layers.%1u.%2u.%15[a-z]%1u.", &layer, &block, part, &number) == 4) {
        snprintf(out->convolution, sizeof out->convolution, "%slayer%u.%u.%s%u.weight", prefix,
                 layer, block, part, number);
        snprintf(out->norm, sizeof out->norm, "%slayer%u.%u.bn%u", prefix, layer, block, number);
        return true;
    }
    if (sscanf(name, "encoder.layers.%1u.%2u.%15[a-z].", &layer, &block, part) != 3) return false;
    snprintf(out->convolution, sizeof out->convolution, "%slayer%u.%u.downsample.0.weight", prefix,
             layer, block);
    snprintf(out->norm, sizeof out->norm, "%slayer%u.%u.downsample.1", prefix, layer, block);
    return true;
}

/* The preset of torchvision's first weights, ImageClassification(crop_size=224). */
static limn_input_spec resnet_input(const char *network)
{
    (void)network;
    static const double mean[] = { 0.485, 0.456, 0.406 }, deviation[] = { 0.229, 0.224, 0.225 };
    limn_input_spec spec = { .width = 224,
                             .height = 224,
                             .filter = LIMN_RESIZE_BILINEAR,
                             .fit = LIMN_FIT_CROP,
                             .shorter_side = 256 };
    for (size_t c = 0; c < 3; c++) {
        spec.mean[c] = (float)(255 * mean[c]);
        spec.scale[c] = (float)(1 / (255 * deviation[c]));
    }
    return spec;
}

/* ---- all ------------------------------------------------------------------------------------ */

const original_encoder original_encoders[] = {
    { "EfficientNet-Lite weights", "_conv_stem.weight", 1e-3, "_fc", limn_efficientnet_lite_names,
      lite_input, find_lite },
    { "ResNet weights", "layer4.1.conv1.weight", 1e-5, "fc", limn_resnet_names, resnet_input,
      find_resnet },
    { NULL, NULL, 0, NULL, NULL, NULL, NULL },
};

bool encoder_name_is_unneeded(const original_encoder *of, const char *name)
{
    static const char counter[] = ".num_batches_tracked";
    const size_t size = strlen(name), n = strlen(of->classifier);
    return (strncmp(name, of->classifier, n) == 0 &&
            (strcmp(name + n, ".weight") == 0 || strcmp(name + n, ".bias") == 0)) ||
           (size >= sizeof counter && strcmp(name + size - (sizeof counter - 1), counter) == 0);
}

void encoder_original_shape(size_t shape[4], const limn_tensor_spec *weight)
{
    const size_t *s = weight->shape;
    const size_t full[4] = { s[0], s[1], s[2], s[3] };
    const size_t depthwise[4] = { s[0], 1, s[1], s[2] };
    const size_t pointwise[4] = { s[0], s[1], 1, 1 };
    memcpy(shape,
           weight->n_dims == 4   ? full
           : weight->n_dims == 3 ? depthwise
                                 : pointwise,
           sizeof full);
}
