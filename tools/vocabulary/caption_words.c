#include "tools/vocabulary/caption_words.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/io/captions.h"
#include "tools/caption_input.h"

static limn_status add_name(limn_word_counts *names, const char *name, limn_error *err)
{
    return limn_word_counts_add_word(names, name, strlen(name), err);
}

limn_status limn_caption_words_init(limn_caption_words *w, limn_token_kind kind, const char *only,
                                    limn_error *err)
{
    limn_status s;
    *w = (limn_caption_words){ 0 };
    s = limn_vocab_builder_create(&w->builder, kind, err);
    if (s == LIMN_OK) s = limn_word_counts_create(&w->images, err);
    if (s == LIMN_OK && only) s = limn_image_list_read(&w->only, only, err);
    if (s != LIMN_OK) limn_caption_words_finish(w);
    return s;
}

void limn_caption_words_finish(limn_caption_words *w)
{
    limn_vocab_builder_destroy(&w->builder);
    limn_word_counts_destroy(&w->images);
    limn_image_list_destroy(&w->only);
}

static limn_status add_record(limn_caption_words *w, const limn_caption_record *record,
                              uint32_t min_count, limn_error *err)
{
    const bool counts = !w->only || limn_image_list_has(w->only, record->id, record->alias);
    if (!counts || !record->caption) return LIMN_OK;
    LIMN_TRY(limn_vocab_builder_add(w->builder, record->caption, strlen(record->caption), min_count,
                                    err));
    w->n_captions++;
    return add_name(w->images, record->id, err);
}

/* Takes ":N" off the end of a name. */
static limn_status take_minimum(char *name, uint32_t *min_count, limn_error *err)
{
    char *colon = strrchr(name, ':');
    uint64_t value = 0;
    if (!colon || !colon[1] || colon[1 + strspn(colon + 1, "0123456789")]) return LIMN_OK;
    for (const char *p = colon + 1; *p && (double)value <= LIMN_MAX_MIN_COUNT; p++)
        value = 10 * value + (uint64_t)(*p - '0');
    if (value < 1 || (double)value > LIMN_MAX_MIN_COUNT)
        return limn_fail(err, LIMN_E_ARG, "%s: the minimum is not in 1 … %.0f", name,
                         LIMN_MAX_MIN_COUNT);
    *min_count = (uint32_t)value;
    *colon = '\0';
    return LIMN_OK;
}

/* Reads the file that `name` tells, and takes its minimum. */
static limn_status read_file(limn_caption_file *file, uint32_t *min_count, const char *name,
                             const limn_caption_reading *how, limn_error *err)
{
    char *path = limn_strdup(name);
    limn_status s =
        path ? take_minimum(path, min_count, err) : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK) s = limn_caption_input_read(file, path, how, err);
    limn_free(path);
    return s;
}

limn_status limn_caption_words_add_file(limn_caption_words *w, const char *name,
                                        const limn_caption_reading *how, uint32_t min_count,
                                        limn_error *err)
{
    limn_caption_file file = { 0 };
    limn_status s = read_file(&file, &min_count, name, how, err);
    for (size_t i = 0; i < file.n_records && s == LIMN_OK; i++)
        s = add_record(w, &file.records[i], min_count, err);
    limn_caption_file_finish(&file);
    return s;
}

limn_status limn_caption_words_add_text(limn_caption_words *w, const char *name,
                                        const limn_caption_reading *how, uint32_t min_count,
                                        limn_error *err)
{
    limn_caption_file file = { 0 };
    limn_status s = read_file(&file, &min_count, name, how, err);
    for (size_t i = 0; i < file.n_records && s == LIMN_OK; i++) {
        const char *caption = file.records[i].caption;
        if (!caption) continue;
        s = limn_vocab_builder_add(w->builder, caption, strlen(caption), min_count, err);
        w->n_texts++;
    }
    limn_caption_file_finish(&file);
    return s;
}
