/* In how many images' references each n-gram occurs: CIDEr's document frequencies as a model file
 * keeps them (models/FORMAT.md). n-grams are identified by a hash of their words' texts, so that a
 * table is valid for any vocabulary; those that occur once are left out, as CIDEr counts an unknown
 * n-gram as one that occurs once.
 *
 * Immutable once made; any number of threads may read it.
 *
 * A program that writes a model counts with limn_cider_df_add (common/metrics/cider.h), then:
 *
 *     limn_document_frequencies_create(&table, df, text_of_word, words, err);
 *     n_tensors += limn_document_frequencies_tensors(table, tensors + n_tensors);
 *     extra[n_extra++] = limn_document_frequencies_metadata(table);
 *     limn_model_file_write(path, &config, vocab, tensors, n_tensors, extra, n_extra, err); */
#ifndef LIMN_MODELS_DOCUMENT_FREQUENCIES_H
#define LIMN_MODELS_DOCUMENT_FREQUENCIES_H

#include <stddef.h>
#include <stdint.h>

#include "common/io/safetensors.h"
#include "common/metrics/cider.h"

#define LIMN_DOCUMENT_FREQUENCIES_KEY "limn.document_frequencies" /* of the metadata */
#define LIMN_DOCUMENT_FREQUENCIES_PREFIX "document_frequencies."  /* of the tensors' names */
enum { LIMN_DOCUMENT_FREQUENCIES_N_TENSORS = 2 };

typedef struct limn_document_frequencies limn_document_frequencies;

/* The text of a word of the n-grams in a limn_cider_df. */
typedef const char *limn_word_text_fn(const void *words, uint32_t word);

/* The n-grams of `df` that occur in two images or more. LIMN_E_NOMEM; LIMN_E_ARG when `df` has
 * counted no image. */
limn_status limn_document_frequencies_create(limn_document_frequencies **out,
                                             const limn_cider_df *df, limn_word_text_fn *text,
                                             const void *words, limn_error *err);
/* Those of a model file; *out is NULL when it has none. Everything is copied: the file may be
 * closed afterwards. LIMN_E_FORMAT names the tensor, what it is and what was expected;
 * LIMN_E_NOMEM. */
limn_status limn_document_frequencies_read(limn_document_frequencies **out,
                                           const limn_safetensors *file, limn_error *err);
void limn_document_frequencies_destroy(limn_document_frequencies **f); /* accepts NULL, nulls it */

uint32_t limn_document_frequencies_n_images(const limn_document_frequencies *f);
size_t limn_document_frequencies_n_ngrams(const limn_document_frequencies *f);
/* In how many images the n-gram of words [n_words] occurs, 1 … n_images; 1 when the table does
 * not have it. */
uint32_t limn_document_frequencies_find(const limn_document_frequencies *f,
                                        const char *const *words, size_t n_words);

/* Writes the LIMN_DOCUMENT_FREQUENCIES_N_TENSORS tensors of a model file, views into `f`, and
 * returns their number. */
size_t limn_document_frequencies_tensors(const limn_document_frequencies *f, limn_tensor *tensors);
limn_metadata_item limn_document_frequencies_metadata(const limn_document_frequencies *f);

#endif
