#include "models/tag_slots.h"

#include "common/base/ranked.h"

struct limn_tag_slots {
    const limn_tagger *tagger;
    limn_tagger_scratch *scratch;
    float *probabilities;          /* [n_tags] */
    limn_tag_slot *slots;          /* [n_slots] */
    size_t n_slots, n_tags, first; /* first: of the set's tags in the tagger */
};

limn_status limn_tag_slots_check(const limn_decoder_config *c, const limn_tagger *tagger,
                                 limn_error *err)
{
    size_t first, n;
    if (c->n_tag_slots == 0) return LIMN_OK;
    if (!tagger || !limn_tagger_find_set(&first, &n, tagger, LIMN_OBJECTS_SET))
        return limn_fail(err, LIMN_E_FORMAT,
                         LIMN_TAGS_KEY ": no set \"" LIMN_OBJECTS_SET "\", of whose %u tags the "
                                       "decoder reads %u",
                         c->n_tags, c->n_tag_slots);
    if (n != c->n_tags)
        return limn_fail(err, LIMN_E_FORMAT,
                         LIMN_TAGS_KEY ": the set \"" LIMN_OBJECTS_SET "\" has %zu tags, the "
                                       "decoder reads %u",
                         n, c->n_tags);
    return LIMN_OK;
}

limn_tag_slots *limn_tag_slots_take(const limn_decoder_config *c, const limn_tagger *tagger,
                                    limn_arena *arena)
{
    if (c->n_tag_slots == 0) return NULL;
    limn_tag_slots *s = limn_arena_take(arena, 1, sizeof *s);
    limn_tagger_scratch *scratch = limn_tagger_scratch_take(tagger, arena);
    float *probabilities = limn_arena_take(arena, c->n_tags, sizeof *probabilities);
    limn_tag_slot *slots = limn_arena_take(arena, c->n_tag_slots, sizeof *slots);
    if (!s) return NULL;
    *s = (limn_tag_slots){ .tagger = tagger,
                           .scratch = scratch,
                           .probabilities = probabilities,
                           .slots = slots,
                           .n_slots = c->n_tag_slots };
    limn_tagger_find_set(&s->first, &s->n_tags, tagger, LIMN_OBJECTS_SET);
    return s;
}

static bool is_more_probable(const void *a, const void *b)
{
    return ((const limn_tag_slot *)a)->probability > ((const limn_tag_slot *)b)->probability;
}

const limn_tag_slot *limn_tag_slots_find(limn_tag_slots *s, const float *features)
{
    size_t n = 0;
    if (!s) return NULL;
    limn_tagger_run_set(s->tagger, s->scratch, s->first, features, s->probabilities);
    for (uint32_t i = 0; i < s->n_tags; i++) {
        const limn_tag_slot slot = { i, s->probabilities[i] };
        limn_ranked_insert(s->slots, &n, s->n_slots, sizeof slot, &slot, is_more_probable);
    }
    return s->slots;
}
