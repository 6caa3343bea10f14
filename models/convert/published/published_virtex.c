/* VirTex, as its own program saved it. */
#include <stdio.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "decoder/tokenizers/public_vocab.h"
#include "models/convert/published/image_rules.h"
#include "models/convert/published/pth_shapes.h"

#define LAYER "textual.transformer.layers.*."

static const name_rule rules[] = {
    NAME_RULE("decoder.memory.project.%", "textual.visual_projection.%"),
    NAME_RULE("decoder.token_embedding.weight", "textual.embedding.words.weight"),
    NAME_RULE("decoder.position_embedding", "textual.embedding.positions.weight"),
    NAME_RULE("decoder.embedding_norm.%", "textual.embedding.layer_norm.%"),
    NAME_RULE_PART("decoder.layers.*.self_attention.query.%", LAYER "self_attn.in_proj_%", 0, 3),
    NAME_RULE_PART("decoder.layers.*.self_attention.key.%", LAYER "self_attn.in_proj_%", 1, 3),
    NAME_RULE_PART("decoder.layers.*.self_attention.value.%", LAYER "self_attn.in_proj_%", 2, 3),
    NAME_RULE("decoder.layers.*.self_attention.output.%", LAYER "self_attn.out_proj.%"),
    NAME_RULE("decoder.layers.*.self_attention_norm.%", LAYER "norm1.%"),
    NAME_RULE_PART("decoder.layers.*.cross_attention.query.%", LAYER "multihead_attn.in_proj_%", 0,
                   3),
    NAME_RULE_PART("decoder.layers.*.cross_attention.key.%", LAYER "multihead_attn.in_proj_%", 1,
                   3),
    NAME_RULE_PART("decoder.layers.*.cross_attention.value.%", LAYER "multihead_attn.in_proj_%", 2,
                   3),
    NAME_RULE("decoder.layers.*.cross_attention.output.%", LAYER "multihead_attn.out_proj.%"),
    NAME_RULE("decoder.layers.*.cross_attention_norm.%", LAYER "norm2.%"),
    NAME_RULE("decoder.layers.*.feed_forward.up.%", LAYER "linear1.%"),
    NAME_RULE("decoder.layers.*.feed_forward.down.%", LAYER "linear2.%"),
    NAME_RULE("decoder.layers.*.feed_forward_norm.%", LAYER "norm3.%"),
    NAME_RULE("decoder.norm.%", "textual.transformer.norm.%"),
    NAME_RULE("decoder.output.%", "textual.output.%"),
    { .ours = NULL },
};

/* The backward captioner of training, counters of batch norm, and the optimiser. */
static const char *const leftovers[] = { "model.backward_textual.*",
                                         "model.visual.cnn.*.num_batches_tracked",
                                         "model.visual.cnn.fc.*",
                                         "optimizer.*",
                                         "scheduler.*",
                                         "scaler.*",
                                         NULL };

static const published_kind kind = {
    .name = "VirTex",
    .prefix = "model.",
    .rules = { rules },
    .leftovers = leftovers,
    .output = "textual.output.weight",
    .embedding = "textual.embedding.words.weight",
    .batch_norm_eps = 1e-5,
    .resnet_prefix = "model.visual.cnn.",
    .licence = "not stated; the program's is MIT",
};

enum { MAX_STEPS = 30, HEAD_DIM = 64, SHORTER_SIDE = 256, SIDE = 224 };

/* Finds the ResNet by its numbers of blocks and widths. */
static limn_status find_resnet(const char **out, const published *p, limn_error *err)
{
    const uint32_t n_blocks = pth_count(p, "visual.cnn.layer3.", ".conv1.weight");
    uint32_t width;
    LIMN_TRY(pth_dim(&width, p, "visual.cnn.layer1.0.conv2.weight", 0, 4096, err));
    if (!pth_has(p, "visual.cnn.layer1.0.conv3.weight"))
        *out = n_blocks == 2 ? "resnet18" : "resnet34";
    else if (width == 64)
        *out = n_blocks == 6 ? "resnet50" : n_blocks == 23 ? "resnet101" : "resnet152";
    else
        *out = n_blocks == 6 ? "wide_resnet50_2" : "wide_resnet101_2";
    return LIMN_OK;
}

static limn_status read_encoder(published *p, limn_error *err)
{
    static const image_class images = { .filter = LIMN_RESIZE_LINEAR,
                                        .mean = { 0.485, 0.456, 0.406 },
                                        .deviation = { 0.229, 0.224, 0.225 } };
    limn_encoder_config *e = &p->config.encoder;
    const char *family;
    LIMN_TRY(find_resnet(&family, p, err));
    snprintf(e->family, sizeof e->family, "%s", family);
    image_rules_default(&e->input, &images, SIDE);
    e->input.fit = LIMN_FIT_CROP;
    e->input.shorter_side = SHORTER_SIDE;
    e->input.rounding = LIMN_ROUND_ALBUMENTATIONS;
    const limn_status s = limn_encoder_check(e, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", p->path);
    return s;
}

static limn_status read_decoder(published *p, uint32_t *n_tokens, limn_error *err)
{
    limn_decoder_config *d = &p->config.decoder;
    const limn_feature_shape shape = limn_encoder_feature_shape(&p->config.encoder);
    LIMN_TRY(limn_decoder_layout_find(&d->layout, "virtex", err));
    LIMN_TRY(pth_dim(n_tokens, p, "textual.embedding.words.weight", 0, LIMN_VOCAB_MAX_TOKENS, err));
    LIMN_TRY(pth_dim(&d->dim, p, "textual.embedding.words.weight", 1, 4096, err));
    LIMN_TRY(pth_dim(&d->max_positions, p, "textual.embedding.positions.weight", 0,
                     LIMN_DECODER_MAX_POSITIONS, err));
    LIMN_TRY(pth_dim(&d->feed_forward_dim, p, "textual.transformer.layers.0.linear1.weight", 0,
                     16384, err));
    d->n_layers = pth_count(p, "textual.transformer.layers.", ".linear1.weight");
    d->n_heads = d->dim / HEAD_DIM;
    d->n_memory_positions = (uint32_t)limn_feature_positions(shape);
    d->memory_dim = (uint32_t)shape.dim;
    if (pth_has(p, "textual.transformer.norm.weight")) { /* of "transdec_prenorm" */
        d->layout.norm_position = LIMN_NORM_BEFORE;
        d->layout.has_final_norm = true;
    }
    if (d->dim % HEAD_DIM == 0) return LIMN_OK;
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "%s: tensor model.textual.embedding.words.weight: is %u wide, expected a "
                     "multiple of %d, the width of a head",
                     p->path, d->dim, HEAD_DIM);
}

static limn_status read_vocabulary(published *p, const char *path, uint32_t n_tokens,
                                   limn_error *err)
{
    static const uint32_t silent[] = { 0, 1, 3 }; /* <unk> [SOS] [MASK] */
    const limn_specials specials = {
        .start = 1, .end = 2, .pad = 0, .unknown = 0, .never_written = silent, .n_never_written = 3
    };
    unsigned char *bytes;
    size_t size;
    LIMN_TRY(limn_file_read(&bytes, &size, path, 64u << 20, err));
    limn_status s = limn_vocab_from_sentencepiece(&p->vocab, bytes, size, &specials, err);
    limn_free(bytes);
    if (s == LIMN_OK && limn_vocab_n_tokens(p->vocab) != n_tokens)
        s = limn_fail(
            err, LIMN_E_FORMAT,
            "has %zu pieces, expected %u, the rows of model.textual.embedding.words.weight",
            limn_vocab_n_tokens(p->vocab), n_tokens);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    return s;
}

limn_status published_virtex_pth(published *p, const char *vocab, limn_error *err)
{
    limn_model_config *c = &p->config;
    uint32_t n_tokens;
    p->kind = &kind;
    p->is_tied_by_config = true;
    LIMN_TRY(read_encoder(p, err));
    LIMN_TRY(read_decoder(p, &n_tokens, err));
    c->length_penalty = 0; /* VirTex does not normalise by length */
    c->max_steps = c->decoder.max_positions < MAX_STEPS ? c->decoder.max_positions : MAX_STEPS;
    return read_vocabulary(p, vocab, n_tokens, err);
}
