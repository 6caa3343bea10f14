/* GIT, as the hub has it. */
#include "models/convert/published/hub_fields.h"
#include "models/convert/published/hub_vocabulary.h"

#define VISION "git.image_encoder.vision_model."
#define LAYER "git.image_encoder.vision_model.encoder.layers.*."
#define BERT "git.encoder.layer.*."

static const name_rule rules[] = {
    NAME_RULE("encoder.class_position", VISION "embeddings.class_embedding"),
    NAME_RULE("encoder.position_embedding", VISION "embeddings.position_embedding.weight"),
    NAME_RULE("encoder.patch.%", VISION "embeddings.patch_embedding.%"),
    NAME_RULE("encoder.embedding_norm.%", VISION "pre_layrnorm.%"),
    NAME_RULE("encoder.layers.*.attention_norm.%", LAYER "layer_norm1.%"),
    NAME_RULE("encoder.layers.*.attention.query.%", LAYER "self_attn.q_proj.%"),
    NAME_RULE("encoder.layers.*.attention.key.%", LAYER "self_attn.k_proj.%"),
    NAME_RULE("encoder.layers.*.attention.value.%", LAYER "self_attn.v_proj.%"),
    NAME_RULE("encoder.layers.*.attention.output.%", LAYER "self_attn.out_proj.%"),
    NAME_RULE("encoder.layers.*.feed_forward_norm.%", LAYER "layer_norm2.%"),
    NAME_RULE("encoder.layers.*.feed_forward.up.%", LAYER "mlp.fc1.%"),
    NAME_RULE("encoder.layers.*.feed_forward.down.%", LAYER "mlp.fc2.%"),
    NAME_RULE("encoder.norm.%", VISION "post_layernorm.%"),
    NAME_RULE("decoder.memory.project.%", "git.visual_projection.visual_projection.0.%"),
    NAME_RULE("decoder.memory.norm.%", "git.visual_projection.visual_projection.1.%"),
    NAME_RULE("decoder.token_embedding.weight", "git.embeddings.word_embeddings.weight"),
    { .ours = "decoder.position_embedding",
      .theirs = "git.embeddings.position_embeddings.weight",
      .takes_first = true },
    NAME_RULE("decoder.embedding_norm.%", "git.embeddings.LayerNorm.%"),
    NAME_RULE("decoder.layers.*.self_attention.query.%", BERT "attention.self.query.%"),
    NAME_RULE("decoder.layers.*.self_attention.key.%", BERT "attention.self.key.%"),
    NAME_RULE("decoder.layers.*.self_attention.value.%", BERT "attention.self.value.%"),
    NAME_RULE("decoder.layers.*.self_attention.output.%", BERT "attention.output.dense.%"),
    NAME_RULE("decoder.layers.*.self_attention_norm.%", BERT "attention.output.LayerNorm.%"),
    NAME_RULE("decoder.layers.*.feed_forward.up.%", BERT "intermediate.dense.%"),
    NAME_RULE("decoder.layers.*.feed_forward.down.%", BERT "output.dense.%"),
    NAME_RULE("decoder.layers.*.feed_forward_norm.%", BERT "output.LayerNorm.%"),
    NAME_RULE("decoder.output.%", "output.%"),
    { .ours = NULL },
};

static const char *const leftovers[] = { "git.embeddings.position_ids",
                                         VISION "embeddings.position_ids", NULL };

static const published_kind kind = {
    .name = "GIT",
    .prefix = "",
    .rules = { rules },
    .leftovers = leftovers,
    .output = "output.weight",
    .embedding = "git.embeddings.word_embeddings.weight",
    .licence = "MIT, as Microsoft gives its weights",
};

static const vision_class vision = {
    .image_size = 224, .activation = "quick_gelu", .eps = 1e-5, .has_embedding_norm = true
};
static const text_class text = {
    .n_layers = 6, .n_heads = 12, .n_positions = 1024, .n_tokens = 30522
};
enum { MAX_STEPS = 20 };

static const config_field fields[] = {
    { "attention_probs_dropout_prob", NULL },
    { "hidden_act", NULL },
    { "hidden_dropout_prob", NULL },
    { "hidden_size", NULL },
    { "intermediate_size", NULL },
    { "layer_norm_eps", NULL },
    { "max_position_embeddings", NULL },
    { "num_attention_heads", NULL },
    { "num_hidden_layers", NULL },
    { "num_image_with_embedding", NULL }, /* read below */
    { "position_embedding_type", "\"absolute\"" },
    { "vision_config", NULL },
    { "vocab_size", NULL },
    { NULL, NULL },
};

static limn_status read_text(published *p, const limn_json_node *config, limn_error *err)
{
    limn_decoder_config *c = &p->config.decoder;
    limn_specials *ids = &p->ids;
    const uint32_t last = LIMN_VOCAB_MAX_TOKENS - 1;
    if (config_has(config, "num_image_with_embedding"))
        return limn_json_fail(config, err, LIMN_E_UNSUPPORTED,
                              "num_image_with_embedding: is set: this GIT is for video, expected "
                              "one for images");
    LIMN_TRY(config_fields_check(config, fields, err));
    LIMN_TRY(hub_read_bert(p, config, &text, err));
    LIMN_TRY(config_flag(&p->is_tied_by_config, config, "tie_word_embeddings", false, err));
    c->layout.memory_eps = p->config.encoder.vit.eps;
    LIMN_TRY(config_count(&ids->start, config, "bos_token_id", 101, 0, last, err));
    LIMN_TRY(config_count(&ids->end, config, "eos_token_id", 102, 0, last, err));
    LIMN_TRY(config_count(&ids->pad, config, "pad_token_id", 0, 0, last, err));
    p->config.length_penalty = 1;
    p->config.max_steps = c->max_positions - 1 < MAX_STEPS ? c->max_positions - 1 : MAX_STEPS;
    return LIMN_OK;
}

static limn_status read_config(published *p, const limn_json_node *config, limn_error *err)
{
    limn_json_node vision_config;
    json_t *empty = json_object();
    p->kind = &kind;
    limn_status s = limn_decoder_layout_find(&p->config.decoder.layout, "git", err);
    if (s == LIMN_OK) s = config_object(&vision_config, config, "vision_config", empty, err);
    if (s == LIMN_OK) s = hub_read_vision(p, &vision_config, &vision, err);
    if (s == LIMN_OK) s = read_text(p, config, err);
    json_decref(empty);
    return s;
}

static limn_status read_vocabulary(published *p, const limn_json_node *tokenizer, limn_error *err)
{
    return hub_read_wordpiece(p, tokenizer, NULL, 0, err);
}

static const char *const architectures[] = { "GitForCausalLM", NULL };
const published_type published_git = { "git", architectures, &image_class_clip, read_config,
                                       read_vocabulary };
