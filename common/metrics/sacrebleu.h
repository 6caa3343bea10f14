/* BLEU as sacreBLEU 2.6 computes it for a corpus: order 4, no effective order, four smoothings, and
 * the signature that records how the score was computed. The counts are those of bleu.h, over
 * tokens of mteval.h. Pure. */
#ifndef LIMN_COMMON_METRICS_SACREBLEU_H
#define LIMN_COMMON_METRICS_SACREBLEU_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "common/metrics/bleu.h"

typedef enum limn_sacrebleu_smoothing {
    LIMN_SACREBLEU_EXP = 0, /* the k-th precision without a match in a row is 1 / (2^k * guesses) */
    LIMN_SACREBLEU_FLOOR,   /* no match counts as `value` of one (default 0.1) */
    LIMN_SACREBLEU_ADD_K,   /* `value` (default 1) is added to matches and guesses above order 1 */
    LIMN_SACREBLEU_NONE,
} limn_sacrebleu_smoothing;

extern const char *const limn_sacrebleu_smoothing_names[]; /* NULL after the last */

typedef struct limn_sacrebleu_settings {
    limn_sacrebleu_smoothing smoothing;
    double value; /* for floor and add-k; negative: the default */
    bool is_lower_case;
    const char *tokenizer; /* its name, for the signature */
} limn_sacrebleu_settings;

typedef struct limn_sacrebleu {
    double score;                            /* 0 … 100 */
    double precisions[LIMN_NGRAM_MAX_ORDER]; /* 0 … 100 */
    double brevity_penalty;
    double ratio;                  /* of the lengths; 0 without references' words */
    double hyp_length, ref_length; /* words */
} limn_sacrebleu;

limn_sacrebleu limn_sacrebleu_score(const limn_bleu_stats *stats,
                                    const limn_sacrebleu_settings *settings);

/* Appends "BLEU = 48.53 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17
 * ref_len = 18)", in one line. */
void limn_sacrebleu_print(limn_buffer *out, const limn_sacrebleu *score);
/* Appends "nrefs:5|case:lc|eff:no|tok:13a|smooth:exp|version:2.6.0": `version` is that of the
 * sacreBLEU whose definition this follows. n_refs: references per image, 0 when it varies. */
void limn_sacrebleu_sign(limn_buffer *out, const limn_sacrebleu_settings *settings, size_t n_refs);

#endif
