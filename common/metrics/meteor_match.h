/* All the ways in which words of a caption can match words of a reference. */
#ifndef LIMN_COMMON_METRICS_METEOR_MATCH_H
#define LIMN_COMMON_METRICS_METEOR_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/metrics/meteor_words.h"

#define LIMN_METEOR_MAX_WORDS 1024 /* in one caption or reference */

enum { LIMN_METEOR_N_MODULES = 4 };
typedef enum limn_meteor_module {
    LIMN_METEOR_EXACT = 0,
    LIMN_METEOR_STEM,
    LIMN_METEOR_SYNONYM,
    LIMN_METEOR_PARAPHRASE,
} limn_meteor_module;

/* Words start … start + length - 1 of the reference against hyp_start … of the caption. */
typedef struct limn_meteor_match {
    uint16_t start, length, hyp_start, hyp_length;
    limn_meteor_module module;
} limn_meteor_match;

typedef struct limn_meteor_sentence {
    const uint32_t *words; /* [n_words] numbers in limn_meteor_words */
    size_t n_words;        /* at most LIMN_METEOR_MAX_WORDS */
} limn_meteor_sentence;

/* Zero-initialise; the memory is reused from call to call. */
typedef struct limn_meteor_matches {
    limn_meteor_match *items; /* [n_items], by start; then in the order of modules */
    size_t begins[LIMN_METEOR_MAX_WORDS + 1]; /* word i of the reference: begins[i] … [i+1]-1 */
    /* How many matches touch each word, at most 65535. */
    uint16_t hyp_coverage[LIMN_METEOR_MAX_WORDS], ref_coverage[LIMN_METEOR_MAX_WORDS];
    size_t n_items;
    limn_meteor_match *found; /* [n_found] in the order in which the modules found them */
    size_t n_found, found_capacity, capacity;
} limn_meteor_matches;

/* LIMN_E_NOMEM. */
limn_status limn_meteor_match_words(limn_meteor_matches *out, const limn_meteor_words *w,
                                    limn_meteor_sentence hyp, limn_meteor_sentence ref,
                                    limn_error *err);
void limn_meteor_matches_finish(limn_meteor_matches *m);

#endif
