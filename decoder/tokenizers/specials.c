#include "decoder/tokenizers/specials.h"

#include <string.h>

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

bool limn_specials_equal(const limn_specials *a, const limn_specials *b)
{
    return a->start == b->start && a->end == b->end && a->pad == b->pad &&
           a->unknown == b->unknown && a->n_never_written == b->n_never_written &&
           memcmp(a->never_written, b->never_written,
                  a->n_never_written * sizeof *a->never_written) == 0;
}
