#include "common/metrics/meteor_words.h"

#include <libstemmer.h>

#include "common/base/mem.h"
#include "common/text/utf8.h"

limn_status limn_meteor_words_init(limn_meteor_words *out, const limn_string_table *function_words,
                                   const limn_meteor_synonyms *synonyms,
                                   const limn_meteor_paraphrases *paraphrases, limn_error *err)
{
    *out = (limn_meteor_words){ .function_words = function_words,
                                .synonyms = synonyms,
                                .paraphrases = paraphrases,
                                .stemmer = sb_stemmer_new("english", "UTF_8") };
    return out->stemmer ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "no English stemmer");
}

void limn_meteor_words_finish(limn_meteor_words *w)
{
    if (w->stemmer) sb_stemmer_delete(w->stemmer);
    limn_string_table_finish(&w->strings);
    limn_free(w->words);
    limn_free(w->synsets.items);
    *w = (limn_meteor_words){ 0 };
}

/* String.hashCode of Java: over UTF-16 units. */
static uint32_t java_hash(const char *text, size_t size)
{
    uint32_t hash = 0;
    for (size_t i = 0, used; i < size; i += used) {
        uint32_t c;
        used = limn_utf8_decode(&c, text + i, size - i);
        if (!used) return hash;
        if (c >= 0x10000) {
            hash = 31 * hash + (0xD800 + ((c - 0x10000) >> 10));
            c = 0xDC00 + ((c - 0x10000) & 0x3FF);
        }
        hash = 31 * hash + c;
    }
    return hash;
}

static limn_status describe(limn_meteor_word *out, limn_meteor_words *w, const char *word,
                            size_t size, limn_error *err)
{
    uint32_t number;
    const sb_symbol *stem = sb_stemmer_stem(w->stemmer, (const sb_symbol *)word, (int)size);
    if (!stem) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    out->key = java_hash(word, size);
    out->stem_key = java_hash((const char *)stem, (size_t)sb_stemmer_length(w->stemmer));
    out->is_function = limn_string_table_find(&number, w->function_words, word, size);
    out->paraphrase_word = limn_meteor_paraphrases_word(w->paraphrases, word, size);
    out->synsets_begin = w->synsets.n_items;
    LIMN_TRY(limn_meteor_synonyms_append(&w->synsets, w->synonyms, word, size, err));
    out->synsets_end = w->synsets.n_items;
    return LIMN_OK;
}

limn_status limn_meteor_words_add(uint32_t *number, limn_meteor_words *w, const char *word,
                                  size_t size, limn_error *err)
{
    limn_meteor_word description;
    if (limn_string_table_find(number, &w->strings, word, size)) return LIMN_OK;
    LIMN_TRY(describe(&description, w, word, size, err));
    if (!limn_grow((void **)&w->words, &w->capacity, w->strings.n_strings + 1, sizeof *w->words))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    LIMN_TRY(limn_string_table_add(number, &w->strings, word, size, err));
    w->words[*number] = description;
    return LIMN_OK;
}

bool limn_meteor_words_are_synonyms(const limn_meteor_words *w, uint32_t a, uint32_t b)
{
    size_t i = w->words[a].synsets_begin, j = w->words[b].synsets_begin;
    while (i < w->words[a].synsets_end && j < w->words[b].synsets_end) {
        if (w->synsets.items[i] == w->synsets.items[j]) return true;
        if (w->synsets.items[i] < w->synsets.items[j])
            i++;
        else
            j++;
    }
    return false;
}
