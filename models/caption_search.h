/* The search for the captions of one image, by the constraints and options of a limn_decoding, and
 * the choice among what it finds. A worker has one for each image that it decodes at a time. */
#ifndef LIMN_MODELS_CAPTION_SEARCH_H
#define LIMN_MODELS_CAPTION_SEARCH_H

#include "decoder/hypothesis.h"
#include "decoder/search_rows.h"
#include "models/decoding.h"

typedef struct limn_caption_search limn_caption_search;

/* Rows of the widest step. */
size_t limn_caption_search_max_rows(const limn_decoding *d);
/* Bytes of its scratch memory. */
size_t limn_caption_search_bytes(limn_decoding *d);

/* `d` must outlive it; one of its searches ends at a time. LIMN_E_NOMEM. */
limn_status limn_caption_search_create(limn_caption_search **out, limn_decoding *d,
                                       limn_error *err);
void limn_caption_search_destroy(limn_caption_search **s); /* accepts NULL and *s == NULL */

/* Begins with the image whose name follows the last '/' of `name` (may be NULL). `coverage_of` is
 * called with `ctx` where the options weigh coverage. This and what follows allocate nothing.
 * LIMN_E_ARG when no caption can meet the options. */
limn_status limn_caption_search_begin(limn_caption_search *s, const char *name,
                                      limn_coverage_fn *coverage_of, void *ctx, limn_error *err);
/* The first row is the start token however long the prompt is; where options.search is not limn's
 * own, the rows of the first requests are the prompt's tokens. */
limn_search_rows limn_caption_search_rows(const limn_caption_search *s);
/* Takes log-probabilities [n_rows, n_tokens] of limn_caption_search_rows, or logits, where
 * options.search is not limn's own; it may change them. */
void limn_caption_search_take(limn_caption_search *s, float *outputs);
/* The results, once there are no rows: *out [*n_out], 1 … n_best, best first; valid until the
 * search begins again. LIMN_E_ARG when no caption can meet the options; LIMN_E_NOMEM. */
limn_status limn_caption_search_end(limn_caption_search *s, const limn_hypothesis **out,
                                    size_t *n_out, limn_error *err);

#endif
