/* What METEOR's modules need to know of a word, found once for each different word. */
#ifndef LIMN_COMMON_METRICS_METEOR_WORDS_H
#define LIMN_COMMON_METRICS_METEOR_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/metrics/meteor_paraphrases.h"
#include "common/metrics/meteor_synonyms.h"
#include "common/text/string_table.h"

struct sb_stemmer;

typedef struct limn_meteor_word {
    /* METEOR compares words and stems by Java's 32-bit String.hashCode alone, so it takes
     * "siblings" and "teheran" for equal. */
    uint32_t key, stem_key;
    size_t synsets_begin, synsets_end; /* in limn_meteor_words.synsets */
    uint16_t paraphrase_word;
    bool is_function;
} limn_meteor_word;

/* The words met so far by one thread. */
typedef struct limn_meteor_words {
    const limn_string_table *function_words;
    const limn_meteor_synonyms *synonyms;
    const limn_meteor_paraphrases *paraphrases;
    struct sb_stemmer *stemmer;
    limn_string_table strings;
    limn_meteor_word *words; /* [strings.n_strings] */
    size_t capacity;
    limn_id_list synsets;
} limn_meteor_words;

/* The three sources are borrowed. LIMN_E_NOMEM. */
limn_status limn_meteor_words_init(limn_meteor_words *out, const limn_string_table *function_words,
                                   const limn_meteor_synonyms *synonyms,
                                   const limn_meteor_paraphrases *paraphrases, limn_error *err);
void limn_meteor_words_finish(limn_meteor_words *w);

/* The number of a word (lower case, UTF-8) in `words`. LIMN_E_NOMEM. */
limn_status limn_meteor_words_add(uint32_t *number, limn_meteor_words *w, const char *word,
                                  size_t size, limn_error *err);

/* Whether two words have a synset in common. */
bool limn_meteor_words_are_synonyms(const limn_meteor_words *w, uint32_t a, uint32_t b);

#endif
