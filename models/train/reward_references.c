#include "models/train/reward_references.h"

#include <string.h>

#include "common/base/mem.h"

/* Captions per unpaired image: enough that what they agree on outweighs what one alone says. */
enum { MAX_DRAWN = 10 };

void limn_reward_references_finish(limn_reward_references *r)
{
    limn_free(r->names);
    limn_free(r->first_captions);
    limn_free(r->offsets);
    limn_free(r->tokens);
    *r = (limn_reward_references){ .n_images = 0 };
}

static limn_status no_memory(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "no memory for references");
}

/* Begins the captions of one more image. */
static limn_status add_image(limn_reward_references *r, const char *name, limn_error *err)
{
    if (!limn_grow((void **)&r->names, &r->names_capacity, r->n_images + 1, sizeof *r->names) ||
        !limn_grow((void **)&r->first_captions, &r->captions_capacity, r->n_images + 2,
                   sizeof *r->first_captions))
        return no_memory(err);
    if (r->n_images == 0) r->first_captions[0] = 0;
    r->names[r->n_images++] = name;
    r->first_captions[r->n_images] = r->n_captions;
    return LIMN_OK;
}

static limn_status add_caption(limn_reward_references *r, const limn_training_set *set,
                               size_t caption, limn_error *err)
{
    const size_t first = set->offsets[caption], n = set->offsets[caption + 1] - first;
    const size_t at = r->n_captions ? r->offsets[r->n_captions] : 0;
    if (!limn_grow((void **)&r->offsets, &r->offsets_capacity, r->n_captions + 2,
                   sizeof *r->offsets) ||
        !limn_grow((void **)&r->tokens, &r->tokens_capacity, at + n, sizeof *r->tokens))
        return no_memory(err);
    memcpy(r->tokens + at, set->tokens + first, n * sizeof *r->tokens);
    r->offsets[r->n_captions++] = at;
    r->offsets[r->n_captions] = at + n;
    r->first_captions[r->n_images] = r->n_captions;
    return LIMN_OK;
}

static limn_status add_paired(limn_reward_references *r, const limn_training_set *set,
                              limn_error *err)
{
    for (size_t p = 0; p < set->n_images; p++) {
        LIMN_TRY(add_image(r, limn_training_set_name(set, p), err));
        for (size_t c = set->first_captions[p]; c < set->first_captions[p + 1]; c++)
            LIMN_TRY(add_caption(r, set, c, err));
    }
    return LIMN_OK;
}

static limn_status add_unpaired(limn_reward_references *r, const limn_unpaired_data *u,
                                limn_error *err)
{
    for (size_t p = 0; p < limn_image_names_count(&u->names); p++) {
        uint32_t captions[MAX_DRAWN];
        const size_t n = limn_pairing_heaviest(captions, u->pairing, p, MAX_DRAWN);
        LIMN_TRY(add_image(r, limn_image_names_get(&u->names, p), err));
        for (size_t i = 0; i < n; i++) LIMN_TRY(add_caption(r, &u->text, captions[i], err));
    }
    return LIMN_OK;
}

/* NULL when there is none. */
static const limn_references *add_text(limn_reward_references *r, const limn_training_data *data)
{
    const limn_training_set *set = &data->unpaired.reward_text;
    r->text = (limn_references){ .tokens = set->tokens,
                                 .offsets = set->offsets,
                                 .first_captions = set->first_captions,
                                 .n_images = set->n_images,
                                 .end = limn_vocab_specials(data->vocab)->end };
    return set->n_images > 0 ? &r->text : NULL;
}

limn_status limn_reward_references_set(limn_reward_references *r, limn_trainer_settings *settings,
                                       const limn_training_data *data, bool has_unpaired,
                                       limn_error *err)
{
    LIMN_TRY(add_paired(r, &data->train, err));
    if (has_unpaired) LIMN_TRY(add_unpaired(r, &data->unpaired, err));
    settings->reward.text = add_text(r, data);
    settings->reward.names = r->names;
    settings->reward.first_references[1] = data->train.n_images;
    settings->reward.references = (limn_references){ .tokens = r->tokens,
                                                     .offsets = r->offsets,
                                                     .first_captions = r->first_captions,
                                                     .n_images = r->n_images,
                                                     .end = limn_vocab_specials(data->vocab)->end };
    settings->reward.vocab = data->vocab;
    return LIMN_OK;
}
