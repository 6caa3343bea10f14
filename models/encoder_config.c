#include "models/encoder_config.h"

#include <stdio.h>
#include <string.h>

#include "models/layout_json.h"

static bool is_vit(const limn_encoder_config *c)
{
    return strcmp(c->family, "vit") == 0;
}

bool limn_encoder_config_is_plain(const limn_encoder_config *c)
{
    const limn_input_spec *s = &c->input;
    return s->width == s->height && s->fit == LIMN_FIT_SQUASH && limn_input_has_one_mean(s) &&
           s->filter != LIMN_RESIZE_LINEAR && !s->decodes_whole && !is_vit(c);
}

/* ---- reading ---- */

static limn_status read_family(limn_encoder_config *c, const limn_json_node *encoder,
                               limn_error *err)
{
    limn_json_node node;
    const char *family;
    LIMN_TRY(limn_json_get(&node, encoder, "family", err));
    LIMN_TRY(limn_json_as_string(&family, &node, err));
    if (!family[0] || strlen(family) >= sizeof c->family)
        return limn_json_fail(&node, err, LIMN_E_FORMAT, "expected 1 to %zu bytes, is \"%.40s\"",
                              sizeof c->family - 1, family);
    snprintf(c->family, sizeof c->family, "%s", family);
    return LIMN_OK;
}

/* "input_size" of a square, or "input_width" and "input_height". */
static limn_status read_size(limn_input_spec *s, const limn_json_node *encoder, limn_error *err)
{
    const uint32_t low = LIMN_MIN_INPUT_SIDE, high = LIMN_MAX_INPUT_SIDE;
    if (limn_json_has(encoder, "input_width")) {
        LIMN_TRY(limn_json_u32(&s->width, encoder, "input_width", low, high, err));
        return limn_json_u32(&s->height, encoder, "input_height", low, high, err);
    }
    LIMN_TRY(limn_json_u32(&s->width, encoder, "input_size", low, high, err));
    s->height = s->width;
    return LIMN_OK;
}

static limn_status read_filter(limn_input_spec *s, const limn_json_node *encoder, limn_error *err)
{
    uint32_t choice;
    LIMN_TRY(limn_json_choice(&choice, encoder, "resize", limn_resize_filter_names, err));
    s->filter = (limn_resize_filter)choice;
    return LIMN_OK;
}

/* "shorter_side" implies cropping the centre. */
static limn_status read_fit(limn_input_spec *s, const limn_json_node *encoder, limn_error *err)
{
    const uint32_t longer = s->width > s->height ? s->width : s->height;
    uint32_t rounding = LIMN_ROUND_TORCHVISION;
    s->fit = LIMN_FIT_SQUASH;
    if (!limn_json_has(encoder, "shorter_side")) return LIMN_OK;
    s->fit = LIMN_FIT_CROP;
    if (limn_json_has(encoder, "rounding"))
        LIMN_TRY(limn_json_choice(&rounding, encoder, "rounding", limn_rounding_names, err));
    s->rounding = (limn_rounding)rounding;
    return limn_json_u32(&s->shorter_side, encoder, "shorter_side", longer, 2 * LIMN_MAX_INPUT_SIDE,
                         err);
}

static limn_status read_decoding(limn_input_spec *s, const limn_json_node *encoder, limn_error *err)
{
    static const char *const names[] = { "reduced", "whole", NULL };
    uint32_t choice = 0;
    if (limn_json_has(encoder, "decode"))
        LIMN_TRY(limn_json_choice(&choice, encoder, "decode", names, err));
    s->decodes_whole = choice == 1;
    return LIMN_OK;
}

/* One number for all channels, or a list of three. */
static limn_status read_channels(float out[3], const limn_json_node *encoder, const char *key,
                                 double low, double high, limn_error *err)
{
    limn_json_node node;
    double value;
    LIMN_TRY(limn_json_get(&node, encoder, key, err));
    if (!json_is_array(node.value)) {
        LIMN_TRY(limn_json_number(&value, encoder, key, low, high, err));
        out[0] = out[1] = out[2] = (float)value;
        return LIMN_OK;
    }
    if (json_array_size(node.value) != 3)
        return limn_json_fail(&node, err, LIMN_E_FORMAT, "expected 3 numbers, has %zu",
                              json_array_size(node.value));
    for (size_t c = 0; c < 3; c++) {
        const limn_json_node item = limn_json_at(&node, c);
        LIMN_TRY(limn_json_as_number(&value, &item, low, high, err));
        out[c] = (float)value;
    }
    return LIMN_OK;
}

/* The fields of the family "vit"; their bounds, limn_encoder_check says. */
static limn_status read_vit(limn_vit_config *v, const limn_json_node *encoder, limn_error *err)
{
    double eps;
    uint32_t activation;
    LIMN_TRY(limn_json_u32(&v->patch, encoder, "patch", 4, 64, err));
    LIMN_TRY(limn_json_u32(&v->dim, encoder, "dim", 8, 4096, err));
    LIMN_TRY(limn_json_u32(&v->n_layers, encoder, "layers", 1, 64, err));
    LIMN_TRY(limn_json_u32(&v->n_heads, encoder, "heads", 1, 64, err));
    LIMN_TRY(limn_json_u32(&v->feed_forward_dim, encoder, "feed_forward", 8, 16384, err));
    LIMN_TRY(limn_json_choice(&activation, encoder, "activation", limn_activation_names, err));
    LIMN_TRY(limn_json_number(&eps, encoder, "eps", 1e-14, 0.1, err));
    v->activation = (limn_activation)activation;
    v->eps = (float)eps;
    LIMN_TRY(limn_json_bool(&v->has_patch_bias, encoder, "patch_bias", err));
    return limn_json_bool(&v->has_embedding_norm, encoder, "embedding_norm", err);
}

limn_status limn_encoder_config_read(limn_encoder_config *out, const limn_json_node *encoder,
                                     limn_error *err)
{
    limn_input_spec *s = &out->input;
    LIMN_TRY(read_family(out, encoder, err));
    LIMN_TRY(read_size(s, encoder, err));
    LIMN_TRY(read_filter(s, encoder, err));
    LIMN_TRY(read_fit(s, encoder, err));
    LIMN_TRY(read_decoding(s, encoder, err));
    if (is_vit(out)) LIMN_TRY(read_vit(&out->vit, encoder, err));
    LIMN_TRY(read_channels(s->mean, encoder, "mean", -1000, 1000, err));
    return read_channels(s->scale, encoder, "scale", 1e-6, 1000, err);
}

/* ---- writing ---- */

/* One number where all channels have the same. */
static json_t *channels(const float v[3])
{
    if (v[0] == v[1] && v[0] == v[2]) return limn_json_float(v[0]);
    return json_pack("[o, o, o]", limn_json_float(v[0]), limn_json_float(v[1]),
                     limn_json_float(v[2]));
}

static json_t *vit_fields(const limn_vit_config *v)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:s, s:o, s:b, s:b}", "patch", (int)v->patch, "dim",
                     (int)v->dim, "layers", (int)v->n_layers, "heads", (int)v->n_heads,
                     "feed_forward", (int)v->feed_forward_dim, "activation",
                     limn_activation_names[v->activation], "eps", limn_json_float(v->eps),
                     "patch_bias", v->has_patch_bias, "embedding_norm", v->has_embedding_norm);
}

json_t *limn_encoder_config_write(const limn_encoder_config *c)
{
    const limn_input_spec *s = &c->input;
    json_t *object = json_object();
    json_object_set_new(object, "family", json_string(c->family));
    if (s->width == s->height) {
        json_object_set_new(object, "input_size", json_integer(s->width));
    } else {
        json_object_set_new(object, "input_width", json_integer(s->width));
        json_object_set_new(object, "input_height", json_integer(s->height));
    }
    json_object_set_new(object, "resize", json_string(limn_resize_filter_names[s->filter]));
    if (s->fit == LIMN_FIT_CROP)
        json_object_set_new(object, "shorter_side", json_integer(s->shorter_side));
    if (s->rounding != LIMN_ROUND_TORCHVISION)
        json_object_set_new(object, "rounding", json_string(limn_rounding_names[s->rounding]));
    if (s->decodes_whole) json_object_set_new(object, "decode", json_string("whole"));
    json_object_set_new(object, "mean", channels(s->mean));
    json_object_set_new(object, "scale", channels(s->scale));
    if (is_vit(c)) json_object_update_new(object, vit_fields(&c->vit));
    return object;
}
