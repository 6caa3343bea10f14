#include "models/decoder_config.h"

#include "models/layout_json.h"
#include "models/tag_heads.h"

static limn_status read_tag_slots(limn_decoder_config *d, const limn_json_node *decoder,
                                  limn_error *err)
{
    if (!limn_json_has(decoder, "tag_slots")) return LIMN_OK;
    LIMN_TRY(limn_json_u32(&d->n_tag_slots, decoder, "tag_slots", 1, LIMN_MAX_TAG_SLOTS, err));
    return limn_json_u32(&d->n_tags, decoder, "tags", d->n_tag_slots, LIMN_TAGS_MAX_NAMES, err);
}

static limn_status read_sizes(limn_decoder_config *d, const limn_json_node *decoder,
                              limn_error *err)
{
    LIMN_TRY(limn_json_u32(&d->n_layers, decoder, "layers", 1, 64, err));
    LIMN_TRY(limn_json_u32(&d->dim, decoder, "dim", 16, 4096, err));
    LIMN_TRY(limn_json_u32(&d->n_heads, decoder, "heads", 1, 64, err));
    LIMN_TRY(limn_json_u32(&d->feed_forward_dim, decoder, "feed_forward", 16, 16384, err));
    LIMN_TRY(limn_json_u32(&d->max_positions, decoder, "max_positions", 2,
                           LIMN_DECODER_MAX_POSITIONS, err));
    LIMN_TRY(limn_json_u32(&d->n_memory_positions, decoder, "memory_positions", 1, 4096, err));
    return limn_json_u32(&d->memory_dim, decoder, "memory_dim", 1, 16384, err);
}

static limn_status check_sizes(const limn_decoder_config *d, const limn_json_node *decoder,
                               limn_error *err)
{
    limn_json_node dim;
    LIMN_TRY(limn_json_get(&dim, decoder, "dim", err));
    if (d->dim % 16 != 0 || d->dim % d->n_heads != 0 || d->dim / d->n_heads % 8 != 0)
        return limn_json_fail(&dim, err, LIMN_E_FORMAT,
                              "%u is not a multiple of 16 and of 8 times "
                              "the %u heads",
                              d->dim, d->n_heads);
    if (d->feed_forward_dim % 16 != 0)
        return limn_json_fail(decoder, err, LIMN_E_FORMAT,
                              "feed_forward %u is not a multiple of "
                              "16",
                              d->feed_forward_dim);
    return LIMN_OK;
}

limn_status limn_decoder_config_read(limn_decoder_config *d, const limn_json_node *decoder,
                                     limn_error *err)
{
    *d = (limn_decoder_config){ .n_layers = 0 };
    LIMN_TRY(read_sizes(d, decoder, err));
    LIMN_TRY(read_tag_slots(d, decoder, err));
    LIMN_TRY(limn_layout_read(&d->layout, decoder, err));
    return check_sizes(d, decoder, err);
}

json_t *limn_decoder_config_write(const limn_decoder_config *d)
{
    json_t *decoder =
        json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "layers", (int)d->n_layers, "dim",
                  (int)d->dim, "heads", (int)d->n_heads, "feed_forward", (int)d->feed_forward_dim,
                  "max_positions", (int)d->max_positions, "memory_positions",
                  (int)d->n_memory_positions, "memory_dim", (int)d->memory_dim);
    if (d->n_tag_slots > 0)
        json_object_update_new(decoder, json_pack("{s:i, s:i}", "tag_slots", (int)d->n_tag_slots,
                                                  "tags", (int)d->n_tags));
    json_t *layout = limn_layout_write(&d->layout);
    if (layout) json_object_set_new(decoder, "layout", layout);
    return decoder;
}
