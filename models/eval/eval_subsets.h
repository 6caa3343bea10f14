/* The same scores for parts of the images, which a file names: --subset animals.txt.
 *
 * A line of the file is the name of an image, as a whole or its last component; anything after a
 * tab is ignored. Scores are those of the part's rows: document frequencies, and the rivals of
 * retrieval, are those of all images. */
#ifndef LIMN_MODELS_EVAL_EVAL_SUBSETS_H
#define LIMN_MODELS_EVAL_EVAL_SUBSETS_H

#include "models/eval/eval.h"
#include "models/eval/eval_diversity.h"

typedef struct limn_eval_subset {
    char *name;                           /* of the file, without folder and ending */
    size_t n_images;                      /* >= 1 */
    double (*scores)[LIMN_EVAL_MAX_KEYS]; /* [n_results] */
    limn_eval_diversity diversity;
} limn_eval_subset;

typedef struct limn_eval_subsets {
    limn_eval_subset *items; /* [n_items] */
    size_t n_items;
} limn_eval_subsets;

/* Scores the subsets in the files `paths` [n_paths]. LIMN_E_ARG for a file that names no image of
 * the data; LIMN_E_IO, LIMN_E_NOMEM. Free with limn_eval_subsets_finish, also after a failure. */
limn_status limn_eval_subsets_measure(limn_eval_subsets *out, const char *const *paths,
                                      size_t n_paths, const limn_eval_data *data,
                                      const limn_eval_result *results, size_t n_results,
                                      const limn_eval_settings *settings, limn_error *err);
void limn_eval_subsets_finish(limn_eval_subsets *subsets); /* accepts a zeroed one */

#endif
