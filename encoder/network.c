#include "encoder/network.h"

size_t limn_feature_positions(limn_feature_shape s)
{
    return s.n_prefix + s.grid_width * s.grid_height;
}

size_t limn_feature_floats(limn_feature_shape s)
{
    return limn_feature_positions(s) * s.dim;
}

bool limn_vit_configs_equal(const limn_vit_config *a, const limn_vit_config *b)
{
    return a->patch == b->patch && a->dim == b->dim && a->n_layers == b->n_layers &&
           a->n_heads == b->n_heads && a->feed_forward_dim == b->feed_forward_dim &&
           a->activation == b->activation && a->eps == b->eps &&
           a->has_patch_bias == b->has_patch_bias && a->has_embedding_norm == b->has_embedding_norm;
}
