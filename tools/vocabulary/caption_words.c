#include "tools/vocabulary/caption_words.h"

#include <string.h>

#include "common/io/captions.h"

static limn_status add_name(limn_word_counts *names, const char *name, limn_error *err)
{
    return limn_word_counts_add_word(names, name, strlen(name), err);
}

limn_status limn_caption_words_init(limn_caption_words *w, const char *only, limn_error *err)
{
    limn_status s;
    *w = (limn_caption_words){ 0 };
    s = limn_word_counts_create(&w->counts, err);
    if (s == LIMN_OK)
        s = limn_word_counts_create(&w->pictures, err);
    if (s == LIMN_OK && only)
        s = limn_picture_list_read(&w->only, only, err);
    if (s != LIMN_OK)
        limn_caption_words_finish(w);
    return s;
}

void limn_caption_words_finish(limn_caption_words *w)
{
    limn_word_counts_destroy(&w->counts);
    limn_word_counts_destroy(&w->pictures);
    limn_picture_list_destroy(&w->only);
    limn_ptb_finish(&w->ptb);
}

static limn_status add_record(limn_caption_words *w, const limn_caption_record *record,
                              limn_error *err)
{
    const char *tokens;
    const bool counts =
        !w->only || limn_picture_list_has(w->only, record->id, record->alias);
    if (!counts || !record->caption)
        return LIMN_OK;
    LIMN_TRY(limn_ptb_tokenize(&tokens, &w->ptb, record->caption, strlen(record->caption),
                               LIMN_PTB_DROP_PUNCTUATION, err));
    LIMN_TRY(limn_word_counts_add(w->counts, tokens, err));
    w->n_captions++;
    return add_name(w->pictures, record->id, err);
}

limn_status limn_caption_words_add_file(limn_caption_words *w, const char *path, const char *split,
                                        limn_error *err)
{
    limn_caption_file file = { 0 };
    limn_status s = limn_caption_file_read(&file, path, split, err);
    for (size_t i = 0; i < file.n_records && s == LIMN_OK; i++)
        s = add_record(w, &file.records[i], err);
    limn_caption_file_finish(&file);
    return s;
}
