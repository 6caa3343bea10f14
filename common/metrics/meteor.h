/* METEOR 1.5 (Denkowski & Lavie 2014) for English as the Java program computes it with
 * `-stdio -l en -norm`: rank task; exact, stem, synonym and, with the table, paraphrase matches.
 *
 *     limn_meteor_data_open(&data, folder, NULL, err)     // once; shared by threads
 *     limn_meteor_create(&meteor, data, err)              // one per thread
 *     limn_meteor_score(&stats, meteor, caption, references, n_references, err)
 *     limn_meteor_stats_score(&stats)                     // of this image
 *     limn_meteor_stats_add(&sum, &stats)                 // of the corpus: the score of the sum */
#ifndef LIMN_COMMON_METRICS_METEOR_H
#define LIMN_COMMON_METRICS_METEOR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/metrics/meteor_match.h"

/* The word lists and tables. Immutable after opening: threads may share it. */
typedef struct limn_meteor_data limn_meteor_data;

/* Reads what PyPI's pycocoevalcap has in `meteor/` from `folder` (see meteor_resource.h). The
 * paraphrase table is optional: without it this is a different metric, and must be named so. If
 * `cache` is not NULL, the table is read through that cache file, which is written when it is
 * missing or belongs to another table; without a cache, reading takes seconds. LIMN_E_IO,
 * LIMN_E_FORMAT, LIMN_E_TRUNCATED, LIMN_E_LIMIT, LIMN_E_NOMEM. */
limn_status limn_meteor_data_open(limn_meteor_data **out, const char *folder, const char *cache,
                                  limn_error *err);
void limn_meteor_data_close(limn_meteor_data **data); /* accepts NULL; nulls it */

/* Whether there is a paraphrase table. Without it the metric must be called "METEOR
 * (exact,stem,synonym)", with it "METEOR". */
bool limn_meteor_data_has_paraphrases(const limn_meteor_data *data);

/* What a score is computed from; sums over images score a corpus. Whole numbers. */
typedef struct limn_meteor_side {
    double n_words, n_function_words;
    double content[LIMN_METEOR_N_MODULES]; /* matched words by module */
    double function[LIMN_METEOR_N_MODULES];
} limn_meteor_side;

typedef struct limn_meteor_stats {
    limn_meteor_side hyp, ref;
    double n_chunks;
} limn_meteor_stats;

/* The score of one image or of a sum: in [0, 1], never NaN. */
double limn_meteor_stats_score(const limn_meteor_stats *stats);
/* Adds an image's to a sum: `sum` is zero at first. */
void limn_meteor_stats_add(limn_meteor_stats *sum, const limn_meteor_stats *stats);

/* Scratch memory of one thread, which grows with the number of different words. */
typedef struct limn_meteor limn_meteor;

limn_status limn_meteor_create(limn_meteor **out, const limn_meteor_data *data, limn_error *err);
void limn_meteor_destroy(limn_meteor **m); /* accepts NULL; nulls it */

/* The statistics of a caption against the reference that it scores best with, the first of equals.
 * Captions are UTF-8, as the PTB tokenizer leaves them. LIMN_E_FORMAT where one is not UTF-8,
 * LIMN_E_LIMIT for one of more than LIMN_METEOR_MAX_WORDS words, LIMN_E_ARG for no reference,
 * LIMN_E_NOMEM. */
limn_status limn_meteor_score(limn_meteor_stats *best, limn_meteor *m, const char *hyp,
                              const char *const *refs, size_t n_refs, limn_error *err);

#endif
