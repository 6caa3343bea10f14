/* All token sequences of a vocabulary that spell the same words: banned words are banned in every
 * spelling, since a model that may not write "▁cat" would write "▁c" "at". */
#ifndef LIMN_MODELS_SPELLINGS_H
#define LIMN_MODELS_SPELLINGS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "decoder/vocab.h"

enum { LIMN_MAX_SPELLINGS = 4096, LIMN_MAX_SPELLING = 64 /* tokens */ };

typedef limn_status limn_spelling_fn(void *ctx, const uint32_t *tokens, size_t n, limn_error *err);

/* Calls `take` for each of them but tokens [n] itself, words of a vocabulary: at most
 * LIMN_MAX_SPELLINGS, those that begin with long tokens first. What `take` fails with;
 * LIMN_E_NOMEM.
 */
limn_status limn_spellings(const limn_vocab *vocab, const uint32_t *tokens, size_t n,
                           limn_spelling_fn *take, void *ctx, limn_error *err);

#endif
