#include "encoder/network.h"

size_t limn_feature_positions(limn_feature_shape s)
{
    return s.n_prefix + s.grid_width * s.grid_height;
}

size_t limn_feature_floats(limn_feature_shape s)
{
    return limn_feature_positions(s) * s.dim;
}
