/* ViT with GPT-2: VisionEncoderDecoder, as the hub has it. */
#include <string.h>

#include "models/convert/published/hub_fields.h"
#include "models/convert/published/hub_vocabulary.h"

#define LAYER "encoder.encoder.layer.*."
#define BLOCK "decoder.transformer.h.*."
/* The part-th of n equal parts of the columns of a Conv1D, whose weight is [inputs, outputs]. */
#define COLUMNS(name, i, n) .theirs = BLOCK name, .part = (i), .n_parts = (n), .is_transposed = true

static const name_rule rules[] = {
    { .ours = "encoder.class_position", .theirs = "encoder.embeddings.cls_token", .n_ones = 2 },
    { .ours = "encoder.position_embedding",
      .theirs = "encoder.embeddings.position_embeddings",
      .n_ones = 1 },
    NAME_RULE("encoder.patch.%", "encoder.embeddings.patch_embeddings.projection.%"),
    NAME_RULE("encoder.layers.*.attention_norm.%", LAYER "layernorm_before.%"),
    NAME_RULE("encoder.layers.*.attention.query.%", LAYER "attention.attention.query.%"),
    NAME_RULE("encoder.layers.*.attention.key.%", LAYER "attention.attention.key.%"),
    NAME_RULE("encoder.layers.*.attention.value.%", LAYER "attention.attention.value.%"),
    NAME_RULE("encoder.layers.*.attention.output.%", LAYER "attention.output.dense.%"),
    NAME_RULE("encoder.layers.*.feed_forward_norm.%", LAYER "layernorm_after.%"),
    NAME_RULE("encoder.layers.*.feed_forward.up.%", LAYER "intermediate.dense.%"),
    NAME_RULE("encoder.layers.*.feed_forward.down.%", LAYER "output.dense.%"),
    NAME_RULE("encoder.norm.%", "encoder.layernorm.%"),
    NAME_RULE("decoder.memory.project.%", "enc_to_dec_proj.%"),
    NAME_RULE("decoder.token_embedding.weight", "decoder.transformer.wte.weight"),
    { .ours = "decoder.position_embedding",
      .theirs = "decoder.transformer.wpe.weight",
      .takes_first = true },
    NAME_RULE("decoder.layers.*.self_attention_norm.%", BLOCK "ln_1.%"),
    { .ours = "decoder.layers.*.self_attention.query.%", COLUMNS("attn.c_attn.%", 0, 3) },
    { .ours = "decoder.layers.*.self_attention.key.%", COLUMNS("attn.c_attn.%", 1, 3) },
    { .ours = "decoder.layers.*.self_attention.value.%", COLUMNS("attn.c_attn.%", 2, 3) },
    { .ours = "decoder.layers.*.self_attention.output.%", COLUMNS("attn.c_proj.%", 0, 0) },
    NAME_RULE("decoder.layers.*.cross_attention_norm.%", BLOCK "ln_cross_attn.%"),
    { .ours = "decoder.layers.*.cross_attention.query.%",
      COLUMNS("crossattention.q_attn.%", 0, 0) },
    { .ours = "decoder.layers.*.cross_attention.key.%", COLUMNS("crossattention.c_attn.%", 0, 2) },
    { .ours = "decoder.layers.*.cross_attention.value.%",
      COLUMNS("crossattention.c_attn.%", 1, 2) },
    { .ours = "decoder.layers.*.cross_attention.output.%",
      COLUMNS("crossattention.c_proj.%", 0, 0) },
    NAME_RULE("decoder.layers.*.feed_forward_norm.%", BLOCK "ln_2.%"),
    { .ours = "decoder.layers.*.feed_forward.up.%", COLUMNS("mlp.c_fc.%", 0, 0) },
    { .ours = "decoder.layers.*.feed_forward.down.%", COLUMNS("mlp.c_proj.%", 0, 0) },
    NAME_RULE("decoder.norm.%", "decoder.transformer.ln_f.%"),
    NAME_RULE("decoder.output.weight", "decoder.lm_head.weight"),
    { .ours = NULL },
};

/* The pooled class row, and causal masks, which old files keep. */
static const char *const leftovers[] = {
    "encoder.pooler.dense.*",
    "decoder.transformer.h.*.attn.bias",
    "decoder.transformer.h.*.attn.masked_bias",
    "decoder.transformer.h.*.crossattention.bias",
    "decoder.transformer.h.*.crossattention.masked_bias",
    NULL,
};

static const published_kind kind = {
    .name = "ViT-GPT2",
    .prefix = "",
    .rules = { rules },
    .leftovers = leftovers,
    .output = "decoder.lm_head.weight",
    .embedding = "decoder.transformer.wte.weight",
    .licence = "Apache-2.0, as nlpconnect gives its weights",
};

static const vision_class vision = {
    .image_size = 224, .activation = "gelu", .eps = 1e-12, .has_patch_bias = true
};
enum { MAX_STEPS = 20, END_OF_TEXT = 50256 };

static const config_field decoder_fields[] = {
    { "activation_function", NULL },
    { "add_cross_attention", "true" },
    { "attn_pdrop", NULL },
    { "cross_attention_hidden_size", NULL }, /* read below */
    { "embd_pdrop", NULL },
    { "layer_norm_epsilon", NULL },
    { "n_ctx", NULL }, /* of old files, as n_positions */
    { "n_embd", NULL },
    { "n_head", NULL },
    { "n_inner", NULL },
    { "n_layer", NULL },
    { "n_positions", NULL },
    { "reorder_and_upcast_attn", NULL }, /* the same product in another order */
    { "resid_pdrop", NULL },
    { "scale_attn_by_inverse_layer_idx", "false" },
    { "scale_attn_weights", "true" },
    { "summary_activation", NULL },
    { "summary_first_dropout", NULL },
    { "summary_proj_to_labels", NULL },
    { "summary_type", NULL },
    { "summary_use_proj", NULL },
    { "vocab_size", NULL },
    { NULL, NULL },
};

static limn_status check_part(const limn_json_node *part, const char *expected, limn_error *err)
{
    const char *type;
    LIMN_TRY(limn_json_string(&type, part, "model_type", err));
    if (strcmp(type, expected) == 0) return LIMN_OK;
    return limn_json_fail(part, err, LIMN_E_UNSUPPORTED,
                          "model_type: expected \"%s\", is \"%.60s\"", expected, type);
}

static limn_status read_sizes(published *p, const limn_json_node *gpt2, limn_error *err)
{
    limn_decoder_config *d = &p->config.decoder;
    LIMN_TRY(config_count(&d->dim, gpt2, "n_embd", 768, 16, 4096, err));
    LIMN_TRY(config_count(&d->n_layers, gpt2, "n_layer", 12, 1, 64, err));
    LIMN_TRY(config_heads(&d->n_heads, gpt2, "n_head", 12, d->dim, "n_embd", err));
    LIMN_TRY(config_count(&d->feed_forward_dim, gpt2, "n_inner", 4 * d->dim, 16, 16384, err));
    LIMN_TRY(config_count(&d->max_positions, gpt2, "n_positions", 1024, 2, 1 << 20, err));
    if (d->max_positions > LIMN_DECODER_MAX_POSITIONS)
        d->max_positions = LIMN_DECODER_MAX_POSITIONS;
    return config_count(&p->n_tokens, gpt2, "vocab_size", 50257, 5, LIMN_VOCAB_MAX_TOKENS, err);
}

static limn_status read_layout(limn_decoder_config *d, const limn_json_node *gpt2, limn_error *err)
{
    limn_decoder_layout *l = &d->layout;
    LIMN_TRY(limn_decoder_layout_find(l, "gpt2", err));
    LIMN_TRY(config_real(&l->eps, gpt2, "layer_norm_epsilon", 1e-5, 1e-14, 0.1, err));
    LIMN_TRY(config_activation(&l->activation, gpt2, "activation_function", "gelu_new", err));
    l->has_memory_projection = d->memory_dim != d->dim;
    if (!config_has(gpt2, "cross_attention_hidden_size") || !l->has_memory_projection)
        return LIMN_OK;
    return limn_json_fail(gpt2, err, LIMN_E_UNSUPPORTED,
                          "cross_attention_hidden_size: is set, expected null where the encoder is "
                          "%u wide and the decoder %u",
                          d->memory_dim, d->dim);
}

/* A token that the whole configuration has, or that of the decoder. */
static limn_status read_token(uint32_t *out, const limn_json_node *config,
                              const limn_json_node *gpt2, const char *key, uint32_t otherwise,
                              limn_error *err)
{
    const limn_json_node *object = config_has(config, key) ? config : gpt2;
    return config_count(out, object, key, otherwise, 0, LIMN_VOCAB_MAX_TOKENS - 1, err);
}

static limn_status read_decoder(published *p, const limn_json_node *config,
                                const limn_json_node *gpt2, limn_error *err)
{
    limn_decoder_config *c = &p->config.decoder;
    limn_specials *ids = &p->ids;
    ids->unknown = LIMN_NO_TOKEN;
    LIMN_TRY(config_fields_check(gpt2, decoder_fields, err));
    LIMN_TRY(read_sizes(p, gpt2, err));
    LIMN_TRY(read_layout(c, gpt2, err));
    LIMN_TRY(read_token(&ids->end, config, gpt2, "eos_token_id", END_OF_TEXT, err));
    LIMN_TRY(read_token(&ids->start, config, gpt2, "decoder_start_token_id", END_OF_TEXT, err));
    LIMN_TRY(read_token(&ids->pad, config, gpt2, "pad_token_id", ids->end, err));
    p->config.length_penalty = 1;
    p->config.max_steps = c->max_positions - 1 < MAX_STEPS ? c->max_positions - 1 : MAX_STEPS;
    return LIMN_OK;
}

static limn_status read_config(published *p, const limn_json_node *config, limn_error *err)
{
    limn_json_node encoder, decoder;
    p->kind = &kind;
    p->is_tied_by_config = true;
    LIMN_TRY(limn_json_object(&encoder, config, "encoder", err));
    LIMN_TRY(limn_json_object(&decoder, config, "decoder", err));
    LIMN_TRY(check_part(&encoder, "vit", err));
    LIMN_TRY(check_part(&decoder, "gpt2", err));
    LIMN_TRY(hub_read_vision(p, &encoder, &vision, err));
    return read_decoder(p, config, &decoder, err);
}

static const char *const architectures[] = { "VisionEncoderDecoderModel", NULL };
const published_type published_vit_gpt2 = { "vision-encoder-decoder", architectures,
                                            &image_class_vit, read_config, hub_read_byte_bpe };
