#include "tools/vocabulary/caption_words.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/io/captions.h"
#include "common/io/fileio.h"

#define MAX_LIST_SIZE ((size_t)1 << 30) /* bytes */

/* The last part of a path. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static limn_status add_name(limn_word_counts *names, const char *name, limn_error *err)
{
    return limn_word_counts_add_word(names, name, strlen(name), err);
}

/* Adds the last part of each line of a list; empty lines are none. */
static limn_status add_lines(limn_word_counts *names, char *text, limn_error *err)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest))
        LIMN_TRY(add_name(names, last_part(line), err));
    return LIMN_OK;
}

static limn_status read_list(limn_word_counts **out, const char *path, limn_error *err)
{
    unsigned char *text = NULL;
    size_t size;
    limn_status s;
    LIMN_TRY(limn_file_read(&text, &size, path, MAX_LIST_SIZE, err));
    s = limn_word_counts_create(out, err);
    if (s == LIMN_OK)
        s = add_lines(*out, (char *)text, err);
    limn_free(text);
    return s;
}

limn_status limn_caption_words_init(limn_caption_words *w, const char *only, limn_error *err)
{
    limn_status s;
    *w = (limn_caption_words){ 0 };
    s = limn_word_counts_create(&w->counts, err);
    if (s == LIMN_OK)
        s = limn_word_counts_create(&w->pictures, err);
    if (s == LIMN_OK && only)
        s = read_list(&w->only, only, err);
    if (s != LIMN_OK)
        limn_caption_words_finish(w);
    return s;
}

void limn_caption_words_finish(limn_caption_words *w)
{
    limn_word_counts_destroy(&w->counts);
    limn_word_counts_destroy(&w->pictures);
    limn_word_counts_destroy(&w->only);
    limn_ptb_finish(&w->ptb);
}

static bool is_in_list(const limn_caption_words *w, const char *name)
{
    const char *last = name ? last_part(name) : "";
    return limn_word_counts_of(w->only, last, strlen(last)) > 0;
}

static limn_status add_record(limn_caption_words *w, const limn_caption_record *record,
                              limn_error *err)
{
    const char *tokens;
    const bool counts = !w->only || is_in_list(w, record->id) || is_in_list(w, record->alias);
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
