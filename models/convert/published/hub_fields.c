#include "models/convert/published/hub_fields.h"

#include <stdio.h>
/* ---- the encoder -------------------------------------------------------------------------- */

static const config_field vision_fields[] = {
    { "attention_dropout", NULL },
    { "attention_probs_dropout_prob", NULL },
    { "dropout", NULL },
    { "encoder_stride", NULL }, /* of masked images in training */
    { "hidden_act", NULL },
    { "hidden_dropout_prob", NULL },
    { "hidden_size", NULL },
    { "image_size", NULL },
    { "intermediate_size", NULL },
    { "layer_norm_eps", NULL },
    { "num_attention_heads", NULL },
    { "num_channels", "3" },
    { "num_hidden_layers", NULL },
    { "patch_size", NULL },
    { "pooler_act", NULL },
    { "pooler_output_size", NULL },
    { "projection_dim", NULL },
    { "qkv_bias", "true" },
    { NULL, NULL },
};

static limn_status read_vision_sizes(limn_vit_config *v, uint32_t *image_size,
                                     const limn_json_node *vision, const vision_class *of,
                                     limn_error *err)
{
    LIMN_TRY(config_count(&v->dim, vision, "hidden_size", 768, 8, 4096, err));
    LIMN_TRY(config_count(&v->feed_forward_dim, vision, "intermediate_size", 3072, 8, 16384, err));
    LIMN_TRY(config_count(&v->n_layers, vision, "num_hidden_layers", 12, 1, 64, err));
    LIMN_TRY(
        config_heads(&v->n_heads, vision, "num_attention_heads", 12, v->dim, "hidden_size", err));
    LIMN_TRY(config_count(&v->patch, vision, "patch_size", 16, 4, 64, err));
    return config_count(image_size, vision, "image_size", of->image_size, LIMN_MIN_INPUT_SIDE,
                        LIMN_MAX_INPUT_SIDE, err);
}

limn_status hub_read_vision(published *p, const limn_json_node *vision, const vision_class *of,
                            limn_error *err)
{
    limn_encoder_config *e = &p->config.encoder;
    limn_vit_config *v = &e->vit;
    LIMN_TRY(config_fields_check(vision, vision_fields, err));
    LIMN_TRY(read_vision_sizes(v, &p->image_size, vision, of, err));
    LIMN_TRY(config_activation(&v->activation, vision, "hidden_act", of->activation, err));
    LIMN_TRY(config_real(&v->eps, vision, "layer_norm_eps", of->eps, 1e-14, 0.1, err));
    v->has_patch_bias = of->has_patch_bias;
    v->has_embedding_norm = of->has_embedding_norm;
    snprintf(e->family, sizeof e->family, "vit");
    p->config.decoder.memory_dim = v->dim;
    return LIMN_OK;
}

/* ---- the decoder -------------------------------------------------------------------------- */

limn_status hub_read_bert(published *p, const limn_json_node *text, const text_class *of,
                          limn_error *err)
{
    limn_decoder_config *d = &p->config.decoder;
    limn_decoder_layout *l = &d->layout;
    LIMN_TRY(config_count(&d->dim, text, "hidden_size", 768, 16, 4096, err));
    LIMN_TRY(config_count(&d->feed_forward_dim, text, "intermediate_size", 3072, 16, 16384, err));
    LIMN_TRY(config_count(&d->n_layers, text, "num_hidden_layers", of->n_layers, 1, 64, err));
    LIMN_TRY(config_heads(&d->n_heads, text, "num_attention_heads", of->n_heads, d->dim,
                          "hidden_size", err));
    LIMN_TRY(config_count(&d->max_positions, text, "max_position_embeddings", of->n_positions, 2,
                          1 << 20, err));
    LIMN_TRY(config_count(&p->n_tokens, text, "vocab_size", of->n_tokens, 5, LIMN_VOCAB_MAX_TOKENS,
                          err));
    LIMN_TRY(config_real(&l->eps, text, "layer_norm_eps", 1e-12, 1e-14, 0.1, err));
    l->embedding_eps = l->head_eps = l->eps;
    LIMN_TRY(config_activation(&l->activation, text, "hidden_act", "gelu", err));
    l->head_activation = l->activation;
    if (d->max_positions > LIMN_DECODER_MAX_POSITIONS)
        d->max_positions = LIMN_DECODER_MAX_POSITIONS;
    return LIMN_OK;
}
