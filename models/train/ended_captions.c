#include "models/train/ended_captions.h"

#include <string.h>

#include "common/base/mem.h"

void limn_ended_captions_finish(limn_ended_captions *e)
{
    limn_free(e->words);
    limn_free(e->sentences);
    limn_ngram_counts_list_finish(&e->counts);
    *e = (limn_ended_captions){ 0 };
}

limn_status limn_ended_captions_fill(limn_ended_captions *e, const limn_references *r, size_t image,
                                     limn_error *err)
{
    const size_t first = r->first_captions[image], end = r->first_captions[image + 1];
    const size_t n_words = r->offsets[end] - r->offsets[first] + (end - first);
    if (!limn_grow((void **)&e->words, &e->words_capacity, n_words, sizeof *e->words) ||
        !limn_grow((void **)&e->sentences, &e->capacity, end - first, sizeof *e->sentences))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu references", end - first);
    uint32_t *words = e->words;
    e->n = end - first;
    for (size_t c = first; c < end; c++) {
        const size_t n = r->offsets[c + 1] - r->offsets[c];
        memcpy(words, r->tokens + r->offsets[c], n * sizeof *words);
        words[n] = r->end;
        e->sentences[c - first] = (limn_sentence){ words, n + 1 };
        words += n + 1;
    }
    return limn_ngram_counts_list_fill(&e->counts, e->sentences, e->n, err);
}

static limn_status count(limn_cider_df *df, limn_ended_captions *e,
                         const limn_references *references, limn_error *err)
{
    for (size_t i = 0; i < references->n_images; i++) {
        LIMN_TRY(limn_ended_captions_fill(e, references, i, err));
        LIMN_TRY(limn_cider_df_add(df, e->counts.items, e->n, err));
    }
    return LIMN_OK;
}

limn_status limn_ended_captions_count(limn_cider_df **out, const limn_references *references,
                                      const limn_references *text, limn_error *err)
{
    limn_ended_captions e = { 0 };
    limn_status status = limn_cider_df_create(out, err);
    if (status == LIMN_OK) status = count(*out, &e, references, err);
    if (status == LIMN_OK && text) status = count(*out, &e, text, err);
    limn_ended_captions_finish(&e);
    if (status != LIMN_OK) limn_cider_df_destroy(out);
    return status;
}
