/* BLIP, as the hub has it and as its own program saved it. */
#include <math.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/convert/published/hub_fields.h"
#include "models/convert/published/hub_vocabulary.h"
#include "models/convert/published/pth_shapes.h"

#define BERT "text_decoder.bert.encoder.layer.*."
#define HEAD "text_decoder.cls.predictions."
#define EMBEDDINGS "text_decoder.bert.embeddings."

/* The decoder's names, which are the same in both. */
static const name_rule decoder_rules[] = {
    NAME_RULE("decoder.token_embedding.weight", EMBEDDINGS "word_embeddings.weight"),
    { .ours = "decoder.position_embedding",
      .theirs = EMBEDDINGS "position_embeddings.weight",
      .takes_first = true },
    NAME_RULE("decoder.embedding_norm.%", EMBEDDINGS "LayerNorm.%"),
    NAME_RULE("decoder.layers.*.self_attention.query.%", BERT "attention.self.query.%"),
    NAME_RULE("decoder.layers.*.self_attention.key.%", BERT "attention.self.key.%"),
    NAME_RULE("decoder.layers.*.self_attention.value.%", BERT "attention.self.value.%"),
    NAME_RULE("decoder.layers.*.self_attention.output.%", BERT "attention.output.dense.%"),
    NAME_RULE("decoder.layers.*.self_attention_norm.%", BERT "attention.output.LayerNorm.%"),
    NAME_RULE("decoder.layers.*.cross_attention.query.%", BERT "crossattention.self.query.%"),
    NAME_RULE("decoder.layers.*.cross_attention.key.%", BERT "crossattention.self.key.%"),
    NAME_RULE("decoder.layers.*.cross_attention.value.%", BERT "crossattention.self.value.%"),
    NAME_RULE("decoder.layers.*.cross_attention.output.%", BERT "crossattention.output.dense.%"),
    NAME_RULE("decoder.layers.*.cross_attention_norm.%", BERT "crossattention.output.LayerNorm.%"),
    NAME_RULE("decoder.layers.*.feed_forward.up.%", BERT "intermediate.dense.%"),
    NAME_RULE("decoder.layers.*.feed_forward.down.%", BERT "output.dense.%"),
    NAME_RULE("decoder.layers.*.feed_forward_norm.%", BERT "output.LayerNorm.%"),
    NAME_RULE("decoder.head.transform.%", HEAD "transform.dense.%"),
    NAME_RULE("decoder.head.norm.%", HEAD "transform.LayerNorm.%"),
    NAME_RULE("decoder.output.weight", HEAD "decoder.weight"),
    NAME_RULE("decoder.output.bias", HEAD "bias"),
    { .ours = NULL },
};

#define VISION "vision_model.encoder.layers.*."

static const name_rule hub_rules[] = {
    { .ours = "encoder.class_position",
      .theirs = "vision_model.embeddings.class_embedding",
      .n_ones = 2 },
    { .ours = "encoder.position_embedding",
      .theirs = "vision_model.embeddings.position_embedding",
      .n_ones = 1 },
    NAME_RULE("encoder.patch.%", "vision_model.embeddings.patch_embedding.%"),
    NAME_RULE("encoder.layers.*.attention_norm.%", VISION "layer_norm1.%"),
    NAME_RULE_PART("encoder.layers.*.attention.query.%", VISION "self_attn.qkv.%", 0, 3),
    NAME_RULE_PART("encoder.layers.*.attention.key.%", VISION "self_attn.qkv.%", 1, 3),
    NAME_RULE_PART("encoder.layers.*.attention.value.%", VISION "self_attn.qkv.%", 2, 3),
    NAME_RULE("encoder.layers.*.attention.output.%", VISION "self_attn.projection.%"),
    NAME_RULE("encoder.layers.*.feed_forward_norm.%", VISION "layer_norm2.%"),
    NAME_RULE("encoder.layers.*.feed_forward.up.%", VISION "mlp.fc1.%"),
    NAME_RULE("encoder.layers.*.feed_forward.down.%", VISION "mlp.fc2.%"),
    NAME_RULE("encoder.norm.%", "vision_model.post_layernorm.%"),
    { .ours = NULL },
};

#define BLOCK "visual_encoder.blocks.*."

static const name_rule pth_rules[] = {
    { .ours = "encoder.class_position", .theirs = "visual_encoder.cls_token", .n_ones = 2 },
    { .ours = "encoder.position_embedding", .theirs = "visual_encoder.pos_embed", .n_ones = 1 },
    NAME_RULE("encoder.patch.%", "visual_encoder.patch_embed.proj.%"),
    NAME_RULE("encoder.layers.*.attention_norm.%", BLOCK "norm1.%"),
    NAME_RULE_PART("encoder.layers.*.attention.query.%", BLOCK "attn.qkv.%", 0, 3),
    NAME_RULE_PART("encoder.layers.*.attention.key.%", BLOCK "attn.qkv.%", 1, 3),
    NAME_RULE_PART("encoder.layers.*.attention.value.%", BLOCK "attn.qkv.%", 2, 3),
    NAME_RULE("encoder.layers.*.attention.output.%", BLOCK "attn.proj.%"),
    NAME_RULE("encoder.layers.*.feed_forward_norm.%", BLOCK "norm2.%"),
    NAME_RULE("encoder.layers.*.feed_forward.up.%", BLOCK "mlp.fc1.%"),
    NAME_RULE("encoder.layers.*.feed_forward.down.%", BLOCK "mlp.fc2.%"),
    NAME_RULE("encoder.norm.%", "visual_encoder.norm.%"),
    { .ours = NULL },
};

static const char *const hub_leftovers[] = { EMBEDDINGS "position_ids", NULL };
/* Left over from pre-training: the text encoder, projections, the momentum models and their
 * queues. */
static const char *const pth_leftovers[] = { "model." EMBEDDINGS "position_ids",
                                             "model.text_encoder.*",
                                             "model.text_encoder_m.*",
                                             "model.visual_encoder_m.*",
                                             "model.vision_proj.*",
                                             "model.vision_proj_m.*",
                                             "model.text_proj.*",
                                             "model.text_proj_m.*",
                                             "model.itm_head.*",
                                             "model.temp",
                                             "model.image_queue",
                                             "model.text_queue",
                                             "model.queue_ptr",
                                             "optimizer.*",
                                             NULL };

static const published_kind hub_kind = {
    .name = "BLIP",
    .prefix = "",
    .rules = { hub_rules, decoder_rules },
    .leftovers = hub_leftovers,
    .output = HEAD "decoder.weight",
    .embedding = EMBEDDINGS "word_embeddings.weight",
    .same = { HEAD "bias", HEAD "decoder.bias" },
    .licence = "BSD-3-Clause, as Salesforce gives its weights",
};

static const published_kind pth_kind = {
    .name = "BLIP, of its own program",
    .prefix = "model.",
    .rules = { pth_rules, decoder_rules },
    .leftovers = pth_leftovers,
    .output = HEAD "decoder.weight",
    .embedding = EMBEDDINGS "word_embeddings.weight",
    .same = { HEAD "bias", HEAD "decoder.bias" },
    .licence = "BSD-3-Clause, as Salesforce gives its weights",
};

static const char *const added_tokens[] = { "[DEC]", "[ENC]" };
enum { N_ADDED = 2, MAX_STEPS = 20, HEAD_DIM = 64 };

/* ---- of the hub --------------------------------------------------------------------------- */

static const vision_class vision = {
    .image_size = 384, .activation = "gelu", .eps = 1e-5, .has_patch_bias = true
};
static const text_class text = { .n_layers = 12,
                                 .n_heads = 8, /* of the class; public files write 12 */
                                 .n_positions = 512,
                                 .n_tokens = 30524 };

static const config_field text_fields[] = {
    { "attention_probs_dropout_prob", NULL },
    { "encoder_hidden_size", NULL }, /* BlipConfig puts that of the vision model there */
    { "hidden_act", NULL },
    { "hidden_dropout_prob", NULL },
    { "hidden_size", NULL },
    { "intermediate_size", NULL },
    { "layer_norm_eps", NULL },
    { "max_position_embeddings", NULL },
    { "num_attention_heads", NULL },
    { "num_hidden_layers", NULL },
    { "position_embedding_type", "\"absolute\"" },
    { "projection_dim", NULL },
    { "vocab_size", NULL },
    { NULL, NULL },
};

static limn_status read_text(published *p, const limn_json_node *object, limn_error *err)
{
    limn_specials *ids = &p->ids;
    const uint32_t last = LIMN_VOCAB_MAX_TOKENS - 1;
    LIMN_TRY(config_fields_check(object, text_fields, err));
    LIMN_TRY(hub_read_bert(p, object, &text, err));
    if (!config_has(object, "num_attention_heads"))
        limn_buffer_printf(&p->notes,
                           "config.json: text_config.num_attention_heads is absent: %u, the "
                           "default of its class; the public files have 12\n",
                           p->config.decoder.n_heads);
    LIMN_TRY(config_count(&ids->start, object, "bos_token_id", 30522, 0, last, err));
    LIMN_TRY(config_count(&ids->end, object, "sep_token_id", 102, 0, last, err));
    return config_count(&ids->pad, object, "pad_token_id", 0, 0, last, err);
}

static void set_search(published *p)
{
    const uint32_t longest = p->config.decoder.max_positions - 1;
    p->config.length_penalty = 1;
    p->config.max_steps = longest < MAX_STEPS ? longest : MAX_STEPS;
}

static limn_status read_config(published *p, const limn_json_node *config, limn_error *err)
{
    limn_json_node vision_config, text_config;
    json_t *empty = json_object();
    p->kind = &hub_kind;
    p->is_tied_by_config = true;
    limn_status s = limn_decoder_layout_find(&p->config.decoder.layout, "blip", err);
    if (s == LIMN_OK) s = config_object(&vision_config, config, "vision_config", empty, err);
    if (s == LIMN_OK) s = config_object(&text_config, config, "text_config", empty, err);
    if (s == LIMN_OK) s = hub_read_vision(p, &vision_config, &vision, err);
    if (s == LIMN_OK) s = read_text(p, &text_config, err);
    if (s == LIMN_OK) set_search(p);
    json_decref(empty);
    return s;
}

static limn_status read_vocabulary(published *p, const limn_json_node *tokenizer, limn_error *err)
{
    return hub_read_wordpiece(p, tokenizer, added_tokens, N_ADDED, err);
}

static const char *const architectures[] = { "BlipForConditionalGeneration", NULL };
const published_type published_blip = { "blip", architectures, &image_class_blip, read_config,
                                        read_vocabulary };

/* ---- of its own program ------------------------------------------------------------------- */

/* Question answering has the text encoder and no heads of pre-training; retrieval no decoder. */
static limn_status check_sibling(const published *p, limn_error *err)
{
    const bool has_encoder = pth_has(p, "text_encoder.embeddings.word_embeddings.weight");
    const bool has_heads = pth_has(p, "itm_head.weight") || pth_has(p, "vision_proj.weight");
    if (!pth_has(p, EMBEDDINGS "word_embeddings.weight"))
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "%s: is BLIP without a text decoder, for retrieval or NLVR: expected a "
                         "checkpoint for captions",
                         p->path);
    if (has_encoder && !has_heads)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "%s: is BLIP for questions (VQA): expected a checkpoint for captions",
                         p->path);
    return LIMN_OK;
}

static limn_status read_encoder(published *p, limn_error *err)
{
    limn_encoder_config *e = &p->config.encoder;
    limn_vit_config *v = &e->vit;
    uint32_t n_rows;
    LIMN_TRY(pth_dim(&v->dim, p, "visual_encoder.pos_embed", 2, 4096, err));
    LIMN_TRY(pth_dim(&n_rows, p, "visual_encoder.pos_embed", 1, 4097, err));
    LIMN_TRY(pth_dim(&v->patch, p, "visual_encoder.patch_embed.proj.weight", 2, 64, err));
    LIMN_TRY(
        pth_dim(&v->feed_forward_dim, p, "visual_encoder.blocks.0.mlp.fc1.weight", 0, 16384, err));
    v->n_layers = pth_count(p, "visual_encoder.blocks.", ".norm1.weight");
    v->n_heads = v->dim / HEAD_DIM; /* 12 of base, 16 of large */
    v->activation = LIMN_ACT_GELU;
    v->eps = 1e-6f;
    v->has_patch_bias = true;
    snprintf(e->family, sizeof e->family, "vit");
    const uint32_t side = (uint32_t)lround(sqrt(n_rows - 1.0));
    if (side * side + 1 != n_rows || v->dim % HEAD_DIM != 0)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "%s: tensor model.visual_encoder.pos_embed: has %u rows of %u, expected a "
                         "square of patches and one more, of a multiple of %d",
                         p->path, n_rows, v->dim, HEAD_DIM);
    image_rules_default(&e->input, &image_class_blip, side * v->patch);
    return limn_encoder_check(e, err);
}

static limn_status read_decoder(published *p, limn_error *err)
{
    limn_decoder_config *d = &p->config.decoder;
    LIMN_TRY(limn_decoder_layout_find(&d->layout, "blip", err));
    LIMN_TRY(pth_dim(&p->n_tokens, p, EMBEDDINGS "word_embeddings.weight", 0, LIMN_VOCAB_MAX_TOKENS,
                     err));
    LIMN_TRY(pth_dim(&d->dim, p, EMBEDDINGS "word_embeddings.weight", 1, 4096, err));
    LIMN_TRY(pth_dim(&d->max_positions, p, EMBEDDINGS "position_embeddings.weight", 0,
                     LIMN_DECODER_MAX_POSITIONS, err));
    LIMN_TRY(pth_dim(&d->feed_forward_dim, p,
                     "text_decoder.bert.encoder.layer.0.intermediate.dense.weight", 0, 16384, err));
    d->n_layers = pth_count(p, "text_decoder.bert.encoder.layer.", ".output.dense.weight");
    d->n_heads = d->dim / HEAD_DIM;
    d->n_memory_positions =
        (uint32_t)limn_feature_positions(limn_encoder_feature_shape(&p->config.encoder));
    d->memory_dim = p->config.encoder.vit.dim;
    if (d->dim % HEAD_DIM == 0) return LIMN_OK;
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "%s: the decoder is %u wide, expected a multiple of %d", p->path, d->dim,
                     HEAD_DIM);
}

limn_status published_blip_pth(published *p, const char *vocab, limn_error *err)
{
    unsigned char *bytes;
    p->kind = &pth_kind;
    p->is_tied_by_config = true;
    p->ids = (limn_specials){ .start = 30522, .end = 102, .pad = 0 };
    LIMN_TRY(check_sibling(p, err));
    LIMN_TRY(read_encoder(p, err));
    LIMN_TRY(read_decoder(p, err));
    set_search(p);
    wordpiece_file f = { .added = added_tokens, .n_added = N_ADDED, .lower_case = true };
    LIMN_TRY(limn_file_read(&bytes, &f.size, vocab, 16u << 20, err));
    f.text = (const char *)bytes;
    const limn_status s = hub_make_wordpiece(p, vocab, &f, err);
    limn_free(bytes);
    return s;
}
