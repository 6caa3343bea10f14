#include "decoder/specials.h"

const char *const limn_special_tokens[LIMN_N_SPECIAL] = { "<pad>", "<s>", "</s>", "<unk>" };
const uint32_t limn_special_never_written[3] = { 0, 1, 3 };

bool limn_specials_is_written(const limn_specials *s, uint32_t token)
{
    for (size_t i = 0; i < s->n_never_written; i++)
        if (s->never_written[i] == token) return false;
    return true;
}

bool limn_specials_is_silent(const limn_specials *s, uint32_t token)
{
    return token == s->end || !limn_specials_is_written(s, token);
}
