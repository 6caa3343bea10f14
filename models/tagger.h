/* Which concepts an image shows, from the encoder's features of it.
 *
 * A limn_tagger is immutable and may be shared by threads; its scratch memory is a worker's own.
 * The same features give the same bits at every CPU level. */
#ifndef LIMN_MODELS_TAGGER_H
#define LIMN_MODELS_TAGGER_H

#include "common/base/arena.h"
#include "common/kernels/kernels.h"
#include "models/captioner.h"
#include "models/tag_heads.h"

typedef struct limn_tagger limn_tagger;
typedef struct limn_tagger_scratch limn_tagger_scratch;

/* Packs the heads of a model whose encoder gives features [n_positions, dim]. Nothing is borrowed.
 * LIMN_E_NOMEM. */
limn_status limn_tagger_open(limn_tagger **out, const limn_tag_heads *heads, size_t n_positions,
                             size_t dim, const limn_kernels *kernels, limn_error *err);
void limn_tagger_close(limn_tagger **t); /* accepts NULL and *t == NULL; nulls it */

size_t limn_tagger_n_tags(const limn_tagger *t); /* of all heads */
/* The tag at `index`, head after head; strings belong to the tagger; its probability is 0. */
limn_tag limn_tagger_tag(const limn_tagger *t, size_t index);
/* The indices *first … *first + *n - 1 of a set's tags. False when there is no such set. */
bool limn_tagger_find_set(size_t *first, size_t *n, const limn_tagger *t, const char *set);

/* Takes scratch memory from an arena, which may be counting (then NULL). */
limn_tagger_scratch *limn_tagger_scratch_take(const limn_tagger *t, limn_arena *arena);

/* probabilities [n_tags] from features [n_positions, dim]. Allocates nothing. */
void limn_tagger_run(const limn_tagger *t, limn_tagger_scratch *scratch, const float *features,
                     float *probabilities);
/* As limn_tagger_run, for one set alone, whose `first` comes from limn_tagger_find_set:
 * probabilities [n] of its n tags. */
void limn_tagger_run_set(const limn_tagger *t, limn_tagger_scratch *scratch, size_t first,
                         const float *features, float *probabilities);
/* The n most probable tags, best first; of equal ones that with the lower index. Returns how many:
 * n, or all. */
size_t limn_tagger_best(limn_tag *out, size_t n, const limn_tagger *t, const float *probabilities);

#endif
