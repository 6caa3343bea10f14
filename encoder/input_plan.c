#include "encoder/input_plan.h"

#include "common/image/decode.h"

/* The number of the input that is alike; n_inputs for none. */
static uint32_t find(const limn_input_plan *p, const limn_input_spec *spec)
{
    uint32_t i = 0;
    while (i < p->n_inputs && !limn_input_is_alike(&p->inputs[i].spec, spec)) i++;
    return i;
}

limn_status limn_input_plan_add(limn_input_plan *p, const limn_encoder_input_settings *input,
                                limn_error *err)
{
    const uint32_t i = find(p, &input->spec);
    if (i < p->n_inputs) return LIMN_OK;
    if (i == LIMN_INPUT_PLAN_MAX)
        return limn_fail(err, LIMN_E_LIMIT, "more than %d models that see images differently",
                         LIMN_INPUT_PLAN_MAX);
    p->inputs[p->n_inputs++] = *input;
    return LIMN_OK;
}

static size_t offset_of(const limn_input_plan *p, uint32_t n)
{
    size_t offset = 0;
    for (uint32_t i = 0; i < n; i++) offset += limn_input_bytes(&p->inputs[i].spec);
    return offset;
}

size_t limn_input_plan_offset(const limn_input_plan *p, const limn_input_spec *spec)
{
    return offset_of(p, find(p, spec));
}

size_t limn_input_plan_bytes(const limn_input_plan *p)
{
    return offset_of(p, p->n_inputs);
}

/* Decodes `image` as input `i` needs it, unless it already is, as it often is for the input
 * before. */
static limn_status decode(limn_image *image, const limn_input_plan *p, uint32_t i,
                          const void *bytes, size_t size, const limn_input_plan_hooks *hooks,
                          limn_error *err)
{
    const limn_image_settings settings = limn_encoder_input_decoding(&p->inputs[i]);
    if (i > 0 && limn_encoder_input_suits(image, &p->inputs[i])) return LIMN_OK;
    limn_image_finish(image);
    if (hooks->decode) return hooks->decode(hooks->ctx, image, bytes, size, &settings, err);
    return limn_image_decode(image, bytes, size, &settings, err);
}

limn_status limn_input_plan_load(uint8_t *out, const limn_input_plan *p, const void *bytes,
                                 size_t size, const limn_input_plan_hooks *hooks,
                                 limn_resize_scratch *scratch, limn_error *err)
{
    limn_image image = { 0 };
    limn_status s = LIMN_OK;
    for (uint32_t i = 0; i < p->n_inputs && s == LIMN_OK; i++) {
        s = decode(&image, p, i, bytes, size, hooks, err);
        if (s == LIMN_OK) s = limn_input_fit(out, &image, &p->inputs[i].spec, scratch, err);
        if (s == LIMN_OK && i == 0 && hooks->on_image) s = hooks->on_image(hooks->ctx, &image, err);
        out += limn_input_bytes(&p->inputs[i].spec);
    }
    limn_image_finish(&image);
    return s;
}

limn_status limn_input_plan_fit(uint8_t *out, const limn_input_plan *p, const limn_image *image,
                                limn_resize_scratch *scratch, limn_error *err)
{
    for (uint32_t i = 0; i < p->n_inputs; i++) {
        LIMN_TRY(limn_input_fit(out, image, &p->inputs[i].spec, scratch, err));
        out += limn_input_bytes(&p->inputs[i].spec);
    }
    return LIMN_OK;
}
