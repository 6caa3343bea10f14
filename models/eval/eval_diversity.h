/* What scores do not show: how much the captions differ from each other, and whether they end
 * well. */
#ifndef LIMN_MODELS_EVAL_EVAL_DIVERSITY_H
#define LIMN_MODELS_EVAL_EVAL_DIVERSITY_H

#include "models/eval/eval.h"

typedef struct limn_eval_diversity {
    /* Of the best caption of each image. */
    size_t n_distinct; /* different captions */
    size_t n_most;     /* images with the most frequent caption */
    const char *most;  /* that caption, tokenised; of equally frequent ones the first; borrowed from
                        * the data */
    size_t n_vocabulary; /* different words */
    double mean_length;  /* words */
    double div_1, div_2; /* different words, word pairs / all words */
    double bad_endings;  /* share that ends with an article, a preposition, a conjunction … */
    double seen;         /* share that is a caption of the training file; -1 without one */
    /* Of n-best lists: means over the images that have one. */
    size_t n_lists; /* images with two captions or more */
    double list_div_1, list_div_2;
    double self_cider; /* 0: all equal … 1: nothing in common */
} limn_eval_diversity;

/* `training` (may be NULL) is tokenised as the data is. LIMN_E_NOMEM, LIMN_E_FORMAT. */
limn_status limn_eval_diversity_measure(limn_eval_diversity *out, const limn_eval_data *data,
                                        const limn_caption_file *training,
                                        const limn_eval_settings *settings, limn_error *err);

#endif
