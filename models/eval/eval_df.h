/* CIDEr's document frequencies: of the data, or from a file.
 *
 * The file is text: "#limn-df<TAB>tokenizer<TAB>number of images", then a line for each n-gram:
 * the number of images whose references have it, a tab, and its words with one space between. */
#ifndef LIMN_MODELS_EVAL_EVAL_DF_H
#define LIMN_MODELS_EVAL_EVAL_DF_H

#include "common/metrics/cider.h"
#include "models/eval/eval.h"

/* From settings->df_path, or counted in the references. LIMN_E_NOMEM, and as limn_eval_df_load. */
limn_status limn_eval_df_create(limn_cider_df **out, const limn_eval_data *data,
                                const limn_eval_settings *settings, limn_error *err);

/* Adds a file's n-grams to an empty `df`, except those with a word that does not occur in `data`,
 * which no score needs. LIMN_E_IO, LIMN_E_NOMEM, LIMN_E_ARG (made with another tokenizer),
 * LIMN_E_FORMAT; the text begins with the path. */
limn_status limn_eval_df_load(limn_cider_df *df, const char *path, const limn_eval_data *data,
                              limn_error *err);
/* LIMN_E_IO, LIMN_E_NOMEM */
limn_status limn_eval_df_save(const char *path, const limn_cider_df *df, const limn_eval_data *data,
                              limn_error *err);

#endif
