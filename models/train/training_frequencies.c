#include "models/train/training_frequencies.h"

#include "common/base/mem.h"
#include "common/text/numbered_words.h"

/* The captions of one image, counted into `df`. */
struct counter {
    limn_string_table table;
    limn_cider_df *df;
    limn_numbered_words *words; /* [n_captions] */
    limn_sentence *sentences;   /* [n_captions] */
    limn_ngram_counts_list counts;
    size_t n_captions; /* of the image with most */
};

static limn_status count_image(struct counter *c, const limn_training_set *set, size_t image,
                               limn_error *err)
{
    const size_t first = set->first_captions[image];
    const size_t n = set->first_captions[image + 1] - first;
    for (size_t i = 0; i < n; i++) {
        LIMN_TRY(limn_numbered_words_fill(&c->words[i], &c->table, set->texts[first + i], err));
        c->sentences[i] = (limn_sentence){ c->words[i].words, c->words[i].n_words };
    }
    LIMN_TRY(limn_ngram_counts_list_fill(&c->counts, c->sentences, n, err));
    return limn_cider_df_add(c->df, c->counts.items, n, err);
}

static limn_status count_all(struct counter *c, const limn_training_set *set, limn_error *err)
{
    for (size_t i = 0; i < set->n_images; i++) {
        const size_t n = set->first_captions[i + 1] - set->first_captions[i];
        c->n_captions = n > c->n_captions ? n : c->n_captions;
    }
    c->words = limn_calloc(c->n_captions, sizeof *c->words);
    c->sentences = limn_calloc(c->n_captions, sizeof *c->sentences);
    if (!c->words || !c->sentences)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu captions", c->n_captions);
    LIMN_TRY(limn_cider_df_create(&c->df, err));
    for (size_t i = 0; i < set->n_images; i++) LIMN_TRY(count_image(c, set, i, err));
    return LIMN_OK;
}

static const char *word_text(const void *words, uint32_t word)
{
    return limn_string_table_get(words, word);
}

limn_status limn_training_frequencies_create(limn_document_frequencies **out,
                                             const limn_training_set *set, limn_error *err)
{
    struct counter c = { .n_captions = 0 };
    *out = NULL;
    limn_status status = count_all(&c, set, err);
    if (status == LIMN_OK)
        status = limn_document_frequencies_create(out, c.df, word_text, &c.table, err);
    for (size_t i = 0; c.words && i < c.n_captions; i++) limn_numbered_words_finish(&c.words[i]);
    limn_free(c.words);
    limn_free(c.sentences);
    limn_ngram_counts_list_finish(&c.counts);
    limn_cider_df_destroy(&c.df);
    limn_string_table_finish(&c.table);
    return status;
}
